//! The schema: tables with their keys, indexes, policies and grants.
//!
//! A migration is a folder with `up.sql` and `down.sql`, named by a line in the `migrations!` list below
//! (`tenantry migrate new <name>` makes both). A table comes with its policies and grants in one migration, down undoes
//! it exactly, and a migration that has landed is never edited. `docs/adding-a-tenant-table.md` has the pattern.
//!
//! Migrations run as the owner role, in one transaction each. They give rights to the group roles `tenantry_runtime` and
//! `tenantry_lookup`, and never create a role: [`administrator`] has the few statements that do.

pub mod administrator;
mod runner;
mod upkeep;

pub use runner::{Error, MigrationStatus, down, names, status, up};
pub use upkeep::{gather_statistics, organizations_beside};

macro_rules! migrations {
    ($($name:ident)*) => {
        /// Every migration, oldest first: its name, the way up and the way down.
        const MIGRATIONS: &[runner::Sql] = &[$(runner::Sql {
            name: stringify!($name),
            up: include_str!(concat!(stringify!($name), "/up.sql")),
            down: include_str!(concat!(stringify!($name), "/down.sql")),
        }),*];
    };
}

migrations! {
    m20261121_000001_foundations
    m20261121_000002_users
    m20261121_000003_sessions
    m20261121_000004_organizations
    m20261121_000005_workspaces
    m20261121_000006_projects
    m20261121_000007_roles
    m20261121_000008_members
    m20261121_000009_grants
    m20261121_000010_idempotency
    m20261121_000011_events
    m20261121_000012_current_organization
    m20261121_000013_member_profiles
    m20261121_000014_search_and_list_indexes
    m20261121_000015_organization_deletion
    m20261121_000016_mail_and_jobs
    m20261121_000017_invitations
    m20261121_000018_second_factors
    m20261121_000019_sign_on_policies
    m20261121_000020_passkeys
    m20261122_000021_identities
    m20261122_000022_accounts
    m20261122_000023_external_sessions
    m20261122_000024_single_sign_on
}
