//! Another address in place of one's own.

use tenantry_auth::mailed_links;
use tenantry_domain::{
    email_changes::{EmailChange, Side},
    emails::Email,
    events::{Event, EventType, Subject},
    jobs::UserJob,
    links::LinkPurpose,
    trace::TraceId,
    users::User,
};
use tenantry_persistence::user::UserTx;

use super::email::{mail_link, still_there};
use crate::{
    Services,
    callers::Principal,
    error::{Conflict, Error, Result},
    limits::{Limit, LimitKey},
    preconditions::Precondition,
};

impl Services {
    /// Mails both addresses a link by which whoever reads there agrees that the caller has `email` from then on; the present one
    /// where it is proven, since one that is not may be a typo. Takes the place of a change that is under way. Nobody is told
    /// whether somebody else has the address.
    ///
    /// # Errors
    /// [`Error::ReauthenticationRequired`], [`Conflict::EmailUnchanged`], [`Conflict::SsoRequired`], [`Error::RateLimited`]; and when
    /// the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn request_email_change(
        &self,
        principal: &Principal,
        email: &Email,
        trace: TraceId,
    ) -> Result<EmailChange> {
        let (tx, user) = UserTx::begin_fresh(self.database(), principal, trace).await?;
        if user.email.canonical() == email.canonical() {
            return Err(Error::Conflict(Conflict::EmailUnchanged));
        }
        demand_free_address(&tx).await?;
        self.charge_all(&[
            (Limit::EmailChangeMail, LimitKey::user(user.id)),
            (Limit::EmailChangeMail, LimitKey::account(email.canonical())),
        ])?;
        call_email_change_off(&tx, &user).await?;
        let change = tx.begin_email_change(&user, email).await?;
        for side in change.awaits() {
            let to = match side {
                Side::Current => &user.email,
                Side::New => &change.email,
            };
            mail_link(&tx, to, side.link_purpose()).await?;
        }
        tx.commit(Event::bare(EventType::UserEmailChangeRequested, User::TYPE, user.id))
            .await?;
        self.ring_for_jobs();
        Ok(change)
    }

    /// The change of the caller's address that is under way.
    ///
    /// # Errors
    /// [`Error::NotFound`] where none is; and when the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn email_change(&self, principal: &Principal, trace: TraceId) -> Result<EmailChange> {
        let tx = UserTx::read(self.database(), principal.user(), trace).await?;
        tx.email_change().await?.ok_or(Error::NotFound)
    }

    /// Keeps the caller's address.
    ///
    /// # Errors
    /// [`Error::NotFound`] where no change is under way, [`Error::PreconditionFailed`] where that is another; when the session has
    /// ended, or the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn cancel_email_change(
        &self,
        principal: &Principal,
        precondition: &Precondition,
        trace: TraceId,
    ) -> Result<()> {
        let tx = UserTx::begin_as(self.database(), principal, trace).await?;
        let user = tx.oneself_to_change().await?;
        let change = tx.email_change().await?.ok_or(Error::NotFound)?;
        precondition.check(change.revision())?;
        tx.cancel_email_change().await?;
        tx.commit(Event::bare(EventType::UserEmailChangeCancelled, User::TYPE, user.id))
            .await?;
        Ok(())
    }

    /// Confirms one of the two addresses of a change by the secret of the link that was mailed there. Once both are, the new one takes
    /// the place of the other, and whoever reads the mails of that is told. Gives what is left to be confirmed.
    ///
    /// # Errors
    /// [`Error::LinkGone`]; [`Conflict::SsoRequired`]; [`Conflict::EmailTaken`] where both are, and somebody else has the new one by
    /// now; and when the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn confirm_email_change(&self, secret: &str, trace: TraceId) -> Result<EmailChange> {
        let read = |side: &Side| Some((*side, mailed_links::read(self.keyring(), side.link_purpose(), secret)?));
        let (side, shown) = [Side::Current, Side::New]
            .iter()
            .find_map(read)
            .ok_or(Error::LinkGone)?;
        let tx = self.transaction_of_link(shown, trace).await?;
        // From the start as the last step needs them: of two who hold them less, neither could go on.
        let user = still_there(tx.oneself_alone().await)?;
        let change = tx.email_change().await?.ok_or(Error::LinkGone)?;
        let mailed_to = match side {
            Side::Current => &user.email,
            Side::New => &change.email,
        };
        let link = tx.link_to_use(shown.id()).await?;
        if !link.is_some_and(|link| link.is_good(side.link_purpose(), mailed_to.canonical(), tx.now())) {
            return Err(Error::LinkGone);
        }
        let change = change.confirmed(side, tx.now());
        if change.awaits().is_empty() {
            demand_free_address(&tx).await?;
            self.change_email(tx, &user, &change.email).await?;
        } else {
            tx.use_links(&[side.link_purpose()]).await?;
            tx.confirm_email_change(&change).await?;
            tx.commit(Event::bare(EventType::UserEmailChangeConfirmed, User::TYPE, user.id))
                .await?;
        }
        Ok(change)
    }

    /// Gives a person whom nobody else holds an address that is theirs, and tells whoever reads the mails of the other.
    pub(super) async fn change_email(&self, tx: UserTx, user: &User, email: &Email) -> Result<User> {
        let changed = tx.change_email(user, email).await?;
        let changed = changed.ok_or(Error::Conflict(Conflict::EmailTaken))?;
        // Whoever reads the mails of the former address from now on has no part in the account.
        tx.use_links(&[
            LinkPurpose::VerifyEmail,
            LinkPurpose::ResetPassword,
            LinkPurpose::ConfirmIdentity,
        ])
        .await?;
        if user.email_verified_at.is_some() {
            tx.enqueue(&UserJob::MailEmailChanged {
                to: user.email.clone(),
                email: changed.email.clone(),
                at: tx.now(),
            })
            .await?;
        }
        tx.commit(Event::changed(EventType::UserEmailChanged, user, &changed))
            .await?;
        self.ring_for_jobs();
        // By its domain they are to sign in otherwise, perhaps.
        self.caller_caches().forget();
        Ok(changed)
    }
}

/// That no organization demands of the person to sign in through its provider, which it does by their address.
async fn demand_free_address(tx: &UserTx) -> Result<()> {
    match tx.demanded_connection().await? {
        Some(demanded) if !demanded.is_owner => Err(Error::Conflict(Conflict::SsoRequired)),
        _ => Ok(()),
    }
}

/// Lets a change of the person's address come to nothing, where one is under way, when something else takes away what whoever asked
/// for it may have asked by.
pub(crate) async fn call_email_change_off(tx: &UserTx, user: &User) -> Result<()> {
    if tx.cancel_email_change().await? {
        tx.note(Event::bare(EventType::UserEmailChangeCancelled, User::TYPE, user.id))
            .await?;
    }
    Ok(())
}
