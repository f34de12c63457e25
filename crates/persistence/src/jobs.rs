//! Rows of jobs: added in the transaction of their cause, taken and ended by workers.
//!
//! A worker asks which are due ([`SystemTx::due_jobs`]), which tells ids and owners alone. It takes each in a transaction of
//! the owner's ([`take`]): the row is its own until the lease ends, after which another takes it. Work that was cut short is
//! thereby done again, and a worker that was too slow finds that the row is no longer its own.

use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, Condition, ConnectionTrait as _, DbBackend, EntityTrait as _,
    FromQueryResult as _, QueryFilter as _, Statement,
};
use serde_json::{Value, json};
use tenantry_domain::{
    environment::Timestamp,
    ids::{JobId, UserId},
    jobs::{LEASE, UserJob},
    trace::TraceId,
};
use uuid::Uuid;

use crate::{
    Database,
    connection::Connection,
    database::Mode,
    entities::user_jobs::{ActiveModel, Column, Entity, Model},
    error::{Error, Result},
    system::SystemTx,
    user::UserTx,
};

/// The most characters of an error that are kept.
const MAX_ERROR: usize = 500;

/// A job that may be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueJob {
    /// Whom it is done for.
    pub user: UserId,
    /// The job.
    pub id: JobId,
}

/// A job that a worker has.
#[derive(Debug, Clone)]
pub struct TakenJob {
    /// Whom it is done for.
    pub user: UserId,
    /// The job.
    pub id: JobId,
    /// What to do; `None` of a kind that this version of the program does not know.
    pub job: Option<UserJob>,
    /// How often it was taken, this time included.
    pub attempts: u32,
    /// The trace of the request that asked for it.
    pub trace: TraceId,
    /// When it was asked for.
    pub created_at: Timestamp,
    lease: Uuid,
}

impl UserTx {
    /// Adds a job for the person.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn enqueue(&self, job: &UserJob) -> Result<()> {
        let now = self.now();
        let stored = serde_json::to_value(job).map_err(|error| Error::Corrupt(error.to_string()))?;
        let kind = stored.get("kind").and_then(Value::as_str).unwrap_or_default();
        let row = Model {
            user_id: self.user.as_uuid(),
            id: JobId::new(&self.environment).as_uuid(),
            kind: kind.to_owned(),
            payload: stored.get("payload").cloned().unwrap_or_default(),
            trace_id: self.trace().to_string(),
            due_at: now,
            lease: None,
            attempts: 0,
            last_error: None,
            dead_at: None,
            created_at: now,
        };
        Entity::insert(ActiveModel::from(row))
            .exec_without_returning(&self.connection)
            .await?;
        Ok(())
    }
}

impl SystemTx {
    /// The jobs that may be taken at `now`, those that wait for the longest time first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn due_jobs(&self, now: Timestamp, most: u32) -> Result<Vec<DueJob>> {
        let rows = self
            .look_up_all(
                "select user_id, id from lookup.due_user_jobs($1, $2)",
                [now.into(), i32::try_from(most).unwrap_or(i32::MAX).into()],
            )
            .await?;
        rows.iter()
            .map(|row| {
                Ok(DueJob {
                    user: row.try_get::<Uuid>("", "user_id")?.into(),
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
    let connection = begin(database, due.user).await?;
    let (now, lease) = (database.environment().now(), database.environment().new_uuid());
    let statement = Statement::from_sql_and_values(
        DbBackend::Postgres,
        "update user_jobs set lease = $1, due_at = $2, attempts = attempts + 1
         where user_id = $3 and id = $4 and due_at <= $5 and dead_at is null
         returning *",
        [
            lease.into(),
            (now + LEASE).into(),
            due.user.as_uuid().into(),
            due.id.as_uuid().into(),
            now.into(),
        ],
    );
    let Some(row) = connection.query_one_raw(statement).await? else {
        return Ok(None);
    };
    let row = Model::from_query_result(&row, "")?;
    // Its own act and nobody's: no event names it.
    connection.commit().await?;
    let trace = row.trace_id.parse();
    Ok(Some(TakenJob {
        user: row.user_id.into(),
        id: row.id.into(),
        job: serde_json::from_value(json!({ "kind": row.kind, "payload": row.payload })).ok(),
        attempts: u32::try_from(row.attempts).unwrap_or(u32::MAX),
        trace: trace.map_err(|_| Error::Corrupt("user_jobs.trace_id".to_owned()))?,
        created_at: row.created_at,
        lease,
    }))
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
    /// It is given up. The row stays, to be looked at.
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
    let connection = begin(database, taken.user).await?;
    let mine = Condition::all()
        .add(Column::UserId.eq(taken.user.as_uuid()))
        .add(Column::Id.eq(taken.id.as_uuid()))
        .add(Column::Lease.eq(taken.lease));
    let values = match end {
        JobEnd::Done => {
            let done = Entity::delete_many().filter(mine).exec(&connection).await?;
            connection.commit().await?;
            return Ok(done.rows_affected == 1);
        }
        JobEnd::Again { at, error } => ActiveModel {
            due_at: Set(at),
            lease: Set(None),
            last_error: Set(Some(cut(&error))),
            ..Default::default()
        },
        JobEnd::GivenUp { error } => ActiveModel {
            dead_at: Set(Some(database.environment().now())),
            lease: Set(None),
            last_error: Set(Some(cut(&error))),
            ..Default::default()
        },
    };
    let done = Entity::update_many().set(values).filter(mine).exec(&connection).await?;
    connection.commit().await?;
    Ok(done.rows_affected == 1)
}

async fn begin(database: &Database, user: UserId) -> Result<Connection> {
    database.begin(Mode::ReadWrite, Some(user), None).await
}

fn cut(error: &str) -> String {
    error
        .chars()
        .filter(|character| *character != '\0')
        .take(MAX_ERROR)
        .collect()
}
