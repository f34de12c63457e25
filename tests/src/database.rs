//! Real PostgreSQL for tests: a database for each, made in a moment.
//!
//! ```no_run
//! # async fn example() -> sqlx::Result<()> {
//! let database = tenantry_tests::database::TestDatabase::new().await;
//! let mut runtime = tenantry_tests::database::connect(database.runtime_url()).await;
//! # let _ = sqlx::query("select 1").execute(&mut runtime).await?;
//! # Ok(()) }
//! ```
//!
//! The first test starts a server for the whole process and migrates a template, of which each [`TestDatabase`] is a
//! copy that vanishes with its value. The server is a private one, which ends when the process does, in whichever way; with
//! `TENANTRY_TEST_DATABASE_URL` set to a superuser's URL it is the one there.
//!
//! With `TENANTRY_TEST_POOLER=transaction` a pooler is between the server and all URLs but those of the superuser and the
//! owner ([`PgBouncer`]).
//!
//! Roles belong to a whole server: a test may not change those of Tenantry, but makes [a login of its
//! own](TestDatabase::login).

mod folder;
mod leftovers;
mod pooler;
mod server;

use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, PgConnection, Row as _,
    postgres::{PgConnectOptions, PgRow},
};
use tenantry_persistence::database::Settings;
use tokio::sync::SemaphorePermit;

pub use self::pooler::{PgBouncer, pooler, pooler_setting};
use self::server::Server;

/// The most connections to one [`TestDatabase`]; PostgreSQL refuses more, except those of a superuser.
pub const CONNECTIONS: u16 = 20;

/// Where PostgreSQL tells of the connections of applications.
const CONNECTIONS_OF_APPLICATIONS: &str =
    "pg_stat_activity where datname = current_database() and application_name = 'tenantry'";

/// A database of a test's own, dropped with the value.
///
/// Only so many exist at a time that their connections fit the server: who asks for more waits for another to vanish,
/// so a test should hold one.
pub struct TestDatabase {
    server: &'static Server,
    name: String,
    superuser_url: String,
    owner_url: String,
    runtime_url: String,
    bypass_url: String,
    roles: std::sync::Mutex<Vec<String>>,
    /// Where it has one of its own.
    pooler: Option<PgBouncer>,
    _permit: SemaphorePermit<'static>,
}

impl TestDatabase {
    /// A migrated database without a row.
    pub async fn new() -> Self {
        Self::make(true, None).await
    }

    /// A database as the administrator leaves it, before the first migration.
    pub async fn unmigrated() -> Self {
        Self::make(false, None).await
    }

    /// A migrated database whose pooler, where there is one, is its own and has so many sessions for each role.
    pub async fn narrow(sessions: u16) -> Self {
        Self::make(true, Some(sessions)).await
    }

    async fn make(migrated: bool, sessions: Option<u16>) -> Self {
        let made = async {
            let server = Server::of_this_process().await?;
            let permit = server.permit().await?;
            let name = server.new_name();
            let pooler = match sessions {
                Some(sessions) => PgBouncer::if_asked(&server.superuser_url(&name), sessions).await?,
                None => None,
            };
            let through = |url: String| match pooler.as_ref().or_else(|| server.pooler()) {
                Some(pooler) => pooler.through(&url),
                None => url,
            };
            // Built first, so that a failure in the middle drops what was made.
            let database = Self {
                server,
                superuser_url: server.superuser_url(&name),
                owner_url: server.owner_url(&name),
                runtime_url: through(server.runtime_url(&name)),
                bypass_url: through(server.bypass_url(&name)),
                roles: std::sync::Mutex::default(),
                pooler,
                name,
                _permit: permit,
            };
            server.create_database(&database.name, migrated).await?;
            anyhow::Ok(database)
        };
        match Box::pin(made).await {
            Ok(database) => database,
            Err(error) => panic!("no database for the test: {error:#}"),
        }
    }

    /// Its name, unique among all that run at the time.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Of the role that may do everything, and plants what no other could.
    #[must_use]
    pub fn superuser_url(&self) -> &str {
        &self.superuser_url
    }

    /// Of the role that migrates.
    #[must_use]
    pub fn owner_url(&self) -> &str {
        &self.owner_url
    }

    /// Of the role that serves.
    #[must_use]
    pub fn runtime_url(&self) -> &str {
        &self.runtime_url
    }

    /// Of a role with the rights of the one that serves, for which row-level security does not hold.
    #[must_use]
    pub fn bypass_url(&self) -> &str {
        &self.bypass_url
    }

    /// Makes a login for this database with `attributes` (such as `in role tenantry_runtime`), and gives its name and
    /// URL. It vanishes with the database.
    pub async fn login(&self, attributes: &str) -> (String, String) {
        let role = self.role(&format!("login {attributes}")).await;
        self.superuser(format!("grant connect on database {} to {role}", self.name))
            .await;
        let url = self.server.url(&role, &self.name);
        let url = match self.pooler() {
            Some(pooler) => pooler.through(&url),
            None => url,
        };
        (role, url)
    }

    /// Makes a role for this database with `attributes` (such as `nologin`), and gives its name. It vanishes with the
    /// database.
    pub async fn role(&self, attributes: &str) -> String {
        let name = {
            let mut roles = self.roles.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let name = format!("{}_role_{}", self.name, roles.len());
            roles.push(name.clone());
            name
        };
        let password = self.server.password_literal();
        self.superuser(format!("create role {name} password {password} {attributes}"))
            .await;
        name
    }

    /// What is between the roles that serve and the database, where anything is.
    #[must_use]
    pub fn pooler(&self) -> Option<&PgBouncer> {
        self.pooler.as_ref().or_else(|| self.server.pooler())
    }

    /// Has a pooler end the sessions that it keeps, so that what was set for the database or a role holds in its next
    /// ones. Whoever connects without one has a new session anyway.
    pub async fn renew_sessions(&self) {
        if let Some(pooler) = self.pooler() {
            pooler.command("RECONNECT").await;
        }
    }

    /// How many connections applications have to it, or to a pooler in between, which keeps its own to it.
    pub async fn connections(&self) -> usize {
        match self.pooler() {
            Some(pooler) => {
                let clients = pooler.ask("SHOW CLIENTS").await;
                let of_this = |client: &&PgRow| {
                    let database = client.try_get::<String, _>("database");
                    database.is_ok_and(|database| database == self.name)
                };
                clients.iter().filter(of_this).count()
            }
            None => {
                let count = self.count(CONNECTIONS_OF_APPLICATIONS).await;
                usize::try_from(count).unwrap_or_default()
            }
        }
    }

    /// Cuts the connections of applications, whatever they are at.
    pub async fn cut_connections(&self) {
        match self.pooler() {
            Some(pooler) => {
                for command in ["KILL", "RESUME"] {
                    pooler.command(&format!("{command} {}", self.name)).await;
                }
            }
            None => {
                let cut = format!("select pg_terminate_backend(pid) from {CONNECTIONS_OF_APPLICATIONS}");
                self.superuser(cut).await;
            }
        }
    }

    /// Runs statements as the superuser.
    pub async fn superuser(&self, statements: impl Into<String>) {
        execute(self.superuser_url(), statements).await;
    }

    /// How many rows `from` has: a table, or one with a condition.
    pub async fn count(&self, from: &str) -> i64 {
        let mut connection = connect(self.superuser_url()).await;
        let counted = sqlx::query_scalar(AssertSqlSafe(format!("select count(*) from {from}")))
            .fetch_one(&mut connection)
            .await;
        match counted {
            Ok(count) => count,
            Err(error) => panic!("{error} in {from}"),
        }
    }

    /// Runs statements as the role that migrates.
    pub async fn owner(&self, statements: impl Into<String>) {
        execute(self.owner_url(), statements).await;
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let roles = std::mem::take(&mut *self.roles.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        // The test's runtime is busy with being left, so the end has one of its own.
        let dropped = std::thread::scope(|scope| {
            let end = || {
                tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()?
                    .block_on(self.server.drop_database(&self.name, &roles))
            };
            scope.spawn(end).join()
        });
        if !matches!(dropped, Ok(Ok(()))) {
            tracing::warn!(
                database = self.name,
                ?dropped,
                "left behind until the server ends or another run clears it"
            );
        }
    }
}

/// How an application reaches one of the URLs above, by so many connections.
#[must_use]
pub fn settings(url: &str, connections: u32) -> Settings {
    Settings::new(url.to_owned(), connections).through(pooler().into())
}

/// Connects to one of the URLs above. Through a pooler each transaction may be in another session.
pub async fn connect(url: &str) -> PgConnection {
    let connected = async {
        // A pooler refuses the one setting that the driver otherwise begins a session with.
        let options: PgConnectOptions = url.parse()?;
        options.extra_float_digits(None).connect().await
    };
    match connected.await {
        Ok(connection) => connection,
        Err(error) => panic!("no connection for the test: {error}"),
    }
}

async fn execute(url: &str, statements: impl Into<String>) {
    let statements = statements.into();
    let mut connection = connect(url).await;
    if let Err(error) = connection.execute(AssertSqlSafe(statements.clone())).await {
        panic!("{error} in {statements}");
    }
    if let Err(error) = connection.close().await {
        panic!("cannot close the connection: {error}");
    }
}

#[cfg(test)]
mod tests;
