//! Applies migrations and takes them back.

use std::time::Duration;

use sea_orm_migration::{
    MigrationName, MigrationTrait, MigratorTrait, SchemaManager, async_trait,
    sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, RuntimeErr, SqlxPostgresConnector, Statement},
};

use sqlx::{
    ConnectOptions as _, Connection as _, PgConnection, Row as _,
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
    /// The database is there and lets nobody in who comes like this.
    #[error("the database refuses the connection")]
    Refused(#[source] sqlx::Error),
    /// Somebody else has been migrating for as long as this one waited.
    #[error("another migration is running, and did not end within {} s", TURN.as_secs())]
    Busy(#[source] DbErr),
    /// A newer program has migrated the database.
    #[error(
        "{name} has been applied, but this program does not know it: run the release that brought it, or a later one"
    )]
    Newer {
        /// A migration that this program does not have.
        name: String,
    },
    /// A pooler is in between. The lock and the settings of whoever migrates belong to a session, which would be somebody
    /// else's after the next transaction.
    #[error(
        "TENANTRY_DATABASE_OWNER_URL leads to a pooler that gives each transaction another session; migrations need \
             the way to PostgreSQL itself"
    )]
    Pooled,
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
pub(crate) struct Connection(pub(crate) DatabaseConnection);

/// A pool says of a database that is away only that it took too long; this says why, and at once. And two connections
/// that are open at the same time have two sessions, unless somebody in between shares one among them.
async fn reach(owner_url: &str) -> Result<(), Error> {
    let reached = tokio::time::timeout(PATIENCE, processes_of_two(owner_url)).await;
    match reached.unwrap_or(Err(sqlx::Error::PoolTimedOut)) {
        Ok([one, other]) if one == other => Err(Error::Pooled),
        Ok(_) => Ok(()),
        // By its defaults PgBouncer refuses what the driver begins a session with.
        Err(sqlx::Error::Database(refusal)) if refusal.message().starts_with("unsupported startup parameter") => {
            Err(Error::Pooled)
        }
        // Starting up, shutting down, or out of connections: another time it may be there.
        Err(sqlx::Error::Database(refusal)) if !refusal.code().is_some_and(|code| AWAY.contains(&&*code)) => {
            Err(Error::Refused(sqlx::Error::Database(refusal)))
        }
        Err(error) => Err(Error::Unreachable(error)),
    }
}

fn busy(error: DbErr) -> Error {
    let code = match &error {
        DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error)) => {
            error.as_database_error().and_then(|refusal| refusal.code())
        }
        _ => None,
    };
    if code.as_deref() == Some(LOCK_NOT_AVAILABLE) {
        Error::Busy(error)
    } else {
        error.into()
    }
}

/// PostgreSQL, appendix A.
const LOCK_NOT_AVAILABLE: &str = "55P03";

/// The codes of a server that is there for nobody just now: PostgreSQL, appendix A.
const AWAY: [&str; 4] = ["57P01", "57P02", "57P03", "53300"];

/// The server's processes behind two connections.
async fn processes_of_two(owner_url: &str) -> sqlx::Result<[i32; 2]> {
    let mut connections = [
        PgConnection::connect(owner_url).await?,
        PgConnection::connect(owner_url).await?,
    ];
    let mut processes = [0; 2];
    for (process, connection) in processes.iter_mut().zip(&mut connections) {
        let row = sqlx::raw_sql("select pg_backend_pid()").fetch_one(connection).await?;
        *process = row.try_get(0)?;
    }
    for connection in connections {
        connection.close().await?;
    }
    Ok(processes)
}

/// How long a connection may take to come about.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long the turn of others, and a lock that a statement needs, are waited for.
const TURN: Duration = Duration::from_secs(60);

impl Connection {
    pub(crate) async fn open(owner_url: &str) -> Result<Self, Error> {
        reach(owner_url).await?;
        let options: PgConnectOptions = owner_url.parse().map_err(Error::Unreachable)?;
        // Not by SeaORM's own `connect`, whose span would show the URL, password and all, to whoever logs at `trace`.
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(PATIENCE)
            .connect_lazy_with(options.disable_statement_logging());
        let connection = SqlxPostgresConnector::from_sqlx_postgres_pool(pool);
        let lock_timeout = format!("set lock_timeout = '{}s'", TURN.as_secs());
        connection.execute_unprepared(&lock_timeout).await?;
        connection
            .execute_unprepared("select pg_advisory_lock(hashtext('tenantry migrations'))")
            .await
            .map_err(busy)?;
        let connection = Self(connection);
        connection.demand_known().await?;
        Ok(connection)
    }

    /// That nothing has been applied that this program does not know: it could neither go on from there nor back.
    async fn demand_known(&self) -> Result<(), Error> {
        let manager = SchemaManager::new(&self.0);
        if !manager.has_table("seaql_migrations").await? {
            return Ok(());
        }
        let applied = Statement::from_string(
            self.0.get_database_backend(),
            "select version from seaql_migrations order by version",
        );
        let known = names();
        for row in self.0.query_all_raw(applied).await? {
            let name: String = row.try_get("", "version")?;
            if !known.contains(&name.as_str()) {
                return Err(Error::Newer { name });
            }
        }
        Ok(())
    }

    pub(crate) async fn close(self) -> Result<(), DbErr> {
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
