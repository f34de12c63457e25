//! The second step of a sign-in.

use secrecy::SecretString;
use tenantry_auth::{
    second_step::{self, SecondStep},
    trusted_devices::DeviceToken,
};
use tenantry_domain::{
    events::{Event, EventType, Subject},
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
    identities::first_step,
    sessions::{self, SignIn, SignedIn},
};

impl Services {
    /// Asks somebody for a second factor who showed the password of this hash, or else something of this name, which ends the
    /// transaction.
    pub(crate) async fn ask_for_second_factor(&self, tx: UserTx, user: &User, first_step: &str) -> Result<SignIn> {
        let mut methods = vec![SecondFactor::Totp];
        if tx.recovery_codes_left().await? > 0 {
            methods.push(SecondFactor::RecoveryCode);
        }
        let token = second_step::issue(self.keyring(), user.id, first_step, tx.now());
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
    /// [`Error::Unauthenticated`] where the token is not good any more, [`Error::IncorrectCode`]; after too many wrong codes, and when
    /// the database is away.
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
        if !is_still_good(&tx, &step).await? {
            return Err(Error::Unauthenticated);
        }
        let (tx, _, used) = self.use_code(tx, &user, code).await?;
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
        let (signed_in, session) = self.open_session_of(&tx, user, device, FactorUse::Now).await?;
        tx.commit(Event::bare(EventType::SessionCreated, sessions::RESOURCE, session))
            .await?;
        self.ring_for_jobs();
        Ok(SignedIn {
            trusted_device: trusted,
            ..signed_in
        })
    }
}

/// Whether what was shown at the first step would be good now.
async fn is_still_good(tx: &UserTx, step: &SecondStep) -> Result<bool> {
    if let Some(hash) = tx.password_hash().await?
        && step.is_of(&hash)
    {
        // It stays the password until the session is open, or else the session would outlive its change.
        return Ok(tx.keeps_password_hash(&hash).await?);
    }
    let identities = tx.all_identities().await?;
    let Some(shown) = identities.iter().find(|identity| step.is_of(&first_step(identity))) else {
        return Ok(false);
    };
    // It stays linked until then, too.
    Ok(tx.identity_to_change(shown.id).await?.is_some())
}
