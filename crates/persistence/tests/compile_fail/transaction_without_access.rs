//! A tenant's transaction begins from an `Access` alone.

use tenantry_domain::ids::{OrganizationId, UserId};
use tenantry_persistence::Database;

fn from_the_database(database: &Database, user: UserId, organization: OrganizationId) {
    let _ = database.begin(Some(user), Some(organization));
}

fn main() {}
