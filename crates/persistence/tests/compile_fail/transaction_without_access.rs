//! A tenant's transaction begins from an `Access` alone.

use tenantry_domain::permissions::perm;
use tenantry_persistence::{
    Database,
    tenant::{TenantContext, TenantTx},
};

fn from_the_database(database: &Database, context: &TenantContext) {
    let _ = TenantTx::<perm::ProjectUpdate>::begin(database, context);
}

fn main() {}
