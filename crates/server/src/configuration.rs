//! Typed configuration: `TENANTRY_…` environment variables over a TOML file over defaults.
//!
//! Everything is checked at start and every problem is reported at once, with the name of the variable and what it
//! expects ([`Problems`]). The file, named by `TENANTRY_CONFIG` or `--config`, has the same settings by the same names in
//! lower case and without the prefix: `TENANTRY_DATABASE_URL` is `database_url`. An empty value counts as not set. A name
//! that is none is a problem too, so that a typing error is never silently a default; the exceptions are
//! `TENANTRY_TEST_…`, which tests read, and the variables that Kubernetes makes for a service called `tenantry`.
//!
//! To add a setting: a [`Setting`] in the section file that it belongs to, its line in that section's `SETTINGS`, and
//! the field that it is read into. To add a section: a file, a field of [`Configuration`], and a line in
//! [`settings`].

mod database;
mod development;
mod http;
mod identity_providers;
mod log;
mod mail;
mod outgoing;
mod problems;
mod reader;
mod redaction;
mod setting;
mod sign_in;
mod sources;
mod table;
mod toml_tables;
mod trusted_issuers;

#[cfg(test)]
mod tests;

pub use self::{
    database::{Database, Pooler},
    development::Development,
    http::{Http, RateLimits},
    identity_providers::{IdentityProviders, parse as parse_identity_providers},
    log::{Log, LogFormat},
    mail::{Mail, Smtp},
    outgoing::Outgoing,
    problems::{Problem, Problems},
    setting::{Kind, Setting},
    sign_in::{Registration, SignIn},
    sources::{CONFIG, Sources},
    table::{Row, Table},
    trusted_issuers::{TrustedIssuers, parse as parse_trusted_issuers},
};

use self::{reader::Reader, sources::Merged};

/// Every setting, section by section, in the order in which they are shown.
pub fn settings() -> impl Iterator<Item = &'static Setting> {
    [
        database::SETTINGS,
        http::SETTINGS,
        sign_in::SETTINGS,
        identity_providers::SETTINGS,
        trusted_issuers::SETTINGS,
        mail::SETTINGS,
        outgoing::SETTINGS,
        log::SETTINGS,
        development::SETTINGS,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// What the configuration is for: commands need different parts of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Purpose {
    /// Serving requests from a database that somebody else runs.
    Serve,
    /// Doing the jobs of a database that somebody else runs.
    Worker,
    /// Serving from a private database, with nothing configured.
    Dev,
    /// Changing the schema.
    Migrate,
    /// Examining the database as the server does at its start.
    Doctor,
    /// Loading demo data.
    Seed,
    /// Seeding at size.
    SeedLarge,
    /// Helping a person.
    User,
    /// Asking a server on this machine how it is.
    Health,
}

impl Purpose {
    /// The settings without which the purpose cannot be served.
    fn needs(self) -> &'static [&'static Setting] {
        match self {
            Self::Serve | Self::Worker => &[&database::URL, &sign_in::SIGNING_KEYS],
            Self::Doctor | Self::Seed | Self::User => &[&database::URL],
            Self::Migrate => &[&database::OWNER_URL],
            Self::SeedLarge => &[&database::URL, &database::OWNER_URL],
            Self::Dev | Self::Health => &[],
        }
    }

    /// Settings that `tenantry dev` sees to by itself, so that whoever sets them should hear that they change nothing.
    fn ignores(self, setting: &Setting) -> bool {
        let own = [
            &database::URL,
            &database::OWNER_URL,
            &sign_in::SIGNING_KEYS,
            &http::SHUTDOWN_GRACE,
        ];
        self == Self::Dev && own.iter().any(|own| own.variable == setting.variable)
    }
}

/// What the whole program is configured by.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// Databases and Redis.
    pub database: Database,
    /// Where and how requests are taken.
    pub http: Http,
    /// Who may sign up, and what tokens are signed with.
    pub sign_in: SignIn,
    /// The providers that people sign in through.
    pub identity_providers: IdentityProviders,
    /// The issuers whose access tokens are taken.
    pub trusted_issuers: TrustedIssuers,
    /// What mails go out by.
    pub mail: Mail,
    /// Whom the server asks on behalf of organizations.
    pub outgoing: Outgoing,
    /// What is logged, and how.
    pub log: Log,
    /// The private database of `tenantry dev`.
    pub development: Development,
    /// Settings that were given and change nothing, each a sentence for the log.
    pub notices: Vec<String>,
}

/// The outcome of looking at every setting: what they are, and whether that will do.
#[derive(Debug)]
pub struct Examined {
    /// All settings with their values, secrets redacted, and where each comes from.
    pub table: Table,
    /// The configuration, or all that is wrong with it.
    pub outcome: Result<Configuration, Problems>,
}

impl Configuration {
    /// Reads and checks everything.
    ///
    /// # Errors
    /// [`Problems`]: all that is wrong, not the first of it.
    pub fn load(sources: &Sources, purpose: Purpose) -> Result<Self, Problems> {
        Self::examine(sources, purpose).outcome
    }

    /// Reads and checks everything, and keeps what there is to show even where something is wrong.
    #[must_use]
    pub fn examine(sources: &Sources, purpose: Purpose) -> Examined {
        let (merged, problems) = sources.merge();
        let table = Table::of(&merged);
        let notices = notices(&merged, purpose);
        let mut reader = Reader::new(&merged, problems, purpose);
        for setting in purpose.needs() {
            reader.require(setting);
        }
        let sections = (
            Database::read(&mut reader),
            Http::read(&mut reader),
            SignIn::read(&mut reader),
            IdentityProviders::read(&mut reader),
            TrustedIssuers::read(&mut reader),
            Mail::read(&mut reader),
            Outgoing::read(&mut reader),
            Log::read(&mut reader),
            Development::read(&mut reader),
        );
        if let (_, Some(http), _, Some(identity_providers), Some(trusted_issuers), ..) = &sections {
            trusted_issuers.check(http, identity_providers, &mut reader);
        }
        let problems = reader.into_problems();
        let outcome = match sections {
            (
                Some(database),
                Some(http),
                Some(sign_in),
                Some(identity_providers),
                Some(trusted_issuers),
                Some(mail),
                Some(outgoing),
                Some(log),
                Some(development),
            ) if problems.is_empty() => Ok(Self {
                database,
                http,
                sign_in,
                identity_providers,
                trusted_issuers,
                mail,
                outgoing,
                log,
                development,
                notices,
            }),
            _ => Err(problems),
        };
        Examined { table, outcome }
    }
}

/// A sentence for each setting that was changed from its default and has no effect (yet, or in this command).
fn notices(merged: &Merged, purpose: Purpose) -> Vec<String> {
    let changed = |setting: &Setting| merged.text(setting).is_some_and(|text| Some(text) != setting.default);
    settings()
        .filter(|setting| changed(setting))
        .filter_map(|setting| {
            if purpose.ignores(setting) {
                return Some(format!(
                    "{} has no effect in dev, which sees to that by itself",
                    setting.variable
                ));
            }
            setting
                .not_yet
                .map(|consequence| format!("{} {consequence}", setting.variable))
        })
        .collect()
}
