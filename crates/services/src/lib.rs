//! Use cases: one module per capability, one function per thing a caller can do.
//!
//! A use case begins a transaction from what let its caller in, loads and decides, lets the domain and the repositories
//! do the work, and commits with the event that names it. To add one: a function in its capability's file (or a new file
//! of the same name as in the crates below), an event type if it writes, and a route in `tenantry-api`.

pub mod callers;
pub mod connections;
pub mod demo;
mod domains;
pub mod error;
pub mod health;
pub mod idempotency;
pub mod identities;
mod invitations;
pub mod jobs;
mod known_devices;
pub mod limits;
pub mod mails;
pub mod members;
pub mod organizations;
pub mod preconditions;
pub mod projects;
pub mod second_factors;
pub mod seeding;
pub mod sessions;
pub mod sign_on;
pub mod users;
pub mod workspaces;

use std::sync::{Arc, OnceLock, atomic::AtomicBool};

pub use error::{Error, Result};
pub use tenantry_auth::keys::Keyring;
use tenantry_auth::{
    access_tokens::AccessTokens,
    http_client::HttpClient,
    identity_providers::{Provider, ProviderSettings},
    passkeys::RelyingParty,
    passwords::PasswordHasher,
    text_records::TextRecords,
    trusted_issuers::{IssuerSettings, TrustedIssuer},
    vault::Vault,
};
use tenantry_cache::limits::RateLimiter;
use tenantry_domain::environment::Environment;
use tenantry_integrations::mail::Mailer;
use tenantry_persistence::Database;
use tokio::sync::Notify;

/// Who may make an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registration {
    /// Whoever has an address.
    Open,
    /// Nobody by themselves.
    Private,
}

/// What use cases work with.
pub struct Settings {
    /// PostgreSQL.
    pub database: Database,
    /// The keys that tokens and cursors are signed with.
    pub keyring: Arc<Keyring>,
    /// What secrets are sealed in that are stored and must be read again.
    pub vault: Vault,
    /// What is sealed in that clients carry back: by the keys that tokens are signed with, since it signs people in as those do.
    pub carried: Vault,
    /// Access tokens by those keys.
    pub access_tokens: AccessTokens,
    /// Password hashing.
    pub passwords: PasswordHasher,
    /// The limits of what an attacker could repeat.
    pub limiter: RateLimiter,
    /// Who may make an account.
    pub registration: Registration,
    /// What mails go out by.
    pub mailer: Mailer,
    /// Where people reach the service and the links of mails lead, without a slash at its end.
    pub public_url: String,
    /// The origins of other pages that passkeys may be used on.
    pub origins: Vec<String>,
    /// The domain that passkeys are for, where it is not the one of `public_url`.
    pub webauthn_rp_id: Option<String>,
    /// The providers that people sign in through.
    pub identity_providers: Vec<ProviderSettings>,
    /// Where sign-ins through them may return to, to the character.
    pub redirect_uris: Vec<String>,
    /// The issuers whose access tokens count.
    pub trusted_issuers: Vec<IssuerSettings>,
    /// What those are asked by.
    pub http: Arc<dyn HttpClient>,
    /// What organizations' own providers are asked by, who say themselves where that is: it reaches what everybody does, and no more.
    pub connection_http: Arc<dyn HttpClient>,
    /// What the DNS is asked by.
    pub dns: Arc<dyn TextRecords>,
}

/// The use cases, with all they work with; cheap to clone.
#[derive(Clone)]
pub struct Services(Arc<Inner>);

struct Inner {
    settings: Settings,
    callers: callers::Caches,
    health: health::Last,
    draining: AtomicBool,
    /// Told when there is a job that was not there before.
    jobs: Notify,
    /// Where links in mails lead, where that was learned late.
    link_base: OnceLock<String>,
    /// What passkeys are for, once it was asked for.
    relying_party: OnceLock<Option<RelyingParty>>,
    /// The providers of the settings, by their keys, with what was learned of them.
    providers: Vec<Arc<Provider>>,
    /// Those of organizations.
    connections: connections::Connections,
    /// The same of issuers whose access tokens count.
    trusted_issuers: Vec<TrustedIssuer>,
}

impl Services {
    /// Use cases over these settings.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let providers = settings.identity_providers.iter().cloned();
        let mut providers: Vec<_> = providers.map(|settings| Arc::new(Provider::new(settings))).collect();
        providers.sort_by(|one, other| one.settings().key.cmp(&other.settings().key));
        let trusted_issuers = settings.trusted_issuers.iter().cloned().map(TrustedIssuer::new);
        let trusted_issuers = trusted_issuers.collect();
        Self(Arc::new(Inner {
            settings,
            callers: callers::Caches::default(),
            health: health::Last::default(),
            draining: AtomicBool::new(false),
            jobs: Notify::new(),
            link_base: OnceLock::new(),
            relying_party: OnceLock::new(),
            providers,
            connections: connections::Connections::default(),
            trusted_issuers,
        }))
    }

    /// The keys that tokens and cursors are signed with.
    #[must_use]
    pub fn keyring(&self) -> &Keyring {
        &self.0.settings.keyring
    }

    /// Time and randomness.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        self.database().environment()
    }

    pub(crate) fn database(&self) -> &Database {
        &self.0.settings.database
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    pub(crate) fn last_check(&self) -> &health::Last {
        &self.0.health
    }

    pub(crate) fn draining(&self) -> &AtomicBool {
        &self.0.draining
    }

    /// Says where links in mails lead, of a server whose port was not known before it listened. The first time counts.
    pub fn lead_links_to(&self, base: String) {
        self.0.link_base.get_or_init(|| base);
    }

    /// Whether clients reach the service over TLS.
    #[must_use]
    pub fn is_reached_over_tls(&self) -> bool {
        self.settings().public_url.starts_with("https://")
    }

    pub(crate) fn link_base(&self) -> &str {
        self.0.link_base.get().unwrap_or(&self.settings().public_url)
    }

    /// What passkeys are for; `None` where there can be none.
    pub(crate) fn relying_party(&self) -> Option<&RelyingParty> {
        let made = || {
            let Settings {
                origins,
                webauthn_rp_id,
                ..
            } = self.settings();
            RelyingParty::of(self.link_base(), origins, webauthn_rp_id.as_deref()).unwrap_or_else(|error| {
                tracing::error!(error = &error as &dyn std::error::Error, "there can be no passkeys");
                None
            })
        };
        self.0.relying_party.get_or_init(made).as_ref()
    }

    pub(crate) fn providers(&self) -> &[Arc<Provider>] {
        &self.0.providers
    }

    pub(crate) fn connections(&self) -> &connections::Connections {
        &self.0.connections
    }

    pub(crate) fn trusted_issuers(&self) -> &[TrustedIssuer] {
        &self.0.trusted_issuers
    }

    pub(crate) fn jobs_bell(&self) -> &Notify {
        &self.0.jobs
    }

    pub(crate) fn caller_caches(&self) -> &callers::Caches {
        &self.0.callers
    }
}
