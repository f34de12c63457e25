//! Second factors: what a person proves themselves by beside their password.
//!
//! Every code goes through [`Services::use_code`], whatever it is shown for: there it is counted, used up, and refused while
//! there were too many wrong ones. To add a kind of code: one in [`SecondFactor`], and its arm where codes are looked at. Passkeys show
//! no codes, and sign in by themselves: [`passkeys`] has them. Whatever is a factor is one for `UserTx::has_factor`, too.

mod passkeys;
mod reauthentication;
mod totp;
mod trusted_devices;
mod verification;

use secrecy::{ExposeSecret as _, SecretString};
use tenantry_auth::{
    recovery_codes::RecoveryCode,
    totp::{TotpSecret, is_code},
    vault::{Purpose, VaultError},
};
use tenantry_domain::{
    environment::Timestamp,
    events::{Event, EventType, Subject},
    ids::{SessionId, UserId},
    jobs::{FactorChange, UserJob},
    second_factors::{Consequence, MAX_FAILURES, SecondFactor, SecondFactors, TotpFactor},
    trace::TraceId,
    users::User,
};
use tenantry_persistence::user::UserTx;

pub(crate) use self::passkeys::take_doubtful_passkeys;
pub(crate) use self::trusted_devices::see_trusted_device;
pub use self::{
    passkeys::{Assertion, CreationOptions, MadePasskey, Registration, RequestOptions},
    totp::Shown,
};
use crate::{
    Services,
    callers::Principal,
    error::{Error, Result},
    limits::{Charge, LimitScope},
};

/// What is known of a person's second factors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Factors {
    /// Whether there is an authenticator app.
    pub totp: bool,
    /// How many passkeys there are.
    pub passkeys: u64,
    /// How many recovery codes are left.
    pub recovery_codes_left: u32,
}

impl Services {
    /// What is known of the caller's second factors.
    ///
    /// # Errors
    /// When the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn factors(&self, principal: &Principal, trace: TraceId) -> Result<Factors> {
        let tx = UserTx::read(self.database(), principal.user(), trace).await?;
        Ok(Factors {
            totp: tx.second_factors().await?.confirmed_totp().is_some(),
            passkeys: tx.passkeys_count().await?,
            recovery_codes_left: tx.recovery_codes_left().await?,
        })
    }

    /// That the caller proved lately who they are: what is asked before a body is read.
    ///
    /// # Errors
    /// [`Error::ReauthenticationRequired`]; and when the database is away.
    pub async fn demand_fresh_sign_in(&self, principal: &Principal, trace: TraceId) -> Result<()> {
        let tx = UserTx::read(self.database(), principal.user(), trace).await?;
        Ok(tx.demand_fresh_session(principal.session()).await?)
    }

    /// The same of a caller who has an authenticator app.
    ///
    /// # Errors
    /// [`Error::NotFound`] where they have none, and those of [`demand_fresh_sign_in`](Self::demand_fresh_sign_in).
    pub async fn demand_totp_and_fresh_sign_in(&self, principal: &Principal, trace: TraceId) -> Result<()> {
        let tx = UserTx::read(self.database(), principal.user(), trace).await?;
        if tx.second_factors().await?.confirmed_totp().is_none() {
            return Err(Error::NotFound);
        }
        Ok(tx.demand_fresh_session(principal.session()).await?)
    }

    /// The same of a caller who has any second factor.
    ///
    /// # Errors
    /// Those of [`demand_totp_and_fresh_sign_in`](Self::demand_totp_and_fresh_sign_in).
    pub async fn demand_factor_and_fresh_sign_in(&self, principal: &Principal, trace: TraceId) -> Result<()> {
        let tx = UserTx::read(self.database(), principal.user(), trace).await?;
        if !tx.has_factor().await? {
            return Err(Error::NotFound);
        }
        Ok(tx.demand_fresh_session(principal.session()).await?)
    }

    /// Uses up a code of the person whose transaction this is: of their authenticator app, or a recovery code. Ends the
    /// transaction where it is not good, which is counted.
    pub(crate) async fn use_code(
        &self,
        tx: UserTx,
        user: &User,
        code: &SecretString,
    ) -> Result<(UserTx, SecondFactors, SecondFactor)> {
        let mut factors = tx.second_factors_to_change().await?;
        demand_unlocked(&factors, tx.now())?;
        if factors.confirmed_totp().is_none() && tx.passkeys_count().await? == 0 {
            return Err(Error::IncorrectCode);
        }
        let code = code.expose_secret();
        let used = if is_code(code)
            && let Some(totp) = factors.confirmed_totp()
        {
            let secret = self.totp_secret(user.id, totp)?;
            let step = secret.step_of(code, tx.now()).filter(|step| totp.is_unused(*step));
            if let (Some(step), Some(totp)) = (step, &mut factors.totp) {
                totp.last_step = Some(step);
                if !self.settings().vault.is_current(&totp.sealed_secret) {
                    // The key that sealed it is on its way out.
                    totp.sealed_secret = self.sealed(user.id, &secret)?;
                }
            }
            step.map(|_| SecondFactor::Totp)
        } else if let Some(code) = RecoveryCode::parse(code)
            && tx.use_recovery_code(code.hash(user.id).as_bytes()).await?
        {
            Some(SecondFactor::RecoveryCode)
        } else {
            None
        };
        let Some(used) = used else {
            return Err(self.refuse_code(tx, user, factors).await);
        };
        factors.count_success();
        tx.save_second_factors(&factors).await?;
        if used == SecondFactor::RecoveryCode {
            tx.note(Event::bare(EventType::UserRecoveryCodeUsed, User::TYPE, user.id))
                .await?;
        }
        Ok((tx, factors, used))
    }

    /// Counts a code that is not good, which ends the transaction, and says what to answer.
    async fn refuse_code(&self, tx: UserTx, user: &User, factors: SecondFactors) -> Error {
        match self.count_wrong_code(tx, user, factors).await {
            Ok(()) => Error::IncorrectCode,
            Err(error) => error,
        }
    }

    async fn count_wrong_code(&self, tx: UserTx, user: &User, mut factors: SecondFactors) -> Result<()> {
        let event = match factors.count_failure(tx.now()) {
            Consequence::Counted => EventType::UserMfaFailed,
            Consequence::Locked { lock } => {
                let minutes = u32::try_from(lock.num_minutes()).unwrap_or(u32::MAX);
                tell(&tx, FactorChange::Locked { minutes }).await?;
                EventType::UserMfaLocked
            }
        };
        tx.save_second_factors(&factors).await?;
        tx.commit(Event::bare(event, User::TYPE, user.id)).await?;
        self.ring_for_jobs();
        Ok(())
    }

    /// What an authenticator app shares with us.
    fn totp_secret(&self, user: UserId, totp: &TotpFactor) -> Result<TotpSecret> {
        let vault = &self.settings().vault;
        vault
            .open(Purpose::Totp, user.as_uuid(), &totp.sealed_secret)
            .and_then(|bytes| TotpSecret::from_bytes(&bytes).ok_or(VaultError::Opening))
            .map_err(Error::internal)
    }

    fn sealed(&self, user: UserId, secret: &TotpSecret) -> Result<Vec<u8>> {
        let vault = &self.settings().vault;
        vault
            .seal(Purpose::Totp, user.as_uuid(), secret.as_bytes(), self.environment())
            .map_err(Error::internal)
    }

    /// Gives the person whose transaction this is other recovery codes.
    async fn new_recovery_codes(&self, tx: &UserTx, user: UserId) -> Result<Vec<SecretString>> {
        let codes: Vec<_> = std::iter::repeat_with(|| RecoveryCode::generate(self.environment()))
            .take(tenantry_domain::second_factors::RECOVERY_CODES)
            .collect();
        tx.replace_recovery_codes(codes.iter().map(|code| *code.hash(user).as_bytes()))
            .await?;
        Ok(codes.iter().map(RecoveryCode::secret).collect())
    }
}

/// Takes all second factors of a person away, with all that rests on them: begun ones, wrong codes and their lock included.
pub(crate) async fn take_factors(tx: &UserTx, user: &User) -> Result<User> {
    tx.remove_passkeys().await?;
    take_totp(tx, user, None).await
}

/// Takes the authenticator app of a person away, with all that rests on it: the recovery codes too, unless there are passkeys that
/// may be lost one day. Then the session to keep goes on counting as one in which a factor was used.
async fn take_totp(tx: &UserTx, user: &User, kept: Option<SessionId>) -> Result<User> {
    // Whoever shows a code at this moment is waited for.
    tx.second_factors_to_change().await?;
    tx.save_second_factors(&SecondFactors::default()).await?;
    let is_last = tx.passkeys_count().await? == 0;
    if is_last {
        tx.replace_recovery_codes([]).await?;
    }
    tx.distrust_devices().await?;
    tx.forget_used_factors(kept.filter(|_| !is_last)).await?;
    Ok(tx.set_mfa_enabled(user, false).await?)
}

/// That codes are looked at.
fn demand_unlocked(factors: &SecondFactors, now: Timestamp) -> Result<()> {
    let Some(left) = factors.locked_for(now) else {
        return Ok(());
    };
    Err(Error::RateLimited(Charge::refused(
        LimitScope::User,
        MAX_FAILURES,
        left,
    )))
}

/// Has the person told of a recovery code that was used, where it was one.
async fn tell_of_recovery_code(tx: &UserTx, used: SecondFactor) -> Result<()> {
    match used {
        SecondFactor::Totp => Ok(()),
        SecondFactor::RecoveryCode => {
            let left = tx.recovery_codes_left().await?;
            tell(tx, FactorChange::RecoveryCodeUsed { left }).await
        }
    }
}

/// Has the person told what became of their second factors.
pub(crate) async fn tell(tx: &UserTx, change: FactorChange) -> Result<()> {
    let at = tx.now();
    Ok(tx.enqueue(&UserJob::MailSecondFactor { change, at }).await?)
}
