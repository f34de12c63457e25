//! A role is given by those alone of whom it was found that they lack nothing that it allows.

use tenantry_domain::{members::Member, permissions::perm, roles::RoleName};
use tenantry_persistence::tenant::{Authorized, TenantTx};

async fn give(
    tx: &TenantTx<perm::MemberUpdate>,
    member: &Authorized<Member, perm::MemberUpdate>,
    role: RoleName,
) {
    let _ = tx.change_member_role(member, role).await;
}

fn main() {}
