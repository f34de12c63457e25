//! Databases and Redis.

use secrecy::SecretString;
use tenantry_persistence::database as persistence;
use url::Url;

use super::{reader::Reader, redaction, setting::Setting};

/// The database as serving processes reach it.
pub(super) const URL: Setting = Setting::secret_url(
    "TENANTRY_DATABASE_URL",
    "the database as the runtime role reaches it, postgres://user:password@host:5432/database",
);

/// The database as migrations reach it.
pub(super) const OWNER_URL: Setting = Setting::secret_url(
    "TENANTRY_DATABASE_OWNER_URL",
    "the database as the role reaches it that owns the schema, postgres://user:password@host:5432/database",
);

const REPLICA_URL: Setting = Setting::secret_url(
    "TENANTRY_DATABASE_REPLICA_URL",
    "a read replica as the runtime role reaches it, postgres://user:password@host:5432/database",
)
.not_yet("has no effect yet: every read goes to TENANTRY_DATABASE_URL");

const POOLER: Setting = Setting::plain(
    "TENANTRY_DATABASE_POOLER",
    "`none`, or `transaction` behind a pooler that keeps no prepared statements",
)
.or("none");

const MAX_CONNECTIONS: Setting = Setting::plain(
    "TENANTRY_DATABASE_MAX_CONNECTIONS",
    "how many connections a process may hold, 1 to 1000",
)
.or("10");

const REDIS_URL: Setting = Setting::secret_url("TENANTRY_REDIS_URL", "Redis, redis://user:password@host:6379")
    .not_yet("has no effect yet: caches and limits are kept in each process");

/// The settings of this section.
pub(super) const SETTINGS: &[&Setting] = &[&URL, &OWNER_URL, &REPLICA_URL, &POOLER, &MAX_CONNECTIONS, &REDIS_URL];

/// Databases and Redis.
#[derive(Debug, Clone)]
pub struct Database {
    /// `TENANTRY_DATABASE_URL`: as the runtime role reaches it.
    pub url: Option<SecretString>,
    /// `TENANTRY_DATABASE_OWNER_URL`: as migrations reach it.
    pub owner_url: Option<SecretString>,
    /// `TENANTRY_DATABASE_REPLICA_URL`.
    pub replica_url: Option<SecretString>,
    /// `TENANTRY_DATABASE_POOLER`: what is between here and the database.
    pub pooler: Pooler,
    /// `TENANTRY_DATABASE_MAX_CONNECTIONS` of one process, 1 to 1000.
    pub max_connections: u32,
    /// `TENANTRY_REDIS_URL`.
    pub redis_url: Option<SecretString>,
}

/// What is between a process and the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pooler {
    /// Nothing, or something that keeps prepared statements.
    None,
    /// A pooler in transaction mode that does not, such as PgBouncer before 1.21.
    Transaction,
}

impl From<Pooler> for persistence::Pooler {
    fn from(pooler: Pooler) -> Self {
        match pooler {
            Pooler::None => Self::None,
            Pooler::Transaction => Self::Transaction,
        }
    }
}

impl Database {
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let url = reader.secret(&URL, is_postgres_url);
        let owner_url = reader.secret(&OWNER_URL, is_postgres_url);
        let replica_url = reader.secret(&REPLICA_URL, is_postgres_url);
        let pooler = reader.value(&POOLER, |text| match text {
            "none" => Some(Pooler::None),
            "transaction" => Some(Pooler::Transaction),
            _ => None,
        });
        let max_connections = reader.value(&MAX_CONNECTIONS, |text| {
            text.parse().ok().filter(|count| (1..=1000).contains(count))
        });
        let redis_url = reader.secret(&REDIS_URL, is_redis_url);
        Some(Self {
            url: url?,
            owner_url: owner_url?,
            replica_url: replica_url?,
            pooler: pooler?,
            max_connections: max_connections?,
            redis_url: redis_url?,
        })
    }
}

fn is_postgres_url(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "postgres" | "postgresql")
            && redaction::is_unambiguous(&url)
            // A folder with the server's socket is a host too, `?host=/run/postgresql`.
            && (url.has_host() || url.query_pairs().any(|(key, _)| matches!(key.as_ref(), "host" | "hostaddr")))
    })
}

fn is_redis_url(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| match url.scheme() {
        "redis" | "rediss" => url.has_host() && redaction::is_unambiguous(&url),
        "redis+unix" | "unix" => redaction::is_unambiguous(&url),
        _ => false,
    })
}
