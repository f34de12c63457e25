//! The application in process, on a real socket and a real database.

use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use ipnetwork::IpNetwork;
use secrecy::SecretString;
use tenantry::{
    application,
    configuration::{RateLimits, Registration, parse_identity_providers},
};
use tenantry_auth::{keys::Keyring, passwords::PasswordCost, trusted_issuers::IssuerSettings};
use tenantry_integrations::mail::{Kept, Mailer, Outbox};
use tenantry_persistence::Database;
use tenantry_services::Services;

use crate::{
    client::Client,
    database::{self, TestDatabase},
    environment::TestClock,
    statements,
};

/// What a test wants of its application.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whether limits hold.
    pub rate_limits: RateLimits,
    /// Who may make an account.
    pub registration: Registration,
    /// For how many days an organization's members may do without the second factor that it demands: very many, so that tests that
    /// move the clock are not about it.
    pub mfa_grace_days: u16,
    /// Where people reach it, where it is not [`PUBLIC_URL`].
    pub public_url: Option<String>,
    /// The domain that passkeys are for, where it is not that of the public URL.
    pub webauthn_rp_id: Option<String>,
    /// The providers that people sign in through, as operators write them in their file.
    pub identity_providers: String,
    /// Where sign-ins through them may return to.
    pub redirect_uris: Vec<String>,
    /// The issuers whose access tokens are taken beside its own.
    pub trusted_issuers: Vec<IssuerSettings>,
    /// The DNS servers that are asked for the records of domains; without any, those of this machine.
    pub dns_servers: Vec<SocketAddr>,
    /// What connections of organizations may reach beside the public internet: this machine, where the providers of tests are.
    pub connection_networks: Vec<IpNetwork>,
    /// Origins of browsers that may call.
    pub cors_origins: Vec<String>,
    /// The most connections to the database.
    pub max_connections: u32,
    /// How long a request may take.
    pub request_timeout: Duration,
    /// Whether there is anything that mails go out by: they are kept.
    pub mail: bool,
    /// What secrets are sealed with, where it is something else than what signs.
    pub encryption_keys: Option<Arc<Keyring>>,
    /// What tokens, cursors and links are signed with.
    pub keys: Arc<Keyring>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            rate_limits: RateLimits::Off,
            registration: Registration::Open,
            mfa_grace_days: 365,
            public_url: None,
            webauthn_rp_id: None,
            identity_providers: String::new(),
            redirect_uris: Vec::new(),
            trusted_issuers: Vec::new(),
            dns_servers: Vec::new(),
            connection_networks: vec!["127.0.0.0/8".parse().expect("a network")],
            cors_origins: Vec::new(),
            max_connections: 10,
            request_timeout: Duration::from_secs(30),
            mail: true,
            keys: keyring(),
            encryption_keys: None,
        }
    }
}

/// An application that serves until it is dropped.
pub struct TestApp {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its clock.
    pub clock: TestClock,
    /// Its use cases.
    pub services: Services,
    _server: tenantry_api::Running,
}

impl TestApp {
    /// An application as it is shipped, examined database and all.
    pub async fn start(database: &TestDatabase) -> Self {
        Self::with(database, Options::default()).await
    }

    /// The same with options.
    pub async fn with(database: &TestDatabase, options: Options) -> Self {
        let clock = TestClock::default();
        let settings = settings(database.runtime_url(), &options, &clock);
        let pool = application::connect(&settings).expect("a database URL");
        let findings = tenantry_persistence::doctor::examine(&pool, &tenantry_migrations::names())
            .await
            .expect("a database that answers");
        assert!(findings.is_empty(), "an unsafe database: {findings:?}");
        Self::compose(pool, settings, &options, clock)
    }

    /// An application over a login that row-level security does not hold back: composed without the examination that a
    /// shipped one always makes. `change` may take the other wall away too.
    pub fn without_row_level_security(database: &TestDatabase, change: impl FnOnce(Database) -> Database) -> Self {
        let clock = TestClock::default();
        let options = Options::default();
        let settings = settings(database.bypass_url(), &options, &clock);
        let pool = change(application::connect(&settings).expect("a database URL"));
        Self::compose(pool, settings, &options, clock)
    }

    fn compose(pool: Database, settings: application::Settings, options: &Options, clock: TestClock) -> Self {
        statements::record();
        let services = application::services(settings, pool);
        let http = tenantry_api::Settings {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            cors_origins: options.cors_origins.clone(),
            request_timeout: options.request_timeout,
            workers: 2,
            drain_timeout: Duration::from_secs(1),
        };
        let server = tenantry_api::start(services.clone(), &http).expect("a free port");
        Self {
            address: server.address(),
            clock,
            services,
            _server: server,
        }
    }

    /// Does the jobs that are due, and what they leave to be done at once.
    pub async fn work(&self) {
        loop {
            let due = self.services.due_jobs(100).await.expect("a database that answers");
            if due.is_empty() {
                return;
            }
            for job in due {
                if let Some(taken) = self.services.take_job(job).await.expect("a database that answers") {
                    self.services.do_job(taken).await.expect("a database that answers");
                }
            }
        }
    }

    /// The mails that went out, newest first, once all that is due is done.
    pub async fn mails(&self) -> Vec<Kept> {
        self.work().await;
        self.services.kept_mails().unwrap_or_default()
    }

    /// A client of it without credentials.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::new(format!("http://{}", self.address))
    }
}

/// Where people reach every application, unless told otherwise.
pub const PUBLIC_URL: &str = "http://tenantry.test";

/// The keys that all applications of a process sign with, unless told otherwise.
pub fn keyring() -> Arc<Keyring> {
    static KEYRING: OnceLock<Arc<Keyring>> = OnceLock::new();
    Arc::clone(KEYRING.get_or_init(other_keyring))
}

/// Keys that nobody else has.
pub fn other_keyring() -> Arc<Keyring> {
    Arc::new(Keyring::generate_in_memory(&TestClock::default().environment()).expect("randomness"))
}

fn settings(url: &str, options: &Options, clock: &TestClock) -> application::Settings {
    let environment = clock.environment();
    application::Settings {
        database_url: SecretString::from(url),
        pooler: database::pooler(),
        max_connections: options.max_connections,
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        public_url: options.public_url.clone().unwrap_or_else(|| PUBLIC_URL.to_owned()),
        webauthn_rp_id: options.webauthn_rp_id.clone(),
        cors_origins: options.cors_origins.clone(),
        identity_providers: parse_identity_providers(&options.identity_providers).expect("a file of providers"),
        redirect_uris: options.redirect_uris.clone(),
        trusted_issuers: options.trusted_issuers.clone(),
        dns_servers: options.dns_servers.clone(),
        connection_networks: options.connection_networks.clone(),
        registration: options.registration,
        mfa_grace_days: options.mfa_grace_days,
        rate_limits: options.rate_limits,
        request_timeout: options.request_timeout,
        keyring: Arc::clone(&options.keys),
        encryption_keys: options.encryption_keys.clone(),
        key_schedule: None,
        environment,
        password_cost: PasswordCost::MINIMAL,
        mailer: if options.mail {
            Mailer::new(None, Some(Arc::new(Outbox::new(|_| {})))).expect("a mailer without a server")
        } else {
            Mailer::none()
        },
        works: false,
    }
}
