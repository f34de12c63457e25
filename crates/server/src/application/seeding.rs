//! Seeding at size.

use std::fmt;

use anyhow::Context as _;
use secrecy::{ExposeSecret as _, SecretString};
use tenantry_domain::{environment::Environment, trace::TraceId};
use tenantry_services::{
    demo,
    seeding::{AT_ONCE, Progress, Size},
};

use super::{demo::DemoAccount, use_cases};
use crate::configuration::Pooler;

/// Where a seed goes: as whom it writes, and who looks before and after.
#[derive(Debug, Clone)]
pub struct SeedTarget {
    /// Of the runtime role, which writes.
    pub runtime_url: SecretString,
    /// What is between here and the database, as the runtime role reaches it.
    pub pooler: Pooler,
    /// Of the owner, who sees whether somebody else's organizations are there, and gathers statistics.
    pub owner_url: SecretString,
    /// Whether to seed a database that holds other organizations, too.
    pub beside_others: bool,
}

/// What was seeded.
#[derive(Debug, Clone)]
pub struct SeedSummary {
    /// How many organizations were founded just now.
    pub founded: usize,
    /// How many were there before.
    pub found: usize,
    /// The password of all accounts.
    pub password: String,
    /// Who can sign in to the large organization.
    pub accounts: Vec<DemoAccount>,
}

/// The database holds organizations that are none of the seed's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotEmpty(
    /// How many.
    pub u64,
);

impl std::error::Error for NotEmpty {}

impl fmt::Display for NotEmpty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (these, are) = if self.0 == 1 {
            ("organization", "is")
        } else {
            ("organizations", "are")
        };
        write!(
            f,
            "the database holds {} {these} that {are} not of this seed; the seeded accounts would be beside them, with a \
             password that everybody knows: pass --beside-others if that is meant",
            self.0
        )
    }
}

/// Seeds what is not there yet, and has statistics gathered where anything was.
///
/// # Errors
/// [`NotEmpty`]; and when the database is away, has no schema, or has somebody else's account under a seeded address.
pub async fn seed_at_size(
    target: &SeedTarget,
    size: Size,
    environment: &Environment,
    progress: Progress,
) -> anyhow::Result<SeedSummary> {
    let own: Vec<String> = size.organization_ids().map(|id| id.to_string()).collect();
    let others = tenantry_migrations::organizations_beside(target.owner_url.expose_secret(), &own).await?;
    if others > 0 && !target.beside_others {
        return Err(NotEmpty(others).into());
    }
    let connections = u32::try_from(AT_ONCE)?;
    let (services, database) = use_cases(&target.runtime_url, target.pooler, connections, environment)?;
    let seeded = services.seed(size, TraceId::new(environment), progress).await;
    database.close().await;
    let seeded = seeded.context("cannot seed")?;
    if seeded.founded > 0 {
        tenantry_migrations::gather_statistics(target.owner_url.expose_secret()).await?;
    }
    Ok(SeedSummary {
        founded: seeded.founded,
        found: seeded.found,
        password: demo::PASSWORD.to_owned(),
        accounts: seeded.accounts.into_iter().map(DemoAccount::from).collect(),
    })
}
