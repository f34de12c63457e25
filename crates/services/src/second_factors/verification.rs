//! The second step of a sign-in.

use secrecy::SecretString;
use tenantry_auth::{
    second_step::{self, SecondStep},
    trusted_devices::DeviceToken,
};
use tenantry_domain::{
    events::{Event, EventType, Subject},
    identities::Identity,
    second_factors::SecondFactor,
    sessions::{Device, FactorUse},
    trace::TraceId,
    users::User,
};
use tenantry_persistence::user::UserTx;

use super::{tell_of_recovery_code, trusted_devices};
use crate::{
    Services,
    error::{Error, Result},
    sessions::{self, FirstStep, SignIn, SignedIn},
};

impl Services {
    /// Asks somebody for a second factor who took the first step, which ends the transaction.
    pub(crate) async fn ask_for_second_factor(
        &self,
        tx: UserTx,
        user: &User,
        first_step: FirstStep<'_>,
    ) -> Result<SignIn> {
        let mut methods = vec![SecondFactor::Totp];
        if tx.recovery_codes_left().await? > 0 {
            methods.push(SecondFactor::RecoveryCode);
        }
        let token = second_step::issue(self.keyring(), user.id, &first_step.name(), tx.now());
        tx.commit(Event::bare(EventType::UserMfaDemanded, User::TYPE, user.id))
            .await?;
        Ok(SignIn::Begun {
            token,
            life: second_step::LIFE.to_std().unwrap_or_default(),
            methods,
        })
    }

    /// Completes a sign-in by a code, and trusts the device where that is wanted.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] where the token is not good any more, [`Error::IncorrectCode`], [`Error::SsoRequired`],
    /// [`Conflict::EmailNotInDomain`](crate::error::Conflict::EmailNotInDomain); after too many wrong codes, and when the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn complete_sign_in(
        &self,
        token: &str,
        code: &SecretString,
        trust: bool,
        device: &Device,
        trace: TraceId,
    ) -> Result<SignedIn> {
        let now = self.environment().now();
        let step = second_step::read(self.keyring(), token, now).ok_or(Error::Unauthenticated)?;
        let tx = UserTx::begin(self.database(), step.user, trace).await?;
        let user = tx.oneself_to_keep().await?;
        let identity = still_good(&tx, &step).await?;
        let (tx, _, used) = self.use_code(tx, &user, code).await?;
        if let Some(identity) = &identity {
            self.demand_vouched_for(&tx, &user, identity).await?;
        }
        tell_of_recovery_code(&tx, used).await?;
        let trusted = if trust {
            let token = DeviceToken::generate(self.environment());
            let id = tx.trust_device(device, *token.hash().as_bytes()).await?;
            tx.note(Event::bare(
                EventType::UserTrustedDeviceAdded,
                trusted_devices::RESOURCE,
                id,
            ))
            .await?;
            Some(token.secret())
        } else {
            None
        };
        let (signed_in, session) = self
            .open_session(&tx, user, device, FactorUse::Now, identity.as_ref())
            .await?;
        tx.commit(Event::bare(EventType::SessionCreated, sessions::RESOURCE, session))
            .await?;
        self.ring_for_jobs();
        Ok(SignedIn {
            trusted_device: trusted,
            ..signed_in
        })
    }
}

/// The identity that was shown at the first step, unless that was the password, where it would be good now.
async fn still_good(tx: &UserTx, step: &SecondStep) -> Result<Option<Identity>> {
    if let Some(hash) = tx.password_hash().await?
        && step.is_of(&FirstStep::Password(&hash).name())
    {
        // It stays the password until the session is open, or else the session would outlive its change.
        return if tx.keeps_password_hash(&hash).await? {
            Ok(None)
        } else {
            Err(Error::Unauthenticated)
        };
    }
    let identities = tx.all_identities().await?;
    let mut shown = identities.iter();
    let shown = shown.find(|identity| step.is_of(&FirstStep::Identity(identity).name()));
    let shown = shown.ok_or(Error::Unauthenticated)?;
    // It stays linked until then, too.
    let kept = tx.identity_to_change(shown.id).await?;
    Ok(Some(kept.ok_or(Error::Unauthenticated)?))
}
