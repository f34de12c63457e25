//! A transaction writes what its permission is about and nothing else.

use tenantry_domain::{permissions::perm, projects::Project};
use tenantry_persistence::tenant::{Authorized, TenantTx};

async fn delete(tx: &TenantTx<perm::ProjectUpdate>, project: &Authorized<Project, perm::ProjectDelete>) {
    let _ = tx.delete_project(project).await;
}

fn main() {}
