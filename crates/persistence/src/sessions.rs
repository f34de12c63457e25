//! Rows of sessions.

mod external;
mod refresh_tokens;

use std::net::IpAddr;

use chrono::Duration;
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, FromQueryResult as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, QueryTrait as _,
    sea_query::{Expr, ExprTrait as _, LockType, Query},
};
use tenantry_domain::{
    environment::Timestamp,
    ids::{IdentityId, SessionId, UserId},
    lists::{ListQuery, Page, SessionField},
    sessions::{Device, FactorUse, RevocationReason, Session},
    trace::TraceId,
};

use crate::{
    Database,
    database::Mode,
    entities::{
        sessions::{ActiveModel, Column, Entity, Model},
        users,
    },
    error::{Error, Result},
    lists,
    user::UserTx,
};

pub use self::{
    external::{ExternalSession, Seen, note_sight},
    refresh_tokens::RefreshTokenRow,
};

/// A signed-in caller: someone whose session was alive when it was looked at. Made here alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    user: UserId,
    session: SessionId,
}

impl Principal {
    /// The caller of a session that is alive.
    fn of(session: &Session) -> Self {
        Self {
            user: session.user_id,
            session: session.id,
        }
    }

    /// The person.
    #[must_use]
    pub fn user(&self) -> UserId {
        self.user
    }

    /// The session.
    #[must_use]
    pub fn session(&self) -> SessionId {
        self.session
    }
}

/// How old `last_seen_at` may become before it is written again.
const SEEN_WITHIN: Duration = Duration::seconds(60);

/// How long it is known of a session that it was revoked.
const REVOKED_KEPT: Duration = Duration::hours(25);

/// The most live sessions of a person: the oldest gives way to a new one.
const MAX_SESSIONS: u64 = 100;

/// The caller behind a session, if it is alive. Writes down that it was seen, once a minute.
///
/// # Errors
/// When the database fails.
pub async fn principal(
    database: &Database,
    user: UserId,
    session: SessionId,
    trace: TraceId,
) -> Result<Option<Principal>> {
    let tx = UserTx::read(database, user, trace).await?;
    let now = tx.now();
    let Some(found) = tx.session(session).await?.filter(|session| session.is_alive(now)) else {
        return Ok(None);
    };
    drop(tx);
    if now - found.last_seen_at >= SEEN_WITHIN
        && let Err(error) = write_last_seen(database, &found, now).await
    {
        // Best effort: nobody is turned away because it could not be written down that they came.
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "a session's last sight was not written down"
        );
    }
    Ok(Some(Principal::of(&found)))
}

/// Not an act of the person's, so no event names it.
async fn write_last_seen(database: &Database, session: &Session, now: Timestamp) -> Result<()> {
    let connection = database.begin(Mode::ReadWrite, Some(session.user_id), None).await?;
    Entity::update_many()
        .set(ActiveModel {
            last_seen_at: Set(now),
            ..Default::default()
        })
        .filter(Column::UserId.eq(session.user_id.as_uuid()))
        .filter(Column::Id.eq(session.id.as_uuid()))
        .exec(&connection)
        .await?;
    connection.commit().await
}

/// The address in a text of PostgreSQL's for an `inet`, which carries the length of its prefix.
pub(crate) fn stored_address(text: &str) -> Option<IpAddr> {
    text.split('/').next()?.parse().ok()
}

impl From<Model> for Session {
    fn from(row: Model) -> Self {
        Self {
            id: row.id.into(),
            user_id: row.user_id.into(),
            ip: row.ip.as_deref().and_then(stored_address),
            user_agent: row.user_agent,
            last_seen_at: row.last_seen_at,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
            authenticated_at: row.authenticated_at,
            factor_used_at: row.factor_used_at,
            created_at: row.created_at,
        }
    }
}

impl UserTx {
    /// Opens a session of the person, for which they used a second factor or none, and perhaps an organization's provider: it goes with
    /// that identity then. The oldest ones give way where there are too many, and those that have ended go.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open_session(
        &self,
        device: &Device,
        expires_at: Timestamp,
        factor: FactorUse,
        through: Option<IdentityId>,
    ) -> Result<Session> {
        let row = self.new_session(device, expires_at);
        let factor_used_at = match factor {
            FactorUse::None => None,
            FactorUse::Now => Some(row.created_at),
            FactorUse::OnDevice(at) => Some(at),
        };
        self.add_session(Model {
            factor_used_at,
            identity_id: through.map(|id| id.as_uuid()),
            ..row
        })
        .await
    }

    /// A session that nobody has used a second factor for.
    fn new_session(&self, device: &Device, expires_at: Timestamp) -> Model {
        let now = self.now();
        Model {
            user_id: self.user.as_uuid(),
            id: SessionId::new(&self.environment).as_uuid(),
            ip: device.ip.map(|ip| ip.to_string()),
            user_agent: device.user_agent.clone(),
            last_seen_at: now,
            expires_at,
            revoked_at: None,
            revoked_because: None,
            authenticated_at: now,
            factor_used_at: None,
            created_at: now,
            external_key: None,
            identity_id: None,
        }
    }

    async fn add_session(&self, row: Model) -> Result<Session> {
        self.forget_ended_sessions(row.created_at).await?;
        Entity::insert(ActiveModel::from(row.clone()))
            .exec_without_returning(&self.connection)
            .await?;
        Ok(row.into())
    }

    async fn forget_ended_sessions(&self, now: Timestamp) -> Result<()> {
        let oldest_kept = Entity::find()
            .filter(Column::UserId.eq(self.user.as_uuid()))
            .order_by_desc(Column::CreatedAt)
            .order_by_desc(Column::Id)
            .offset(MAX_SESSIONS - 1)
            .one(&self.connection)
            .await?;
        // A revoked session is kept for as long as one of its access tokens could still be shown, and then some; another issuer's even
        // beyond its own end, and however many come after it: its tokens would open another.
        let is_kept = Column::ExternalKey.is_not_null().and(Column::RevokedAt.is_not_null());
        let mut over = Column::ExpiresAt.lte(now);
        if let Some(session) = oldest_kept {
            over = over.or(Column::CreatedAt.lte(session.created_at));
        }
        let gone = Column::RevokedAt.lt(now - REVOKED_KEPT).or(over.and(is_kept.not()));
        Entity::delete_many()
            .filter(Column::UserId.eq(self.user.as_uuid()))
            .filter(gone)
            .exec(&self.connection)
            .await?;
        Ok(())
    }

    /// One of the person's sessions, ended or not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session(&self, id: SessionId) -> Result<Option<Session>> {
        let row = Entity::find_by_id((self.user.as_uuid(), id.as_uuid()))
            .one(&self.connection)
            .await?;
        Ok(row.map(Into::into))
    }

    /// Whether a session of the person is alive.
    pub(crate) async fn has_live_session(&self, id: SessionId) -> Result<bool> {
        let session = self.session(id).await?;
        Ok(session.is_some_and(|session| session.is_alive(self.now())))
    }

    /// That a session of the person is alive, and that the person stays until the transaction ends.
    ///
    /// They are held before any other row of theirs: whoever deletes them waits, instead of both waiting for each other.
    pub(crate) async fn demand_live_session(&self, id: SessionId) -> Result<()> {
        let column = |column| Expr::col((Entity, column));
        let alive = Query::select()
            .expr(Expr::val(1))
            .from(Entity)
            .inner_join(
                users::Entity,
                Expr::col((users::Entity, users::Column::Id)).equals((Entity, Column::UserId)),
            )
            .and_where(column(Column::UserId).eq(self.user.as_uuid()))
            .and_where(column(Column::Id).eq(id.as_uuid()))
            .and_where(column(Column::RevokedAt).is_null())
            .and_where(column(Column::ExpiresAt).gt(self.now()))
            .lock_with_tables(LockType::KeyShare, [users::Entity])
            .to_owned();
        self.connection.query_one(&alive).await?.ok_or(Error::SessionEnded)?;
        Ok(())
    }

    /// The person's live sessions.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sessions(&self, query: &ListQuery<SessionField>) -> Result<Page<Session>> {
        let rows = Entity::find()
            .filter(Column::UserId.eq(self.user.as_uuid()))
            .filter(Column::RevokedAt.is_null())
            .filter(Column::ExpiresAt.gt(self.now()));
        let column = |field| match field {
            SessionField::CreatedAt => Expr::col((Entity, Column::CreatedAt)),
            SessionField::UpdatedAt => Expr::col((Entity, Column::LastSeenAt)),
        };
        let id = Expr::col((Entity, Column::Id));
        lists::fetch(&self.connection, rows.into_query(), query, column, id, |row| {
            Ok(Model::from_query_result(row, "")?.into())
        })
        .await
    }

    /// Ends a session of the person. `false` where there is no live one of this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_session(&self, id: SessionId, reason: RevocationReason) -> Result<bool> {
        let ended = Entity::update_many()
            .set(self.ending(reason))
            .filter(Column::UserId.eq(self.user.as_uuid()))
            .filter(Column::Id.eq(id.as_uuid()))
            .filter(Column::RevokedAt.is_null())
            .exec(&self.connection)
            .await?;
        Ok(ended.rows_affected == 1)
    }

    /// Ends all of the person's sessions but one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_other_sessions(&self, kept: SessionId) -> Result<()> {
        Entity::update_many()
            .set(self.ending(RevocationReason::Revoked))
            .filter(Column::UserId.eq(self.user.as_uuid()))
            .filter(Column::Id.ne(kept.as_uuid()))
            .filter(Column::RevokedAt.is_null())
            .exec(&self.connection)
            .await?;
        self.note_end_of_sessions().await
    }

    /// Ends all of the person's sessions.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_sessions(&self) -> Result<()> {
        Entity::update_many()
            .set(self.ending(RevocationReason::Revoked))
            .filter(Column::UserId.eq(self.user.as_uuid()))
            .filter(Column::RevokedAt.is_null())
            .exec(&self.connection)
            .await?;
        self.note_end_of_sessions().await
    }

    fn ending(&self, reason: RevocationReason) -> ActiveModel {
        ActiveModel {
            revoked_at: Set(Some(self.now())),
            revoked_because: Set(Some(reason.as_str().to_owned())),
            ..Default::default()
        }
    }

    /// Writes down that the person proved once more who they are, in a session: `by_factor` where it was by a second factor.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn authenticate_session(&self, id: SessionId, by_factor: bool) -> Result<Timestamp> {
        let now = self.now();
        let mut values = ActiveModel {
            authenticated_at: Set(now),
            ..Default::default()
        };
        if by_factor {
            values.factor_used_at = Set(Some(now));
        }
        Entity::update_many()
            .set(values)
            .filter(Column::UserId.eq(self.user.as_uuid()))
            .filter(Column::Id.eq(id.as_uuid()))
            .exec(&self.connection)
            .await?;
        Ok(now)
    }

    /// Writes down that a second factor was used in a session, which proves nothing of the password.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn mark_factor_used(&self, id: SessionId) -> Result<()> {
        Entity::update_many()
            .set(ActiveModel {
                factor_used_at: Set(Some(self.now())),
                ..Default::default()
            })
            .filter(Column::UserId.eq(self.user.as_uuid()))
            .filter(Column::Id.eq(id.as_uuid()))
            .exec(&self.connection)
            .await?;
        Ok(())
    }

    /// No session of the person counts any longer as one for which a second factor was used, but the one to keep.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_used_factors(&self, kept: Option<SessionId>) -> Result<()> {
        Entity::update_many()
            .set(ActiveModel {
                factor_used_at: Set(None),
                ..Default::default()
            })
            .filter(Column::UserId.eq(self.user.as_uuid()))
            .apply_if(kept, |rows, kept| rows.filter(Column::Id.ne(kept.as_uuid())))
            .filter(Column::FactorUsedAt.is_not_null())
            .exec(&self.connection)
            .await?;
        Ok(())
    }

    /// That the person proved lately who they are, in a session that is alive; and by a second factor at some time of it, where they
    /// have one: whoever has the password alone, or a device that they trust, adds none of their own.
    ///
    /// # Errors
    /// [`Error::SessionEnded`], [`Error::SignInTooOld`]; and when the database fails.
    pub async fn demand_fresh_session(&self, id: SessionId) -> Result<()> {
        let now = self.now();
        let session = self.session(id).await?.filter(|session| session.is_alive(now));
        let session = session.ok_or(Error::SessionEnded)?;
        if session.is_fresh(now) && (session.has_used_factor() || !self.has_factor().await?) {
            Ok(())
        } else {
            Err(Error::SignInTooOld)
        }
    }

    /// Writes down that a session was seen.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn touch_session(&self, id: SessionId) -> Result<()> {
        Entity::update_many()
            .set(ActiveModel {
                last_seen_at: Set(self.now()),
                ..Default::default()
            })
            .filter(Column::UserId.eq(self.user.as_uuid()))
            .filter(Column::Id.eq(id.as_uuid()))
            .exec(&self.connection)
            .await?;
        Ok(())
    }
}
