//! Exchanging the code of whom a provider vouched for, for a session.

use secrecy::{ExposeSecret, SecretString};
use tenantry_auth::identity_providers::codes::SignInCode;
use tenantry_domain::{
    emails::Email,
    events::{Event, EventType},
    identities::{ExternalIdentity, Identity},
    ids::{OrganizationId, UserId},
    links::LinkPurpose,
    sessions::Device,
    text::Name,
    trace::TraceId,
    users::User,
};
use tenantry_persistence::{
    Error as StoreError,
    sign_on::EnteredOrganization,
    system::{SystemReason, SystemTx},
    user::UserTx,
    users::NewUser,
};

use crate::{
    Registration, Services,
    connections::{demand_terms, join},
    error::{Conflict, Error, Result},
    limits::{Limit, LimitKey},
    sessions::{FirstStep, SignIn},
    users::mail_link,
};

/// A code that somebody shows.
pub struct ShownCode {
    /// The code.
    pub code: SecretString,
    /// What proves that the app began the sign-in that it came of.
    pub verifier: Option<SecretString>,
}

impl Services {
    /// The code that is shown, where it is good; it is not used up by that.
    pub(super) fn read_code(&self, shown: &ShownCode) -> Option<SignInCode> {
        let verifier = shown.verifier.as_ref().map(ExposeSecret::expose_secret);
        SignInCode::read(
            &self.settings().carried,
            shown.code.expose_secret(),
            verifier,
            self.environment().now(),
        )
    }

    /// Signs in whom a provider vouched for, or as far as their second factor; an account is made of somebody whom nobody knows.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] where the code is no good, [`Conflict::EmailMissing`], [`Conflict::IdentityNotLinked`],
    /// [`Conflict::EmailNotInDomain`], [`Error::QuotaExceeded`], [`Error::SsoRequired`]; and when the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn exchange_code(
        &self,
        shown: ShownCode,
        trusted_devices: Vec<SecretString>,
        device: &Device,
        trace: TraceId,
    ) -> Result<SignIn> {
        let code = self.read_code(&shown).ok_or(Error::Unauthenticated)?;
        // It may have gone since, with those who signed in through it.
        match self.provider(&code.identity().provider).await {
            Ok(_) => {}
            Err(Error::NotFound) => return Err(Error::Unauthenticated),
            Err(error) => return Err(error),
        }
        if let Some(user) = self.owner_of(code.identity()).await? {
            return self
                .sign_in_by_identity(user, &code, trusted_devices, device, trace)
                .await;
        }
        let email = code.identity().email.clone();
        let email = email.ok_or(Error::Conflict(Conflict::EmailMissing))?;
        let is_made_an_account = match code.identity().organization() {
            Some(organization) => self.is_taken_in(organization, &email, code.identity()).await?,
            None => self.settings().registration == Registration::Open,
        };
        if is_made_an_account {
            if !code.identity().email_verified {
                // It tells whether an address has an account, and mails it.
                self.charge_mail(device)?;
            }
            let open = async |tx: &UserTx, user: User, identity: &Identity| {
                use_up(tx, &code).await?;
                self.open_first_session(tx, user, device, Some(identity)).await
            };
            if let Some(signed_in) = self.register_identity(&email, code.identity(), trace, open).await? {
                self.ring_for_jobs();
                return Ok(SignIn::Done(Box::new(signed_in)));
            }
            // Whoever signed in for the first time twice at once has an account by now.
            if let Some(user) = self.owner_of(code.identity()).await? {
                return self
                    .sign_in_by_identity(user, &code, trusted_devices, device, trace)
                    .await;
            }
        }
        self.ask_to_confirm(&email, code.identity(), trace).await?;
        Err(Error::Conflict(Conflict::IdentityNotLinked))
    }

    /// Whether an organization makes an account of somebody with this address whom its provider vouches for.
    async fn is_taken_in(
        &self,
        organization: OrganizationId,
        email: &Email,
        identity: &ExternalIdentity,
    ) -> Result<bool> {
        let tx = SystemTx::begin(self.database(), SystemReason::SignInThroughProvider).await?;
        let found = tx.sign_on_of_domain(email.domain()).await?;
        let found = found.filter(|found| found.organization == organization && identity.email_verified);
        let found = found.ok_or(Error::Conflict(Conflict::EmailNotInDomain))?;
        if identity.connection != Some(found.connection) {
            return Err(Error::Unauthenticated);
        }
        Ok(found.default_role.is_some())
    }

    pub(crate) fn charge_mail(&self, device: &Device) -> Result<()> {
        match self.charge(Limit::Mail, &LimitKey::address(device.ip)) {
            Some(charge) if !charge.allowed => Err(Error::RateLimited(charge)),
            _ => Ok(()),
        }
    }

    pub(crate) async fn owner_of(&self, identity: &ExternalIdentity) -> Result<Option<UserId>> {
        let tx = SystemTx::begin(self.database(), SystemReason::SignInThroughProvider).await?;
        Ok(tx.user_by_identity(identity).await?)
    }

    async fn sign_in_by_identity(
        &self,
        user: UserId,
        code: &SignInCode,
        trusted_devices: Vec<SecretString>,
        device: &Device,
        trace: TraceId,
    ) -> Result<SignIn> {
        let tx = UserTx::begin(self.database(), user, trace).await?;
        let mut joining = None;
        if let Some(organization) = code.identity().organization()
            && tx.was_never_used(code.identity()).await?
        {
            let entered = EnteredOrganization::enter(self.database(), &tx, organization).await?;
            // The organization before the person, as whoever deletes themselves locks them.
            entered.take_turn().await?;
            joining = Some(entered);
        }
        let user = match tx.oneself_to_keep().await {
            Err(StoreError::SessionEnded) => return Err(Error::Unauthenticated),
            user => user?,
        };
        // It may have been unlinked just now.
        let identity = tx.identity_to_use(code.identity()).await?;
        let identity = identity.ok_or(Error::Unauthenticated)?;
        use_up(&tx, code).await?;
        let joined = match joining {
            Some(entered) => join_at_first_use(&entered, &user, &identity).await?,
            None => {
                self.demand_vouched_for(&tx, &user, &identity).await?;
                false
            }
        };
        tx.mark_identity_used(identity.id, code.identity()).await?;
        let signed_in = self
            .after_first_step(tx, user, FirstStep::Identity(&identity), trusted_devices, device)
            .await?;
        if joined {
            self.caller_caches().forget();
        }
        Ok(signed_in)
    }

    /// Makes an account of somebody whom nobody knows, and what goes with it in the same transaction. `None` where their address, or
    /// themselves, are taken.
    pub(crate) async fn register_identity<T>(
        &self,
        email: &Email,
        identity: &ExternalIdentity,
        trace: TraceId,
        with: impl AsyncFnOnce(&UserTx, User, &Identity) -> Result<T>,
    ) -> Result<Option<T>> {
        let tx = UserTx::begin(self.database(), UserId::new(self.environment()), trace).await?;
        let entered = match identity.organization() {
            Some(organization) => {
                let entered = EnteredOrganization::enter(self.database(), &tx, organization).await?;
                entered.take_turn().await?;
                Some(entered)
            }
            None => None,
        };
        let new = NewUser {
            email: email.clone(),
            name: name_of(identity, email)?,
            avatar_url: identity.picture.clone(),
            locale: identity.locale.clone(),
        };
        let Some(user) = tx.register(new).await? else {
            return Ok(None);
        };
        // First the address: an identity from before it was proven would be doubtful for ever.
        let user = self.greet(&tx, user, identity).await?;
        let Some(linked) = tx.add_identity(identity, true).await? else {
            return Ok(None);
        };
        tx.note(Event::created(EventType::IdentityLinked, &linked)).await?;
        if let Some(entered) = entered {
            let terms = demand_terms(&entered, &user, linked.connection_id).await?;
            // It may take nobody in any more.
            let Some(role) = terms.default_role else {
                return Ok(None);
            };
            join(&entered, role).await?;
        }
        let registered = Event::created(EventType::UserRegistered, &user);
        let with_it = with(&tx, user, &linked).await?;
        tx.commit(registered).await?;
        Ok(Some(with_it))
    }

    /// Takes the provider's word for the address, where it gives one, or else has a link mailed, unless there were enough.
    async fn greet(&self, tx: &UserTx, user: User, identity: &ExternalIdentity) -> Result<User> {
        if identity.email_verified {
            return Ok(tx.verify_email(&user).await?);
        }
        let address = LimitKey::account(user.email.canonical());
        let charge = self.charge(Limit::VerificationMail, &address);
        if charge.is_none_or(|charge| charge.allowed) {
            mail_link(tx, &user.email, LinkPurpose::VerifyEmail).await?;
        }
        Ok(user)
    }
}

/// Makes somebody a member of the organization whose provider they sign in through for the first time, unless they are or were one, or
/// it has nobody become one by that. They are held, and its turn is theirs. Gives whether they became one.
async fn join_at_first_use(entered: &EnteredOrganization<'_>, user: &User, identity: &Identity) -> Result<bool> {
    let terms = demand_terms(entered, user, identity.connection_id).await?;
    match terms.default_role {
        Some(role) if identity.last_used_at.is_none() && !entered.is_or_was_member().await? => {
            join(entered, role).await?;
            Ok(true)
        }
        _ => Ok(false),
    }
}

/// What somebody is called of whom an account is made: by their address where the provider does not say.
fn name_of(identity: &ExternalIdentity, email: &Email) -> Result<Name> {
    let local_part = || email.as_str().split('@').next().unwrap_or_default().to_owned();
    let name = identity.name.clone().unwrap_or_else(local_part);
    Name::try_from(name).map_err(Error::internal)
}

/// Uses a code up, which is good once.
pub(super) async fn use_up(tx: &UserTx, code: &SignInCode) -> Result<()> {
    if tx.use_challenge(code.hash().as_bytes(), code.ends()).await? {
        Ok(())
    } else {
        Err(Error::Unauthenticated)
    }
}
