//! Projects.

use actix_web::{HttpRequest, delete, get, patch, post, put};
use serde::Serialize;
use serde_json::{Map, Value};
use tenantry_domain::{
    environment::Timestamp,
    ids::{ProjectId, UserId, WorkspaceId},
    lists::{Direction, ResourceField},
    permissions::{Required as _, perm},
    projects::{Project, ProjectCreate, ProjectStatus, ProjectUpdate, Visibility},
    settings::SettingsChange,
    slugs::Slug,
    text::{Description, Name},
};
use tenantry_services::projects::ProjectFilter;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    errors::ApiResult,
    etags,
    fields::{Fields, FromFields, merge_patch},
    guard::{Guard, path_id, path_value},
    idempotency,
    listing::{Filters, List, ListParameters, ListRequest, no_parameters},
    reply::{Data, NoContent, Reply},
    rules, timestamps, words,
};

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

/// A project.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Project)]
pub(crate) struct ProjectView {
    #[schema(value_type = uuid::Uuid)]
    id: ProjectId,
    /// The workspace that it is in.
    #[schema(value_type = uuid::Uuid)]
    workspace_id: WorkspaceId,
    #[schema(value_type = String, min_length = 1, max_length = 255, example = "Website")]
    name: Name,
    /// Its name in URLs, unique in its workspace.
    #[schema(value_type = String, min_length = 1, max_length = 63, example = "website")]
    slug: Slug,
    #[schema(value_type = Option<String>, max_length = 2000)]
    description: Option<Description>,
    #[schema(value_type = words::ProjectStatus)]
    status: ProjectStatus,
    #[schema(value_type = words::Visibility)]
    visibility: Visibility,
    /// Whatever clients keep with it.
    #[schema(value_type = Object)]
    settings: Map<String, Value>,
    /// The user who created it; `null` once they are gone.
    #[schema(value_type = Option<uuid::Uuid>)]
    created_by: Option<UserId>,
    #[serde(serialize_with = "timestamps::serialize")]
    #[schema(value_type = String, format = DateTime, max_length = 24, example = "2026-01-31T09:30:00.123Z")]
    created_at: Timestamp,
    #[serde(serialize_with = "timestamps::serialize")]
    #[schema(value_type = String, format = DateTime, max_length = 24, example = "2026-01-31T09:30:00.123Z")]
    updated_at: Timestamp,
}

impl From<Project> for ProjectView {
    fn from(project: Project) -> Self {
        Self {
            id: project.id,
            workspace_id: project.workspace_id,
            name: project.name,
            slug: project.slug,
            description: project.description,
            status: project.status,
            visibility: project.visibility,
            settings: project.settings,
            created_by: project.created_by,
            created_at: project.created_at,
            updated_at: project.updated_at,
        }
    }
}

/// A new project.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase", example = json!({"name": "Website", "description": "The new one"}))]
pub(crate) struct ProjectCreateBody {
    #[schema(value_type = String, min_length = 1, max_length = 255)]
    name: Name,
    /// Derived from the name where it is absent.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 63)]
    slug: Option<Slug>,
    #[schema(value_type = Option<String>, max_length = 2000)]
    description: Option<Description>,
    /// `active` where it is absent.
    #[schema(value_type = Option<words::ProjectStatus>)]
    status: Option<ProjectStatus>,
    /// `organization` where it is absent.
    #[schema(value_type = Option<words::Visibility>)]
    visibility: Option<Visibility>,
    #[schema(value_type = Option<Object>)]
    settings: Option<Map<String, Value>>,
}

impl FromFields for ProjectCreateBody {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let name = fields.required("name", rules::text);
        let slug = fields.optional("slug", rules::text);
        let description = fields.optional("description", rules::text);
        let status = fields.optional("status", rules::text);
        let visibility = fields.optional("visibility", rules::text);
        let settings = fields.optional("settings", rules::object);
        Some(Self {
            name: name?,
            slug,
            description,
            status,
            visibility,
            settings,
        })
    }
}

impl From<ProjectCreateBody> for ProjectCreate {
    fn from(body: ProjectCreateBody) -> Self {
        Self {
            name: body.name,
            slug: body.slug,
            description: body.description,
            status: body.status.unwrap_or(ProjectStatus::Active),
            visibility: body.visibility.unwrap_or(Visibility::Organization),
            settings: body.settings.unwrap_or_default(),
        }
    }
}

/// A change of a project, as a merge patch: what is absent stays, `null` clears.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase", example = json!({"name": "Website 2", "description": null}))]
pub(crate) struct ProjectPatchBody {
    #[schema(value_type = Option<String>, nullable = false, min_length = 1, max_length = 255)]
    name: Option<Name>,
    #[schema(value_type = Option<String>, nullable = false, min_length = 1, max_length = 63)]
    slug: Option<Slug>,
    #[schema(value_type = Option<String>, max_length = 2000)]
    description: Option<Option<Description>>,
    #[schema(value_type = Option<words::ProjectStatus>, nullable = false)]
    status: Option<ProjectStatus>,
    #[schema(value_type = Option<words::Visibility>, nullable = false)]
    visibility: Option<Visibility>,
    /// Merged into what is there; `null` members are removed, and `null` removes them all.
    #[schema(value_type = Option<Object>)]
    settings: Option<SettingsChange>,
    /// Moves the project to another workspace, which needs `project:create` there.
    #[schema(value_type = Option<uuid::Uuid>, nullable = false)]
    workspace_id: Option<WorkspaceId>,
}

impl FromFields for ProjectPatchBody {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        Some(Self {
            name: fields.patched("name", rules::text),
            slug: fields.patched("slug", rules::text),
            description: fields.clearable("description", rules::text),
            status: fields.patched("status", rules::text),
            visibility: fields.patched("visibility", rules::text),
            settings: fields.clearable("settings", rules::object).map(merge_patch),
            workspace_id: fields.patched("workspaceId", rules::id),
        })
    }
}

impl ProjectPatchBody {
    fn split(self) -> (ProjectUpdate, Option<WorkspaceId>) {
        let change = ProjectUpdate {
            name: self.name,
            slug: self.slug,
            description: self.description,
            status: self.status,
            visibility: self.visibility,
            settings: self.settings,
        };
        (change, self.workspace_id)
    }
}

/// All of a project that can be written. What is absent gets its default; `slug`, `workspaceId` and `settings` stay.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase", example = json!({"name": "Website", "status": "archived"}))]
pub(crate) struct ProjectReplaceBody {
    #[schema(value_type = String, min_length = 1, max_length = 255)]
    name: Name,
    #[schema(value_type = Option<String>, min_length = 1, max_length = 63)]
    slug: Option<Slug>,
    #[schema(value_type = Option<String>, max_length = 2000)]
    description: Option<Description>,
    #[schema(value_type = Option<words::ProjectStatus>)]
    status: Option<ProjectStatus>,
    #[schema(value_type = Option<words::Visibility>)]
    visibility: Option<Visibility>,
    #[schema(value_type = Option<Object>)]
    settings: Option<Map<String, Value>>,
    #[schema(value_type = Option<uuid::Uuid>)]
    workspace_id: Option<WorkspaceId>,
}

impl FromFields for ProjectReplaceBody {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let name = fields.required("name", rules::text);
        let slug = fields.optional("slug", rules::text);
        let description = fields.optional("description", rules::text);
        let status = fields.optional("status", rules::text);
        let visibility = fields.optional("visibility", rules::text);
        let settings = fields.optional("settings", rules::object);
        let workspace_id = fields.optional("workspaceId", rules::id);
        Some(Self {
            name: name?,
            slug,
            description,
            status,
            visibility,
            settings,
            workspace_id,
        })
    }
}

impl ProjectReplaceBody {
    fn split(self) -> (ProjectUpdate, Option<WorkspaceId>) {
        let change = ProjectUpdate {
            name: Some(self.name),
            slug: self.slug,
            description: Some(self.description),
            status: Some(self.status.unwrap_or(ProjectStatus::Active)),
            visibility: Some(self.visibility.unwrap_or(Visibility::Organization)),
            settings: self.settings.map(SettingsChange::Replace),
        };
        (change, self.workspace_id)
    }
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
        ("orgId" = String, Path, description = "Id or slug of the organization", max_length = 63),
        ("wsId" = uuid::Uuid, Path, description = "Id of the workspace"),
        ListParameters,
        ("q" = Option<String>, Query, description = "Text that the name contains", min_length = 1, max_length = 255),
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
        ("orgId" = String, Path, description = "Id or slug of the organization", max_length = 63),
        ListParameters,
        ("q" = Option<String>, Query, description = "Text that the name contains", min_length = 1, max_length = 255),
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
    params(
        ("orgId" = String, Path, description = "Id or slug of the organization", max_length = 63),
        ("wsId" = uuid::Uuid, Path, description = "Id of the workspace"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes repeating safe for 24 hours", min_length = 1, max_length = 255),
    ),
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
    let permitted = async {
        match &workspace {
            Ok(id) => services.may_touch_workspace(&access, *id).await,
            // What is no id is no workspace either, which is told after what comes before it.
            Err(_) => Ok(()),
        }
    };
    let body = body.read_once::<ProjectCreateBody>(permitted).await?;
    let workspace = workspace?;
    no_parameters(&request)?;
    let key = idempotency::key(&request, &body.bytes)?;
    let created = services
        .create_project(&access, workspace, body.value.into(), key.as_ref())
        .await?;
    let project = created.resource;
    let version = project.version;
    let location = location(&request, project.id);
    Ok(Reply::created(project.into(), location)
        .version(version)
        .replayed(created.replayed))
}

/// Get a project
#[utoipa::path(
    tag = "Projects",
    operation_id = "getProject",
    params(
        ("orgId" = String, Path, description = "Id or slug of the organization", max_length = 63),
        ("projectId" = uuid::Uuid, Path, description = "Id of the project"),
    ),
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
    params(
        ("orgId" = String, Path, description = "Id or slug of the organization", max_length = 63),
        ("projectId" = uuid::Uuid, Path, description = "Id of the project"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that the change is meant for", max_length = 255),
    ),
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
    params(
        ("orgId" = String, Path, description = "Id or slug of the organization", max_length = 63),
        ("projectId" = uuid::Uuid, Path, description = "Id of the project"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that the change is meant for", max_length = 255),
    ),
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
    let permitted = async {
        match &id {
            Ok(id) => services.may_touch_project(&access, *id).await,
            // What is no id is no project either, which is told after what comes before it.
            Err(_) => Ok(()),
        }
    };
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
    params(
        ("orgId" = String, Path, description = "Id or slug of the organization", max_length = 63),
        ("projectId" = uuid::Uuid, Path, description = "Id of the project"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that the deletion is meant for", max_length = 255),
    ),
    responses((status = 204, description = "It is gone")),
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

fn location(request: &HttpRequest, id: ProjectId) -> String {
    format!("/api/v1/organizations/{}/projects/{id}", path_value(request, "orgId"))
}
