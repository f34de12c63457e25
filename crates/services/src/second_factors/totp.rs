//! Authenticator apps: setting one up, taking it away, and the recovery codes that come with it.

use secrecy::{ExposeSecret as _, SecretString};
pub use tenantry_auth::totp::Shown;
use tenantry_auth::totp::TotpSecret;
use tenantry_domain::{
    events::{Event, EventType, Subject},
    jobs::FactorChange,
    second_factors::TotpFactor,
    trace::TraceId,
    users::User,
};
use tenantry_persistence::user::UserTx;

use super::{demand_unlocked, take_totp, tell};
use crate::{
    Services,
    callers::Principal,
    error::{Conflict, Error, Result},
};

impl Services {
    /// Shares a new secret with the caller's authenticator app, which opens nothing before the app has proven that it has it. One
    /// that was shown before and not confirmed is void.
    ///
    /// # Errors
    /// [`Conflict::MfaEnabled`]; when the sign-in is too old, or the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn begin_totp(&self, principal: &Principal, trace: TraceId) -> Result<Shown> {
        let (tx, user) = UserTx::begin_fresh(self.database(), principal, trace).await?;
        let mut factors = tx.second_factors_to_change().await?;
        if factors.confirmed_totp().is_some() {
            return Err(Error::Conflict(Conflict::MfaEnabled));
        }
        let secret = TotpSecret::generate(self.environment());
        let shown = secret.show(&user.email).map_err(Error::internal)?;
        let sealed_secret = self.sealed(user.id, &secret)?;
        factors.totp = Some(TotpFactor {
            sealed_secret,
            confirmed_at: None,
            last_step: None,
        });
        tx.save_second_factors(&factors).await?;
        tx.commit(Event::bare(EventType::UserMfaBegun, User::TYPE, user.id))
            .await?;
        Ok(shown)
    }

    /// Takes the caller's word for their authenticator app, which shows a code. From now on it is asked for. Gives the recovery
    /// codes, which are shown once.
    ///
    /// # Errors
    /// [`Error::IncorrectCode`], [`Conflict::MfaNotBegun`], [`Conflict::MfaEnabled`]; after too many wrong codes, when the sign-in
    /// is too old, or the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn confirm_totp(
        &self,
        principal: &Principal,
        code: &SecretString,
        trace: TraceId,
    ) -> Result<Vec<SecretString>> {
        let (tx, user) = UserTx::begin_fresh(self.database(), principal, trace).await?;
        let mut factors = tx.second_factors_to_change().await?;
        if factors.confirmed_totp().is_some() {
            return Err(Error::Conflict(Conflict::MfaEnabled));
        }
        let now = tx.now();
        demand_unlocked(&factors, now)?;
        let totp = factors.totp.as_mut().ok_or(Error::Conflict(Conflict::MfaNotBegun))?;
        let secret = self.totp_secret(user.id, totp)?;
        let Some(step) = secret.step_of(code.expose_secret(), now) else {
            return Err(self.refuse_code(tx, &user, factors).await);
        };
        totp.confirmed_at = Some(now);
        totp.last_step = Some(step);
        factors.count_success();
        tx.save_second_factors(&factors).await?;
        let codes = self.new_recovery_codes(&tx, user.id).await?;
        tx.set_mfa_enabled(&user, true).await?;
        tx.mark_factor_used(principal.session()).await?;
        tell(&tx, FactorChange::Enabled).await?;
        tx.commit(Event::bare(EventType::UserMfaEnabled, User::TYPE, user.id))
            .await?;
        self.ring_for_jobs();
        self.caller_caches().forget();
        Ok(codes)
    }

    /// Takes the caller's authenticator app away, by a code, and with it their trusted devices; and their recovery codes, unless they
    /// have passkeys.
    ///
    /// # Errors
    /// [`Error::IncorrectCode`], [`Error::NotFound`] where there is none; after too many wrong codes, when the sign-in is too old, or
    /// the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn remove_totp(&self, principal: &Principal, code: &SecretString, trace: TraceId) -> Result<()> {
        let (tx, user) = UserTx::begin_fresh(self.database(), principal, trace).await?;
        if tx.second_factors().await?.confirmed_totp().is_none() {
            return Err(Error::NotFound);
        }
        let (tx, ..) = self.use_code(tx, &user, code).await?;
        take_totp(&tx, &user, Some(principal.session())).await?;
        tell(&tx, FactorChange::Disabled).await?;
        tx.commit(Event::bare(EventType::UserMfaDisabled, User::TYPE, user.id))
            .await?;
        self.ring_for_jobs();
        self.caller_caches().forget();
        Ok(())
    }

    /// Gives the caller other recovery codes, by a code; those before are void. Whoever has passkeys alone may have no code left,
    /// and needs none: that they proved lately who they are was by one of these.
    ///
    /// # Errors
    /// [`Error::CodeRequired`], and those of [`remove_totp`](Self::remove_totp).
    #[tracing::instrument(skip_all)]
    pub async fn replace_recovery_codes(
        &self,
        principal: &Principal,
        code: Option<&SecretString>,
        trace: TraceId,
    ) -> Result<Vec<SecretString>> {
        let (tx, user) = UserTx::begin_fresh(self.database(), principal, trace).await?;
        if !tx.has_factor().await? {
            return Err(Error::NotFound);
        }
        let tx = match code {
            Some(code) => self.use_code(tx, &user, code).await?.0,
            None if tx.second_factors().await?.confirmed_totp().is_none() => tx,
            None => return Err(Error::CodeRequired),
        };
        let codes = self.new_recovery_codes(&tx, user.id).await?;
        tell(&tx, FactorChange::RecoveryCodesReplaced).await?;
        tx.commit(Event::bare(EventType::UserRecoveryCodesReplaced, User::TYPE, user.id))
            .await?;
        self.ring_for_jobs();
        Ok(codes)
    }
}
