//! Workspaces.

use actix_web::{HttpRequest, delete, get, patch, post, put};
use tenantry_domain::{
    lists::{Direction, ResourceField},
    permissions::{Required as _, perm},
    workspaces::WorkspaceUpdate,
};
use utoipa_actix_web::service_config::ServiceConfig;

use self::bodies::{WorkspaceCreateBody, WorkspacePatchBody, WorkspaceReplaceBody, WorkspaceView};
use crate::{
    errors::ApiResult,
    etags,
    fields::FromFields,
    guard::{Guard, path_id, permitted},
    idempotency,
    listing::{Filters, List, ListParameters, ListRequest, no_parameters},
    parameters::{IdempotencyKey, IfMatch, OrganizationPath, Search, WorkspacePath},
    reply::{Data, NoContent, Reply},
    words,
};

mod bodies;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(list_workspaces)
        .service(create_workspace)
        .service(get_workspace)
        .service(update_workspace)
        .service(replace_workspace)
        .service(delete_workspace);
}

/// List workspaces
///
/// The workspaces that the caller may see.
#[utoipa::path(
    tag = "Workspaces",
    operation_id = "listWorkspaces",
    params(OrganizationPath, ListParameters, words::ResourceSort, Search),
    responses((status = 200, description = "A page of workspaces", body = List<WorkspaceView>)),
    security(("bearer" = [])),
    extensions(("x-permission" = json!(perm::WorkspaceView::NAME))),
)]
#[get("/api/v1/organizations/{orgId}/workspaces")]
pub(crate) async fn list_workspaces(
    guard: Guard<perm::WorkspaceView>,
    request: HttpRequest,
) -> ApiResult<List<WorkspaceView>> {
    let order = (ResourceField::CreatedAt, Direction::Descending);
    let asked = ListRequest::parse(&request, &guard.services, guard.caller(), order, Filters(&["q"]))?;
    let page = guard.services.list_workspaces(&guard.access, &asked.query).await?;
    Ok(asked.answer(&guard.services, page))
}

/// Get a workspace
///
/// One that the caller may see.
#[utoipa::path(
    tag = "Workspaces",
    operation_id = "getWorkspace",
    params(WorkspacePath),
    responses((status = 200, description = "The workspace", body = Data<WorkspaceView>, headers(("ETag" = String)))),
    security(("bearer" = [])),
    extensions(("x-permission" = json!(perm::WorkspaceView::NAME))),
)]
#[get("/api/v1/organizations/{orgId}/workspaces/{wsId}")]
pub(crate) async fn get_workspace(
    guard: Guard<perm::WorkspaceView>,
    request: HttpRequest,
) -> ApiResult<Reply<WorkspaceView>> {
    let id = path_id(&request, "wsId")?;
    let workspace = guard.services.workspace(&guard.access, id).await?;
    no_parameters(&request)?;
    let version = workspace.version;
    Ok(Reply::ok(workspace.into()).version(version))
}

/// Create a workspace
///
/// With `isDefault` it becomes the default one, and the one that was no longer is.
#[utoipa::path(
    tag = "Workspaces",
    operation_id = "createWorkspace",
    params(OrganizationPath, IdempotencyKey),
    request_body = WorkspaceCreateBody,
    responses(
        (status = 201, description = "The workspace", body = Data<WorkspaceView>,
         headers(("ETag" = String), ("Location" = String), ("Idempotency-Replayed" = String))),
        (status = 409, description = "`CONFLICT` (`slug_taken`) or `IDEMPOTENCY_IN_PROGRESS`", body = crate::openapi::ErrorEnvelope),
    ),
    security(("bearer" = [])),
    extensions(("x-permission" = json!(perm::WorkspaceCreate::NAME))),
)]
#[post("/api/v1/organizations/{orgId}/workspaces")]
pub(crate) async fn create_workspace(
    guard: Guard<perm::WorkspaceCreate>,
    request: HttpRequest,
) -> ApiResult<Reply<WorkspaceView>> {
    let Guard { access, services, body } = guard;
    let body = body
        .read_once::<WorkspaceCreateBody>(async { services.may_create_workspace(&access) })
        .await?;
    no_parameters(&request)?;
    let key = idempotency::key(&request, &body.bytes)?;
    let created = services
        .create_workspace(&access, body.value.into(), key.as_ref())
        .await?;
    let workspace = created.resource;
    let (version, location) = (
        workspace.version,
        format!(
            "/api/v1/organizations/{}/workspaces/{}",
            access.context().membership().organization,
            workspace.id
        ),
    );
    Ok(Reply::created(workspace.into(), location)
        .version(version)
        .replayed(created.replayed))
}

/// Change a workspace
///
/// A merge patch (RFC 7396). `isDefault: true` makes it the default one, and the one that was no longer is.
#[utoipa::path(
    tag = "Workspaces",
    operation_id = "updateWorkspace",
    params(WorkspacePath, IfMatch),
    request_body(content(
        (WorkspacePatchBody = "application/json"),
        (WorkspacePatchBody = "application/merge-patch+json"),
    )),
    responses(
        (status = 200, description = "The workspace", body = Data<WorkspaceView>, headers(("ETag" = String))),
        (status = 409, description = "`CONFLICT` (`slug_taken`, `default_workspace`)", body = crate::openapi::ErrorEnvelope),
    ),
    security(("bearer" = [])),
    extensions(("x-permission" = json!(perm::WorkspaceUpdate::NAME))),
)]
#[patch("/api/v1/organizations/{orgId}/workspaces/{wsId}")]
pub(crate) async fn update_workspace(
    guard: Guard<perm::WorkspaceUpdate>,
    request: HttpRequest,
) -> ApiResult<Reply<WorkspaceView>> {
    write::<WorkspacePatchBody>(guard, request).await
}

/// Replace a workspace
///
/// Writes all fields: what is absent gets its default; `slug`, `isDefault` and `settings` stay as they are. Creates
/// nothing.
#[utoipa::path(
    tag = "Workspaces",
    operation_id = "replaceWorkspace",
    params(WorkspacePath, IfMatch),
    request_body = WorkspaceReplaceBody,
    responses(
        (status = 200, description = "The workspace", body = Data<WorkspaceView>, headers(("ETag" = String))),
        (status = 409, description = "`CONFLICT` (`slug_taken`, `default_workspace`)", body = crate::openapi::ErrorEnvelope),
    ),
    security(("bearer" = [])),
    extensions(("x-permission" = json!(perm::WorkspaceUpdate::NAME))),
)]
#[put("/api/v1/organizations/{orgId}/workspaces/{wsId}")]
pub(crate) async fn replace_workspace(
    guard: Guard<perm::WorkspaceUpdate>,
    request: HttpRequest,
) -> ApiResult<Reply<WorkspaceView>> {
    write::<WorkspaceReplaceBody>(guard, request).await
}

async fn write<B: FromFields + Into<WorkspaceUpdate> + Send + 'static>(
    guard: Guard<perm::WorkspaceUpdate>,
    request: HttpRequest,
) -> ApiResult<Reply<WorkspaceView>> {
    let Guard { access, services, body } = guard;
    let id = path_id(&request, "wsId");
    let permitted = permitted(&id, async |id| services.may_touch_workspace(&access, id).await);
    let body = body.read_once::<B>(permitted).await?;
    let id = id?;
    no_parameters(&request)?;
    let precondition = etags::precondition(&request)?;
    let workspace = services
        .update_workspace(&access, id, body.value.into(), &precondition)
        .await?;
    let version = workspace.version;
    Ok(Reply::ok(workspace.into()).version(version))
}

/// Delete a workspace
///
/// One that holds projects is not deleted, nor is the default one.
#[utoipa::path(
    tag = "Workspaces",
    operation_id = "deleteWorkspace",
    params(WorkspacePath, IfMatch),
    responses(
        (status = 204, description = "It is gone"),
        (status = 409, description = "`CONFLICT` (`not_empty`, `default_workspace`)", body = crate::openapi::ErrorEnvelope),
    ),
    security(("bearer" = [])),
    extensions(("x-permission" = json!(perm::WorkspaceDelete::NAME))),
)]
#[delete("/api/v1/organizations/{orgId}/workspaces/{wsId}")]
pub(crate) async fn delete_workspace(
    guard: Guard<perm::WorkspaceDelete>,
    request: HttpRequest,
) -> ApiResult<NoContent> {
    let id = path_id(&request, "wsId")?;
    guard.services.may_touch_workspace(&guard.access, id).await?;
    no_parameters(&request)?;
    let precondition = etags::precondition(&request)?;
    guard
        .services
        .delete_workspace(&guard.access, id, &precondition)
        .await?;
    Ok(NoContent)
}
