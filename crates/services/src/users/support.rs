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
    error::{Error, Result},
    second_factors::{take_factors, tell},
    users::{NewAccount, mail_link},
};

impl Services {
    /// Makes an account of somebody, with its first organization where one is named, whether or not people may by themselves. Whoever
    /// gets no password is mailed a link to choose one by.
    ///
    /// # Errors
    /// [`Conflict::EmailTaken`](crate::error::Conflict::EmailTaken); when the password is too weak, or the database is away.
    pub async fn create_user(&self, new: NewAccount, trace: TraceId) -> Result<User> {
        let has_password = new.password.is_some();
        let with = async |tx: &UserTx, user: &User| {
            if has_password {
                return Ok(());
            }
            mail_link(tx, user, LinkPurpose::ResetPassword).await?;
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
        tx.end_sessions().await?;
        tell(&tx, FactorChange::Reset).await?;
        tx.commit(Event::bare(EventType::UserMfaReset, User::TYPE, user.id))
            .await?;
        Ok(true)
    }

    /// Ends all sessions of a person, and trusts none of their devices any longer.
    ///
    /// # Errors
    /// [`Error::NotFound`] where nobody has the address; and when the database is away.
    pub async fn revoke_sessions_of(&self, email: &Email, trace: TraceId) -> Result<()> {
        let (tx, user) = self.supported(email, trace).await?;
        tx.distrust_devices().await?;
        tx.end_sessions().await?;
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
        let tx = SystemTx::begin(self.database(), SystemReason::Support).await?;
        let user = tx.user_by_email(email.canonical()).await?.ok_or(Error::NotFound)?;
        drop(tx);
        let tx = UserTx::begin(self.database(), user, trace).await?;
        let user = tx.oneself_to_change().await?;
        Ok((tx, user))
    }
}
