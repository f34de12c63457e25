//! Projects.

use actix_web::{HttpRequest, delete, get, patch, post, put};
use tenantry_domain::{
    ids::{OrganizationId, ProjectId, WorkspaceId},
    lists::{Direction, ResourceField},
    permissions::{Required as _, perm},
    projects::ProjectUpdate,
};
use tenantry_services::projects::ProjectFilter;
use utoipa_actix_web::service_config::ServiceConfig;

use self::bodies::{ProjectCreateBody, ProjectPatchBody, ProjectReplaceBody, ProjectView};
use crate::{
    errors::ApiResult,
    etags,
    fields::FromFields,
    guard::{Guard, path_id, permitted},
    idempotency,
    listing::{Filters, List, ListParameters, ListRequest, no_parameters},
    parameters::{IdempotencyKey, IfMatch, OrganizationPath, ProjectPath, Search, WorkspacePath},
    reply::{Data, NoContent, Reply},
    words,
};

mod bodies;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(list_workspace_projects)
        .service(create_project)
        .service(list_projects)
        .service(get_project)
        .service(update_project)
        .service(replace_project)
        .service(delete_project);
}

const FILTERS: Filters = Filters(&["q", "status"]);

const ORDER: (ResourceField, Direction) = (ResourceField::CreatedAt, Direction::Descending);

/// List a workspace's projects
///
/// Those of its projects that the caller may see.
#[utoipa::path(
    tag = "Projects",
    operation_id = "listWorkspaceProjects",
    params(
        WorkspacePath,
        ListParameters,
        words::ResourceSort,
        Search,
        ("status" = Option<words::ProjectStatus>, Query, description = "Those of this status alone"),
    ),
    responses((status = 200, description = "A page of projects", body = List<ProjectView>)),
    security(("bearer" = [])),
    extensions(("x-permission" = json!(perm::ProjectView::NAME))),
)]
#[get("/api/v1/organizations/{orgId}/workspaces/{wsId}/projects")]
pub(crate) async fn list_workspace_projects(
    guard: Guard<perm::ProjectView>,
    request: HttpRequest,
) -> ApiResult<List<ProjectView>> {
    let workspace = Some(path_id(&request, "wsId")?);
    list(&guard, &request, workspace).await
}

/// List projects
///
/// All projects of the organization that the caller may see.
#[utoipa::path(
    tag = "Projects",
    operation_id = "listProjects",
    params(
        OrganizationPath,
        ListParameters,
        words::ResourceSort,
        Search,
        ("status" = Option<words::ProjectStatus>, Query, description = "Those of this status alone"),
    ),
    responses((status = 200, description = "A page of projects", body = List<ProjectView>)),
    security(("bearer" = [])),
    extensions(("x-permission" = json!(perm::ProjectView::NAME))),
)]
#[get("/api/v1/organizations/{orgId}/projects")]
pub(crate) async fn list_projects(
    guard: Guard<perm::ProjectView>,
    request: HttpRequest,
) -> ApiResult<List<ProjectView>> {
    list(&guard, &request, None).await
}

async fn list(
    guard: &Guard<perm::ProjectView>,
    request: &HttpRequest,
    workspace: Option<WorkspaceId>,
) -> ApiResult<List<ProjectView>> {
    let services = &guard.services;
    let parsed = ListRequest::parse(request, services, guard.caller(), ORDER, FILTERS)
        .and_then(|asked| Ok((asked.filter("status")?, asked)));
    let (status, asked) = match (parsed, workspace) {
        (Ok(parsed), _) => parsed,
        (Err(error), None) => return Err(error),
        // What is wrong with the question is told to those who may ask it.
        (Err(error), Some(workspace)) => {
            services.may_touch_workspace(&guard.access, workspace).await?;
            return Err(error);
        }
    };
    let filter = ProjectFilter { workspace, status };
    let page = services.list_projects(&guard.access, &asked.query, &filter).await?;
    Ok(asked.answer(services, page))
}

/// Create a project
///
/// Adds a project to a workspace. The caller becomes its creator.
#[utoipa::path(
    tag = "Projects",
    operation_id = "createProject",
    params(WorkspacePath, IdempotencyKey),
    request_body = ProjectCreateBody,
    responses(
        (status = 201, description = "The project", body = Data<ProjectView>,
         headers(("ETag" = String), ("Location" = String), ("Idempotency-Replayed" = String))),
        (status = 409, description = "`CONFLICT` (`slug_taken`) or `IDEMPOTENCY_IN_PROGRESS`", body = crate::openapi::ErrorEnvelope),
    ),
    security(("bearer" = [])),
    extensions(("x-permission" = json!(perm::ProjectCreate::NAME))),
)]
#[post("/api/v1/organizations/{orgId}/workspaces/{wsId}/projects")]
pub(crate) async fn create_project(
    guard: Guard<perm::ProjectCreate>,
    request: HttpRequest,
) -> ApiResult<Reply<ProjectView>> {
    let Guard { access, services, body } = guard;
    let workspace = path_id(&request, "wsId");
    let permitted = permitted(&workspace, async |id| services.may_touch_workspace(&access, id).await);
    let body = body.read_once::<ProjectCreateBody>(permitted).await?;
    let workspace = workspace?;
    no_parameters(&request)?;
    let key = idempotency::key(&request, &body.bytes)?;
    let created = services
        .create_project(&access, workspace, body.value.into(), key.as_ref())
        .await?;
    let project = created.resource;
    let version = project.version;
    let location = location(access.context().membership().organization, project.id);
    Ok(Reply::created(project.into(), location)
        .version(version)
        .replayed(created.replayed))
}

/// Get a project
///
/// One that the caller may see.
#[utoipa::path(
    tag = "Projects",
    operation_id = "getProject",
    params(ProjectPath),
    responses((status = 200, description = "The project", body = Data<ProjectView>, headers(("ETag" = String)))),
    security(("bearer" = [])),
    extensions(("x-permission" = json!(perm::ProjectView::NAME))),
)]
#[get("/api/v1/organizations/{orgId}/projects/{projectId}")]
pub(crate) async fn get_project(
    guard: Guard<perm::ProjectView>,
    request: HttpRequest,
) -> ApiResult<Reply<ProjectView>> {
    let id = path_id(&request, "projectId")?;
    let project = guard.services.project(&guard.access, id).await?;
    no_parameters(&request)?;
    let version = project.version;
    Ok(Reply::ok(project.into()).version(version))
}

/// Change a project
///
/// A merge patch (RFC 7396). `workspaceId` moves the project. Members may change what they created.
#[utoipa::path(
    tag = "Projects",
    operation_id = "updateProject",
    params(ProjectPath, IfMatch),
    request_body(content(
        (ProjectPatchBody = "application/json"),
        (ProjectPatchBody = "application/merge-patch+json"),
    )),
    responses(
        (status = 200, description = "The project", body = Data<ProjectView>, headers(("ETag" = String))),
        (status = 409, description = "`CONFLICT` (`slug_taken`)", body = crate::openapi::ErrorEnvelope),
    ),
    security(("bearer" = [])),
    extensions(("x-permission" = json!(perm::ProjectUpdate::NAME))),
)]
#[patch("/api/v1/organizations/{orgId}/projects/{projectId}")]
pub(crate) async fn update_project(
    guard: Guard<perm::ProjectUpdate>,
    request: HttpRequest,
) -> ApiResult<Reply<ProjectView>> {
    write::<ProjectPatchBody>(guard, request, ProjectPatchBody::split).await
}

/// Replace a project
///
/// Writes all fields: what is absent gets its default; `slug`, `workspaceId` and `settings` stay as they are. Creates
/// nothing.
#[utoipa::path(
    tag = "Projects",
    operation_id = "replaceProject",
    params(ProjectPath, IfMatch),
    request_body = ProjectReplaceBody,
    responses(
        (status = 200, description = "The project", body = Data<ProjectView>, headers(("ETag" = String))),
        (status = 409, description = "`CONFLICT` (`slug_taken`)", body = crate::openapi::ErrorEnvelope),
    ),
    security(("bearer" = [])),
    extensions(("x-permission" = json!(perm::ProjectUpdate::NAME))),
)]
#[put("/api/v1/organizations/{orgId}/projects/{projectId}")]
pub(crate) async fn replace_project(
    guard: Guard<perm::ProjectUpdate>,
    request: HttpRequest,
) -> ApiResult<Reply<ProjectView>> {
    write::<ProjectReplaceBody>(guard, request, ProjectReplaceBody::split).await
}

async fn write<B: FromFields + Send + 'static>(
    guard: Guard<perm::ProjectUpdate>,
    request: HttpRequest,
    split: impl Fn(B) -> (ProjectUpdate, Option<WorkspaceId>),
) -> ApiResult<Reply<ProjectView>> {
    let Guard { access, services, body } = guard;
    let id = path_id(&request, "projectId");
    let permitted = permitted(&id, async |id| services.may_touch_project(&access, id).await);
    let body = body.read_once::<B>(permitted).await?;
    let id = id?;
    no_parameters(&request)?;
    let (change, move_to) = split(body.value);
    let precondition = etags::precondition(&request)?;
    let project = services
        .update_project(&access, id, change, move_to, &precondition)
        .await?;
    let version = project.version;
    Ok(Reply::ok(project.into()).version(version))
}

/// Delete a project
///
/// Members may delete what they created.
#[utoipa::path(
    tag = "Projects",
    operation_id = "deleteProject",
    params(ProjectPath, IfMatch),
    responses(
        (status = 204, description = "It is gone"),
        (status = 409, description = "`CONFLICT` (`rights_changed`)", body = crate::openapi::ErrorEnvelope),
    ),
    security(("bearer" = [])),
    extensions(("x-permission" = json!(perm::ProjectDelete::NAME))),
)]
#[delete("/api/v1/organizations/{orgId}/projects/{projectId}")]
pub(crate) async fn delete_project(guard: Guard<perm::ProjectDelete>, request: HttpRequest) -> ApiResult<NoContent> {
    let id = path_id(&request, "projectId")?;
    guard.services.may_touch_project(&guard.access, id).await?;
    no_parameters(&request)?;
    let precondition = etags::precondition(&request)?;
    guard.services.delete_project(&guard.access, id, &precondition).await?;
    Ok(NoContent)
}

/// By the organization's id, which stays when its slug does not.
fn location(organization: OrganizationId, id: ProjectId) -> String {
    format!("/api/v1/organizations/{organization}/projects/{id}")
}
