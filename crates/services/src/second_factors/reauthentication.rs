//! Proving once more who one is, for what a thief of a session shall not do.

use secrecy::SecretString;
use tenantry_auth::passwords::Verdict;
use tenantry_domain::{
    environment::Timestamp,
    events::{Event, EventType},
    trace::TraceId,
};
use tenantry_persistence::user::UserTx;

use super::tell_of_recovery_code;
use crate::{
    Services,
    callers::Principal,
    error::{Error, Result},
    sessions,
};

impl Services {
    /// Proves by the password who the caller is. Gives the moment from which on it counts.
    ///
    /// # Errors
    /// [`Error::IncorrectPassword`]; when the session has ended, or the service is too busy.
    #[tracing::instrument(skip_all)]
    pub async fn reauthenticate_by_password(
        &self,
        principal: &Principal,
        password: SecretString,
        trace: TraceId,
    ) -> Result<Timestamp> {
        let tx = UserTx::read(self.database(), principal.user(), trace).await?;
        let known = tx.password_hash().await?;
        drop(tx);
        // No transaction is open meanwhile: hashing takes its time, and others need the connections.
        match self.settings().passwords.verify(password, known.as_deref()).await? {
            Verdict::Right { .. } => {}
            Verdict::Wrong => return Err(Error::IncorrectPassword),
        }
        let known = known.ok_or(Error::IncorrectPassword)?;
        let tx = UserTx::begin_as(self.database(), principal, trace).await?;
        if !tx.keeps_password_hash(&known).await? {
            return Err(Error::IncorrectPassword);
        }
        self.reauthenticated(tx, principal, false).await
    }

    /// Proves by a code of a second factor who the caller is. Gives the moment from which on it counts.
    ///
    /// # Errors
    /// [`Error::IncorrectCode`], also where there is no second factor; after too many wrong codes, when the session has ended, or
    /// the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn reauthenticate_by_code(
        &self,
        principal: &Principal,
        code: &SecretString,
        trace: TraceId,
    ) -> Result<Timestamp> {
        let tx = UserTx::begin_as(self.database(), principal, trace).await?;
        let user = tx.oneself().await?;
        let (tx, _, used) = self.use_code(tx, &user, code).await?;
        tell_of_recovery_code(&tx, used).await?;
        let at = self.reauthenticated(tx, principal, true).await?;
        self.ring_for_jobs();
        Ok(at)
    }

    pub(super) async fn reauthenticated(
        &self,
        tx: UserTx,
        principal: &Principal,
        by_factor: bool,
    ) -> Result<Timestamp> {
        let at = tx.authenticate_session(principal.session(), by_factor).await?;
        tx.commit(Event::bare(
            EventType::SessionReauthenticated,
            sessions::RESOURCE,
            principal.session(),
        ))
        .await?;
        self.caller_caches().forget();
        Ok(at)
    }
}
