//! Sessions that were opened at another issuer, whose access tokens show them here.

use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, DbBackend, EntityTrait as _, QueryFilter as _, Statement, sea_query::Expr,
};
use tenantry_domain::{
    environment::Timestamp,
    ids::IdentityId,
    sessions::{Device, FRESH, Session},
};

use super::{Column, Entity, Model, Principal, SEEN_WITHIN};
use crate::{
    Database,
    database::Mode,
    error::{Error, Result},
    user::UserTx,
};

/// A session of another issuer's, as a token shows it.
#[derive(Debug, Clone)]
pub struct ExternalSession {
    /// A hash of issuer, subject and the issuer's session.
    pub key: [u8; 32],
    /// When the token was issued.
    pub issued_at: Timestamp,
    /// When its owner last proved to the issuer who they are, where it says so.
    pub authenticated_at: Option<Timestamp>,
}

/// What is known of such a session.
#[derive(Debug)]
pub enum Seen {
    /// It is alive.
    Alive {
        /// The caller.
        principal: Principal,
        /// When one before it was ended here: tokens from until then are refused.
        ended_before: Option<Timestamp>,
        /// Whether that it was seen is to be [written down](note_sight).
        is_stale: bool,
    },
    /// It was ended here, after the token was issued.
    Ended,
    /// There is none, or none any more.
    Unknown {
        /// When one before it was ended here.
        ended_before: Option<Timestamp>,
    },
}

impl UserTx {
    /// What is known of a session of the person's at another issuer.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn external_session(&self, shown: &ExternalSession) -> Result<Seen> {
        let now = self.now();
        // One that is alive, and those that were ended lately.
        let rows = Entity::find()
            .filter(Column::UserId.eq(self.user.as_uuid()))
            .filter(Column::ExternalKey.eq(shown.key.to_vec()))
            .all(&self.connection)
            .await?;
        let sessions: Vec<Session> = rows.into_iter().map(Session::from).collect();
        let ended = sessions.iter().filter_map(|session| session.revoked_at).max();
        let all_ended = self.sessions_ended_at().await?;
        let alive = sessions.iter().find(|session| session.is_alive(now));
        // The one that was kept when all others were ended takes its tokens from before.
        let is_kept = |at: &Timestamp| alive.is_some_and(|session| session.created_at <= *at);
        let ended_before = ended.max(all_ended.filter(|at| !is_kept(at)));
        if ended_before.is_some_and(|at| shown.issued_at <= at) {
            return Ok(Seen::Ended);
        }
        let Some(session) = alive else {
            return Ok(Seen::Unknown { ended_before });
        };
        let was_proven_since = shown.authenticated_at.is_some_and(|at| at > session.authenticated_at);
        Ok(Seen::Alive {
            is_stale: now - session.last_seen_at >= SEEN_WITHIN || was_proven_since,
            principal: Principal::of(session),
            ended_before,
        })
    }

    /// When all of the person's sessions were last ended, or all but one.
    async fn sessions_ended_at(&self) -> Result<Option<Timestamp>> {
        let sql = "select sessions_ended_at from users where id = $1";
        let of = [self.user.as_uuid().into()];
        let row = self
            .connection
            .query_one_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, of))
            .await?;
        Ok(row
            .map(|row| row.try_get("", "sessions_ended_at"))
            .transpose()?
            .flatten())
    }

    /// Has tokens of other issuers open no session that were issued until now. The person is held [to change
    /// them](Self::oneself_to_change).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn note_end_of_sessions(&self) -> Result<()> {
        let sql = "update users set sessions_ended_at = $2 where id = $1";
        let values = [self.user.as_uuid().into(), self.now().into()];
        self.connection
            .execute_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, values))
            .await?;
        Ok(())
    }

    /// Opens one that stands for it until `expires_at`. It is fresh only where the issuer says when its owner proved who they are.
    /// `None` where another does at the same time: nothing else can be done in the transaction then.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open_external_session(
        &self,
        device: &Device,
        expires_at: Timestamp,
        shown: &ExternalSession,
        identity: IdentityId,
    ) -> Result<Option<Principal>> {
        let row = self.new_session(device, expires_at);
        let opened = self.add_session(Model {
            authenticated_at: shown.authenticated_at.unwrap_or(row.created_at - FRESH),
            external_key: Some(shown.key.to_vec()),
            identity_id: Some(identity.as_uuid()),
            ..row
        });
        match opened.await {
            Ok(session) => Ok(Some(Principal::of(&session))),
            Err(Error::Taken(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Writes down that a session was seen, and when its owner last proved who they are. Not an act of the person's, so no event names it.
///
/// # Errors
/// When the database fails.
pub async fn note_sight(database: &Database, principal: &Principal, shown: &ExternalSession) -> Result<()> {
    let connection = database.begin(Mode::ReadWrite, Some(principal.user), None).await?;
    let proven_at = Expr::cust_with_values("greatest(authenticated_at, $1)", [shown.authenticated_at]);
    Entity::update_many()
        .col_expr(Column::LastSeenAt, Expr::val(database.environment().now()))
        .col_expr(Column::AuthenticatedAt, proven_at)
        .filter(Column::UserId.eq(principal.user.as_uuid()))
        .filter(Column::Id.eq(principal.session.as_uuid()))
        .exec(&connection)
        .await?;
    connection.commit().await
}
