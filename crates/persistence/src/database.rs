//! The pool of connections, and the only places where a transaction begins.

use std::{str::FromStr, sync::Arc, time::Duration};

use chrono::TimeDelta;
use sqlx::{
    ConnectOptions as _, Connection as _,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tenantry_domain::{
    environment::Environment,
    ids::{OrganizationId, UserId},
};
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use crate::{
    connection::{Connection, Statements},
    error::Result,
};

/// What is between this process and PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pooler {
    /// Nothing, or something that keeps a session's prepared statements.
    None,
    /// Something that gives each transaction another session, and keeps neither statements nor settings.
    Transaction,
}

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
    /// What is in between.
    pub pooler: Pooler,
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
            pooler: Pooler::None,
        }
    }

    /// The same through a pooler.
    #[must_use]
    pub fn through(mut self, pooler: Pooler) -> Self {
        self.pooler = pooler;
        self
    }

    /// What holds in each session of the application.
    fn limits(&self) -> [(&'static str, String); 2] {
        let milliseconds = |duration: Duration| format!("{}ms", duration.as_millis());
        [
            ("statement_timeout", milliseconds(self.statement_timeout)),
            // A request that died in the middle must not hold its locks.
            (
                "idle_in_transaction_session_timeout",
                milliseconds(self.statement_timeout * 2),
            ),
        ]
    }
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("max_connections", &self.max_connections)
            .field("pooler", &self.pooler)
            .finish_non_exhaustive()
    }
}

/// PostgreSQL, reached by the runtime role; cheap to clone.
#[derive(Clone, Debug)]
pub struct Database {
    pool: sqlx::PgPool,
    /// Where connections are opened, which they do not outlive: a thread that serves may end before those that its
    /// connections have gone over to.
    runtime: Handle,
    environment: Environment,
    statements: Statements,
    /// What each transaction sets for itself, because its session cannot keep it.
    settings: Arc<str>,
    /// A permit for each search that may be under way.
    searches: Arc<Semaphore>,
    /// How long who owes a second factor has to set one up.
    mfa_grace: TimeDelta,
    #[cfg(feature = "isolation-proof")]
    organization_filter_off: bool,
}

impl Database {
    /// A pool that opens its connections when they are needed: nothing is reached yet. They live on the runtime that this
    /// is called in.
    ///
    /// # Errors
    /// When the URL is not one.
    pub fn new(settings: &Settings, environment: Environment) -> Result<Self> {
        // The driver sets the time zone of a session to UTC by itself, in a way that poolers follow.
        let options = PgConnectOptions::from_str(&settings.url)?.application_name("tenantry");
        let limits = settings.limits();
        let (options, statements, of_transaction) = match settings.pooler {
            Pooler::None => (options.options(limits), Statements::Named, String::new()),
            // A pooler takes the few settings of a connection's beginning that it knows, and refuses it for any other.
            Pooler::Transaction => {
                let sets = limits.map(|(name, value)| format!("; SET LOCAL {name} = '{value}'"));
                (options.extra_float_digits(None), Statements::Unnamed, sets.concat())
            }
        };
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
            runtime: Handle::current(),
            environment,
            statements,
            settings: of_transaction.into(),
            searches: Arc::new(Semaphore::new(searches_at_once(settings.max_connections))),
            mfa_grace: TimeDelta::zero(),
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

    /// The same database, to whose rows `environment` gives their moments and ids.
    #[must_use]
    pub fn with_environment(&self, environment: Environment) -> Self {
        Self {
            environment,
            ..self.clone()
        }
    }

    /// The clock and the randomness that rows are written with.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Where it is, with nothing of the login: `host:port/database`, or the folder of a socket in place of the host.
    #[must_use]
    pub fn place(&self) -> String {
        let options = self.pool.connect_options();
        let host = options
            .get_socket()
            .map_or_else(|| options.get_host().to_owned(), |folder| folder.display().to_string());
        let database = options.get_database().unwrap_or_else(|| options.get_username());
        format!("{host}:{}/{database}", options.get_port())
    }

    /// Asks the database for a sign of life: one round trip.
    ///
    /// # Errors
    /// When it gives none in the time that a request waits for a connection.
    pub async fn ping(&self) -> Result<()> {
        let pool = self.pool.clone();
        let asked = self
            .runtime
            .spawn(async move { sqlx::raw_sql("select 1").execute(&pool).await });
        self.in_time(async { asked.await.unwrap_or(Err(sqlx::Error::WorkerCrashed)) })
            .await?;
        Ok(())
    }

    /// Whether a session keeps the statements that it prepares, which is not so behind a pooler that nobody told of.
    ///
    /// Of two sessions that prepare something under one name the second then meets what the first left, and is told. In
    /// the middle of other traffic neither may meet the other, and it goes unnoticed here.
    ///
    /// # Errors
    /// [`Error::Pooled`](crate::Error::Pooled); and when the database cannot be reached.
    pub async fn demand_sessions(&self) -> Result<()> {
        if self.statements == Statements::Unnamed {
            return Ok(());
        }
        let options = self.pool.connect_options();
        let asked = async {
            let (mut one, mut other) = (options.connect().await?, options.connect().await?);
            sqlx::query("select 1").execute(&mut one).await?;
            sqlx::query("select 2").execute(&mut other).await?;
            one.close().await?;
            other.close().await
        };
        self.in_time(asked).await
    }

    /// What is asked of the database, given up after the time that a request waits for a connection.
    async fn in_time<T>(&self, asked: impl Future<Output = sqlx::Result<T>>) -> Result<T> {
        let answered = timeout(self.pool.options().get_acquire_timeout(), asked).await;
        Ok(answered.unwrap_or(Err(sqlx::Error::PoolTimedOut))?)
    }

    /// The turn of a search, which lasts as long as the permit. Comparing every name of a large tenant takes its time, and all
    /// searches together leave most connections to others. Asked for before a connection is.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) where it does not come in the time that a request waits for a
    /// connection.
    pub async fn turn_to_search(&self) -> Result<OwnedSemaphorePermit> {
        let turn = async {
            let turn = Arc::clone(&self.searches).acquire_owned().await;
            turn.map_err(|_| sqlx::Error::PoolClosed)
        };
        self.in_time(turn).await
    }

    /// With some time for those who owe a second factor to set one up in: there is none unless this says so.
    #[must_use]
    pub fn with_mfa_grace(self, mfa_grace: TimeDelta) -> Self {
        Self { mfa_grace, ..self }
    }

    pub(crate) fn mfa_grace(&self) -> TimeDelta {
        self.mfa_grace
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

    /// Begins a transaction that reads and tells the policies nothing: for looking at what is set before anything is told.
    pub(crate) async fn begin_as_it_comes(&self) -> Result<Connection> {
        let begin = Mode::ReadOnly.begin();
        let settings = &self.settings;
        Connection::begin(&self.pool, &self.runtime, format!("{begin}{settings}"), self.statements).await
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
        let (begin, plans) = (mode.begin(), mode.plans());
        let settings = &self.settings;
        let sql = format!(
            "{begin}{settings}{plans}; SET LOCAL app.user_id = '{user}'; SET LOCAL app.organization_id = '{organization}'"
        );
        Connection::begin(&self.pool, &self.runtime, sql, self.statements).await
    }
}

/// How many of so many connections may search at once.
fn searches_at_once(connections: u32) -> usize {
    usize::try_from(connections / 4)
        .unwrap_or(usize::MAX)
        .clamp(1, Semaphore::MAX_PERMITS)
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

    /// How statements are planned. Tenants differ too much in size for one plan to suit them all, so what is read is planned
    /// for whom it is read; and along indexes, which lead with the tenant, even where one tenant has so much of a table that
    /// reading through everybody's rows would seem cheaper. What is written is not: every check of a foreign key would be
    /// planned anew, too.
    const fn plans(self) -> &'static str {
        match self {
            Self::ReadOnly => "; SET LOCAL plan_cache_mode = force_custom_plan; SET LOCAL enable_seqscan = off",
            Self::ReadWrite => "",
        }
    }
}
