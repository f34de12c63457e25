//! Workspaces: groupings of projects.

use tenantry_domain::{
    ids::WorkspaceId,
    lists::{ListQuery, Page, ResourceField},
    permissions::perm,
    workspaces::Workspace,
};

use crate::{Services, callers::Access, error::Result};

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
        Ok(access.read(self.database()).await?.workspaces(query).await?)
    }

    /// One workspace.
    ///
    /// # Errors
    /// When the caller may not see it, or the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn workspace(&self, access: &Access<perm::WorkspaceView>, id: WorkspaceId) -> Result<Workspace> {
        Ok(access.read(self.database()).await?.workspace(id).await?.into_inner())
    }
}
