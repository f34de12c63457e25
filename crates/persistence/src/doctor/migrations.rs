//! Whether the schema is the one that this program was built for.

use sea_orm::FromQueryResult;

use super::{Finding, rows};
use crate::{connection::Connection, error::Result};

const ASKABLE: &str = r"
select exists (
    select from pg_proc p
    join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = 'lookup' and p.proname = 'applied_migrations' and p.pronargs = 0
      and has_schema_privilege(n.oid, 'usage') and has_function_privilege(p.oid, 'execute')
) as askable";

const APPLIED: &str = "select applied as name from lookup.applied_migrations() as applied";

#[derive(FromQueryResult)]
struct Askable {
    askable: bool,
}

#[derive(FromQueryResult)]
struct Applied {
    name: String,
}

pub(super) async fn examine(transaction: &Connection, expected: &[&str], findings: &mut Vec<Finding>) -> Result<()> {
    let askable = rows::<Askable>(transaction, ASKABLE, []).await?;
    if !askable.iter().any(|row| row.askable) {
        findings.push(Finding::new(
            "pending_migrations",
            "lookup.applied_migrations()",
            "cannot be called, so no migration has been applied or the connected role may not serve",
            "tenantry migrate up",
        ));
        return Ok(());
    }
    let applied: Vec<Applied> = rows(transaction, APPLIED, []).await?;
    let applied: Vec<&str> = applied.iter().map(|row| row.name.as_str()).collect();
    compare(&applied, expected, findings);
    Ok(())
}

pub(super) fn compare(applied: &[&str], expected: &[&str], findings: &mut Vec<Finding>) {
    for pending in expected.iter().filter(|name| !applied.contains(name)) {
        findings.push(Finding::new(
            "pending_migrations",
            *pending,
            "has not been applied",
            "tenantry migrate up",
        ));
    }
    for unknown in applied.iter().filter(|name| !expected.contains(name)) {
        findings.push(Finding::new(
            "unknown_migration",
            *unknown,
            "has been applied, but this program does not know it",
            "run the release that brought it, or a later one",
        ));
    }
}
