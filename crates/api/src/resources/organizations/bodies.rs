//! What organizations look like, and what is sent to write them.

use serde::Serialize;
use serde_json::{Map, Value};
use tenantry_domain::{
    environment::Timestamp,
    ids::OrganizationId,
    organizations::{Isolation, Organization, OrganizationCreate, OrganizationStatus, OrganizationUpdate, Plan},
    settings::SettingsChange,
    slugs::OrganizationSlug,
    text::Name,
};
use utoipa::ToSchema;

use crate::{
    fields::{Fields, FromFields, merge_patch},
    rules, timestamps, words,
};

/// An organization.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Organization)]
pub(in crate::resources) struct OrganizationView {
    #[schema(value_type = uuid::Uuid)]
    id: OrganizationId,
    #[schema(value_type = String, min_length = 1, max_length = 255, example = "Acme")]
    name: Name,
    /// Its name in URLs, unique everywhere.
    #[schema(value_type = String, min_length = 1, max_length = 63, example = "acme")]
    slug: OrganizationSlug,
    #[schema(value_type = words::OrganizationStatus)]
    status: OrganizationStatus,
    #[schema(value_type = words::Plan)]
    plan: Plan,
    /// Where its data lives; chosen at its founding.
    #[schema(min_length = 1, max_length = 63, example = "default")]
    region: String,
    #[schema(value_type = words::Isolation)]
    isolation: Isolation,
    /// Whatever clients keep with it.
    #[schema(value_type = Object)]
    settings: Map<String, Value>,
    #[serde(serialize_with = "timestamps::serialize")]
    #[schema(value_type = String, format = DateTime, max_length = 24, example = "2026-01-31T09:30:00.123Z")]
    created_at: Timestamp,
    #[serde(serialize_with = "timestamps::serialize")]
    #[schema(value_type = String, format = DateTime, max_length = 24, example = "2026-01-31T09:30:00.123Z")]
    updated_at: Timestamp,
}

impl From<Organization> for OrganizationView {
    fn from(organization: Organization) -> Self {
        Self {
            id: organization.id,
            name: organization.name,
            slug: organization.slug,
            status: organization.status,
            plan: organization.plan,
            region: organization.region,
            isolation: organization.isolation,
            settings: organization.settings,
            created_at: organization.created_at,
            updated_at: organization.updated_at,
        }
    }
}

/// A new organization.
#[derive(ToSchema)]
#[schema(example = json!({"name": "Acme"}))]
pub(in crate::resources) struct OrganizationCreateBody {
    #[schema(value_type = String, min_length = 1, max_length = 255)]
    name: Name,
    /// Derived from the name where it is absent.
    #[schema(
        value_type = Option<String>,
        min_length = 1,
        max_length = 63,
        pattern = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
    )]
    slug: Option<OrganizationSlug>,
    /// Where its data shall live.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 63, pattern = "^[a-z0-9-]{1,63}$")]
    region: Option<String>,
}

impl FromFields for OrganizationCreateBody {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let name = fields.required("name", rules::text);
        let slug = fields.optional("slug", rules::text);
        let region = fields.optional("region", rules::region);
        Some(Self {
            name: name?,
            slug,
            region,
        })
    }
}

impl From<OrganizationCreateBody> for OrganizationCreate {
    fn from(body: OrganizationCreateBody) -> Self {
        Self {
            name: body.name,
            slug: body.slug,
            region: body.region.unwrap_or_else(|| Organization::DEFAULT_REGION.to_owned()),
        }
    }
}

/// A change of an organization, as a merge patch: what is absent stays.
#[derive(ToSchema)]
#[schema(example = json!({"name": "Acme Ltd"}))]
pub(in crate::resources) struct OrganizationPatchBody {
    #[schema(value_type = Option<String>, nullable = false, min_length = 1, max_length = 255)]
    name: Option<Name>,
    #[schema(
        value_type = Option<String>,
        nullable = false,
        min_length = 1,
        max_length = 63,
        pattern = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
    )]
    slug: Option<OrganizationSlug>,
    /// Merged into what is there; `null` members are removed, and `null` removes them all.
    #[schema(value_type = Option<Object>)]
    settings: Option<SettingsChange>,
}

impl FromFields for OrganizationPatchBody {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        Some(Self {
            name: fields.patched("name", rules::text),
            slug: fields.patched("slug", rules::text),
            settings: fields.clearable("settings", rules::object).map(merge_patch),
        })
    }
}

impl From<OrganizationPatchBody> for OrganizationUpdate {
    fn from(body: OrganizationPatchBody) -> Self {
        Self {
            name: body.name,
            slug: body.slug,
            settings: body.settings,
        }
    }
}

/// All of an organization that can be written; `slug` and `settings` stay where they are absent.
#[derive(ToSchema)]
#[schema(example = json!({"name": "Acme Ltd"}))]
pub(in crate::resources) struct OrganizationReplaceBody {
    #[schema(value_type = String, min_length = 1, max_length = 255)]
    name: Name,
    #[schema(
        value_type = Option<String>,
        min_length = 1,
        max_length = 63,
        pattern = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
    )]
    slug: Option<OrganizationSlug>,
    #[schema(value_type = Option<Object>)]
    settings: Option<Map<String, Value>>,
}

impl FromFields for OrganizationReplaceBody {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let name = fields.required("name", rules::text);
        let slug = fields.optional("slug", rules::text);
        let settings = fields.optional("settings", rules::object);
        Some(Self {
            name: name?,
            slug,
            settings,
        })
    }
}

impl From<OrganizationReplaceBody> for OrganizationUpdate {
    fn from(body: OrganizationReplaceBody) -> Self {
        Self {
            name: Some(body.name),
            slug: body.slug,
            settings: body.settings.map(SettingsChange::Replace),
        }
    }
}
