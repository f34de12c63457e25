//! Proving that one's address is one's own.

use tenantry_auth::mailed_links::{self, ShownLink};
use tenantry_domain::{
    emails::Email,
    events::{Event, EventType, Subject},
    ids::{LinkId, UserId},
    jobs::UserJob,
    links::LinkPurpose,
    trace::TraceId,
    users::User,
};
use tenantry_persistence::{
    Error as StoreError,
    system::{SystemReason, SystemTx},
    user::UserTx,
};

use super::email_change::call_email_change_off;
use crate::{
    Services,
    callers::Principal,
    error::{Error, Result},
};

impl Services {
    /// Mails the caller a link to prove their address by, unless they have.
    ///
    /// # Errors
    /// When the session has ended, or the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn request_own_verification(&self, principal: &Principal, trace: TraceId) -> Result<()> {
        let tx = UserTx::begin_as(self.database(), principal, trace).await?;
        let user = tx.oneself().await?;
        self.requested(tx, &user, LinkPurpose::VerifyEmail).await
    }

    /// Mails whoever has an address a link: to prove it by, unless they have; or to choose another password by. Nobody is told
    /// whether anybody has it.
    ///
    /// # Errors
    /// When the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn request_link(&self, purpose: LinkPurpose, email: &Email, trace: TraceId) -> Result<()> {
        match self.whoever_has(email, trace).await? {
            Some((tx, user)) => self.requested(tx, &user, purpose).await,
            None => Ok(()),
        }
    }

    /// A transaction of whoever has an address. Nobody takes about as long to look up as somebody.
    pub(crate) async fn whoever_has(&self, email: &Email, trace: TraceId) -> Result<Option<(UserTx, User)>> {
        let tx = SystemTx::begin(self.database(), SystemReason::MailRequest).await?;
        let found = tx.user_by_email(email.canonical()).await?;
        drop(tx);
        let user = found.unwrap_or_else(|| UserId::new(self.environment()));
        let tx = UserTx::begin(self.database(), user, trace).await?;
        match tx.oneself_to_keep().await {
            Ok(user) => Ok(Some((tx, user))),
            // There is nobody, or nobody any more.
            Err(StoreError::SessionEnded) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn requested(&self, tx: UserTx, user: &User, purpose: LinkPurpose) -> Result<()> {
        let event = match purpose {
            LinkPurpose::VerifyEmail if user.email_verified_at.is_some() => return Ok(()),
            LinkPurpose::VerifyEmail => EventType::UserVerificationRequested,
            LinkPurpose::ResetPassword => EventType::UserPasswordResetRequested,
            LinkPurpose::ConfirmIdentity => EventType::IdentityConfirmationRequested,
            LinkPurpose::ApproveEmailChange | LinkPurpose::ProveNewEmail => EventType::UserEmailChangeRequested,
        };
        mail_link(&tx, &user.email, purpose).await?;
        tx.commit(Event::bare(event, User::TYPE, user.id)).await?;
        self.ring_for_jobs();
        Ok(())
    }

    /// Proves an address by the secret of a link that was mailed to it.
    ///
    /// # Errors
    /// [`Error::LinkGone`]; and when the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn verify_email(&self, secret: &str, trace: TraceId) -> Result<User> {
        let (tx, user) = self.follow_link(LinkPurpose::VerifyEmail, secret, trace).await?;
        tx.use_links(&[LinkPurpose::VerifyEmail]).await?;
        // It was asked for when whoever reads here had no say in it.
        call_email_change_off(&tx, &user).await?;
        let user = tx.verify_email(&user).await?;
        tx.commit(Event::bare(EventType::UserEmailVerified, User::TYPE, user.id))
            .await?;
        Ok(user)
    }

    /// A transaction of whoever a link was mailed to, in which it is good and nobody else uses it.
    ///
    /// # Errors
    /// [`Error::LinkGone`]; and when the database is away.
    pub(crate) async fn follow_link(
        &self,
        purpose: LinkPurpose,
        secret: &str,
        trace: TraceId,
    ) -> Result<(UserTx, User)> {
        let shown = mailed_links::read(self.keyring(), purpose, secret).ok_or(Error::LinkGone)?;
        let tx = self.transaction_of_link(shown, trace).await?;
        let user = still_there(tx.oneself_to_change().await)?;
        let link = tx.link_to_use(shown.id()).await?;
        if link.is_some_and(|link| link.is_good(purpose, user.email.canonical(), tx.now())) {
            Ok((tx, user))
        } else {
            Err(Error::LinkGone)
        }
    }

    /// A transaction of whoever a link was mailed to.
    pub(super) async fn transaction_of_link(&self, shown: ShownLink, trace: TraceId) -> Result<UserTx> {
        let tx = SystemTx::begin(self.database(), SystemReason::MailedLink).await?;
        let user = tx.user_by_link(shown.id()).await?.ok_or(Error::LinkGone)?;
        drop(tx);
        Ok(UserTx::begin(self.database(), user, trace).await?)
    }
}

/// Whoever a link was mailed to, unless they are gone.
pub(super) fn still_there(oneself: Result<User, StoreError>) -> Result<User> {
    match oneself {
        Err(StoreError::SessionEnded) => Err(Error::LinkGone),
        user => Ok(user?),
    }
}

/// Has a link of the person whose transaction this is mailed to an address.
pub(crate) async fn mail_link(tx: &UserTx, email: &Email, purpose: LinkPurpose) -> Result<LinkId> {
    let link = tx.add_link(purpose, email).await?;
    let job = match purpose {
        LinkPurpose::VerifyEmail => UserJob::MailVerification { link },
        LinkPurpose::ResetPassword => UserJob::MailPasswordReset { link },
        LinkPurpose::ConfirmIdentity => UserJob::MailIdentityConfirmation { link },
        LinkPurpose::ApproveEmailChange => UserJob::MailEmailChangeApproval { link },
        LinkPurpose::ProveNewEmail => UserJob::MailEmailChangeProof { link },
    };
    tx.enqueue(&job).await?;
    Ok(link)
}
