//! Who may see a project may not change it for that.

use tenantry_domain::{permissions::perm, projects::Project};
use tenantry_persistence::tenant::{Authorized, TenantTx};

async fn update(
    tx: &TenantTx<perm::ProjectUpdate>,
    project: &Authorized<Project, perm::ProjectView>,
    wanted: Project,
) {
    let _ = tx.update_project(project, wanted, None).await;
}

fn main() {}
