//! Choosing another password by a link that was mailed, without the present one.

use secrecy::SecretString;
use tenantry_domain::{
    events::{Event, EventType, Subject},
    jobs::UserJob,
    links::LinkPurpose,
    second_factors::SecondFactors,
    trace::TraceId,
    users::User,
};

use crate::{
    Services,
    error::Result,
    identities::take_doubtful_identities,
    second_factors::{take_doubtful_passkeys, take_factors},
    users::{call_email_change_off, demand_strength},
};

impl Services {
    /// Gives whoever a link was mailed to another password, ends all of their sessions, trusts none of their devices any
    /// longer, and tells them. That they read the mail proves the address, too. A second factor is asked for as before,
    /// unless it was set up before the address was proven; passkeys and identities of the last days go.
    ///
    /// # Errors
    /// [`Error::LinkGone`](crate::Error::LinkGone); when the password is too weak, which leaves the link good, or the service is too busy.
    #[tracing::instrument(skip_all)]
    pub async fn reset_password(&self, secret: &str, new: SecretString, trace: TraceId) -> Result<User> {
        // Whoever holds no good link has nothing hashed. The transaction ends here: others need the connections meanwhile.
        let (tx, user) = self.follow_link(LinkPurpose::ResetPassword, secret, trace).await?;
        drop(tx);
        demand_strength(&new, &user.email).await?;
        let hash = self.settings().passwords.hash(new).await?;

        let (tx, user) = self.follow_link(LinkPurpose::ResetPassword, secret, trace).await?;
        // What another link would prove is proven; and whoever read the mails for a while asked for the last one, perhaps.
        tx.use_links(&[
            LinkPurpose::ResetPassword,
            LinkPurpose::VerifyEmail,
            LinkPurpose::ConfirmIdentity,
        ])
        .await?;
        call_email_change_off(&tx, &user).await?;
        tx.set_password_hash(hash).await?;
        let proven_at = user.email_verified_at.unwrap_or_else(|| tx.now());
        take_doubtful_passkeys(&tx, proven_at).await?;
        take_doubtful_identities(&tx, proven_at).await?;
        let user = if user.email_verified_at.is_some() {
            user
        } else {
            // Whoever made the account never proved that the address is theirs: what they set up keeps its owner out no longer.
            let user = if tx.second_factors().await? == SecondFactors::default() {
                user
            } else {
                tx.note(Event::bare(EventType::UserMfaDisabled, User::TYPE, user.id))
                    .await?;
                take_factors(&tx, &user).await?
            };
            tx.verify_email(&user).await?
        };
        // After the factors: whoever signs in by one at this moment is waited for.
        tx.end_sessions().await?;
        tx.distrust_devices().await?;
        tx.forget_devices().await?;
        tx.enqueue(&UserJob::MailPasswordChanged { at: tx.now() }).await?;
        tx.commit(Event::bare(EventType::UserPasswordReset, User::TYPE, user.id))
            .await?;
        self.ring_for_jobs();
        self.caller_caches().forget();
        Ok(user)
    }
}
