//! Applies migrations and takes them back.

use std::time::Duration;

use sea_orm_migration::{
    MigrationName, MigrationTrait, MigratorTrait, SchemaManager, async_trait,
    sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, SqlxPostgresConnector, Statement},
};

use sqlx::{
    ConnectOptions as _, Connection as _, PgConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::MIGRATIONS;

/// One migration: SQL both ways.
#[derive(Clone, Copy)]
pub(crate) struct Sql {
    pub(crate) name: &'static str,
    pub(crate) up: &'static str,
    pub(crate) down: &'static str,
}

impl MigrationName for Sql {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Sql {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(self.up).await.map(|_| ())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(self.down).await.map(|_| ())
    }
}

struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        MIGRATIONS
            .iter()
            .map(|migration| Box::new(*migration) as Box<dyn MigrationTrait>)
            .collect()
    }
}

/// Why migrating failed. What had been applied by then stays applied: each migration is a transaction.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database refused, or could not be reached.
    #[error(transparent)]
    Database(#[from] DbErr),
    /// The database cannot be reached.
    #[error("the database cannot be reached")]
    Unreachable(#[source] sqlx::Error),
    /// Going down would delete rows.
    #[error("{table} holds data, which going down would delete; pass --accept-data-loss if that is meant")]
    DataLoss {
        /// The first table found with a row in it.
        table: String,
    },
}

/// One migration and whether the database has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationStatus {
    /// Its name.
    pub name: String,
    /// Whether it has been applied.
    pub applied: bool,
}

/// The names of all migrations, oldest first.
#[must_use]
pub fn names() -> Vec<&'static str> {
    MIGRATIONS.iter().map(|migration| migration.name).collect()
}

/// Applies what is pending, as the owner role at `owner_url`, and returns its names.
///
/// Two programs that migrate one database at once take turns.
///
/// # Errors
/// When the database cannot be reached or refuses a statement.
pub async fn up(owner_url: &str) -> Result<Vec<String>, Error> {
    let connection = Connection::open(owner_url).await?;
    let before = connection.status().await?;
    let outcome = Migrator::up(&connection.0, None).await;
    connection.close().await?;
    outcome?;
    Ok(before
        .into_iter()
        .filter(|migration| !migration.applied)
        .map(|migration| migration.name)
        .collect())
}

/// Takes back the last `steps` migrations and returns their names, the newest first.
///
/// # Errors
/// [`Error::DataLoss`] where any table holds a row, unless `accept_data_loss`.
pub async fn down(owner_url: &str, steps: u32, accept_data_loss: bool) -> Result<Vec<String>, Error> {
    let connection = Connection::open(owner_url).await?;
    let outcome = connection.down(steps, accept_data_loss).await;
    connection.close().await?;
    outcome
}

/// All migrations and whether the database has them, oldest first; changes nothing.
///
/// # Errors
/// When the database cannot be reached.
pub async fn status(owner_url: &str) -> Result<Vec<MigrationStatus>, Error> {
    let connection = Connection::open(owner_url).await?;
    let status = connection.status().await;
    connection.close().await?;
    Ok(status?)
}

/// One connection, which holds the lock that makes those who migrate take turns; it ends with the connection.
struct Connection(DatabaseConnection);

/// A pool says of a database that is away only that it took too long; this says why, and at once.
async fn reach(owner_url: &str) -> Result<(), Error> {
    let connecting = tokio::time::timeout(PATIENCE, PgConnection::connect(owner_url)).await;
    match connecting.unwrap_or(Err(sqlx::Error::PoolTimedOut)) {
        Ok(connection) => connection.close().await.map_err(Error::Unreachable),
        Err(error) => Err(Error::Unreachable(error)),
    }
}

/// How long a connection may take to come about.
const PATIENCE: Duration = Duration::from_secs(10);

impl Connection {
    async fn open(owner_url: &str) -> Result<Self, Error> {
        reach(owner_url).await?;
        let options: PgConnectOptions = owner_url.parse().map_err(Error::Unreachable)?;
        // Not by SeaORM's own `connect`, whose span would show the URL, password and all, to whoever logs at `trace`.
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(PATIENCE)
            .connect_lazy_with(options.disable_statement_logging());
        let connection = SqlxPostgresConnector::from_sqlx_postgres_pool(pool);
        connection.execute_unprepared("set lock_timeout = '60s'").await?;
        connection
            .execute_unprepared("select pg_advisory_lock(hashtext('tenantry migrations'))")
            .await?;
        Ok(Self(connection))
    }

    async fn close(self) -> Result<(), DbErr> {
        self.0.close().await
    }

    async fn status(&self) -> Result<Vec<MigrationStatus>, DbErr> {
        Ok(Migrator::get_migration_with_status_read_only(&self.0)
            .await?
            .iter()
            .map(|migration| MigrationStatus {
                name: migration.name().to_owned(),
                applied: migration.status() == sea_orm_migration::MigrationStatus::Applied,
            })
            .collect())
    }

    async fn down(&self, steps: u32, accept_data_loss: bool) -> Result<Vec<String>, Error> {
        if !accept_data_loss && let Some(table) = self.table_with_data().await? {
            return Err(Error::DataLoss { table });
        }
        let before = self.status().await?;
        Migrator::down(&self.0, Some(steps)).await?;
        let last = before.into_iter().rev().filter(|migration| migration.applied);
        Ok(last.take(steps as usize).map(|migration| migration.name).collect())
    }

    /// The first table with a row in it, the list of migrations aside.
    async fn table_with_data(&self) -> Result<Option<String>, DbErr> {
        let backend = self.0.get_database_backend();
        let tables = Statement::from_string(
            backend,
            "select quote_ident(n.nspname) || '.' || quote_ident(c.relname) as name
             from pg_class c join pg_namespace n on n.oid = c.relnamespace
             where c.relkind in ('r', 'p') and not c.relispartition
               and n.nspname = 'public' and c.relname <> 'seaql_migrations'
             order by c.relname",
        );
        for row in self.0.query_all_raw(tables).await? {
            let name: String = row.try_get("", "name")?;
            let any = Statement::from_string(backend, format!("select exists (select 1 from {name}) as any"));
            if let Some(row) = self.0.query_one_raw(any).await?
                && row.try_get("", "any")?
            {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }
}
