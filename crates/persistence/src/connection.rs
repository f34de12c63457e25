//! One transaction on one connection, as SeaORM wants to see it.
//!
//! SeaORM begins its transactions by a bare `BEGIN`; ours carries the tenant in the same message, so the transaction is
//! the driver's own and this type lends it to SeaORM.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, Statement};
use sea_query_sqlx::SqlxValues;
use sqlx::{AssertSqlSafe, Executor as _, PgPool, Postgres, Transaction};
use tokio::{
    sync::Mutex,
    time::{Instant, timeout_at},
};
use tracing::Instrument as _;

use crate::error::{Result, wrapped};

pub(crate) struct Connection(Mutex<Transaction<'static, Postgres>>);

impl Connection {
    /// `sql` begins the transaction and makes its settings: one round trip.
    pub(crate) async fn begin(pool: &PgPool, sql: String) -> Result<Self> {
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
                let begin = tokio::spawn(async move { pool.begin_with(sql).await }.in_current_span());
                let begun = match timeout_at(deadline, begin).await {
                    Ok(begun) => begun.unwrap_or(Err(sqlx::Error::WorkerCrashed)),
                    Err(_) => Err(sqlx::Error::PoolTimedOut),
                };
                match begun {
                    Ok(transaction) => return Ok(Self(Mutex::new(transaction))),
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

    pub(crate) async fn commit(self) -> Result<()> {
        let span = tracing::info_span!("statement", db.system.name = "postgresql", db.query.text = "COMMIT");
        Ok(self.0.into_inner().commit().instrument(span).await?)
    }
}

fn is_of_a_dead_connection(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) => true,
        // The server ended it: class 57, operator intervention.
        sqlx::Error::Database(refusal) => refusal.code().is_some_and(|code| code.starts_with("57P")),
        _ => false,
    }
}

/// The span of one statement: its text, which holds placeholders and never values.
fn span(sql: &str) -> tracing::Span {
    tracing::info_span!("statement", db.system.name = "postgresql", db.query.text = sql)
}

macro_rules! bound {
    ($statement:expr) => {{
        let Statement { sql, values, .. } = $statement;
        let span = span(&sql);
        let values = SqlxValues(values.unwrap_or_else(|| sea_orm::Values(Vec::new())));
        (sqlx::query_with(AssertSqlSafe(sql), values), span)
    }};
}

#[async_trait::async_trait]
impl ConnectionTrait for Connection {
    fn get_database_backend(&self) -> DbBackend {
        DbBackend::Postgres
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let (query, span) = bound!(statement);
        let done = async { query.execute(&mut **self.0.lock().await).await }
            .instrument(span)
            .await;
        done.map(Into::into).map_err(wrapped)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let span = span(sql);
        let sql = AssertSqlSafe(sql.to_owned());
        let done = async { self.0.lock().await.execute(sql).await }.instrument(span).await;
        done.map(Into::into).map_err(wrapped)
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let (query, span) = bound!(statement);
        let row = async { query.fetch_optional(&mut **self.0.lock().await).await }
            .instrument(span)
            .await;
        row.map(|row| row.map(Into::into)).map_err(wrapped)
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let (query, span) = bound!(statement);
        let rows = async { query.fetch_all(&mut **self.0.lock().await).await }
            .instrument(span)
            .await;
        rows.map(|rows| rows.into_iter().map(Into::into).collect())
            .map_err(wrapped)
    }
}
