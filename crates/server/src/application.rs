//! The application composed: database, use cases, HTTP.
//!
//! What [`start`] demands of the database before it serves cannot be switched off: neither configuration nor a feature
//! reaches around it.

use std::{net::SocketAddr, num::NonZeroUsize, sync::Arc, time::Duration};

use anyhow::Context as _;
use secrecy::{ExposeSecret as _, SecretString};
use tenantry_auth::{
    access_tokens::AccessTokens,
    keys::Keyring,
    passwords::{PasswordCost, PasswordHasher},
};
use tenantry_cache::limits::{RateLimiter, RateLimits};
use tenantry_domain::environment::Environment;
use tenantry_persistence::{
    Database, Error as StoreError,
    database::Settings as DatabaseSettings,
    doctor::{self, Finding},
};
use tenantry_services::{Registration, Services, Settings as ServiceSettings};
use tokio::time::{Instant, sleep};

use crate::{configuration, exit_code::Unavailable};

mod demo;

pub use demo::{DemoAccount, DemoSummary, seed_demo};

/// How long an access token lives.
const ACCESS_TOKEN_LIFE: Duration = Duration::from_secs(3600);

/// How long a starting server waits for its database.
const DATABASE_PATIENCE: Duration = Duration::from_secs(30);

/// How long requests under way may take to end once the server is told to stop.
const DRAIN: Duration = Duration::from_secs(20);

/// What an application is made of.
pub struct Settings {
    /// `postgres://…` of a login in the runtime role.
    pub database_url: SecretString,
    /// The most connections to it.
    pub max_connections: u32,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where browsers and clients reach it: issuer and audience of access tokens.
    pub public_url: String,
    /// Origins of browsers that may call.
    pub cors_origins: Vec<String>,
    /// Who may make an account.
    pub registration: configuration::Registration,
    /// Whether limits hold.
    pub rate_limits: configuration::RateLimits,
    /// How long a request may take in all.
    pub request_timeout: Duration,
    /// Time and randomness.
    pub environment: Environment,
    /// Keys that tokens are signed with.
    pub keyring: Arc<Keyring>,
    /// What a password hash costs.
    pub password_cost: PasswordCost,
}

/// The database is not one to be served from.
#[derive(Debug)]
pub struct Unsafe(Vec<Finding>);

impl std::error::Error for Unsafe {}

impl std::fmt::Display for Unsafe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "the database does not keep tenants apart, so it is not served from:")?;
        self.0.iter().try_for_each(|finding| writeln!(f, "  {finding}"))
    }
}

/// An application that serves.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    server: tenantry_api::Running,
    database: Database,
}

/// Connects, examines the database, and serves.
///
/// # Errors
/// [`Unavailable`] where the database is away for too long, [`Unsafe`] where it is not one to be served from, and when the
/// address cannot be listened on.
pub async fn start(settings: Settings) -> anyhow::Result<Running> {
    let database = connect(&settings)?;
    wait_for(&database).await?;
    let findings = doctor::examine(&database, &tenantry_migrations::names()).await?;
    if !findings.is_empty() {
        return Err(Unsafe(findings).into());
    }
    serve(settings, database)
}

/// A pool for the settings' database.
///
/// # Errors
/// When the URL is not one.
pub fn connect(settings: &Settings) -> anyhow::Result<Database> {
    let url = settings.database_url.expose_secret().to_owned();
    let database = DatabaseSettings::new(url, settings.max_connections);
    Database::new(&database, settings.environment.clone()).context("the database URL is not one")
}

/// Serves from a database that has been examined.
///
/// # Errors
/// When the address cannot be listened on.
fn serve(settings: Settings, database: Database) -> anyhow::Result<Running> {
    let http = tenantry_api::Settings {
        listen: settings.listen,
        cors_origins: settings.cors_origins.clone(),
        request_timeout: settings.request_timeout,
        workers: parallelism().get(),
        drain_timeout: DRAIN,
    };
    let listen = settings.listen;
    let services = services(settings, database.clone());
    let server = tenantry_api::start(services, &http).with_context(|| format!("cannot listen on {listen}"))?;
    Ok(Running {
        address: server.address(),
        server,
        database,
    })
}

/// The use cases over a database.
#[must_use]
pub fn services(settings: Settings, database: Database) -> Services {
    let access_tokens = AccessTokens::new(
        Arc::clone(&settings.keyring),
        settings.public_url.clone(),
        settings.public_url,
        ACCESS_TOKEN_LIFE,
    );
    Services::new(ServiceSettings {
        database,
        keyring: settings.keyring,
        access_tokens,
        // As many hashes at once as there are processors: more would only take longer each, and more memory.
        passwords: PasswordHasher::new(settings.password_cost, parallelism(), settings.environment),
        limiter: RateLimiter::new(match settings.rate_limits {
            configuration::RateLimits::On => RateLimits::On,
            configuration::RateLimits::Off => RateLimits::Off,
        }),
        registration: match settings.registration {
            configuration::Registration::Open => Registration::Open,
            configuration::Registration::Private => Registration::Private,
        },
    })
}

fn parallelism() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

async fn wait_for(database: &Database) -> anyhow::Result<()> {
    let given_up = Instant::now() + DATABASE_PATIENCE;
    let mut pause = Duration::from_millis(50);
    loop {
        match database.ping().await {
            Ok(()) => return Ok(()),
            Err(error @ StoreError::Unavailable(_)) if Instant::now() < given_up => {
                tracing::warn!(error = &error as &dyn std::error::Error, "waiting for the database");
                sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(2));
            }
            Err(error @ StoreError::Unavailable(_)) => {
                return Err(anyhow::Error::new(error).context(Unavailable("the database")));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

impl Running {
    /// Returns when the server ends by itself, which it does only when it fails.
    pub async fn finished(&mut self) {
        if let Err(error) = self.server.finished().await {
            tracing::error!(error = &error as &dyn std::error::Error, "the server failed");
        }
    }

    /// Stops listening, lets requests under way end, and closes the connections.
    pub async fn stop(self) {
        if let Err(error) = self.server.stop().await {
            tracing::error!(error = &error as &dyn std::error::Error, "the server failed");
        }
        self.database.close().await;
    }
}
