//! Users: making an account, and what is known of oneself.

mod departure;
mod email;
mod memberships;
mod password;
mod password_reset;
mod support;

use secrecy::SecretString;
use tenantry_auth::passwords;
use tenantry_domain::{
    emails::Email,
    events::{Event, EventType},
    ids::UserId,
    links::LinkPurpose,
    organizations::{Organization, OrganizationCreate},
    sessions::Device,
    text::Name,
    trace::TraceId,
    users::{User, UserUpdate},
};
use tenantry_persistence::user::{FoundingTx, UserTx};

use crate::{
    Registration, Services,
    callers::Principal,
    error::{Conflict, Error, Result},
    organizations::found,
    preconditions::Precondition,
    sessions::SignedIn,
};

/// What an account is made of.
pub struct NewAccount {
    /// The address that signs in.
    pub email: Email,
    /// The password.
    pub password: SecretString,
    /// The person's name.
    pub name: Name,
    /// The name of an organization to found with it.
    pub organization: Option<Name>,
    /// Whether it is known that the address is the person's; if not, they are mailed a link.
    pub verified: bool,
}

/// What is wrong with a password, whoever chooses it: for an answer that names all that is wrong with a body at once.
/// Takes milliseconds. Making the account looks again, with the address in mind.
#[must_use]
pub fn weakness(password: &SecretString) -> Option<passwords::Weakness> {
    passwords::check(password, "").err()
}

impl Services {
    /// Makes an account and signs it in; founds its first organization where one is named.
    ///
    /// # Errors
    /// When registration is closed, the password is too weak, the address is taken, or the service is too busy.
    #[tracing::instrument(skip_all)]
    pub async fn register(&self, new: NewAccount, device: &Device, trace: TraceId) -> Result<SignedIn> {
        self.demand_open_registration()?;
        let registered = self.registered(new, device, trace).await?;
        self.ring_for_jobs();
        Ok(registered)
    }

    async fn registered(&self, new: NewAccount, device: &Device, trace: TraceId) -> Result<SignedIn> {
        demand_strength(&new.password, &new.email).await?;
        let password_hash = self.settings().passwords.hash(new.password.clone()).await?;
        let id = UserId::new(self.environment());
        match new.organization.clone() {
            None => {
                let tx = UserTx::begin(self.database(), id, trace).await?;
                let user = add_user(&tx, &new, password_hash).await?;
                let signed_in = self.open_session(&tx, user, device).await?;
                tx.commit(Event::created(EventType::UserRegistered, &signed_in.user))
                    .await?;
                Ok(signed_in)
            }
            Some(name) => {
                let tx = FoundingTx::begin(self.database(), id, trace).await?;
                let user = add_user(tx.as_user(), &new, password_hash).await?;
                let region = Organization::DEFAULT_REGION.to_owned();
                let (organization, ..) = found(
                    &tx,
                    OrganizationCreate {
                        name,
                        slug: None,
                        region,
                    },
                )
                .await?;
                let signed_in = self.open_session(tx.as_user(), user, device).await?;
                let registered = Event::created(EventType::UserRegistered, &signed_in.user);
                tx.commit_with(
                    Event::created(EventType::OrganizationCreated, &organization),
                    registered,
                )
                .await?;
                Ok(signed_in)
            }
        }
    }

    /// Whether people may make accounts by themselves: what is asked before a body is read.
    ///
    /// # Errors
    /// [`Error::RegistrationClosed`].
    pub fn demand_open_registration(&self) -> Result<()> {
        match self.settings().registration {
            Registration::Open => Ok(()),
            Registration::Private => Err(Error::RegistrationClosed),
        }
    }

    /// What is known of the caller.
    ///
    /// # Errors
    /// When the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn oneself(&self, principal: &Principal, trace: TraceId) -> Result<User> {
        Ok(UserTx::read(self.database(), principal.user(), trace)
            .await?
            .oneself()
            .await?)
    }

    /// Changes what is known of the caller.
    ///
    /// # Errors
    /// When that is another version by now, or the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn update_oneself(
        &self,
        principal: &Principal,
        change: UserUpdate,
        precondition: &Precondition,
        trace: TraceId,
    ) -> Result<User> {
        let tx = UserTx::begin_as(self.database(), principal, trace).await?;
        let user = tx.oneself_to_change().await?;
        precondition.check(user.revision())?;
        let wanted = user
            .changed(change)
            .map_err(|_| Error::SettingsTooLarge("preferences"))?;
        if wanted == user {
            return Ok(user);
        }
        let changed = tx.update_oneself(&user, wanted).await?;
        tx.commit(Event::changed(EventType::UserUpdated, &user, &changed))
            .await?;
        Ok(changed)
    }
}

/// That whoever has this address may choose this password.
async fn demand_strength(password: &SecretString, email: &Email) -> Result<()> {
    let (password, email) = (password.clone(), email.clone());
    // Estimating how easily a password is guessed takes milliseconds, which other requests need not wait for.
    tokio::task::spawn_blocking(move || passwords::check(&password, email.as_str()))
        .await
        .map_err(Error::internal)??;
    Ok(())
}

async fn add_user(tx: &UserTx, new: &NewAccount, password_hash: String) -> Result<User> {
    let added = tx.register(&new.email, &new.name, password_hash).await?;
    let user = added.ok_or(Error::Conflict(Conflict::EmailTaken))?;
    if new.verified {
        return Ok(tx.verify_email(&user).await?);
    }
    email::mail_link(tx, &user, LinkPurpose::VerifyEmail).await?;
    Ok(user)
}
