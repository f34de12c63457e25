//! The proof that tenants are kept apart: three runs, and that each of them can fail.
//!
//! Run 1 is the program as it is shipped, run 2 has the first wall open (SQL that nobody filters, [`raw`]), run 3 the
//! second (a login that row-level security does not hold back). Runs 1 and 3 walk the OpenAPI document ([`walk`]), run 2
//! the catalogue of the database: a new operation and a new table are covered by being there.
//!
//! A new way of naming something foreign in a request is a new [`Meaning`](crate::operations::Meaning).
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test should stop where it fails"
)]

mod answers;
mod filters;
mod raw;
mod start_up;
mod tables;
mod walk;

use std::collections::BTreeSet;

use serde_json::json;
use sqlx::{AssertSqlSafe, Executor as _, PgConnection};
use tenantry_persistence::Database;
use tenantry_tests::{
    app::TestApp,
    database::{TestDatabase, connect, settings},
    identity_provider::IdentityProvider,
};

use self::{
    raw::leaks,
    tables::Table,
    walk::{Kind, Walk},
};
use crate::world::{self, World};

/// Tenant tables that the program writes and does not read on the walk, each with the reason. No statement of theirs there has a
/// filter that could be missing: [`walk`] looks at the organization of each row that was added instead.
const ONLY_INSERTED: [(&str, &str); 3] = [
    ("events", "an outbox: whoever delivers the events is not there yet"),
    ("organization_jobs", "taken by workers, of whom `jobs` has the proof"),
    (
        "former_members",
        "read where somebody signs in through an organization's provider, of which `single_sign_on` has the proof",
    ),
];

fn assert_clean(walk: &Walk, tables: &[Table]) {
    let findings: Vec<String> = walk.findings.iter().map(ToString::to_string).collect();
    assert!(findings.is_empty(), "{}", findings.join("\n"));
    assert_eq!(walk.reached, filtered(tables), "some table was never asked for");
}

/// The tenant tables whose statements have filters.
fn filtered(tables: &[Table]) -> BTreeSet<String> {
    let only_inserted = ONLY_INSERTED.map(|(table, _)| table);
    let names = tables::of_tenants(tables).into_iter();
    names
        .filter(|name| !only_inserted.contains(name))
        .map(str::to_owned)
        .collect()
}

async fn tables(database: &TestDatabase) -> Vec<Table> {
    tables::all(&mut connect(database.superuser_url()).await).await
}

#[tokio::test]
async fn run_1_as_shipped() {
    let database = TestDatabase::new().await;
    let provider = IdentityProvider::start().await;
    let app = TestApp::with(&database, world::options(&provider)).await;
    let world = World::make(&app, &database).await;
    let walk = Box::pin(walk::walk(&app, &database, &world)).await;
    assert_clean(&walk, &tables(&database).await);
}

#[tokio::test]
async fn run_2_with_the_first_wall_open_and_proof_that_it_names_each_table() {
    let database = TestDatabase::new().await;
    let app = TestApp::start(&database).await;
    let world = World::make(&app, &database).await;
    let mut superuser = connect(database.superuser_url()).await;
    let tables = tables::all(&mut superuser).await;
    for tenant in [&world.a, &world.b] {
        tenant.new_passkey(&tenant.owner).await;
        let rows = tables::rows(&mut superuser, &tables, tenant, &[]).await;
        let empty: Vec<_> = rows.iter().filter(|(_, rows)| **rows == json!([])).collect();
        assert!(empty.is_empty(), "without rows nothing can leak: {empty:?}");
    }
    let mut runtime = connect(database.runtime_url()).await;
    assert_leaks(&mut runtime, &tables, &world, "as shipped", &[]).await;

    for table in tables.iter().map(|table| table.name.as_str()) {
        for (defect, plant, mend) in defects(&mut superuser, table).await {
            superuser.execute(AssertSqlSafe(plant)).await.unwrap();
            assert_leaks(&mut runtime, &tables, &world, &format!("{table}, {defect}"), &[table]).await;
            superuser.execute(AssertSqlSafe(mend)).await.unwrap();
        }
    }
    assert_leaks(&mut runtime, &tables, &world, "mended", &[]).await;
}

async fn assert_leaks(runtime: &mut PgConnection, tables: &[Table], world: &World, when: &str, expected: &[&str]) {
    let leaks = leaks(runtime, tables, world).await;
    let named: BTreeSet<&str> = leaks.iter().map(|leak| leak.table.as_str()).collect();
    let said: Vec<String> = leaks.iter().map(ToString::to_string).collect();
    let expected: BTreeSet<&str> = expected.iter().copied().collect();
    assert_eq!(named, expected, "{when}:\n{}", said.join("\n"));
}

/// What can be wrong with the policies of a table: what it is, how it is planted and how it is mended.
async fn defects(superuser: &mut PgConnection, table: &str) -> Vec<(&'static str, String, String)> {
    let policies: Vec<String> = sqlx::query_scalar(
        "select policyname::text from pg_policies
         where schemaname = 'public' and tablename = $1 and 'tenantry_runtime' = any (roles)",
    )
    .bind(table)
    .fetch_all(superuser)
    .await
    .unwrap();
    assert!(!policies.is_empty(), "{table} has no policy");
    let of_role = |role: &str| {
        let each = policies
            .iter()
            .map(|policy| format!("alter policy {policy} on {table} to {role};"));
        each.collect::<String>()
    };
    vec![
        (
            "its policies dropped",
            of_role("tenantry_lookup"),
            of_role("tenantry_runtime"),
        ),
        (
            "its row-level security disabled",
            format!("alter table {table} disable row level security"),
            format!("alter table {table} enable row level security"),
        ),
        (
            "open to reading",
            format!("create policy opened on {table} for select to tenantry_runtime using (true)"),
            format!("drop policy opened on {table}"),
        ),
        (
            "open to writing",
            format!("create policy opened on {table} for insert to tenantry_runtime with check (true)"),
            format!("drop policy opened on {table}"),
        ),
    ]
}

#[tokio::test]
async fn run_3_with_the_second_wall_open() {
    let database = TestDatabase::new().await;
    let shipped = TestApp::start(&database).await;
    let world = World::make(&shipped, &database).await;
    drop(shipped);
    let app = TestApp::without_row_level_security(&database, |database| database);
    let walk = Box::pin(walk::walk(&app, &database, &world)).await;
    assert_clean(&walk, &tables(&database).await);
}

#[tokio::test]
async fn run_3_names_every_table_when_nothing_filters() {
    let database = TestDatabase::new().await;
    let shipped = TestApp::start(&database).await;
    let world = World::make(&shipped, &database).await;
    drop(shipped);
    // What nobody should do, so that it is seen to be noticed: a change of a project reaches into other tenants.
    let planted = "create function reach() returns trigger language plpgsql security definer as
                       'begin update public.workspaces set color = ''#000000''; return new; end';
                   create trigger reach after update on projects for each statement execute function reach()";
    database.superuser(planted).await;
    let app = TestApp::without_row_level_security(&database, Database::with_organization_filter_off);
    let walk = Box::pin(walk::walk(&app, &database, &world)).await;
    let tables = tables(&database).await;

    let named: BTreeSet<String> = walk.tables(Kind::Unfiltered).into_iter().map(str::to_owned).collect();
    assert_eq!(named, filtered(&tables));
    // And what lists show would have been noticed without a look at the statements.
    for table in ["workspaces", "projects", "members", "users"] {
        assert!(walk.tables(Kind::ForeignByte).contains(table), "{table}");
    }
    assert!(walk.tables(Kind::ForeignRow).contains("workspaces"));
    assert!(walk.findings.iter().any(|finding| finding.kind == Kind::ToldApart));
}

#[tokio::test]
async fn with_the_second_wall_alone_nothing_leaks_though_nothing_filters() {
    let database = TestDatabase::new().await;
    let shipped = TestApp::start(&database).await;
    let world = World::make(&shipped, &database).await;
    drop(shipped);
    let app = TestApp::without_row_level_security(&database, |bypassing| {
        let settings = settings(database.runtime_url(), 10);
        let held = Database::new(&settings, bypassing.environment().clone()).unwrap();
        held.with_organization_filter_off()
            .with_mfa_grace(chrono::TimeDelta::days(365))
    });
    let walk = Box::pin(walk::walk(&app, &database, &world)).await;
    let others: Vec<String> = walk
        .findings
        .iter()
        .filter(|finding| finding.kind != Kind::Unfiltered)
        .map(ToString::to_string)
        .collect();
    assert!(others.is_empty(), "{}", others.join("\n"));
}
