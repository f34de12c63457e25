//! Users: making an account, and what is known of oneself.

mod departure;
mod email;
mod email_change;
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
use tenantry_persistence::{
    user::{FoundingTx, UserTx},
    users::NewUser,
};

pub(crate) use self::{email::mail_link, email_change::call_email_change_off};
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
    /// The password; `None` of somebody who chooses one by a mail.
    pub password: Option<SecretString>,
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
        let open = async |tx: &UserTx, user: &User| self.open_first_session(tx, user.clone(), device, None).await;
        Ok(self.made(new, trace, open).await?.1)
    }

    /// Makes an account, with its first organization where one is named, and what goes with it in the same transaction.
    async fn made<T>(
        &self,
        new: NewAccount,
        trace: TraceId,
        with: impl AsyncFnOnce(&UserTx, &User) -> Result<T>,
    ) -> Result<(User, T)> {
        let password_hash = match &new.password {
            Some(password) => {
                demand_strength(password, &new.email).await?;
                Some(self.settings().passwords.hash(password.clone()).await?)
            }
            None => None,
        };
        let id = UserId::new(self.environment());
        match new.organization.clone() {
            None => {
                let tx = UserTx::begin(self.database(), id, trace).await?;
                let user = add_user(&tx, &new, password_hash).await?;
                let with_it = with(&tx, &user).await?;
                tx.commit(Event::created(EventType::UserRegistered, &user)).await?;
                Ok((user, with_it))
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
                let with_it = with(tx.as_user(), &user).await?;
                let registered = Event::created(EventType::UserRegistered, &user);
                tx.commit_with(
                    Event::created(EventType::OrganizationCreated, &organization),
                    registered,
                )
                .await?;
                Ok((user, with_it))
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

async fn add_user(tx: &UserTx, new: &NewAccount, password_hash: Option<String>) -> Result<User> {
    let person = NewUser {
        email: new.email.clone(),
        name: new.name.clone(),
        avatar_url: None,
        locale: None,
    };
    let added = tx.register(person).await?;
    let user = added.ok_or(Error::Conflict(Conflict::EmailTaken))?;
    if let Some(password_hash) = password_hash {
        tx.set_password_hash(password_hash).await?;
    }
    if new.verified {
        return Ok(tx.verify_email(&user).await?);
    }
    mail_link(tx, &user.email, LinkPurpose::VerifyEmail).await?;
    Ok(user)
}
