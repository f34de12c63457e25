//! What must be answered before it is known who calls.
//!
//! A [`SystemTx`] has no tenant and no user, so row-level security shows it no row at all. What it can do is call the
//! look-up functions of the schema `lookup`, each of which returns just what its one purpose needs. Every use gives a
//! [`SystemReason`]; the list of uses is a golden file, so a new one is looked at.

use sea_orm::{ConnectionTrait as _, DbBackend, QueryResult, Statement, Value};
use tenantry_domain::ids::UserId;

use crate::{
    Database,
    connection::Connection,
    database::Mode,
    error::{Error, Result},
};

/// Why something crosses tenants or precedes an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SystemReason {
    /// Someone signs in by an address.
    SignIn,
    /// Someone asks by what an address can be signed in with.
    Discovery,
    /// Someone signs in through a provider.
    SignInThroughProvider,
    /// Someone holds a refresh token.
    RefreshToken,
    /// Someone asks for a mail by an address.
    MailRequest,
    /// Someone follows a link that was mailed.
    MailedLink,
    /// Someone follows the link of an invitation.
    Invitation,
    /// An operator does something for the person with an address.
    Support,
    /// A worker looks for what is due.
    DueJobs,
}

/// A read-only transaction outside of tenants and users.
pub struct SystemTx(Connection);

/// What a password is checked against.
pub struct StoredCredentials {
    /// Whose it is.
    pub user: UserId,
    /// A PHC string.
    pub password_hash: String,
}

impl SystemTx {
    /// Begins one.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn begin(database: &Database, reason: SystemReason) -> Result<Self> {
        tracing::debug!(?reason, "system transaction");
        Ok(Self(database.begin(Mode::ReadOnly, None, None).await?))
    }

    /// The credentials of the person with this address, in its canonical form.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn credentials_by_email(&self, canonical: &str) -> Result<Option<StoredCredentials>> {
        let found = self
            .look_up(
                "select user_id, password_hash from lookup.credentials_by_email($1)",
                canonical.into(),
            )
            .await?;
        found
            .map(|row| {
                Ok(StoredCredentials {
                    user: row.try_get::<uuid::Uuid>("", "user_id")?.into(),
                    password_hash: row.try_get("", "password_hash")?,
                })
            })
            .transpose()
    }

    /// Whose refresh token this is the hash of.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn user_by_refresh_token(&self, token_hash: &[u8; 32]) -> Result<Option<UserId>> {
        let sql = "select lookup.user_by_refresh_token($1) as user_id";
        self.user_of(sql, token_hash.to_vec().into()).await
    }

    /// The one person whom a look-up tells, as `user_id`.
    pub(crate) async fn user_of(&self, sql: &str, argument: Value) -> Result<Option<UserId>> {
        self.user_of_all(sql, [argument]).await
    }

    /// The same of a look-up by several values.
    pub(crate) async fn user_of_all<const N: usize>(&self, sql: &str, arguments: [Value; N]) -> Result<Option<UserId>> {
        let found = self.look_up_all(sql, arguments).await?.into_iter().next();
        let user: Option<uuid::Uuid> = found.map(|row| row.try_get("", "user_id")).transpose()?.flatten();
        Ok(user.map(Into::into))
    }

    pub(crate) async fn look_up(&self, sql: &str, argument: Value) -> Result<Option<QueryResult>> {
        Ok(self.look_up_all(sql, [argument]).await?.into_iter().next())
    }

    pub(crate) async fn look_up_all<const N: usize>(
        &self,
        sql: &str,
        arguments: [Value; N],
    ) -> Result<Vec<QueryResult>> {
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, arguments);
        self.0.query_all_raw(statement).await.map_err(Error::from)
    }
}
