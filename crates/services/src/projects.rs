//! Projects: the work itself.

use tenantry_domain::{
    events::{Event, EventType},
    ids::{ProjectId, WorkspaceId},
    lists::{ListQuery, Page, ResourceField},
    permissions::{Required, perm},
    projects::{Project, ProjectCreate, ProjectStatus, ProjectUpdate},
};
pub use tenantry_persistence::projects::ProjectFilter;

use crate::{
    Services,
    callers::Access,
    error::{Conflict, Error, Result, slug_taken},
    idempotency::{Created, IdempotencyKey, once},
    preconditions::Precondition,
};

impl Services {
    /// The projects that the caller may see.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a workspace that the caller may not know of; and when the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn list_projects(
        &self,
        access: &Access<perm::ProjectView>,
        query: &ListQuery<ResourceField>,
        filter: &ProjectFilter,
    ) -> Result<Page<Project>> {
        let tx = access.read_list(self.database(), query).await?;
        if let Some(workspace) = filter.workspace {
            tx.workspace(workspace).await?;
        }
        Ok(tx.projects(query, filter).await?)
    }

    /// One project.
    ///
    /// # Errors
    /// When the caller may not see it, or the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn project(&self, access: &Access<perm::ProjectView>, id: ProjectId) -> Result<Project> {
        Ok(access.read(self.database()).await?.project(id).await?.into_inner())
    }

    /// Whether the caller may do `P` to a project: what is asked before a body is read.
    ///
    /// # Errors
    /// When not, or when the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn may_touch_project<P: Required>(&self, access: &Access<P>, id: ProjectId) -> Result<()> {
        access.read(self.database()).await?.project(id).await?;
        Ok(())
    }

    /// Whether the caller may do `P` in a workspace: what is asked before a body is read.
    ///
    /// # Errors
    /// When not, or when the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn may_touch_workspace<P: Required>(&self, access: &Access<P>, id: WorkspaceId) -> Result<()> {
        access.read(self.database()).await?.workspace(id).await?;
        Ok(())
    }

    /// Creates a project in a workspace.
    ///
    /// # Errors
    /// When the caller may not, the slug is taken, the key is in use, or the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn create_project(
        &self,
        access: &Access<perm::ProjectCreate>,
        workspace: WorkspaceId,
        new: ProjectCreate,
        key: Option<&IdempotencyKey>,
    ) -> Result<Created<Project>> {
        let tx = access.begin(self.database()).await?;
        let workspace = tx.workspace(workspace).await?;
        once(tx, key, async |tx| {
            let project = tx.create_project(&workspace, new).await?;
            let project = project.ok_or(Error::Conflict(Conflict::SlugTaken))?;
            let event = Event::created(EventType::ProjectCreated, &project);
            Ok((project, event))
        })
        .await
    }

    /// Changes a project; with a workspace in the change, moves it there.
    ///
    /// # Errors
    /// When the caller may not, the project is another version, its slug is taken, or the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn update_project(
        &self,
        access: &Access<perm::ProjectUpdate>,
        id: ProjectId,
        change: ProjectUpdate,
        move_to: Option<WorkspaceId>,
        precondition: &Precondition,
    ) -> Result<Project> {
        let tx = access.begin(self.database()).await?;
        let project = tx.project(id).await?;
        precondition.check(project.version)?;
        let target = match move_to.filter(|&workspace| workspace != project.workspace_id) {
            Some(workspace) => Some(tx.workspace_for::<perm::ProjectCreate>(workspace).await?),
            None => None,
        };
        let wanted = project
            .changed(change)
            .map_err(|_| Error::SettingsTooLarge("settings"))?;
        if target.is_none() && wanted == *project {
            return Ok(project.into_inner());
        }
        let changed = tx
            .update_project(&project, wanted, target.as_ref())
            .await
            .map_err(slug_taken)?;
        let done = match (project.status, changed.status) {
            (ProjectStatus::Active, ProjectStatus::Archived) => EventType::ProjectArchived,
            (ProjectStatus::Archived, ProjectStatus::Active) => EventType::ProjectUnarchived,
            _ => EventType::ProjectUpdated,
        };
        tx.commit(Event::changed(done, &*project, &changed)).await?;
        Ok(changed)
    }

    /// Deletes a project.
    ///
    /// # Errors
    /// When the caller may not, the project is another version, or the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn delete_project(
        &self,
        access: &Access<perm::ProjectDelete>,
        id: ProjectId,
        precondition: &Precondition,
    ) -> Result<()> {
        let tx = access.begin(self.database()).await?;
        let project = tx.project(id).await?;
        precondition.check(project.version)?;
        tx.delete_project(&project).await?;
        tx.commit(Event::deleted(EventType::ProjectDeleted, &*project)).await?;
        Ok(())
    }
}
