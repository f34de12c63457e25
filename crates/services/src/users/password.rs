//! Choosing another password.

use secrecy::SecretString;
use tenantry_auth::passwords::Verdict;
use tenantry_domain::{
    events::{Event, EventType, Subject},
    jobs::UserJob,
    links::LinkPurpose,
    trace::TraceId,
    users::User,
};
use tenantry_persistence::user::UserTx;

use crate::{
    Services,
    callers::Principal,
    error::{Error, Result},
    users::{call_email_change_off, demand_strength},
};

impl Services {
    /// Gives the caller, who knows the present one, another password, ends all of their other sessions, and trusts none of their
    /// devices any longer.
    ///
    /// # Errors
    /// [`Error::IncorrectPassword`], also where another change was faster; when the new one is too weak, the session has
    /// ended, or the service is too busy.
    #[tracing::instrument(skip_all)]
    pub async fn change_password(
        &self,
        principal: &Principal,
        current: SecretString,
        new: SecretString,
        trace: TraceId,
    ) -> Result<User> {
        let (known, email) = {
            let tx = UserTx::read(self.database(), principal.user(), trace).await?;
            (tx.password_hash().await?, tx.oneself().await?.email)
        };
        // No transaction is open meanwhile: hashing takes its time, and others need the connections.
        match self.settings().passwords.verify(current, known.as_deref()).await? {
            Verdict::Right { .. } => {}
            Verdict::Wrong => return Err(Error::IncorrectPassword),
        }
        let known = known.ok_or(Error::IncorrectPassword)?;
        demand_strength(&new, &email).await?;
        let hash = self.settings().passwords.hash(new).await?;

        let tx = UserTx::begin_as(self.database(), principal, trace).await?;
        // Whoever asks for something in a session that ends here is waited for, and comes to nothing.
        let user = tx.oneself_to_change().await?;
        if !tx.replace_password_hash(&known, hash).await? {
            return Err(Error::IncorrectPassword);
        }
        tx.end_other_sessions(principal.session()).await?;
        tx.distrust_devices().await?;
        tx.forget_devices().await?;
        // Whoever has an old mail does not undo this.
        tx.use_links(&[LinkPurpose::ResetPassword, LinkPurpose::ConfirmIdentity])
            .await?;
        call_email_change_off(&tx, &user).await?;
        tx.enqueue(&UserJob::MailPasswordChanged { at: tx.now() }).await?;
        tx.commit(Event::bare(EventType::UserPasswordChanged, User::TYPE, user.id))
            .await?;
        self.ring_for_jobs();
        self.caller_caches().forget();
        Ok(user)
    }
}
