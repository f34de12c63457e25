//! Moving a project needs a proof for where it goes as well, and for creating there.

use tenantry_domain::{
    permissions::perm,
    projects::Project,
    workspaces::Workspace,
};
use tenantry_persistence::tenant::{Authorized, TenantTx};

async fn move_to(
    tx: &TenantTx<perm::ProjectUpdate>,
    project: &Authorized<Project, perm::ProjectUpdate>,
    wanted: Project,
    target: Option<&Authorized<Workspace, perm::ProjectUpdate>>,
) {
    let _ = tx.update_project(project, wanted, target).await;
}

fn main() {}
