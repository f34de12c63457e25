//! Who may change a project may not delete it for that.

use tenantry_domain::{permissions::perm, projects::Project};
use tenantry_persistence::tenant::{Authorized, TenantTx};

async fn delete(tx: &TenantTx<perm::ProjectDelete>, project: &Authorized<Project, perm::ProjectUpdate>) {
    let _ = tx.delete_project(project).await;
}

fn main() {}
