//! Rows of the refresh tokens that renew sessions.

use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QuerySelect as _,
    sea_query::{Expr, ExprTrait as _},
};
use tenantry_domain::{environment::Timestamp, ids::SessionId, sessions::Session};

use crate::{entities::refresh_tokens, error::Result, user::UserTx};

/// A refresh token as it is stored.
#[derive(Debug, Clone)]
pub struct RefreshTokenRow {
    /// The session that it renews.
    pub session: Session,
    /// When it becomes worthless.
    pub expires_at: Timestamp,
    /// When it was used first.
    pub used_at: Option<Timestamp>,
    /// How many tokens came of it.
    pub successors: u32,
}

impl UserTx {
    /// Adds a refresh token to a session, by its hash.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_refresh_token(
        &self,
        session: SessionId,
        token_hash: [u8; 32],
        expires_at: Timestamp,
    ) -> Result<()> {
        let row = refresh_tokens::Model {
            token_hash: token_hash.to_vec(),
            user_id: self.user.as_uuid(),
            session_id: session.as_uuid(),
            expires_at,
            used_at: None,
            successors: 0,
            created_at: self.now(),
        };
        refresh_tokens::Entity::insert(refresh_tokens::ActiveModel::from(row))
            .exec_without_returning(&self.connection)
            .await?;
        Ok(())
    }

    /// A refresh token and its session, locked until the transaction ends: of two that refresh at once, one waits. The
    /// person is to be held before ([`oneself_to_keep`](Self::oneself_to_keep)).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn refresh_token(&self, token_hash: &[u8; 32]) -> Result<Option<RefreshTokenRow>> {
        let token = refresh_tokens::Entity::find_by_id(token_hash.to_vec())
            .filter(refresh_tokens::Column::UserId.eq(self.user.as_uuid()))
            .lock_exclusive()
            .one(&self.connection)
            .await?;
        let Some(token) = token else { return Ok(None) };
        let session = self.session(token.session_id.into()).await?;
        Ok(session.map(|session| RefreshTokenRow {
            session,
            expires_at: token.expires_at,
            used_at: token.used_at,
            successors: u32::try_from(token.successors).unwrap_or(u32::MAX),
        }))
    }

    /// Records that a refresh token gave one more successor, and forgets those of its session that have expired.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn mark_refresh_token_used(&self, token_hash: &[u8; 32], session: SessionId) -> Result<()> {
        let now = self.now();
        refresh_tokens::Entity::update_many()
            .col_expr(
                refresh_tokens::Column::UsedAt,
                Expr::cust_with_values("coalesce(used_at, $1)", [now]),
            )
            .col_expr(
                refresh_tokens::Column::Successors,
                Expr::col(refresh_tokens::Column::Successors).add(1),
            )
            .filter(refresh_tokens::Column::TokenHash.eq(token_hash.to_vec()))
            .filter(refresh_tokens::Column::UserId.eq(self.user.as_uuid()))
            .exec(&self.connection)
            .await?;
        refresh_tokens::Entity::delete_many()
            .filter(refresh_tokens::Column::UserId.eq(self.user.as_uuid()))
            .filter(refresh_tokens::Column::SessionId.eq(session.as_uuid()))
            .filter(refresh_tokens::Column::ExpiresAt.lte(now))
            .exec(&self.connection)
            .await?;
        Ok(())
    }
}
