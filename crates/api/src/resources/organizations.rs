//! Organizations, and what the caller is in one.

use actix_web::{HttpRequest, get, patch, post};
use serde::Serialize;
use serde_json::{Map, Value};
use tenantry_domain::{
    environment::Timestamp,
    ids::{OrganizationId, UserId},
    lists::{Direction, ResourceField},
    organizations::{Isolation, Organization, OrganizationCreate, OrganizationStatus, OrganizationUpdate, Plan},
    permissions::{Required as _, perm},
    roles::{Grant, Level},
    settings::SettingsChange,
    slugs::OrganizationSlug,
    text::Name,
};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    errors::{ApiError, ApiResult},
    etags,
    fields::{Fields, FromFields, merge_patch},
    guard::{Guard, Member, SignedIn},
    idempotency,
    listing::{Filters, List, ListParameters, ListRequest, no_parameters},
    reply::{Data, Reply},
    resources::members::RoleView,
    rules, timestamps, words,
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(list_organizations)
        .service(create_organization)
        .service(get_organization)
        .service(update_organization)
        .service(get_context);
}

/// An organization.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Organization)]
pub(crate) struct OrganizationView {
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
pub(crate) struct OrganizationCreateBody {
    #[schema(value_type = String, min_length = 1, max_length = 255)]
    name: Name,
    /// Derived from the name where it is absent.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 63)]
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
pub(crate) struct OrganizationPatchBody {
    #[schema(value_type = Option<String>, nullable = false, min_length = 1, max_length = 255)]
    name: Option<Name>,
    #[schema(value_type = Option<String>, nullable = false, min_length = 1, max_length = 63)]
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

/// What the caller is in an organization.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Context)]
pub(crate) struct ContextView {
    #[schema(value_type = uuid::Uuid)]
    organization_id: OrganizationId,
    #[schema(value_type = uuid::Uuid)]
    user_id: UserId,
    /// The API key that calls; `null` for a person.
    api_key_id: Option<uuid::Uuid>,
    /// The role in the whole organization.
    role: Option<RoleView>,
    /// All that the caller may do in the whole organization, sorted.
    #[schema(max_items = 64)]
    permissions: Vec<&'static str>,
    /// Roles held on single workspaces and projects.
    grants: Vec<GrantView>,
    /// From when on a second factor is demanded.
    #[serde(serialize_with = "timestamps::optional::serialize")]
    #[schema(value_type = Option<String>, format = DateTime, max_length = 24, example = "2026-01-31T09:30:00.123Z")]
    mfa_required_from: Option<Timestamp>,
}

/// A role held at a level.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Grant)]
pub(crate) struct GrantView {
    resource_type: GrantedResource,
    resource_id: uuid::Uuid,
    role: RoleView,
    /// All that follows from the role, sorted.
    #[schema(max_items = 64)]
    permissions: Vec<&'static str>,
}

/// What a role can be held on.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum GrantedResource {
    Organization,
    Workspace,
    Project,
}

impl GrantView {
    fn of(grant: &Grant, organization: OrganizationId) -> Self {
        let (resource_type, resource_id) = match grant.level {
            Level::Organization => (GrantedResource::Organization, organization.as_uuid()),
            Level::Workspace(id) => (GrantedResource::Workspace, id.as_uuid()),
            Level::Project(id) => (GrantedResource::Project, id.as_uuid()),
        };
        Self {
            resource_type,
            resource_id,
            role: grant.role.clone().into(),
            permissions: grant.permissions.names(),
        }
    }
}

/// List my organizations
#[utoipa::path(
    tag = "Organizations",
    operation_id = "listOrganizations",
    params(
        ListParameters,
        ("q" = Option<String>, Query, description = "Text that the name contains", min_length = 1, max_length = 255),
    ),
    responses((status = 200, description = "A page of organizations", body = List<OrganizationView>)),
    security(("bearer" = [])),
)]
#[get("/api/v1/organizations")]
pub(crate) async fn list_organizations(caller: SignedIn, request: HttpRequest) -> ApiResult<List<OrganizationView>> {
    let order = (ResourceField::CreatedAt, Direction::Descending);
    let asked = ListRequest::parse(
        &request,
        &caller.services,
        caller.principal.user(),
        order,
        Filters(&["q"]),
    )?;
    let page = caller
        .services
        .list_organizations(&caller.principal, &asked.query, caller.trace)
        .await?;
    Ok(asked.answer(&caller.services, page))
}

/// Found an organization
///
/// The caller becomes its owner, and a default workspace is made.
#[utoipa::path(
    tag = "Organizations",
    operation_id = "createOrganization",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "Makes repeating safe for 24 hours", min_length = 1, max_length = 255),
    ),
    request_body = OrganizationCreateBody,
    responses(
        (status = 201, description = "The organization", body = Data<OrganizationView>,
         headers(("ETag" = String), ("Location" = String), ("Idempotency-Replayed" = String))),
        (status = 409, description = "`CONFLICT` (`slug_taken`) or `IDEMPOTENCY_IN_PROGRESS`", body = crate::openapi::ErrorEnvelope),
    ),
    security(("bearer" = [])),
)]
#[post("/api/v1/organizations")]
pub(crate) async fn create_organization(caller: SignedIn, request: HttpRequest) -> ApiResult<Reply<OrganizationView>> {
    let SignedIn {
        principal,
        services,
        trace,
        body,
    } = caller;
    let body = body
        .read_once::<OrganizationCreateBody>(async { Ok::<_, ApiError>(()) })
        .await?;
    no_parameters(&request)?;
    let key = idempotency::key(&request, &body.bytes)?;
    let created = services
        .found_organization(&principal, body.value.into(), key.as_ref(), trace)
        .await?;
    let organization = created.resource;
    let (version, location) = (
        organization.version,
        format!("/api/v1/organizations/{}", organization.id),
    );
    Ok(Reply::created(organization.into(), location)
        .version(version)
        .replayed(created.replayed))
}

/// Get an organization
#[utoipa::path(
    tag = "Organizations",
    operation_id = "getOrganization",
    params(("orgId" = String, Path, description = "Id or slug of the organization", max_length = 63)),
    responses((status = 200, description = "The organization", body = Data<OrganizationView>, headers(("ETag" = String)))),
    security(("bearer" = [])),
    extensions(("x-permission" = json!(perm::OrganizationView::NAME))),
)]
#[get("/api/v1/organizations/{orgId}")]
pub(crate) async fn get_organization(
    guard: Guard<perm::OrganizationView>,
    request: HttpRequest,
) -> ApiResult<Reply<OrganizationView>> {
    no_parameters(&request)?;
    let organization = guard.services.organization(&guard.access).await?;
    let version = organization.version;
    Ok(Reply::ok(organization.into()).version(version))
}

/// Change an organization
///
/// A merge patch (RFC 7396).
#[utoipa::path(
    tag = "Organizations",
    operation_id = "updateOrganization",
    params(
        ("orgId" = String, Path, description = "Id or slug of the organization", max_length = 63),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that the change is meant for", max_length = 255),
    ),
    request_body(content(
        (OrganizationPatchBody = "application/json"),
        (OrganizationPatchBody = "application/merge-patch+json"),
    )),
    responses(
        (status = 200, description = "The organization", body = Data<OrganizationView>, headers(("ETag" = String))),
        (status = 409, description = "`CONFLICT` (`slug_taken`)", body = crate::openapi::ErrorEnvelope),
    ),
    security(("bearer" = [])),
    extensions(("x-permission" = json!(perm::OrganizationUpdate::NAME))),
)]
#[patch("/api/v1/organizations/{orgId}")]
pub(crate) async fn update_organization(
    guard: Guard<perm::OrganizationUpdate>,
    request: HttpRequest,
) -> ApiResult<Reply<OrganizationView>> {
    let Guard { access, services, body } = guard;
    let body = body
        .read_once::<OrganizationPatchBody>(services.may_touch_organization(&access))
        .await?;
    no_parameters(&request)?;
    let precondition = etags::precondition(&request)?;
    let organization = services
        .update_organization(&access, body.value.into(), &precondition)
        .await?;
    let version = organization.version;
    Ok(Reply::ok(organization.into()).version(version))
}

/// Get my context
///
/// Who the caller is in the organization, and what they may do there. Being a member is enough.
#[utoipa::path(
    tag = "Organizations",
    operation_id = "getContext",
    params(("orgId" = String, Path, description = "Id or slug of the organization", max_length = 63)),
    responses((status = 200, description = "The context", body = Data<ContextView>)),
    security(("bearer" = [])),
    extensions(("x-permission" = json!(null))),
)]
#[get("/api/v1/organizations/{orgId}/context")]
pub(crate) async fn get_context(member: Member, request: HttpRequest) -> ApiResult<Reply<ContextView>> {
    no_parameters(&request)?;
    let membership = member.context.membership();
    let in_organization = membership
        .grants
        .iter()
        .find(|grant| grant.level == Level::Organization);
    Ok(Reply::ok(ContextView {
        organization_id: membership.organization,
        user_id: membership.user,
        api_key_id: None,
        role: in_organization.map(|grant| grant.role.clone().into()),
        permissions: membership.at_organization().names(),
        grants: membership
            .grants
            .iter()
            .filter(|grant| grant.level != Level::Organization)
            .map(|grant| GrantView::of(grant, membership.organization))
            .collect(),
        mfa_required_from: None,
    }))
}
