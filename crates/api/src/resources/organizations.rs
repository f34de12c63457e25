//! Organizations: the tenants.

use actix_web::{HttpRequest, delete, get, patch, post, put};
use tenantry_domain::{
    lists::{Direction, ResourceField},
    organizations::OrganizationUpdate,
    permissions::{Required as _, perm},
};
use utoipa_actix_web::service_config::ServiceConfig;

use self::bodies::{OrganizationCreateBody, OrganizationPatchBody, OrganizationReplaceBody, OrganizationView};
use crate::{
    errors::{ApiError, ApiResult},
    etags,
    fields::FromFields,
    guard::{Guard, SignedIn},
    idempotency,
    listing::{Filters, List, ListParameters, ListRequest, no_parameters},
    parameters::{IdempotencyKey, IfMatch, OrganizationPath, Search},
    reply::{Data, NoContent, Reply},
    words,
};

mod bodies;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(list_organizations)
        .service(create_organization)
        .service(get_organization)
        .service(update_organization)
        .service(replace_organization)
        .service(delete_organization)
        .service(restore_organization);
}

/// List my organizations
///
/// Those that the caller is a member of.
#[utoipa::path(
    tag = "Organizations",
    operation_id = "listOrganizations",
    params(ListParameters, words::ResourceSort, Search),
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
    params(IdempotencyKey),
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
///
/// By its id or its slug.
#[utoipa::path(
    tag = "Organizations",
    operation_id = "getOrganization",
    params(OrganizationPath),
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
    params(OrganizationPath, IfMatch),
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
    write::<OrganizationPatchBody>(guard, request).await
}

/// Replace an organization
///
/// Writes the name; `slug` and `settings` stay as they are where they are absent. Creates nothing.
#[utoipa::path(
    tag = "Organizations",
    operation_id = "replaceOrganization",
    params(OrganizationPath, IfMatch),
    request_body = OrganizationReplaceBody,
    responses(
        (status = 200, description = "The organization", body = Data<OrganizationView>, headers(("ETag" = String))),
        (status = 409, description = "`CONFLICT` (`slug_taken`)", body = crate::openapi::ErrorEnvelope),
    ),
    security(("bearer" = [])),
    extensions(("x-permission" = json!(perm::OrganizationUpdate::NAME))),
)]
#[put("/api/v1/organizations/{orgId}")]
pub(crate) async fn replace_organization(
    guard: Guard<perm::OrganizationUpdate>,
    request: HttpRequest,
) -> ApiResult<Reply<OrganizationView>> {
    write::<OrganizationReplaceBody>(guard, request).await
}

async fn write<B: FromFields + Into<OrganizationUpdate> + Send + 'static>(
    guard: Guard<perm::OrganizationUpdate>,
    request: HttpRequest,
) -> ApiResult<Reply<OrganizationView>> {
    let Guard { access, services, body } = guard;
    let body = body.read_once::<B>(services.may_touch_organization(&access)).await?;
    no_parameters(&request)?;
    let precondition = etags::precondition(&request)?;
    let organization = services
        .update_organization(&access, body.value.into(), &precondition)
        .await?;
    let version = organization.version;
    Ok(Reply::ok(organization.into()).version(version))
}

/// Delete an organization
///
/// From now on it is there for nobody, and its slug stays taken. For 30 days whoever may delete it can restore it.
#[utoipa::path(
    tag = "Organizations",
    operation_id = "deleteOrganization",
    params(OrganizationPath, IfMatch),
    responses((status = 204, description = "It is gone")),
    security(("bearer" = [])),
    extensions(("x-permission" = json!(perm::OrganizationDelete::NAME))),
)]
#[delete("/api/v1/organizations/{orgId}")]
pub(crate) async fn delete_organization(
    guard: Guard<perm::OrganizationDelete>,
    request: HttpRequest,
) -> ApiResult<NoContent> {
    guard.services.may_touch_organization(&guard.access).await?;
    no_parameters(&request)?;
    let precondition = etags::precondition(&request)?;
    guard.services.delete_organization(&guard.access, &precondition).await?;
    Ok(NoContent)
}

/// Restore an organization
///
/// Undoes its deletion within 30 days. One that is not deleted stays as it is.
#[utoipa::path(
    tag = "Organizations",
    operation_id = "restoreOrganization",
    params(OrganizationPath),
    responses((status = 200, description = "The organization", body = Data<OrganizationView>, headers(("ETag" = String)))),
    security(("bearer" = [])),
    extensions(("x-permission" = json!(perm::OrganizationRestore::NAME))),
)]
#[post("/api/v1/organizations/{orgId}/restore")]
pub(crate) async fn restore_organization(
    guard: Guard<perm::OrganizationRestore>,
    request: HttpRequest,
) -> ApiResult<Reply<OrganizationView>> {
    guard.services.may_touch_organization(&guard.access).await?;
    no_parameters(&request)?;
    let organization = guard.services.restore_organization(&guard.access).await?;
    let version = organization.version;
    Ok(Reply::ok(organization.into()).version(version))
}
