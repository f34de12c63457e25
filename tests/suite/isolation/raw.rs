//! Run 2: the first wall is open. Raw SQL as the login that serves, which the policies alone hold back.

use std::fmt;

use sqlx::{AssertSqlSafe, Executor as _, PgConnection, Row as _};

use super::tables::{OWNERLESS, Owner, Table};
use crate::world::World;

/// A table whose rows the policies do not keep apart, and how that shows.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Leak {
    pub(super) table: String,
    problem: String,
}

impl fmt::Display for Leak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.table, self.problem)
    }
}

/// The owners of a table's rows: whose the transaction is, and somebody else.
struct Owners<'w> {
    own: &'w str,
    other: &'w str,
}

/// Tries on every table what a forgotten filter could do, in transactions of A's owner and of nobody, each of which is
/// rolled back.
pub(super) async fn leaks(runtime: &mut PgConnection, tables: &[Table], world: &World) -> Vec<Leak> {
    let mut leaks = Vec::new();
    for table in tables {
        let owners = match table.owner {
            Owner::Organization => Owners {
                own: &world.a.organization,
                other: &world.b.organization,
            },
            Owner::Person => Owners {
                own: &world.a.owner.id,
                other: &world.b.owner.id,
            },
        };
        let mut problems = as_nobody(runtime, table).await;
        problems.extend(as_a(runtime, table, &owners, world).await);
        leaks.extend(problems.into_iter().map(|problem| Leak {
            table: table.name.clone(),
            problem,
        }));
    }
    for name in OWNERLESS {
        let refused = runtime.execute(AssertSqlSafe(format!("select from {name}"))).await;
        if !is_denied(&refused) {
            leaks.push(Leak {
                table: name.to_owned(),
                problem: "can be read".to_owned(),
            });
        }
    }
    leaks
}

/// Without settings, and with empty ones, there is no row.
async fn as_nobody(runtime: &mut PgConnection, Table { name, .. }: &Table) -> Vec<String> {
    let mut problems = Vec::new();
    for (settings, said) in [
        ("", "without settings"),
        (
            "set local app.user_id = ''; set local app.organization_id = '';",
            "with empty settings",
        ),
    ] {
        let seen = count(
            runtime,
            &format!("begin; {settings} select count(*) from {name}; rollback"),
        )
        .await;
        if seen != 0 {
            problems.push(format!("shows {seen} rows {said}"));
        }
    }
    problems
}

/// With A's settings there are A's rows and no others, to be read or to be written.
async fn as_a(runtime: &mut PgConnection, table: &Table, owners: &Owners<'_>, world: &World) -> Vec<String> {
    let Table {
        name,
        column,
        changeable,
        ..
    } = table;
    let Owners { own, other } = owners;
    let mut problems = Vec::new();

    let begin = format!(
        "begin; set local app.user_id = '{}'; set local app.organization_id = '{}';",
        world.a.owner.id, world.a.organization
    );
    let count_of = |owner: &str| format!("{begin} select count(*) from {name} where {column} = '{owner}'; rollback");
    if count(runtime, &count_of(own)).await == 0 {
        problems.push("does not show one's own rows".to_owned());
    }
    let seen = count(runtime, &count_of(other)).await;
    if seen != 0 {
        problems.push(format!("shows {seen} rows of others"));
    }

    let touched = format!("update {name} set {changeable} = {changeable} where {column} = '{other}'");
    let removed = format!("delete from {name} where {column} = '{other}'");
    let moved = format!("update {name} set {column} = '{other}' where {column} = '{own}'");
    // A row like one of one's own, for somebody else.
    let added = format!(
        "insert into {name} select (jsonb_populate_record(t, jsonb_build_object('{column}', '{other}'))).*
         from {name} t where {column} = '{own}' limit 1"
    );
    for (statement, what, may_pass_over) in [
        (touched, "update of others' rows", true),
        (removed, "deletion of others' rows", true),
        (moved, "gift of a row to others", false),
        (added, "insertion of a row for others", false),
    ] {
        if let Some(problem) = outcome(runtime, &format!("{begin} {statement}"), may_pass_over).await {
            problems.push(format!("{what}: {problem}"));
        }
    }
    problems
}

async fn count(runtime: &mut PgConnection, sql: &str) -> i64 {
    let rows = runtime.fetch_all(AssertSqlSafe(sql.to_owned())).await.unwrap();
    rows[0].get(0)
}

/// What a statement did that it must not. Rows that are not seen may be passed over where `may_pass_over` says so; else,
/// and always else, the database must have refused for want of a right or because of a policy. Any other refusal, such as
/// by a foreign key, means that the row was reached.
async fn outcome(runtime: &mut PgConnection, sql: &str, may_pass_over: bool) -> Option<String> {
    let done = runtime.execute(AssertSqlSafe(sql.to_owned())).await;
    runtime.execute("rollback").await.unwrap();
    match &done {
        Ok(done) if may_pass_over && done.rows_affected() == 0 => None,
        Ok(done) => Some(format!("{} rows", done.rows_affected())),
        Err(_) if is_denied(&done) => None,
        Err(error) => Some(error.to_string()),
    }
}

fn is_denied<T>(outcome: &sqlx::Result<T>) -> bool {
    const INSUFFICIENT_PRIVILEGE: &str = "42501";
    matches!(outcome, Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(INSUFFICIENT_PRIVILEGE))
}
