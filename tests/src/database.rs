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
//! Roles belong to a whole server: a test may not change those of Tenantry, but makes [a login of its
//! own](TestDatabase::login).

mod folder;
mod leftovers;
mod server;

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use tokio::sync::SemaphorePermit;

use self::server::Server;

/// The most connections to one [`TestDatabase`]; PostgreSQL refuses more, except those of a superuser.
pub const CONNECTIONS: u16 = 20;

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
    _permit: SemaphorePermit<'static>,
}

impl TestDatabase {
    /// A migrated database without a row.
    pub async fn new() -> Self {
        Self::make(true).await
    }

    /// A database as the administrator leaves it, before the first migration.
    pub async fn unmigrated() -> Self {
        Self::make(false).await
    }

    async fn make(migrated: bool) -> Self {
        let made = async {
            let server = Server::of_this_process().await?;
            let permit = server.permit().await?;
            let name = server.new_name();
            // Built first, so that a failure in the middle drops what was made.
            let database = Self {
                server,
                superuser_url: server.superuser_url(&name),
                owner_url: server.owner_url(&name),
                runtime_url: server.runtime_url(&name),
                bypass_url: server.bypass_url(&name),
                roles: std::sync::Mutex::default(),
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

/// Connects to one of the URLs above.
pub async fn connect(url: &str) -> PgConnection {
    match PgConnection::connect(url).await {
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
