//! Loading the demo data.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context as _;
use secrecy::SecretString;
use tenantry_auth::{keys::Keyring, passwords::PasswordCost};
use tenantry_domain::{environment::Environment, trace::TraceId};
use tenantry_integrations::mail::Mailer;
use tenantry_persistence::Database;
use tenantry_services::{
    Services,
    demo::{self, Account},
};

use crate::configuration::{Pooler, RateLimits, Registration};

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

/// The use cases for whoever loads data, and the database that is to be closed after them.
pub(super) fn use_cases(
    runtime_url: &SecretString,
    pooler: Pooler,
    max_connections: u32,
    environment: &Environment,
) -> anyhow::Result<(Services, Database)> {
    let settings = super::Settings {
        database_url: runtime_url.clone(),
        pooler,
        max_connections,
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        public_url: "urn:tenantry:demo".to_owned(),
        cors_origins: Vec::new(),
        registration: Registration::Open,
        rate_limits: RateLimits::Off,
        request_timeout: Duration::from_secs(30),
        environment: environment.clone(),
        // Its tokens are used here and nowhere else.
        keyring: Arc::new(Keyring::generate_in_memory(environment)?),
        // Its accounts need no mail.
        mailer: Mailer::none(),
        works: false,
        password_cost: PasswordCost::RECOMMENDED,
    };
    let database = super::connect(&settings)?;
    Ok((super::services(settings, database.clone()), database))
}
