//! A workspace that was merely seen is no permission to put something into it.

use tenantry_domain::{permissions::perm, projects::ProjectCreate, workspaces::Workspace};
use tenantry_persistence::tenant::TenantTx;

async fn create(tx: &TenantTx<perm::ProjectCreate>, workspace: &Workspace, new: ProjectCreate) {
    let _ = tx.create_project(workspace, new).await;
}

fn main() {}
