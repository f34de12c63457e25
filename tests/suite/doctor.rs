//! The examination of the database: silent on the shipped schema, and it names each defect that is planted.
#![allow(clippy::unwrap_used, reason = "a failing test should stop where it fails")]

mod planted;
mod roles;

use tenantry::system::SystemSource;
use tenantry_persistence::{
    Database,
    doctor::{self, Finding},
};
use tenantry_tests::{
    database::{TestDatabase, settings},
    statements,
};
use tracing::Instrument as _;

/// The findings of whoever connects to `url`.
async fn findings(url: &str) -> Vec<Finding> {
    let database = Database::new(&settings(url, 1), SystemSource::environment()).unwrap();
    let findings = doctor::examine(&database, &tenantry_migrations::names()).await.unwrap();
    database.close().await;
    findings
}

/// Their codes and subjects, sorted.
async fn found(url: &str) -> Vec<(String, String)> {
    let mut found: Vec<_> = findings(url)
        .await
        .into_iter()
        .map(|finding| (finding.code.to_owned(), finding.subject))
        .collect();
    found.sort();
    found
}

/// A tenant's table as `docs/adding-a-tenant-table.md` has it.
fn tenant_table(name: &str) -> String {
    format!(
        "create table {name} (
             organization_id uuid not null references organizations (id),
             id uuid not null,
             primary key (organization_id, id)
         );
         {}",
        protection(name)
    )
}

/// The row-level security of a tenant's table.
fn protection(name: &str) -> String {
    const MINE: &str = "organization_id = (select nullif(current_setting('app.organization_id', true), '')::uuid)";
    format!(
        "alter table {name} enable row level security;
         alter table {name} force row level security;
         create policy owner_all on {name} to tenantry_owner using (true) with check (true);
         create policy tenant on {name} to tenantry_runtime using ({MINE}) with check ({MINE});"
    )
}

#[tokio::test]
async fn nothing_is_found_on_the_shipped_schema() {
    let database = TestDatabase::new().await;
    assert_eq!(findings(database.runtime_url()).await, []);
}

#[tokio::test]
async fn an_unmigrated_database_lacks_its_migrations() {
    let database = TestDatabase::unmigrated().await;
    let findings = findings(database.runtime_url()).await;
    let codes: Vec<_> = findings.iter().map(|finding| finding.code).collect();
    assert_eq!(codes, ["pending_migrations"]);
    assert_eq!(findings[0].remedy, "tenantry migrate up");
}

#[tokio::test]
async fn tables_cost_no_statements() {
    let database = TestDatabase::new().await;
    let few = statements_of_an_examination(&database, "examination of few tables").await;
    let mut tables = String::new();
    for number in 0..100 {
        tables.push_str(&tenant_table(&format!("planted_{number}")));
    }
    database.owner(tables).await;
    let many = statements_of_an_examination(&database, "examination of many tables").await;
    assert_eq!(few, many);
    assert!(few.iter().any(|statement| statement.contains("pg_policy")), "{few:?}");
}

async fn statements_of_an_examination(database: &TestDatabase, trace: &str) -> Vec<String> {
    statements::record();
    let span = tracing::info_span!("examination", trace_id = trace);
    assert_eq!(findings(database.runtime_url()).instrument(span).await, []);
    statements::of_trace(trace)
}
