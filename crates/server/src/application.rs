//! The application composed: database, use cases, HTTP.
//!
//! What [`start`] demands of the database before it serves cannot be switched off: neither configuration nor a feature
//! reaches around it.

use std::{net::SocketAddr, num::NonZeroUsize, sync::Arc, time::Duration};

use anyhow::Context as _;
use chrono::TimeDelta;
use ipnetwork::IpNetwork;
use secrecy::{ExposeSecret as _, SecretString};
use tenantry_auth::{
    access_tokens::AccessTokens,
    http_client::{self, HttpError},
    identity_providers::ProviderSettings,
    keys::Keyring,
    passwords::{PasswordCost, PasswordHasher},
    text_records::{TextAnswer, TextError, TextRecords},
    trusted_issuers::IssuerSettings,
    vault::Vault,
};
use tenantry_cache::limits::{RateLimiter, RateLimits};
use tenantry_domain::environment::Environment;
use tenantry_integrations::{dns::Dns, http::HttpClient, mail::Mailer};
use tenantry_persistence::{
    Database, Error as StoreError,
    database::Settings as DatabaseSettings,
    doctor::{self, Finding},
};
use tenantry_services::{Registration, Services, Settings as ServiceSettings};
use tokio::time::{Instant, sleep, timeout};

use crate::{
    configuration,
    exit_code::Unavailable,
    key_care::{KeyCare, Schedule},
};

mod demo;
mod seeding;

pub use demo::{DemoAccount, DemoSummary, seed_demo};
pub use seeding::{NotEmpty, SeedSummary, SeedTarget, seed_at_size};

/// How long an access token lives.
const ACCESS_TOKEN_LIFE: Duration = Duration::from_secs(3600);

/// How long a starting server waits for its database.
const DATABASE_PATIENCE: Duration = Duration::from_secs(30);

/// How long requests and jobs under way may take to end once nothing is listened to any more.
const DRAIN: Duration = Duration::from_secs(20);

/// How long closing the connections to the database may take, which is not worth a slower stop.
const CLOSING: Duration = Duration::from_secs(5);

/// What an application is made of.
pub struct Settings {
    /// `postgres://…` of a login in the runtime role.
    pub database_url: SecretString,
    /// What is between here and it.
    pub pooler: configuration::Pooler,
    /// The most connections to it.
    pub max_connections: u32,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where browsers and clients reach it: issuer and audience of access tokens.
    pub public_url: String,
    /// Origins of browsers that may call.
    pub cors_origins: Vec<String>,
    /// The domain that passkeys are for, where it is not the one of `public_url`.
    pub webauthn_rp_id: Option<String>,
    /// The providers that people sign in through.
    pub identity_providers: Vec<ProviderSettings>,
    /// The issuers whose access tokens count.
    pub trusted_issuers: Vec<IssuerSettings>,
    /// The servers of the DNS that are asked about domains; none: the system's.
    pub dns_servers: Vec<SocketAddr>,
    /// The networks that providers of organizations may be in beside the public internet.
    pub connection_networks: Vec<IpNetwork>,
    /// Where sign-ins through them may return to, to the character.
    pub redirect_uris: Vec<String>,
    /// Who may make an account.
    pub registration: configuration::Registration,
    /// For how many days from its founding on an organization's members may do without the second factor that it demands.
    pub mfa_grace_days: u16,
    /// Whether limits hold.
    pub rate_limits: configuration::RateLimits,
    /// How long a request may take in all.
    pub request_timeout: Duration,
    /// Time and randomness.
    pub environment: Environment,
    /// Keys that tokens are signed with.
    pub keyring: Arc<Keyring>,
    /// Keys that secrets are sealed with; where there are none, those that tokens are signed with.
    pub encryption_keys: Option<Arc<Keyring>>,
    /// When the keys that tokens are signed with are rotated, if they are.
    pub key_schedule: Option<Schedule>,
    /// What a password hash costs.
    pub password_cost: PasswordCost,
    /// What mails go out by.
    pub mailer: Mailer,
    /// Whether jobs are done here, too.
    pub works: bool,
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
    worker: Option<tenantry_worker::Running>,
    database: Database,
    _key_care: KeyCare,
}

/// An application that does jobs, and does not serve.
pub struct Working {
    worker: tenantry_worker::Running,
    database: Database,
    _key_care: KeyCare,
}

/// Connects, examines the database, and serves.
///
/// # Errors
/// [`Unavailable`] where the database is away for too long, [`Unsafe`] where it is not one to be served from, and when the
/// address cannot be listened on.
pub async fn start(settings: Settings) -> anyhow::Result<Running> {
    let database = examined(&settings).await?;
    serve(settings, database)
}

/// Connects, examines the database, and does the jobs in it.
///
/// # Errors
/// Those of [`start`] but the address's.
pub async fn work(settings: Settings) -> anyhow::Result<Working> {
    let database = examined(&settings).await?;
    let key_care = key_care(&settings);
    let worker = tenantry_worker::start(services(settings, database.clone()));
    Ok(Working {
        worker,
        database,
        _key_care: key_care,
    })
}

/// Follows the files of the settings' keys.
fn key_care(settings: &Settings) -> KeyCare {
    KeyCare::start(
        Arc::clone(&settings.keyring),
        settings.encryption_keys.clone(),
        settings.key_schedule.clone(),
        settings.environment.clone(),
    )
}

/// The database, once it is there and proves to be one to be worked on.
async fn examined(settings: &Settings) -> anyhow::Result<Database> {
    let database = connect(settings)?;
    wait_for(&database).await?;
    database.demand_sessions().await?;
    let findings = doctor::examine(&database, &tenantry_migrations::names()).await?;
    if !findings.is_empty() {
        return Err(Unsafe(findings).into());
    }
    Ok(database)
}

/// A pool for the settings' database.
///
/// # Errors
/// When the URL is not one.
pub fn connect(settings: &Settings) -> anyhow::Result<Database> {
    let url = settings.database_url.expose_secret().to_owned();
    let database = DatabaseSettings::new(url, settings.max_connections).through(settings.pooler.into());
    let database = Database::new(&database, settings.environment.clone()).context("the database URL is not one")?;
    Ok(database.with_mfa_grace(TimeDelta::days(settings.mfa_grace_days.into())))
}

/// The use cases for whoever loads data or helps a person, and the database that is to be closed after them.
///
/// # Errors
/// When the URL is not one.
pub fn use_cases(
    runtime_url: &SecretString,
    pooler: configuration::Pooler,
    max_connections: u32,
    environment: &Environment,
) -> anyhow::Result<(Services, Database)> {
    let settings = Settings {
        database_url: runtime_url.clone(),
        pooler,
        max_connections,
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        public_url: "urn:tenantry:command".to_owned(),
        cors_origins: Vec::new(),
        webauthn_rp_id: None,
        identity_providers: Vec::new(),
        trusted_issuers: Vec::new(),
        dns_servers: Vec::new(),
        connection_networks: Vec::new(),
        redirect_uris: Vec::new(),
        registration: configuration::Registration::Open,
        rate_limits: configuration::RateLimits::Off,
        request_timeout: Duration::from_secs(30),
        environment: environment.clone(),
        // Its tokens are used here and nowhere else.
        keyring: Arc::new(Keyring::generate_in_memory(environment)?),
        encryption_keys: None,
        key_schedule: None,
        // Whoever is at the command line has all rights already.
        mfa_grace_days: 365,
        // What is mailed is left to whoever serves.
        mailer: Mailer::none(),
        works: false,
        password_cost: PasswordCost::RECOMMENDED,
    };
    let database = connect(&settings)?;
    Ok((services(settings, database.clone()), database))
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
    let (listen, works, public_url) = (settings.listen, settings.works, settings.public_url.clone());
    let key_care = key_care(&settings);
    let services = services(settings, database.clone());
    let server = tenantry_api::start(services.clone(), &http).with_context(|| format!("cannot listen on {listen}"))?;
    if let Some(base) = public_url.strip_suffix(":0") {
        services.lead_links_to(format!("{base}:{}", server.address().port()));
    }
    Ok(Running {
        address: server.address(),
        server,
        worker: works.then(|| tenantry_worker::start(services)),
        database,
        _key_care: key_care,
    })
}

/// The use cases over a database.
#[must_use]
pub fn services(settings: Settings, database: Database) -> Services {
    let access_tokens = AccessTokens::new(
        Arc::clone(&settings.keyring),
        settings.public_url.clone(),
        settings.public_url.clone(),
        ACCESS_TOKEN_LIFE,
    );
    let encryption_keys = settings
        .encryption_keys
        .unwrap_or_else(|| Arc::clone(&settings.keyring));
    Services::new(ServiceSettings {
        vault: Vault::new(encryption_keys, Arc::clone(&settings.keyring)),
        carried: Vault::new(Arc::clone(&settings.keyring), Arc::clone(&settings.keyring)),
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
        mailer: settings.mailer,
        public_url: settings.public_url,
        origins: settings.cors_origins,
        webauthn_rp_id: settings.webauthn_rp_id,
        identity_providers: settings.identity_providers,
        redirect_uris: settings.redirect_uris,
        trusted_issuers: settings.trusted_issuers,
        http: Arc::new(Outgoing(HttpClient::new())),
        connection_http: Arc::new(Outgoing(HttpClient::to_public(
            settings.connection_networks,
            Dns::new(&settings.dns_servers),
        ))),
        dns: Arc::new(NameServers(Dns::new(&settings.dns_servers))),
    })
}

/// What those are asked by who prove who somebody is.
struct Outgoing(HttpClient);

impl http_client::HttpClient for Outgoing {
    fn send(&self, request: http_client::Request) -> http_client::Answer<'_> {
        Box::pin(async { self.0.send(request).await.map_err(|error| HttpError(error.into())) })
    }
}

/// What the DNS is asked by.
struct NameServers(Dns);

impl TextRecords for NameServers {
    fn text_records<'c>(&'c self, name: &str) -> TextAnswer<'c> {
        let name = name.to_owned();
        Box::pin(async move {
            let texts = self.0.text_records(&name).await;
            texts.map_err(|error| TextError(error.into()))
        })
    }
}

fn parallelism() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

async fn wait_for(database: &Database) -> anyhow::Result<()> {
    let given_up = Instant::now() + DATABASE_PATIENCE;
    let place = database.place();
    let mut pause = Duration::from_millis(50);
    loop {
        match database.ping().await {
            Ok(()) => return Ok(()),
            Err(error @ StoreError::Unavailable(_)) => {
                let left = given_up.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return Err(anyhow::Error::new(error)
                        .context(Unavailable("the database"))
                        .context(format!("waited {} s for {place}", DATABASE_PATIENCE.as_secs())));
                }
                tracing::warn!(
                    database = place,
                    seconds_left = left.as_secs(),
                    error = &error as &dyn std::error::Error,
                    "waiting for the database"
                );
                sleep(pause.min(left)).await;
                pause = (pause * 2).min(Duration::from_secs(2));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

impl Running {
    /// Returns when the server or its worker ends by itself, which they do only when they fail.
    pub async fn finished(&mut self) {
        let worker = async {
            match &mut self.worker {
                Some(worker) => worker.finished().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            outcome = self.server.finished() => {
                if let Err(error) = outcome {
                    tracing::error!(error = &error as &dyn std::error::Error, "the server failed");
                }
            }
            () = worker => {}
        }
    }

    /// Says that it is not ready, and serves on for the time of `grace`; then stops listening, lets requests and jobs under way
    /// end, and closes the connections.
    pub async fn stop(self, grace: Duration) {
        self.server.begin_draining();
        if !grace.is_zero() {
            tracing::info!(
                seconds = grace.as_secs(),
                "not ready any more, and serving on for a while"
            );
            sleep(grace).await;
        }
        tracing::info!("not listening any more, and waiting for what is under way");
        let worker = async {
            if let Some(worker) = self.worker {
                worker.stop(DRAIN).await;
            }
        };
        // At once: whoever stops the process waits for the longer of the two.
        let (server, ()) = tokio::join!(self.server.stop(), worker);
        if let Err(error) = server {
            tracing::error!(error = &error as &dyn std::error::Error, "the server failed");
        }
        close(&self.database).await;
        tracing::info!("stopped");
    }
}

impl Working {
    /// Returns when the worker ends by itself, which it does only when it fails.
    pub async fn finished(&mut self) {
        self.worker.finished().await;
    }

    /// Takes no more jobs, lets those under way end, and closes the connections.
    pub async fn stop(self) {
        tracing::info!("taking no more jobs, and waiting for those under way");
        self.worker.stop(DRAIN).await;
        close(&self.database).await;
        tracing::info!("stopped");
    }
}

async fn close(database: &Database) {
    if timeout(CLOSING, database.close()).await.is_err() {
        tracing::warn!("left connections to the database open");
    }
}
