//! The pool of connections, and the only places where a transaction begins.

use std::{str::FromStr, time::Duration};

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tenantry_domain::{
    environment::Environment,
    ids::{OrganizationId, UserId},
};

use crate::{connection::Connection, error::Result};

/// How to reach PostgreSQL.
#[derive(Clone)]
pub struct Settings {
    /// `postgres://…`, of a login that is a member of the runtime role.
    pub url: String,
    /// The most connections that this process opens.
    pub max_connections: u32,
    /// How long a request waits for a free connection before it is told that the service is unavailable.
    pub acquire_timeout: Duration,
    /// How long a statement may run.
    pub statement_timeout: Duration,
}

impl Settings {
    /// Settings for `url` with the usual bounds.
    #[must_use]
    pub fn new(url: String, max_connections: u32) -> Self {
        Self {
            url,
            max_connections,
            acquire_timeout: Duration::from_secs(3),
            statement_timeout: Duration::from_secs(10),
        }
    }
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("max_connections", &self.max_connections)
            .finish_non_exhaustive()
    }
}

/// PostgreSQL, reached by the runtime role; cheap to clone.
#[derive(Clone, Debug)]
pub struct Database {
    pool: sqlx::PgPool,
    environment: Environment,
    #[cfg(feature = "isolation-proof")]
    organization_filter_off: bool,
}

impl Database {
    /// A pool that opens its connections when they are needed: nothing is reached yet.
    ///
    /// # Errors
    /// When the URL is not one.
    pub fn new(settings: &Settings, environment: Environment) -> Result<Self> {
        let milliseconds = |duration: Duration| format!("{}ms", duration.as_millis());
        let options = PgConnectOptions::from_str(&settings.url)?
            .application_name("tenantry")
            .options([
                ("statement_timeout", milliseconds(settings.statement_timeout)),
                // A request that died in the middle must not hold its locks.
                (
                    "idle_in_transaction_session_timeout",
                    milliseconds(settings.statement_timeout * 2),
                ),
                ("timezone", "UTC".to_owned()),
            ]);
        let pool = PgPoolOptions::new()
            .max_connections(settings.max_connections)
            .acquire_timeout(settings.acquire_timeout)
            .idle_timeout(Duration::from_secs(600))
            // A ping before each use would be a round trip a request. A connection that died meanwhile is noticed
            // by its first statement, and `begin` then tries another.
            .test_before_acquire(false)
            .connect_lazy_with(options);
        Ok(Self {
            pool,
            environment,
            #[cfg(feature = "isolation-proof")]
            organization_filter_off: false,
        })
    }

    /// The same database through repositories that no longer filter by organization: what row-level security alone
    /// withholds. Compiled for the proof of isolation alone.
    #[cfg(feature = "isolation-proof")]
    #[must_use]
    pub fn with_organization_filter_off(mut self) -> Self {
        self.organization_filter_off = true;
        self
    }

    /// The clock and the randomness that rows are written with.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Asks the database for a sign of life: one round trip.
    ///
    /// # Errors
    /// When it gives none.
    pub async fn ping(&self) -> Result<()> {
        sqlx::query("select 1").execute(&self.pool).await?;
        Ok(())
    }

    /// Closes all connections, waiting for those in use.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    pub(crate) fn filters_by_organization(&self) -> bool {
        #[cfg(feature = "isolation-proof")]
        return !self.organization_filter_off;
        #[cfg(not(feature = "isolation-proof"))]
        true
    }

    /// Begins a transaction that reads and makes no settings: for looking at what is set before any is made.
    pub(crate) async fn begin_as_it_comes(&self) -> Result<Connection> {
        Connection::begin(&self.pool, Mode::ReadOnly.begin().to_owned()).await
    }

    /// Begins a transaction whose settings, sent in the same message, tell the policies who it is for.
    pub(crate) async fn begin(
        &self,
        mode: Mode,
        user: Option<UserId>,
        organization: Option<OrganizationId>,
    ) -> Result<Connection> {
        // Both are set, to nothing where there is none, so that nothing before this can have left another. Ids print
        // as hex and dashes alone: nothing of a caller's making gets into this text.
        let user = user.map(|id| id.to_string()).unwrap_or_default();
        let organization = organization.map(|id| id.to_string()).unwrap_or_default();
        let begin = mode.begin();
        let sql =
            format!("{begin}; SET LOCAL app.user_id = '{user}'; SET LOCAL app.organization_id = '{organization}'");
        Connection::begin(&self.pool, sql).await
    }
}

/// What a transaction may do to rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    ReadOnly,
    ReadWrite,
}

impl Mode {
    const fn begin(self) -> &'static str {
        match self {
            Self::ReadOnly => "BEGIN READ ONLY",
            Self::ReadWrite => "BEGIN",
        }
    }
}
