//! Loading the demo data.

use anyhow::Context as _;
use secrecy::SecretString;
use tenantry_domain::{environment::Environment, trace::TraceId};
use tenantry_services::demo::{self, Account};

use super::use_cases;
use crate::configuration::Pooler;

/// Who can sign in to the demo data.
#[derive(Debug, Clone)]
pub struct DemoSummary {
    /// The password of all of them.
    pub password: String,
    /// The accounts.
    pub accounts: Vec<DemoAccount>,
}

/// A demo account.
#[derive(Debug, Clone)]
pub struct DemoAccount {
    /// The address that it signs in with.
    pub email: String,
    /// Its role.
    pub role: String,
    /// Its organization.
    pub organization: String,
}

/// Loads the demo data, where it is not there yet, through the use cases.
///
/// # Errors
/// When the database is away, has no schema, or has somebody else's account under a demo address.
pub async fn seed_demo(
    runtime_url: &SecretString,
    pooler: Pooler,
    environment: &Environment,
) -> anyhow::Result<DemoSummary> {
    let (services, database) = use_cases(runtime_url, pooler, 2, environment)?;
    let loaded = services
        .load_demo(TraceId::new(environment))
        .await
        .context("cannot load the demo data");
    database.close().await;
    Ok(DemoSummary {
        password: demo::PASSWORD.to_owned(),
        accounts: loaded?.into_iter().map(DemoAccount::from).collect(),
    })
}

impl From<Account> for DemoAccount {
    fn from(account: Account) -> Self {
        Self {
            email: account.email,
            role: account.role.key().to_owned(),
            organization: account.organization.to_owned(),
        }
    }
}
