//! The tables as SeaORM knows them: one file a table, nothing but columns.
//!
//! To add a table of tenants': its file, its `mod` line, and a line in the `tenant_entities!` list below, which puts it
//! behind the first wall.

pub(crate) mod answered_challenges;
pub(crate) mod credentials;
pub(crate) mod domains;
pub(crate) mod email_changes;
pub(crate) mod events;
pub(crate) mod grants;
pub(crate) mod idempotency_records;
pub(crate) mod identities;
pub(crate) mod invitations;
pub(crate) mod members;
pub(crate) mod organizations;
pub(crate) mod passkeys;
pub(crate) mod pending_identities;
pub(crate) mod projects;
pub(crate) mod recovery_codes;
pub(crate) mod refresh_tokens;
pub(crate) mod roles;
pub(crate) mod second_factors;
pub(crate) mod sessions;
pub(crate) mod sign_on_policies;
pub(crate) mod trusted_devices;
pub(crate) mod user_events;
pub(crate) mod user_idempotency_records;
pub(crate) mod user_links;
pub(crate) mod users;
pub(crate) mod workspaces;

use crate::scope::TenantEntity;

macro_rules! tenant_entities {
    ($($table:ident)*) => {$(
        impl TenantEntity for $table::Entity {
            const ORGANIZATION: $table::Column = $table::Column::OrganizationId;
        }
    )*};
}

tenant_entities! {
    workspaces projects roles members grants invitations idempotency_records events sign_on_policies domains
}

/// A tenant is the row that it is.
impl TenantEntity for organizations::Entity {
    const ORGANIZATION: organizations::Column = organizations::Column::Id;
}
