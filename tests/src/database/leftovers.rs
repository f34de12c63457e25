//! What earlier runs left on a server that outlives them.
//!
//! While a run is alive it holds an advisory lock of its own number on its server. What carries the number of a run
//! whose lock is free was left by one that has ended.

use std::collections::BTreeSet;

use sqlx::{AssertSqlSafe, PgConnection};

/// What the names of all databases and roles of tests begin with; the number of the run follows in 16 digits.
const PREFIX: &str = "tenantry_test_";

/// What the name of every database and role of run number `run` begins with.
pub(super) fn prefix(run: i64) -> String {
    format!("{PREFIX}{run:016x}_")
}

/// Says that run number `run` is alive for as long as the connection is open.
pub(super) async fn claim(connection: &mut PgConnection, run: i64) -> sqlx::Result<()> {
    let claim = sqlx::query("select pg_advisory_lock($1)").bind(run);
    claim.execute(connection).await.map(drop)
}

/// Drops the databases and roles of all runs that have ended.
pub(super) async fn clear(connection: &mut PgConnection) -> sqlx::Result<()> {
    let runs: BTreeSet<i64> = names(connection, PREFIX)
        .await?
        .iter()
        .filter_map(|(_, name)| i64::from_str_radix(name.strip_prefix(PREFIX)?.get(..16)?, 16).ok())
        .collect();
    for run in runs {
        clear_of(connection, run).await?;
    }
    Ok(())
}

/// Drops the databases and roles of run number `run`, unless it is alive.
pub(super) async fn clear_of(connection: &mut PgConnection, run: i64) -> sqlx::Result<()> {
    let ended: bool = sqlx::query_scalar("select pg_try_advisory_lock($1)")
        .bind(run)
        .fetch_one(&mut *connection)
        .await?;
    if !ended {
        return Ok(());
    }
    for (kind, name) in names(connection, &prefix(run)).await? {
        let force = if kind == "database" { " with (force)" } else { "" };
        let statement = format!("drop {kind} if exists {name}{force}");
        sqlx::raw_sql(AssertSqlSafe(statement))
            .execute(&mut *connection)
            .await?;
    }
    let release = sqlx::query("select pg_advisory_unlock($1)").bind(run);
    release.execute(connection).await.map(drop)
}

/// The databases and roles whose names begin with `prefix`; databases come first, since roles own things in them.
async fn names(connection: &mut PgConnection, prefix: &str) -> sqlx::Result<Vec<(String, String)>> {
    const NAMES: &str = r"
        select 'database' as kind, datname::text as name from pg_database where starts_with(datname, $1)
        union all
        select 'role', rolname::text from pg_roles where starts_with(rolname, $1)
        order by kind, name";
    sqlx::query_as(NAMES).bind(prefix).fetch_all(connection).await
}
