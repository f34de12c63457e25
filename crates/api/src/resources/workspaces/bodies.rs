//! What workspaces look like, and what is sent to write them.

use serde::Serialize;
use serde_json::{Map, Value};
use tenantry_domain::{
    environment::Timestamp,
    ids::WorkspaceId,
    settings::SettingsChange,
    slugs::Slug,
    text::{Description, Icon, Name},
    workspaces::{Color, Workspace, WorkspaceCreate, WorkspaceUpdate},
};
use utoipa::ToSchema;

use crate::{
    fields::{Fields, FromFields, merge_patch},
    rules, timestamps,
};

/// A workspace.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Workspace)]
pub(in crate::resources) struct WorkspaceView {
    #[schema(value_type = uuid::Uuid)]
    id: WorkspaceId,
    #[schema(value_type = String, min_length = 1, max_length = 255, example = "General")]
    name: Name,
    /// Its name in URLs, unique in its organization.
    #[schema(value_type = String, min_length = 1, max_length = 63, example = "general")]
    slug: Slug,
    #[schema(value_type = Option<String>, max_length = 2000)]
    description: Option<Description>,
    /// What it is shown with: an emoji, or the name of a picture that clients know.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255, example = "🚀")]
    icon: Option<Icon>,
    #[schema(value_type = String, pattern = "^#[0-9A-Fa-f]{6}$", min_length = 7, max_length = 7, example = "#3B82F6")]
    color: Color,
    /// Whether projects go here when nobody says where; one workspace always is.
    is_default: bool,
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

impl From<Workspace> for WorkspaceView {
    fn from(workspace: Workspace) -> Self {
        Self {
            id: workspace.id,
            name: workspace.name,
            slug: workspace.slug,
            description: workspace.description,
            icon: workspace.icon,
            color: workspace.color,
            is_default: workspace.is_default,
            settings: workspace.settings,
            created_at: workspace.created_at,
            updated_at: workspace.updated_at,
        }
    }
}

/// A new workspace.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase", example = json!({"name": "Marketing", "color": "#10B981"}))]
pub(in crate::resources) struct WorkspaceCreateBody {
    #[schema(value_type = String, min_length = 1, max_length = 255)]
    name: Name,
    /// Derived from the name where it is absent.
    #[schema(
        value_type = Option<String>,
        min_length = 1,
        max_length = 63,
        pattern = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
    )]
    slug: Option<Slug>,
    #[schema(value_type = Option<String>, max_length = 2000)]
    description: Option<Description>,
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255)]
    icon: Option<Icon>,
    /// `#3B82F6` where it is absent.
    #[schema(value_type = Option<String>, pattern = "^#[0-9A-Fa-f]{6}$", min_length = 7, max_length = 7)]
    color: Option<Color>,
    /// Whether it takes the place of the default one: `false` where it is absent.
    is_default: Option<bool>,
    #[schema(value_type = Option<Object>)]
    settings: Option<Map<String, Value>>,
}

impl FromFields for WorkspaceCreateBody {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let name = fields.required("name", rules::text);
        let slug = fields.optional("slug", rules::text);
        let description = fields.optional("description", rules::text);
        let icon = fields.optional("icon", rules::text);
        let color = fields.optional("color", rules::text);
        let is_default = fields.optional("isDefault", rules::boolean);
        let settings = fields.optional("settings", rules::object);
        Some(Self {
            name: name?,
            slug,
            description,
            icon,
            color,
            is_default,
            settings,
        })
    }
}

impl From<WorkspaceCreateBody> for WorkspaceCreate {
    fn from(body: WorkspaceCreateBody) -> Self {
        Self {
            name: body.name,
            slug: body.slug,
            description: body.description,
            icon: body.icon,
            color: body.color.unwrap_or_default(),
            is_default: body.is_default.unwrap_or(false),
            settings: body.settings.unwrap_or_default(),
        }
    }
}

/// A change of a workspace, as a merge patch: what is absent stays, `null` clears.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase", example = json!({"name": "Growth", "icon": null}))]
pub(in crate::resources) struct WorkspacePatchBody {
    #[schema(value_type = Option<String>, nullable = false, min_length = 1, max_length = 255)]
    name: Option<Name>,
    #[schema(
        value_type = Option<String>,
        nullable = false,
        min_length = 1,
        max_length = 63,
        pattern = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
    )]
    slug: Option<Slug>,
    #[schema(value_type = Option<String>, max_length = 2000)]
    description: Option<Option<Description>>,
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255)]
    icon: Option<Option<Icon>>,
    #[schema(value_type = Option<String>, nullable = false, pattern = "^#[0-9A-Fa-f]{6}$", min_length = 7, max_length = 7)]
    color: Option<Color>,
    /// `true` makes it the default, and the one that was no longer; the default cannot be made none.
    #[schema(nullable = false)]
    is_default: Option<bool>,
    /// Merged into what is there; `null` members are removed, and `null` removes them all.
    #[schema(value_type = Option<Object>)]
    settings: Option<SettingsChange>,
}

impl FromFields for WorkspacePatchBody {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        Some(Self {
            name: fields.patched("name", rules::text),
            slug: fields.patched("slug", rules::text),
            description: fields.clearable("description", rules::text),
            icon: fields.clearable("icon", rules::text),
            color: fields.patched("color", rules::text),
            is_default: fields.patched("isDefault", rules::boolean),
            settings: fields.clearable("settings", rules::object).map(merge_patch),
        })
    }
}

impl From<WorkspacePatchBody> for WorkspaceUpdate {
    fn from(body: WorkspacePatchBody) -> Self {
        Self {
            name: body.name,
            slug: body.slug,
            description: body.description,
            icon: body.icon,
            color: body.color,
            is_default: body.is_default,
            settings: body.settings,
        }
    }
}

/// All of a workspace that can be written. What is absent gets its default; `slug`, `isDefault` and `settings` stay.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase", example = json!({"name": "Marketing", "color": "#10B981"}))]
pub(in crate::resources) struct WorkspaceReplaceBody {
    #[schema(value_type = String, min_length = 1, max_length = 255)]
    name: Name,
    #[schema(
        value_type = Option<String>,
        min_length = 1,
        max_length = 63,
        pattern = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
    )]
    slug: Option<Slug>,
    #[schema(value_type = Option<String>, max_length = 2000)]
    description: Option<Description>,
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255)]
    icon: Option<Icon>,
    #[schema(value_type = Option<String>, pattern = "^#[0-9A-Fa-f]{6}$", min_length = 7, max_length = 7)]
    color: Option<Color>,
    is_default: Option<bool>,
    #[schema(value_type = Option<Object>)]
    settings: Option<Map<String, Value>>,
}

impl FromFields for WorkspaceReplaceBody {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let WorkspaceCreateBody {
            name,
            slug,
            description,
            icon,
            color,
            is_default,
            settings,
        } = WorkspaceCreateBody::from_fields(fields)?;
        Some(Self {
            name,
            slug,
            description,
            icon,
            color,
            is_default,
            settings,
        })
    }
}

impl From<WorkspaceReplaceBody> for WorkspaceUpdate {
    fn from(body: WorkspaceReplaceBody) -> Self {
        Self {
            name: Some(body.name),
            slug: body.slug,
            description: Some(body.description),
            icon: Some(body.icon),
            color: Some(body.color.unwrap_or_default()),
            is_default: body.is_default,
            settings: body.settings.map(SettingsChange::Replace),
        }
    }
}
