//! What projects look like, and what is sent to write them.

use serde::Serialize;
use serde_json::{Map, Value};
use tenantry_domain::{
    environment::Timestamp,
    ids::{ProjectId, UserId, WorkspaceId},
    projects::{Project, ProjectCreate, ProjectStatus, ProjectUpdate, Visibility},
    settings::SettingsChange,
    slugs::Slug,
    text::{Description, Name},
};
use utoipa::ToSchema;

use crate::{
    fields::{Fields, FromFields, merge_patch},
    rules, timestamps, words,
};

/// A project.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Project)]
pub(in crate::resources) struct ProjectView {
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
pub(in crate::resources) struct ProjectCreateBody {
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
pub(in crate::resources) struct ProjectPatchBody {
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
    pub(super) fn split(self) -> (ProjectUpdate, Option<WorkspaceId>) {
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
pub(in crate::resources) struct ProjectReplaceBody {
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
    pub(super) fn split(self) -> (ProjectUpdate, Option<WorkspaceId>) {
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
