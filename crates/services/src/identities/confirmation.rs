//! Linking an identity by a link that is mailed to the account whose address the provider has verified: whoever reads its mails says
//! that it is theirs, too.

use std::time::Duration;

use tenantry_auth::mailed_links;
use tenantry_domain::{
    emails::Email,
    events::{Event, EventType, Subject as _},
    identities::{ExternalIdentity, Identity},
    jobs::IdentityChange,
    links::LinkPurpose,
    trace::TraceId,
    users::User,
};
use tokio::time::sleep;

use super::{demand_room, tell};
use crate::{
    Services,
    error::{Conflict, Error, Result},
    limits::{Limit, LimitKey},
    users::mail_link,
};

/// How long asking takes at least, whether or not somebody is asked: more than writing it down.
const ALIKE: Duration = Duration::from_millis(100);

impl Services {
    /// Asks whoever has this address by a mail whether an identity is theirs, where both they and the provider have proven it.
    /// Nobody is told whether anybody has it, nor by how long it takes.
    pub(crate) async fn ask_to_confirm(
        &self,
        email: &Email,
        identity: &ExternalIdentity,
        trace: TraceId,
    ) -> Result<()> {
        let (asked, ()) = tokio::join!(self.ask_whoever_has(email, identity, trace), sleep(ALIKE));
        asked
    }

    async fn ask_whoever_has(&self, email: &Email, identity: &ExternalIdentity, trace: TraceId) -> Result<()> {
        if !identity.email_verified {
            return Ok(());
        }
        let charge = self.charge(Limit::IdentityMail, &LimitKey::account(email.canonical()));
        if charge.is_some_and(|charge| !charge.allowed) {
            return Ok(());
        }
        let Some((tx, user)) = self.whoever_has(email, trace).await? else {
            return Ok(());
        };
        if user.email_verified_at.is_none() {
            return Ok(());
        }
        let link = mail_link(&tx, &user.email, LinkPurpose::ConfirmIdentity).await?;
        tx.add_pending_identity(link, identity).await?;
        tx.commit(Event::bare(
            EventType::IdentityConfirmationRequested,
            User::TYPE,
            user.id,
        ))
        .await?;
        self.ring_for_jobs();
        Ok(())
    }

    /// Links an identity to whoever was mailed a link for that.
    ///
    /// # Errors
    /// [`Error::LinkGone`], [`Conflict::IdentityTaken`], [`Conflict::TooManyIdentities`], [`Conflict::EmailNotInDomain`]; and when the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn confirm_identity(&self, secret: &str, trace: TraceId) -> Result<Identity> {
        let purpose = LinkPurpose::ConfirmIdentity;
        let shown = mailed_links::read(self.keyring(), purpose, secret).ok_or(Error::LinkGone)?;
        let (tx, user) = self.follow_link(purpose, secret, trace).await?;
        let pending = tx.pending_identity(shown.id()).await?.ok_or(Error::LinkGone)?;
        demand_room(&tx, &pending).await?;
        let identity = tx.add_identity(&pending, false).await?;
        let identity = identity.ok_or(Error::Conflict(Conflict::IdentityTaken))?;
        let vouched_for = self.demand_vouched_for(&tx, &user, &identity).await;
        vouched_for.map_err(|error| match error {
            // Through a provider that is another by now.
            Error::Unauthenticated => Error::LinkGone,
            error => error,
        })?;
        tx.use_links(&[purpose]).await?;
        tell(&tx, IdentityChange::Linked, &identity).await?;
        tx.commit(Event::created(EventType::IdentityLinked, &identity)).await?;
        self.ring_for_jobs();
        // Tokens of its issuer count from now on.
        self.caller_caches().forget();
        Ok(identity)
    }
}
