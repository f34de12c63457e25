//! What an administrator does once before the first migration: the roles and the database.
//!
//! Migrations need no superuser and create no logins, so somebody has to make the roles they grant to. The statements
//! are two files, `administrator/roles.sql` for the cluster and `administrator/database.sql` for the database, written
//! so that `psql` runs them as they are. [`prepare`] runs the very same text for a database that a program owns
//! itself: the embedded one and those of tests. To add a role or a right: a line there, which must be safe to run again.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, postgres::PgConnectOptions};
use url::Url;

/// The roles, as `psql` takes them: `:'owner_password'` and `:'runtime_password'` are variables of it.
pub const ROLES_SQL: &str = include_str!("administrator/roles.sql");

/// The rights on the database that the connection is to.
pub const DATABASE_SQL: &str = include_str!("administrator/database.sql");

/// The login that owns the schema and migrates it.
pub const OWNER: &str = "tenantry_owner";

/// The login of serving processes.
pub const RUNTIME: &str = "tenantry_app";

/// How long all of it may take, waiting for others who prepare the same cluster included.
const LIMIT: Duration = Duration::from_secs(30);

/// Whoever prepares a cluster holds this advisory lock: roles belong to all its databases, and two sessions that change
/// one role at once fail with "tuple concurrently updated".
const LOCK: i64 = 0x7465_6e61_6e74_7279;

/// PostgreSQL cuts longer names silently (`NAMEDATALEN` - 1 bytes).
const LONGEST_NAME: usize = 63;

/// The passwords of the two logins.
#[derive(Debug, Clone)]
pub struct RolePasswords {
    /// Of the role that owns the schema.
    pub owner: SecretString,
    /// Of the role that serves.
    pub runtime: SecretString,
}

/// Where the prepared database is reached, passwords included.
#[derive(Debug, Clone)]
pub struct DatabaseUrls {
    /// For migrations (`TENANTRY_DATABASE_OWNER_URL`).
    pub owner: SecretString,
    /// For serving (`TENANTRY_DATABASE_URL`).
    pub runtime: SecretString,
}

/// Why a database could not be prepared.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The administrator's URL has no host, or is none. The text is not repeated: it holds a password.
    #[error("the administrator's database URL is not of the form postgres://user:password@host:port/database")]
    Url,
    /// The name of the database is empty or longer than 63 bytes.
    #[error("a database name has 1 to 63 bytes")]
    Name,
    /// PostgreSQL could not be reached or refused a statement.
    #[error("cannot {step}")]
    Database {
        /// What was being done.
        step: &'static str,
        /// What PostgreSQL or the connection said.
        source: sqlx::Error,
    },
    /// It took too long; another session may hold the lock.
    #[error("preparing roles and database took longer than {} s", LIMIT.as_secs())]
    Timeout,
}

/// Makes the roles (with these passwords), the database and the rights on it, or brings what exists to that state, and
/// says where the two logins reach it.
///
/// # Errors
/// [`Error`]; nothing that was made is taken back, since running it again continues.
pub async fn prepare(
    superuser_url: &SecretString,
    passwords: &RolePasswords,
    database: &str,
) -> Result<DatabaseUrls, Error> {
    if database.is_empty() || database.len() > LONGEST_NAME {
        return Err(Error::Name);
    }
    let administrator = Url::parse(superuser_url.expose_secret()).map_err(|_| Error::Url)?;
    let urls = DatabaseUrls {
        owner: url_of(&administrator, OWNER, &passwords.owner, database)?,
        runtime: url_of(&administrator, RUNTIME, &passwords.runtime, database)?,
    };
    tokio::time::timeout(LIMIT, execute(&administrator, passwords, database))
        .await
        .map_err(|_| Error::Timeout)??;
    Ok(urls)
}

async fn execute(administrator: &Url, passwords: &RolePasswords, database: &str) -> Result<(), Error> {
    // Statements hold passwords here, so that none may reach a log.
    let options = PgConnectOptions::from_url(administrator)
        .map_err(|_| Error::Url)?
        .disable_statement_logging();
    let mut cluster = PgConnection::connect_with(&options)
        .await
        .map_err(failed("connect to the database as administrator"))?;
    sqlx::query("select pg_advisory_lock($1)")
        .bind(LOCK)
        .execute(&mut cluster)
        .await
        .map_err(failed("wait for others who prepare this cluster"))?;

    let owner = quoted(&mut cluster, passwords.owner.expose_secret()).await?;
    let runtime = quoted(&mut cluster, passwords.runtime.expose_secret()).await?;
    sqlx::raw_sql(AssertSqlSafe(roles(&owner, &runtime)))
        .execute(&mut cluster)
        .await
        .map_err(failed("create the roles"))?;

    let (exists, name): (bool, String) =
        sqlx::query_as("select exists (select from pg_database where datname = $1), quote_ident($1)")
            .bind(database)
            .fetch_one(&mut cluster)
            .await
            .map_err(failed("look for the database"))?;
    if !exists {
        let statement = format!("create database {name} owner {OWNER} template template0 encoding 'UTF8'");
        sqlx::raw_sql(AssertSqlSafe(statement))
            .execute(&mut cluster)
            .await
            .map_err(failed("create the database"))?;
    }

    let mut connection = PgConnection::connect_with(&options.database(database))
        .await
        .map_err(failed("connect to the new database as administrator"))?;
    sqlx::raw_sql(DATABASE_SQL)
        .execute(&mut connection)
        .await
        .map_err(failed("set the rights on the database"))?;
    connection.close().await.map_err(failed("close the connection"))?;
    // Ends the lock as well.
    cluster.close().await.map_err(failed("close the connection"))
}

/// `text` as a literal, quoted by PostgreSQL itself: role statements take no parameters.
async fn quoted(connection: &mut PgConnection, text: &str) -> Result<String, Error> {
    sqlx::query_scalar("select quote_literal($1)")
        .bind(text)
        .fetch_one(connection)
        .await
        .map_err(failed("quote a password"))
}

/// [`ROLES_SQL`] with its two variables filled in by literals that are quoted already.
fn roles(owner_password: &str, runtime_password: &str) -> String {
    ROLES_SQL
        .replace(":'owner_password'", owner_password)
        .replace(":'runtime_password'", runtime_password)
}

/// The administrator's URL with another login and database; what else it says (host, port, TLS) stays.
fn url_of(administrator: &Url, user: &str, password: &SecretString, database: &str) -> Result<SecretString, Error> {
    let mut url = administrator.clone();
    url.set_username(user).map_err(|()| Error::Url)?;
    // `set_password` takes a percent sign for the beginning of an escape and leaves it alone.
    let password = password.expose_secret().replace('%', "%25");
    url.set_password(Some(&password)).map_err(|()| Error::Url)?;
    url.path_segments_mut().map_err(|()| Error::Url)?.clear().push(database);
    let kept: Vec<(String, String)> = administrator
        .query_pairs()
        .filter(|(key, _)| !matches!(key.as_ref(), "user" | "password" | "dbname"))
        .map(|(key, value)| (key.into_owned(), value.into_owned()))
        .collect();
    url.set_query(None);
    if !kept.is_empty() {
        url.query_pairs_mut().extend_pairs(kept);
    }
    Ok(String::from(url).into())
}

fn failed(step: &'static str) -> impl FnOnce(sqlx::Error) -> Error {
    move |source| Error::Database { step, source }
}

#[cfg(test)]
mod tests;
