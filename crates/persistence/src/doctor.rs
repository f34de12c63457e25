//! The examination of the database: would it keep tenants apart, even from a program that forgot to?
//!
//! [`examine`] reads the catalogues as the role that serves, so it judges what that role really could do. It is run by
//! `tenantry doctor`, and before serving, which is refused while there is a [`Finding`].
//!
//! A check is one statement over the whole database, however many tables there are, and a function that turns its rows
//! into findings. To add one: put it in the file of its subject below, give it a code of its own, and plant the defect
//! in the suite's `doctor` tests. What is known to be right is listed, never guessed: the tables that belong to no
//! tenant in [`tables`], the comparisons that a policy may make in [`policies`], the functions that run with other
//! rights than their caller's in [`functions`].

mod foreign_keys;
mod functions;
mod grants;
mod lookup_role;
mod migrations;
mod policies;
mod roles;
mod tables;
mod views;

use std::fmt;

use sea_orm::{ConnectionTrait as _, DbBackend, FromQueryResult, Statement, Value};

use crate::{
    Database,
    connection::Connection,
    error::{Error, Result},
};

/// The group role whose members serve; migrations grant to it.
const RUNTIME: &str = "tenantry_runtime";

/// The role that owns the look-up functions.
const LOOKUP: &str = "tenantry_lookup";

/// One thing that would not keep tenants apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind of defect it is, in `snake_case`; stable, for programs that read it.
    pub code: &'static str,
    /// The role, table, policy or function it is about, as SQL names it.
    pub subject: String,
    /// What is wrong with the subject.
    pub problem: String,
    /// What to do about it.
    pub remedy: String,
}

impl Finding {
    fn new(
        code: &'static str,
        subject: impl Into<String>,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            code,
            subject: subject.into(),
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {} ({})", self.code, self.subject, self.problem, self.remedy)
    }
}

/// Examines the database under the role that `database` connects as, and gives everything that is wrong with it.
///
/// `expected_migrations` are the names of those that this program was built with. The number of statements does not
/// depend on the number of tables; nothing is changed.
///
/// # Errors
/// When the database cannot be reached or does not let its catalogues be read.
pub async fn examine(database: &Database, expected_migrations: &[&str]) -> Result<Vec<Finding>> {
    let transaction = database.begin_as_it_comes().await?;
    // Whatever the role's own path says: names here are the system's, and what is printed is qualified.
    transaction
        .execute_unprepared("set local search_path = pg_catalog")
        .await?;
    let mut findings = Vec::new();
    let judged = roles::examine(&transaction, &mut findings).await?;
    lookup_role::examine(&transaction, &mut findings).await?;
    grants::examine(&transaction, &judged, &mut findings).await?;
    let policies = policies::read(&transaction, &judged).await?;
    tables::examine(&transaction, &judged, &policies, &mut findings).await?;
    foreign_keys::examine(&transaction, &mut findings).await?;
    views::examine(&transaction, &mut findings).await?;
    functions::examine(&transaction, &mut findings).await?;
    migrations::examine(&transaction, expected_migrations, &mut findings).await?;
    Ok(findings)
}

/// The roles whose rights a serving process has: those of everybody, of the runtime role, of the connected role and of
/// what it is a member of. Left out are those that have been named already for owning things or passing all policies.
struct Judged(Vec<i64>);

impl Judged {
    fn as_value(&self) -> Value {
        self.0.clone().into()
    }
}

/// The rows of one statement.
async fn rows<T: FromQueryResult>(
    transaction: &Connection,
    sql: &'static str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Vec<T>> {
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    T::find_by_statement(statement)
        .all(transaction)
        .await
        .map_err(Error::from)
}

#[cfg(test)]
mod tests;
