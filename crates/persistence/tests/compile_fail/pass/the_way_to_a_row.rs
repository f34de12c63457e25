//! The right way, step by step: context, access, transaction, proof, row, event.

use std::sync::Arc;

use tenantry_domain::{
    events::{Event, EventType},
    ids::{ProjectId, WorkspaceId},
    lists::{ListQuery, Page, ResourceField},
    permissions::perm,
    projects::{Project, ProjectCreate},
    trace::TraceId,
};
use tenantry_persistence::{
    Database, Result,
    projects::ProjectFilter,
    sessions::Principal,
    tenant::{self, Access, OrganizationRef, ReadOnly, ReadWrite, TenantTx},
};

async fn let_in(
    database: &Database,
    principal: &Principal,
    organization: &OrganizationRef,
    trace: TraceId,
) -> Result<Option<Access<perm::ProjectView>>> {
    let context = tenant::load(database, principal, organization).await?.map(Arc::new);
    context.map(|context| tenant::admit(&context, trace)).transpose()
}

async fn read(access: &Access<perm::ProjectView>, database: &Database, id: ProjectId) -> Result<Project> {
    let tx: TenantTx<perm::ProjectView, ReadOnly> = access.read(database).await?;
    Ok(tx.project(id).await?.into_inner())
}

async fn list(tx: &TenantTx<perm::ProjectView, ReadOnly>, query: &ListQuery<ResourceField>) -> Result<Page<Project>> {
    tx.projects(query, &ProjectFilter::default()).await
}

async fn create(
    access: &Access<perm::ProjectCreate>,
    database: &Database,
    workspace: WorkspaceId,
    new: ProjectCreate,
) -> Result<()> {
    let tx: TenantTx<perm::ProjectCreate, ReadWrite> = access.begin(database).await?;
    let workspace = tx.workspace(workspace).await?;
    if let Some(project) = tx.create_project(&workspace, new).await? {
        tx.commit(Event::created(EventType::ProjectCreated, &project)).await?;
    }
    Ok(())
}

async fn move_to(tx: TenantTx<perm::ProjectUpdate>, id: ProjectId, wanted: Project, target: WorkspaceId) -> Result<()> {
    let project = tx.project(id).await?;
    let target = tx.workspace_for::<perm::ProjectCreate>(target).await?;
    let changed = tx.update_project(&project, wanted, Some(&target)).await?;
    tx.commit(Event::changed(EventType::ProjectUpdated, &*project, &changed))
        .await
}

async fn delete(tx: TenantTx<perm::ProjectDelete>, id: ProjectId) -> Result<()> {
    let project = tx.project(id).await?;
    tx.delete_project(&project).await?;
    tx.commit(Event::deleted(EventType::ProjectDeleted, &*project)).await
}
