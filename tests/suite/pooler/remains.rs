//! What a transaction told the policies ends with it, whoever has its session next.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, PgConnection, Row as _, postgres::PgRow};
use tenantry_tests::database::connect;

use super::{
    Narrow, SESSIONS,
    crowd::{Course, call, expect_confirmed},
    end_sessions,
};

/// Whose a session is taken to be; and what is set in it otherwise than at its beginning, but for what a pooler itself sets
/// as each of its clients wants it.
const SET: &str = "select pg_backend_pid(), coalesce(current_setting('app.user_id', true), ''),
    coalesce(current_setting('app.organization_id', true), ''), current_setting('transaction_read_only'),
    (select coalesce(string_agg(name, ' '), '') from pg_settings
     where source = 'session' and setting is distinct from reset_val and name not in
         ('application_name', 'client_encoding', 'DateStyle', 'TimeZone', 'standard_conforming_strings'))";

/// One row, asked for by a message of its own.
async fn ask(session: &mut PgConnection, sql: &str) -> PgRow {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .fetch_one(session)
        .await
        .unwrap()
}

async fn count(session: &mut PgConnection, rows: &str) -> i64 {
    ask(session, &format!("select count(*) from {rows}")).await.get(0)
}

/// Every session there is, each held by a transaction.
async fn all_sessions(narrow: &Narrow) -> Vec<PgConnection> {
    let mut sessions = Vec::new();
    for _ in 0..SESSIONS {
        let mut session = connect(narrow.database.runtime_url()).await;
        sqlx::raw_sql("begin").execute(&mut session).await.unwrap();
        sessions.push(session);
    }
    sessions
}

#[tokio::test]
async fn who_comes_after_a_tenant_is_told_nothing_and_sees_nothing() {
    let narrow = Narrow::start().await;
    call(&narrow.tenants, &Arc::default(), 2).await;
    let tables = "select string_agg(tablename, ' ') from pg_tables
        where schemaname = 'public' and tablename <> 'seaql_migrations'";
    let mut superuser = connect(narrow.database.superuser_url()).await;
    let tables: String = ask(&mut superuser, tables).await.get(0);
    let organization = &narrow.tenants[0].organization;

    let mut processes = Vec::new();
    for session in &mut all_sessions(&narrow).await {
        let set = ask(session, SET).await;
        processes.push(set.get::<i32, _>(0));
        assert_eq!(
            [1, 2, 3, 4].map(|column| set.get::<String, _>(column)),
            ["", "", "off", ""]
        );
        for table in tables.split(' ') {
            assert_eq!(count(session, table).await, 0, "{table}");
        }
        // There is something to be seen, of settings as of rows.
        let tell = format!("set local statement_timeout = '9s'; set local app.organization_id = '{organization}'");
        sqlx::raw_sql(AssertSqlSafe(tell)).execute(&mut *session).await.unwrap();
        let set = ask(session, SET).await;
        assert_eq!(
            [2, 4].map(|column| set.get::<String, _>(column)),
            [organization, "statement_timeout"]
        );
        assert!(count(session, "projects").await > 0);
    }
    processes.dedup();
    assert_eq!(processes.len(), usize::from(SESSIONS), "the sessions are others");
}

#[tokio::test]
async fn who_comes_after_somebody_careless_is_not_taken_for_them() {
    let narrow = Narrow::start().await;
    let victim = &narrow.tenants[0];
    // As if each session had been left with the settings of one tenant.
    let name = narrow.database.name();
    for (setting, value) in [
        ("organization_id", &victim.organization),
        ("user_id", &victim.owner.user_id),
    ] {
        let preset = format!("alter database {name} set app.{setting} = '{value}'");
        narrow.database.superuser(preset).await;
    }
    match narrow.database.pooler() {
        Some(pooler) => pooler.command("RECONNECT").await,
        None => {
            end_sessions(&narrow.database).await;
        }
    }
    for session in &mut all_sessions(&narrow).await {
        assert!(count(session, "workspaces").await > 0, "nothing was left");
    }
    // What is ended is noticed by whoever uses it next.
    let course = Arc::new(Course {
        breaking: true,
        ..Course::default()
    });
    call(&narrow.tenants, &course, 1).await;

    let confirmed = call(&narrow.tenants, &Arc::default(), 2).await;
    expect_confirmed(&narrow.tenants, &confirmed).await;
}
