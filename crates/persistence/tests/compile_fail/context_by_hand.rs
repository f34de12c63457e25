//! What a caller holds is what the database says.

use tenantry_domain::{authorization::Membership, organizations::OrganizationStatus};
use tenantry_persistence::{sessions::Principal, tenant::TenantContext};

fn claimed(principal: Principal, membership: Membership) -> TenantContext {
    TenantContext {
        principal,
        membership,
        status: OrganizationStatus::Active,
        last_seen_at: None,
    }
}

fn main() {}
