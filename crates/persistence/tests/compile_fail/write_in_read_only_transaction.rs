//! A transaction that was begun to read does not write.

use tenantry_domain::{permissions::perm, projects::Project};
use tenantry_persistence::tenant::{Authorized, ReadOnly, TenantTx};

async fn delete(tx: &TenantTx<perm::ProjectDelete, ReadOnly>, project: &Authorized<Project, perm::ProjectDelete>) {
    let _ = tx.delete_project(project).await;
}

fn main() {}
