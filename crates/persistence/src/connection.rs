//! One transaction on one connection, as SeaORM wants to see it.
//!
//! SeaORM begins its transactions by a bare `BEGIN`; ours carries the tenant in the same message, so the transaction is
//! the driver's own and this type lends it to SeaORM.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, Statement};
use sea_query_sqlx::SqlxValues;
use sqlx::{AssertSqlSafe, Executor as _, PgPool, Postgres, Transaction};
use tenantry_domain::ids::OrganizationId;
use tokio::{
    runtime::Handle,
    sync::Mutex,
    time::{Instant, timeout_at},
};
use tracing::Instrument as _;

use crate::error::{self, Result, wrapped};

pub(crate) struct Connection {
    transaction: Mutex<Transaction<'static, Postgres>>,
    statements: Statements,
}

/// How statements with parameters are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Statements {
    /// Prepared once in a session, under a name, and used again by it: one round trip each.
    Named,
    /// Prepared each time, under no name, which nobody else's can be taken for: two round trips each. Between the two the
    /// session must stay the same, which it does in a transaction.
    Unnamed,
}

impl Connection {
    /// `sql` begins the transaction and makes its settings: one round trip. A connection that must be opened for it lives
    /// on `runtime`.
    pub(crate) async fn begin(pool: &PgPool, runtime: &Handle, sql: String, statements: Statements) -> Result<Self> {
        let span = tracing::info_span!("statement", db.system.name = "postgresql", db.query.text = "BEGIN");
        async {
            // Pooled connections may have died since their last use, all of them where the database was restarted.
            // Nothing has been done yet, so trying the next one is safe; the pool drops those that fail.
            let mut left = pool.options().get_max_connections();
            // All attempts together have the time of one, answers of a database that hangs included.
            let deadline = Instant::now() + pool.options().get_acquire_timeout();
            loop {
                // In a task of its own, which goes on when the request is given up: sqlx rolls nothing back while it waits
                // for the answer to BEGIN, so whoever got the connection next would be in this transaction, under the
                // settings of this tenant.
                let (pool, sql) = (pool.clone(), AssertSqlSafe(sql.clone()));
                let begin = runtime.spawn(async move { pool.begin_with(sql).await }.in_current_span());
                let begun = match timeout_at(deadline, begin).await {
                    Ok(begun) => begun.unwrap_or(Err(sqlx::Error::WorkerCrashed)),
                    Err(_) => Err(sqlx::Error::PoolTimedOut),
                };
                match begun {
                    Ok(transaction) => {
                        return Ok(Self {
                            transaction: Mutex::new(transaction),
                            statements,
                        });
                    }
                    Err(error) if left > 0 && is_of_a_dead_connection(&error) => {
                        tracing::debug!(error = %error, "a pooled connection had died");
                        left -= 1;
                    }
                    Err(error) => return Err(error.into()),
                }
            }
        }
        .instrument(span)
        .await
    }

    /// Tells the policies another organization, until the transaction ends.
    pub(crate) async fn enter(&self, organization: OrganizationId) -> Result<()> {
        // As in `begin`: an id prints as hex and dashes alone.
        let sql = format!("SET LOCAL app.organization_id = '{organization}'");
        self.execute_unprepared(&sql).await?;
        Ok(())
    }

    /// Ends the transaction without its writes, and waits for that: dropped, it ends in its own time, and what it locked
    /// may look taken to whoever comes next.
    pub(crate) async fn rollback(self) -> Result<()> {
        Ok(self.transaction.into_inner().rollback().await?)
    }

    pub(crate) async fn commit(self) -> Result<()> {
        let span = tracing::info_span!("statement", db.system.name = "postgresql", db.query.text = "COMMIT");
        Ok(self.transaction.into_inner().commit().instrument(span).await?)
    }
}

fn is_of_a_dead_connection(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) => true,
        // The server ended it (class 57, operator intervention), or a pooler did.
        sqlx::Error::Database(refusal) => {
            refusal.code().is_some_and(|code| code.starts_with("57P")) || error::is_of_a_pooler(refusal.as_ref())
        }
        _ => false,
    }
}

/// The span of one statement: its text, which holds placeholders and never values.
fn span(sql: &str) -> tracing::Span {
    tracing::info_span!("statement", db.system.name = "postgresql", db.query.text = sql)
}

macro_rules! bound {
    ($connection:expr, $statement:expr) => {{
        let Statement { sql, values, .. } = $statement;
        let span = span(&sql);
        let values = SqlxValues(values.unwrap_or_else(|| sea_orm::Values(Vec::new())));
        let named = $connection.statements == Statements::Named;
        (sqlx::query_with(AssertSqlSafe(sql), values).persistent(named), span)
    }};
}

#[async_trait::async_trait]
impl ConnectionTrait for Connection {
    fn get_database_backend(&self) -> DbBackend {
        DbBackend::Postgres
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let (query, span) = bound!(self, statement);
        let done = async { query.execute(&mut **self.transaction.lock().await).await }
            .instrument(span)
            .await;
        done.map(Into::into).map_err(wrapped)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let span = span(sql);
        let sql = AssertSqlSafe(sql.to_owned());
        let done = async { self.transaction.lock().await.execute(sql).await }
            .instrument(span)
            .await;
        done.map(Into::into).map_err(wrapped)
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let (query, span) = bound!(self, statement);
        let row = async { query.fetch_optional(&mut **self.transaction.lock().await).await }
            .instrument(span)
            .await;
        row.map(|row| row.map(Into::into)).map_err(wrapped)
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let (query, span) = bound!(self, statement);
        let rows = async { query.fetch_all(&mut **self.transaction.lock().await).await }
            .instrument(span)
            .await;
        rows.map(|rows| rows.into_iter().map(Into::into).collect())
            .map_err(wrapped)
    }
}
