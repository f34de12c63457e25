//! Moving a project needs a proof for where it goes as well, and for creating there.

use tenantry_domain::{
    permissions::perm,
    projects::{Project, ProjectUpdate},
    workspaces::Workspace,
};
use tenantry_persistence::tenant::{Authorized, TenantTx};

async fn move_to(
    tx: &TenantTx<perm::ProjectUpdate>,
    project: &Authorized<Project, perm::ProjectUpdate>,
    target: &Authorized<Workspace, perm::ProjectUpdate>,
) {
    let _ = tx.update_project(project, ProjectUpdate::default(), Some(target)).await;
}

fn main() {}
