//! Who may change how a member is shown, as everybody may themselves, may not change what that member holds.

use tenantry_domain::{
    members::{Member, or_oneself},
    permissions::perm,
    roles::RoleName,
};
use tenantry_persistence::tenant::{Authorized, TenantTx};

async fn promote(
    tx: &TenantTx<perm::MemberUpdate>,
    member: &Authorized<Member, or_oneself::MemberUpdate>,
    role: Authorized<RoleName, perm::MemberUpdate>,
) {
    let _ = tx.change_member_role(member, role).await;
}

fn main() {}
