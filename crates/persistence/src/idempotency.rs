//! Records of what repeated requests are answered with.
//!
//! A record is written in the transaction of its effect, so there is never the one without the other. While that
//! transaction runs it holds an advisory lock: another of the same key does not wait, it is told that the first is under
//! way. The primary key stands behind the lock.

use sea_orm::{ColumnTrait as _, ConnectionTrait as _, DbBackend, EntityTrait as _, QueryFilter as _, Statement};
use serde::{Serialize, de::DeserializeOwned};
use tenantry_domain::{environment::Timestamp, events::Event, permissions::Required};

use crate::{
    connection::Connection,
    entities::{idempotency_records, user_idempotency_records},
    error::{Error, Result},
    tenant::{ReadWrite, TenantTx},
    user::{FoundingTx, JoiningTx, UserTx},
};

/// How long a record answers.
pub const LIFE: chrono::Duration = chrono::Duration::hours(24);

/// The key of a request, as hashes: of whom and what it is (method, path, key), and of its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// SHA-256 of method, path and key.
    pub scope_hash: [u8; 32],
    /// SHA-256 of the body.
    pub fingerprint: [u8; 32],
}

/// What is known of a key.
#[derive(Debug)]
pub enum Claim<R> {
    /// Nothing: go ahead.
    New,
    /// It was used for the same: this came of it.
    Replay(R),
    /// It was used for something else.
    Reused,
    /// It is being used right now.
    InProgress,
}

struct Stored {
    fingerprint: Vec<u8>,
    resource: serde_json::Value,
    expires_at: Timestamp,
}

fn judge<R: DeserializeOwned>(stored: Option<Stored>, key: &IdempotencyKey, now: Timestamp) -> Result<Claim<R>> {
    match stored.filter(|stored| stored.expires_at > now) {
        None => Ok(Claim::New),
        Some(stored) if stored.fingerprint != key.fingerprint => Ok(Claim::Reused),
        Some(stored) => serde_json::from_value(stored.resource)
            .map(Claim::Replay)
            .map_err(|error| Error::Corrupt(format!("idempotency record: {error}"))),
    }
}

/// Whether no other transaction is using the key; if so, none will until this one ends.
async fn lock(connection: &Connection, owner: &[uuid::Uuid], key: &IdempotencyKey) -> Result<bool> {
    let name: String = owner
        .iter()
        .map(uuid::Uuid::to_string)
        .chain(key.scope_hash.iter().map(|byte| format!("{byte:02x}")))
        .collect();
    let statement = Statement::from_sql_and_values(
        DbBackend::Postgres,
        "select pg_try_advisory_xact_lock(hashtextextended($1, 0)) as free",
        [name.into()],
    );
    let row = connection.query_one_raw(statement).await?;
    Ok(row.map(|row| row.try_get("", "free")).transpose()?.unwrap_or(false))
}

fn json(resource: &impl Serialize) -> Result<serde_json::Value> {
    serde_json::to_value(resource).map_err(|error| Error::Corrupt(format!("idempotency record: {error}")))
}

/// A transaction whose effect can be had once for a key.
pub trait Repeatable: Sized {
    /// Claims a key for this transaction.
    ///
    /// # Errors
    /// When the database fails.
    fn claim<R: DeserializeOwned>(&self, key: &IdempotencyKey) -> impl Future<Output = Result<Claim<R>>>;

    /// Records what came of a claimed key.
    ///
    /// # Errors
    /// When the database fails.
    fn record(&self, key: &IdempotencyKey, resource: &impl Serialize) -> impl Future<Output = Result<()>>;

    /// Makes the written rows last, with the event that names what was done.
    ///
    /// # Errors
    /// When the database fails: nothing was written then.
    fn commit(self, event: Event) -> impl Future<Output = Result<()>>;

    /// Lets go of everything, the claim first of all: the next request with that key must not find it taken.
    ///
    /// # Errors
    /// When the database fails.
    fn rollback(self) -> impl Future<Output = Result<()>>;
}

impl<P: Required> Repeatable for TenantTx<P, ReadWrite> {
    async fn claim<R: DeserializeOwned>(&self, key: &IdempotencyKey) -> Result<Claim<R>> {
        use idempotency_records::{Column, Entity};
        let (organization, user, now) = (self.scope.organization().as_uuid(), self.user().as_uuid(), self.now());
        if !lock(&self.connection, &[organization, user], key).await? {
            return Ok(Claim::InProgress);
        }
        self.scope
            .delete::<Entity>()
            .filter(Column::UserId.eq(user))
            .filter(Column::ExpiresAt.lte(now))
            .exec(&self.connection)
            .await?;
        let stored = self
            .scope
            .find::<Entity>()
            .filter(Column::UserId.eq(user))
            .filter(Column::ScopeHash.eq(key.scope_hash.to_vec()))
            .one(&self.connection)
            .await?;
        let stored = stored.map(|row| Stored {
            fingerprint: row.fingerprint,
            resource: row.resource,
            expires_at: row.expires_at,
        });
        judge(stored, key, now)
    }

    async fn record(&self, key: &IdempotencyKey, resource: &impl Serialize) -> Result<()> {
        use idempotency_records::{ActiveModel, Entity, Model};
        let now = self.now();
        let row = Model {
            organization_id: self.scope.organization().as_uuid(),
            user_id: self.user().as_uuid(),
            scope_hash: key.scope_hash.to_vec(),
            fingerprint: key.fingerprint.to_vec(),
            resource: json(resource)?,
            created_at: now,
            expires_at: now + LIFE,
        };
        Entity::insert(ActiveModel::from(row))
            .exec_without_returning(&self.connection)
            .await?;
        Ok(())
    }

    async fn commit(self, event: Event) -> Result<()> {
        Self::commit(self, event).await
    }

    async fn rollback(self) -> Result<()> {
        self.connection.rollback().await
    }
}

impl Repeatable for UserTx {
    async fn claim<R: DeserializeOwned>(&self, key: &IdempotencyKey) -> Result<Claim<R>> {
        use user_idempotency_records::{Column, Entity};
        let (connection, user, now) = (&self.connection, self.user.as_uuid(), self.now());
        if !lock(connection, &[user], key).await? {
            return Ok(Claim::InProgress);
        }
        Entity::delete_many()
            .filter(Column::UserId.eq(user))
            .filter(Column::ExpiresAt.lte(now))
            .exec(connection)
            .await?;
        let stored = Entity::find_by_id((user, key.scope_hash.to_vec()))
            .one(connection)
            .await?;
        let stored = stored.map(|row| Stored {
            fingerprint: row.fingerprint,
            resource: row.resource,
            expires_at: row.expires_at,
        });
        judge(stored, key, now)
    }

    async fn record(&self, key: &IdempotencyKey, resource: &impl Serialize) -> Result<()> {
        use user_idempotency_records::{ActiveModel, Entity, Model};
        let now = self.now();
        let row = Model {
            user_id: self.user.as_uuid(),
            scope_hash: key.scope_hash.to_vec(),
            fingerprint: key.fingerprint.to_vec(),
            resource: json(resource)?,
            created_at: now,
            expires_at: now + LIFE,
        };
        Entity::insert(ActiveModel::from(row))
            .exec_without_returning(&self.connection)
            .await?;
        Ok(())
    }

    async fn commit(self, event: Event) -> Result<()> {
        Self::commit(self, event).await
    }

    async fn rollback(self) -> Result<()> {
        self.connection.rollback().await
    }
}

impl Repeatable for FoundingTx {
    async fn claim<R: DeserializeOwned>(&self, key: &IdempotencyKey) -> Result<Claim<R>> {
        self.user.claim(key).await
    }

    async fn record(&self, key: &IdempotencyKey, resource: &impl Serialize) -> Result<()> {
        self.user.record(key, resource).await
    }

    async fn commit(self, event: Event) -> Result<()> {
        Self::commit(self, event).await
    }

    async fn rollback(self) -> Result<()> {
        self.user.rollback().await
    }
}

impl Repeatable for JoiningTx {
    async fn claim<R: DeserializeOwned>(&self, key: &IdempotencyKey) -> Result<Claim<R>> {
        self.user.claim(key).await
    }

    async fn record(&self, key: &IdempotencyKey, resource: &impl Serialize) -> Result<()> {
        self.user.record(key, resource).await
    }

    /// The event is the organization's.
    async fn commit(self, event: Event) -> Result<()> {
        self.append(event).await?;
        self.user.connection.commit().await
    }

    async fn rollback(self) -> Result<()> {
        self.user.rollback().await
    }
}
