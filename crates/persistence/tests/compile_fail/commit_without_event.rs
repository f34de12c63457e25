//! What was done is named, or it is not done.

use tenantry_domain::permissions::perm;
use tenantry_persistence::tenant::TenantTx;

async fn silently(tx: TenantTx<perm::ProjectDelete>) {
    let _ = tx.commit().await;
}

fn main() {}
