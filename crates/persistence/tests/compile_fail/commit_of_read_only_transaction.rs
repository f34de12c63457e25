//! There is nothing to commit where nothing can be written.

use tenantry_domain::{events::Event, permissions::perm};
use tenantry_persistence::tenant::{ReadOnly, TenantTx};

async fn commit(tx: TenantTx<perm::ProjectView, ReadOnly>, event: Event) {
    let _ = tx.commit(event).await;
}

fn main() {}
