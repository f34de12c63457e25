//! Who was let in for one permission was not let in for another.

use tenantry_domain::permissions::perm;
use tenantry_persistence::tenant::Access;

fn promoted(access: Access<perm::ProjectView>) -> Access<perm::ProjectDelete> {
    access
}

fn main() {}
