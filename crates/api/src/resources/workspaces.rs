//! Workspaces.

use actix_web::{HttpRequest, get};
use serde::Serialize;
use serde_json::{Map, Value};
use tenantry_domain::{
    environment::Timestamp,
    ids::WorkspaceId,
    lists::{Direction, ResourceField},
    permissions::{Required as _, perm},
    slugs::Slug,
    text::{Description, Name},
    workspaces::Workspace,
};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    errors::ApiResult,
    guard::{Guard, path_id},
    listing::{Filters, List, ListParameters, ListRequest, no_parameters},
    reply::{Data, Reply},
    timestamps,
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(list_workspaces).service(get_workspace);
}

/// A workspace.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Workspace)]
pub(crate) struct WorkspaceView {
    #[schema(value_type = uuid::Uuid)]
    id: WorkspaceId,
    #[schema(value_type = String, min_length = 1, max_length = 255, example = "General")]
    name: Name,
    /// Its name in URLs, unique in its organization.
    #[schema(value_type = String, min_length = 1, max_length = 63, example = "general")]
    slug: Slug,
    #[schema(value_type = Option<String>, max_length = 2000)]
    description: Option<Description>,
    #[schema(max_length = 255)]
    icon: Option<String>,
    #[schema(pattern = "^#[0-9A-Fa-f]{6}$", min_length = 7, max_length = 7, example = "#3B82F6")]
    color: String,
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

/// List workspaces
///
/// The workspaces that the caller may see.
#[utoipa::path(
    tag = "Workspaces",
    operation_id = "listWorkspaces",
    params(
        ("orgId" = String, Path, description = "Id or slug of the organization", max_length = 63),
        ListParameters,
        ("q" = Option<String>, Query, description = "Text that the name contains", min_length = 1, max_length = 255),
    ),
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
#[utoipa::path(
    tag = "Workspaces",
    operation_id = "getWorkspace",
    params(
        ("orgId" = String, Path, description = "Id or slug of the organization", max_length = 63),
        ("wsId" = uuid::Uuid, Path, description = "Id of the workspace"),
    ),
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
