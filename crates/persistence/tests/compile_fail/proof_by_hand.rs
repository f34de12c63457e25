//! That a caller may do something to a resource is decided by a transaction, and cannot be claimed.

use std::marker::PhantomData;

use tenantry_domain::{permissions::perm, projects::Project};
use tenantry_persistence::tenant::Authorized;

fn forged(resource: Project) -> Authorized<Project, perm::ProjectDelete> {
    Authorized {
        resource,
        permission: PhantomData,
    }
}

fn main() {}
