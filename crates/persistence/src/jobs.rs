//! Rows of jobs: added in the transaction of their cause, taken and ended by workers.
//!
//! A worker asks which are due ([`SystemTx::due_jobs`]), which tells ids and owners alone. It takes each in a transaction of
//! the owner's ([`take`]): the row is its own until the lease ends, after which another takes it. Work that was cut short is
//! thereby done again, and a worker that was too slow finds that the row is no longer its own.

use chrono::TimeDelta;
use sea_orm::{ConnectionTrait as _, DbBackend, FromQueryResult, Statement};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tenantry_domain::{
    environment::{Environment, Timestamp},
    ids::JobId,
    jobs::{Job, JobOwner, LEASE, OrganizationJob, UserJob},
    permissions::Required,
    trace::TraceId,
};
use uuid::Uuid;

use crate::{
    Database,
    connection::Connection,
    database::Mode,
    error::{Error, Result},
    system::SystemTx,
    tenant::{ReadWrite, TenantTx},
    user::UserTx,
};

/// The most characters of an error that are kept.
const MAX_ERROR: usize = 500;

/// How long what was given up is kept to be looked at, from when the next one of the same owner is given up.
const KEPT_DEAD: TimeDelta = TimeDelta::days(30);

/// Where the jobs of an owner are: the table, the column that says whose they are, and its value. Both walls hold there as
/// anywhere: every statement has the owner's filter, and the settings of its transaction tell the policies the same.
fn place(owner: JobOwner) -> (&'static str, &'static str, Uuid) {
    match owner {
        JobOwner::User(id) => ("user_jobs", "user_id", id.as_uuid()),
        JobOwner::Organization(id) => ("organization_jobs", "organization_id", id.as_uuid()),
    }
}

/// A job that may be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueJob {
    /// Whom it is done for.
    pub owner: JobOwner,
    /// The job.
    pub id: JobId,
}

/// A job that a worker has.
#[derive(Debug, Clone)]
pub struct TakenJob {
    /// Whom it is done for.
    pub owner: JobOwner,
    /// The job.
    pub id: JobId,
    /// What to do; `None` of a kind that this version of the program does not know.
    pub job: Option<Job>,
    /// How often it was taken, this time included.
    pub attempts: u32,
    /// The trace of the request that asked for it.
    pub trace: TraceId,
    /// When it was asked for.
    pub created_at: Timestamp,
    lease: Uuid,
}

/// A row as a worker reads it.
#[derive(FromQueryResult)]
struct Row {
    kind: String,
    payload: Value,
    trace_id: String,
    attempts: i32,
    created_at: Timestamp,
}

impl UserTx {
    /// Adds a job for the person.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn enqueue(&self, job: &UserJob) -> Result<()> {
        let owner = JobOwner::User(self.user);
        insert(&self.connection, &self.environment, owner, job, self.trace()).await
    }
}

impl<P: Required> TenantTx<P, ReadWrite> {
    /// Adds a job for the organization.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn enqueue(&self, job: &OrganizationJob) -> Result<()> {
        let owner = JobOwner::Organization(self.scope.organization());
        insert(&self.connection, &self.environment, owner, job, self.trace()).await
    }
}

async fn insert(
    connection: &Connection,
    environment: &Environment,
    owner: JobOwner,
    job: &impl Serialize,
    trace: TraceId,
) -> Result<()> {
    let stored = serde_json::to_value(job).map_err(|error| Error::Corrupt(error.to_string()))?;
    let kind = stored.get("kind").and_then(Value::as_str).unwrap_or_default();
    let (table, column, owner) = place(owner);
    let now = environment.now();
    let statement = Statement::from_sql_and_values(
        DbBackend::Postgres,
        format!(
            "insert into {table} ({column}, id, kind, payload, trace_id, due_at, created_at) values ($1, $2, $3, $4, $5, $6, $6)"
        ),
        [
            owner.into(),
            JobId::new(environment).as_uuid().into(),
            kind.into(),
            stored.get("payload").cloned().unwrap_or_default().into(),
            trace.to_string().into(),
            now.into(),
        ],
    );
    connection.execute_raw(statement).await?;
    Ok(())
}

impl SystemTx {
    /// The jobs that may be taken at `now`, those that wait for the longest time first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn due_jobs(&self, now: Timestamp, most: u32) -> Result<Vec<DueJob>> {
        let rows = self
            .look_up_all(
                "select user_id, organization_id, id from lookup.due_jobs($1, $2)",
                [now.into(), i32::try_from(most).unwrap_or(i32::MAX).into()],
            )
            .await?;
        rows.iter()
            .map(|row| {
                let user: Option<Uuid> = row.try_get("", "user_id")?;
                Ok(DueJob {
                    owner: match user {
                        Some(id) => JobOwner::User(id.into()),
                        None => JobOwner::Organization(row.try_get::<Uuid>("", "organization_id")?.into()),
                    },
                    id: row.try_get::<Uuid>("", "id")?.into(),
                })
            })
            .collect()
    }
}

/// Takes a job for the time of a lease. `None` where it is not due any more: another worker has it, or it is done.
///
/// # Errors
/// When the database fails.
pub async fn take(database: &Database, due: DueJob) -> Result<Option<TakenJob>> {
    let connection = begin(database, due.owner).await?;
    let (now, lease) = (database.environment().now(), database.environment().new_uuid());
    let (table, column, owner) = place(due.owner);
    let statement = Statement::from_sql_and_values(
        DbBackend::Postgres,
        format!(
            "update {table} set lease = $1, due_at = $2, attempts = attempts + 1
             where {table}.{column} = $3 and id = $4 and due_at <= $5 and dead_at is null
             returning kind, payload, trace_id, attempts, created_at"
        ),
        [
            lease.into(),
            (now + LEASE).into(),
            owner.into(),
            due.id.as_uuid().into(),
            now.into(),
        ],
    );
    let Some(row) = connection.query_one_raw(statement).await? else {
        return Ok(None);
    };
    let row = Row::from_query_result(&row, "")?;
    // Its own act and nobody's: no event names it.
    connection.commit().await?;
    let trace = row.trace_id.parse();
    Ok(Some(TakenJob {
        owner: due.owner,
        id: due.id,
        attempts: u32::try_from(row.attempts).unwrap_or(u32::MAX),
        trace: trace.map_err(|_| Error::Corrupt(format!("{table}.trace_id")))?,
        created_at: row.created_at,
        job: match due.owner {
            JobOwner::User(user) => row.read().map(|job| Job::User(user, job)),
            JobOwner::Organization(organization) => row.read().map(|job| Job::Organization(organization, job)),
        },
        lease,
    }))
}

impl Row {
    /// What to do; `None` of a kind that this version of the program does not know.
    fn read<J: DeserializeOwned>(self) -> Option<J> {
        serde_json::from_value(json!({ "kind": self.kind, "payload": self.payload })).ok()
    }
}

/// What becomes of a job that was taken.
#[derive(Debug)]
pub enum JobEnd {
    /// It is done.
    Done,
    /// It failed and may be taken again then.
    Again {
        /// When.
        at: Timestamp,
        /// Why it failed; nothing secret.
        error: String,
    },
    /// It is given up. The row stays, to be looked at, for thirty days at least.
    GivenUp {
        /// Why; nothing secret.
        error: String,
    },
}

/// Ends the taking of a job. `false` where its lease had ended and another has it.
///
/// # Errors
/// When the database fails.
pub async fn end(database: &Database, taken: &TakenJob, end: JobEnd) -> Result<bool> {
    let connection = begin(database, taken.owner).await?;
    let (table, column, owner) = place(taken.owner);
    let mine = format!("where {table}.{column} = $1 and id = $2 and lease = $3");
    let mut values = vec![owner.into(), taken.id.as_uuid().into(), taken.lease.into()];
    let sql = match end {
        JobEnd::Done => format!("delete from {table} {mine}"),
        JobEnd::Again { at, error } => {
            values.extend([at.into(), cut(&error).into()]);
            format!("update {table} set due_at = $4, lease = null, last_error = $5 {mine}")
        }
        JobEnd::GivenUp { error } => {
            let now = database.environment().now();
            values.extend([now.into(), cut(&error).into(), (now - KEPT_DEAD).into()]);
            format!(
                "with forgotten as (delete from {table} where {table}.{column} = $1 and dead_at < $6)
                 update {table} set dead_at = $4, lease = null, last_error = $5 {mine}"
            )
        }
    };
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    let done = connection.execute_raw(statement).await?;
    connection.commit().await?;
    Ok(done.rows_affected() == 1)
}

async fn begin(database: &Database, owner: JobOwner) -> Result<Connection> {
    let (user, organization) = match owner {
        JobOwner::User(id) => (Some(id), None),
        JobOwner::Organization(id) => (None, Some(id)),
    };
    database.begin(Mode::ReadWrite, user, organization).await
}

fn cut(error: &str) -> String {
    error
        .chars()
        .filter(|character| *character != '\0')
        .take(MAX_ERROR)
        .collect()
}
