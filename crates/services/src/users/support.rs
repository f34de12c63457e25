//! What an operator does for a person, who cannot do it by themselves any more.

use tenantry_domain::{
    emails::Email,
    events::{Event, EventType, Subject},
    identities::Identity,
    jobs::FactorChange,
    links::LinkPurpose,
    second_factors::SecondFactors,
    trace::TraceId,
    users::User,
};
use tenantry_persistence::{
    system::{SystemReason, SystemTx},
    user::UserTx,
};

use crate::{
    Services,
    error::{Conflict, Error, Result},
    second_factors::{take_factors, tell},
    users::{NewAccount, call_email_change_off, mail_link},
};

impl Services {
    /// Makes an account of somebody, with its first organization where one is named, whether or not people may by themselves. Whoever
    /// gets no password is mailed a link to choose one by.
    ///
    /// # Errors
    /// [`Conflict::EmailTaken`]; when the password is too weak, or the database is away.
    pub async fn create_user(&self, new: NewAccount, trace: TraceId) -> Result<User> {
        let has_password = new.password.is_some();
        let with = async |tx: &UserTx, user: &User| {
            if has_password {
                return Ok(());
            }
            mail_link(tx, &user.email, LinkPurpose::ResetPassword).await?;
            Ok(())
        };
        Ok(self.made(new, trace, with).await?.0)
    }

    /// Takes all second factors of a person away, ends all of their sessions, and tells them: the password, or a linked provider,
    /// signs in by itself until they set another factor up. `false` where they had none, which changes nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`] where nobody has the address; and when the database is away.
    pub async fn reset_mfa_of(&self, email: &Email, trace: TraceId) -> Result<bool> {
        let (tx, user) = self.supported(email, trace).await?;
        // Begun ones, wrong codes and their lock included.
        if tx.second_factors().await? == SecondFactors::default() && tx.passkeys_count().await? == 0 {
            return Ok(false);
        }
        take_factors(&tx, &user).await?;
        tx.forget_devices().await?;
        tx.end_sessions().await?;
        tell(&tx, FactorChange::Reset).await?;
        tx.commit(Event::bare(EventType::UserMfaReset, User::TYPE, user.id))
            .await?;
        Ok(true)
    }

    /// Gives a person another address, which counts as proven, and tells whoever reads the mails of the former one.
    ///
    /// # Errors
    /// [`Error::NotFound`] where nobody has the address, [`Conflict::EmailUnchanged`], [`Conflict::EmailTaken`]; and when the database is
    /// away.
    pub async fn change_email_of(&self, email: &Email, new: &Email, trace: TraceId) -> Result<User> {
        let (tx, user) = self.supported_alone(email, trace).await?;
        if user.email.canonical() == new.canonical() {
            return Err(Error::Conflict(Conflict::EmailUnchanged));
        }
        self.change_email(tx, &user, new).await
    }

    /// Ends all sessions of a person, trusts none of their devices any longer, and lets a change of their address come to nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`] where nobody has the address; and when the database is away.
    pub async fn revoke_sessions_of(&self, email: &Email, trace: TraceId) -> Result<()> {
        let (tx, user) = self.supported(email, trace).await?;
        tx.distrust_devices().await?;
        tx.end_sessions().await?;
        tx.forget_devices().await?;
        call_email_change_off(&tx, &user).await?;
        tx.commit(Event::bare(EventType::UserSessionsRevoked, User::TYPE, user.id))
            .await?;
        Ok(())
    }

    /// What providers know a person by.
    ///
    /// # Errors
    /// [`Error::NotFound`] where nobody has the address; and when the database is away.
    pub async fn identities_of(&self, email: &Email, trace: TraceId) -> Result<Vec<Identity>> {
        let (tx, _) = self.supported(email, trace).await?;
        Ok(tx.all_identities().await?)
    }

    /// A transaction of whoever has an address, whom nobody else changes until it ends.
    async fn supported(&self, email: &Email, trace: TraceId) -> Result<(UserTx, User)> {
        let tx = self.transaction_of_supported(email, trace).await?;
        let user = tx.oneself_to_change().await?;
        Ok((tx, user))
    }

    /// The same, to whom nothing refers anew until it ends, either.
    async fn supported_alone(&self, email: &Email, trace: TraceId) -> Result<(UserTx, User)> {
        let tx = self.transaction_of_supported(email, trace).await?;
        let user = tx.oneself_alone().await?;
        Ok((tx, user))
    }

    async fn transaction_of_supported(&self, email: &Email, trace: TraceId) -> Result<UserTx> {
        let tx = SystemTx::begin(self.database(), SystemReason::Support).await?;
        let user = tx.user_by_email(email.canonical()).await?.ok_or(Error::NotFound)?;
        drop(tx);
        Ok(UserTx::begin(self.database(), user, trace).await?)
    }
}
