//! Workspaces: groupings of projects.

use tenantry_domain::{
    events::{Event, EventType},
    ids::WorkspaceId,
    lists::{ListQuery, Page, ResourceField},
    permissions::perm,
    workspaces::{Workspace, WorkspaceCreate, WorkspaceError, WorkspaceUpdate},
};

use crate::{
    Services,
    callers::Access,
    error::{Conflict, Error, Result, slug_taken},
    idempotency::{Created, IdempotencyKey, once},
    preconditions::Precondition,
};

impl Services {
    /// The workspaces that the caller may see.
    ///
    /// # Errors
    /// When the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn list_workspaces(
        &self,
        access: &Access<perm::WorkspaceView>,
        query: &ListQuery<ResourceField>,
    ) -> Result<Page<Workspace>> {
        Ok(access
            .read_list(self.database(), query)
            .await?
            .workspaces(query)
            .await?)
    }

    /// One workspace.
    ///
    /// # Errors
    /// When the caller may not see it, or the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn workspace(&self, access: &Access<perm::WorkspaceView>, id: WorkspaceId) -> Result<Workspace> {
        Ok(access.read(self.database()).await?.workspace(id).await?.into_inner())
    }

    /// Whether the caller may create workspaces: what is asked before a body is read.
    ///
    /// # Errors
    /// When not.
    pub fn may_create_workspace(&self, access: &Access<perm::WorkspaceCreate>) -> Result<()> {
        Ok(access.demand_in_organization()?)
    }

    /// Creates a workspace. If it is to be the default, the one that was no longer is.
    ///
    /// # Errors
    /// When the caller may not, the slug is taken, the key is in use, or the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn create_workspace(
        &self,
        access: &Access<perm::WorkspaceCreate>,
        new: WorkspaceCreate,
        key: Option<&IdempotencyKey>,
    ) -> Result<Created<Workspace>> {
        let tx = access.begin(self.database()).await?;
        tx.demand_in_organization()?;
        once(tx, key, async |tx| {
            let workspace = tx.create_workspace(new).await?;
            let workspace = workspace.ok_or(Error::Conflict(Conflict::SlugTaken))?;
            let event = Event::created(EventType::WorkspaceCreated, &workspace);
            Ok((workspace, event))
        })
        .await
    }

    /// Changes a workspace. If it becomes the default, the one that was no longer is.
    ///
    /// # Errors
    /// When the caller may not, the workspace is another version, its slug is taken, it is the default and would no longer
    /// be, or the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn update_workspace(
        &self,
        access: &Access<perm::WorkspaceUpdate>,
        id: WorkspaceId,
        change: WorkspaceUpdate,
        precondition: &Precondition,
    ) -> Result<Workspace> {
        let tx = access.begin(self.database()).await?;
        if change.is_default == Some(true) {
            tx.lock_default_workspace().await?;
        }
        let workspace = tx.workspace(id).await?;
        precondition.check(workspace.version)?;
        let wanted = workspace.changed(change).map_err(|error| match error {
            WorkspaceError::StaysDefault => Error::Conflict(Conflict::DefaultWorkspace),
            WorkspaceError::Settings(_) => Error::SettingsTooLarge("settings"),
        })?;
        if wanted == *workspace {
            return Ok(workspace.into_inner());
        }
        if wanted.is_default && !workspace.is_default {
            // It changes another workspace too, where the caller may hold nothing.
            tx.demand_in_organization()?;
        }
        let changed = tx.update_workspace(&workspace, wanted).await.map_err(slug_taken)?;
        tx.commit(Event::changed(EventType::WorkspaceUpdated, &*workspace, &changed))
            .await?;
        Ok(changed)
    }

    /// Deletes a workspace without projects that is not the default.
    ///
    /// # Errors
    /// When the caller may not, the workspace is another version, holds projects or is the default, or the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn delete_workspace(
        &self,
        access: &Access<perm::WorkspaceDelete>,
        id: WorkspaceId,
        precondition: &Precondition,
    ) -> Result<()> {
        // In turn: with it goes what is held in it, and invitations to it.
        let tx = access.begin_in_turn(self.database()).await?;
        let workspace = tx.workspace(id).await?;
        precondition.check(workspace.version)?;
        if workspace.is_default {
            return Err(Error::Conflict(Conflict::DefaultWorkspace));
        }
        if !tx.delete_workspace(&workspace).await? {
            return Err(Error::Conflict(Conflict::NotEmpty));
        }
        tx.commit(Event::deleted(EventType::WorkspaceDeleted, &*workspace))
            .await?;
        // What was held in it is gone with it.
        self.caller_caches().forget();
        Ok(())
    }
}
