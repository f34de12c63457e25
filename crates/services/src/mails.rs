//! Mails to people. Each is a job; what it says is read when it is sent, and one that has lost its point is not.

use std::net::IpAddr;

use chrono::TimeDelta;
use secrecy::{ExposeSecret as _, SecretString};
use tenantry_auth::mailed_links;
use tenantry_domain::{
    emails::Email,
    environment::Timestamp,
    ids::{InvitationId, LinkId, OrganizationId, UserId},
    jobs::{FactorChange, IdentityChange},
    links::{Link, LinkPurpose},
    organizations::OrganizationStatus,
    text::Name,
    users::User,
};
use tenantry_integrations::mail::{Kept, Language, Letter, Recipient, RenderError, SendError};
use tenantry_persistence::{Error as StoreError, invitations, user::UserTx};

use crate::{
    Services,
    jobs::{Failure, TakenJob},
};

/// How many times `unit` it is, a begun one counted.
fn rounded_up(count: i64, unit: i64) -> u32 {
    u32::try_from((count + unit - 1) / unit).unwrap_or_default()
}

/// A moment as people read it.
fn moment(at: Timestamp) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}

/// Why a mail did not go out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Undelivered {
    /// It could not be written.
    #[error("the mail could not be written: {0}")]
    Unwritten(#[from] RenderError),
    /// It could not be sent.
    #[error("{0}")]
    Unsent(#[from] SendError),
}

impl Services {
    /// The mails that are kept to be looked at, newest first; `None` where mails are not kept.
    #[must_use]
    pub fn kept_mails(&self) -> Option<Vec<Kept>> {
        self.settings().mailer.outbox().map(|outbox| outbox.mails())
    }

    /// Mails the link by which a person proves that their address is theirs.
    pub(crate) async fn mail_verification(&self, job: &TakenJob, user: UserId, link: LinkId) -> Result<(), Failure> {
        let purpose = LinkPurpose::VerifyEmail;
        let Some((user, left)) = self.still_to_be_mailed(job, user, purpose, link).await? else {
            return Ok(());
        };
        if user.email_verified_at.is_some() {
            return Ok(());
        }
        let letter = Letter::VerifyEmail {
            link: self.link("verify-email", purpose, link),
            hours: rounded_up(left.num_minutes(), 60),
        };
        self.deliver_to(job, &letter, &user).await
    }

    /// Mails the link by which a person chooses another password.
    pub(crate) async fn mail_password_reset(&self, job: &TakenJob, user: UserId, link: LinkId) -> Result<(), Failure> {
        let purpose = LinkPurpose::ResetPassword;
        let Some((user, left)) = self.still_to_be_mailed(job, user, purpose, link).await? else {
            return Ok(());
        };
        let letter = Letter::ResetPassword {
            link: self.link("reset-password", purpose, link),
            minutes: rounded_up(left.num_seconds(), 60),
        };
        self.deliver_to(job, &letter, &user).await
    }

    /// Tells a person that their password was changed.
    pub(crate) async fn mail_password_changed(
        &self,
        job: &TakenJob,
        user: UserId,
        at: Timestamp,
    ) -> Result<(), Failure> {
        self.tell(job, user, &Letter::PasswordChanged { at: moment(at) }).await
    }

    /// Tells a person what became of their second factors.
    pub(crate) async fn mail_second_factor(
        &self,
        job: &TakenJob,
        user: UserId,
        change: FactorChange,
        at: Timestamp,
    ) -> Result<(), Failure> {
        let letter = Letter::SecondFactor { change, at: moment(at) };
        self.tell(job, user, &letter).await
    }

    /// Asks a person whether it was them who signed in through a provider.
    pub(crate) async fn mail_identity_confirmation(
        &self,
        job: &TakenJob,
        user: UserId,
        link: LinkId,
    ) -> Result<(), Failure> {
        let purpose = LinkPurpose::ConfirmIdentity;
        let Some((user, left)) = self.still_to_be_mailed(job, user, purpose, link).await? else {
            return Ok(());
        };
        let tx = UserTx::read(self.database(), user.id, job.trace).await?;
        let Some(pending) = tx.pending_identity(link).await? else {
            return Ok(());
        };
        let letter = Letter::IdentityConfirmation {
            link: self.link("confirm-identity", purpose, link),
            provider: self.provider_name(&pending.provider).await?,
            account: pending.email.map(|email| email.as_str().to_owned()).unwrap_or_default(),
            minutes: rounded_up(left.num_seconds(), 60),
        };
        self.deliver_to(job, &letter, &user).await
    }

    /// Asks a person, at their present address, to agree to another.
    pub(crate) async fn mail_email_change_approval(
        &self,
        job: &TakenJob,
        user: UserId,
        link: LinkId,
    ) -> Result<(), Failure> {
        let purpose = LinkPurpose::ApproveEmailChange;
        let Some((user, left)) = self.still_to_be_mailed(job, user, purpose, link).await? else {
            return Ok(());
        };
        let tx = UserTx::read(self.database(), user.id, job.trace).await?;
        let Some(change) = tx.email_change().await? else {
            return Ok(());
        };
        drop(tx);
        let letter = Letter::EmailChangeApproval {
            link: self.link("confirm-email-change", purpose, link),
            email: change.email.as_str().to_owned(),
            hours: rounded_up(left.num_minutes(), 60),
        };
        self.deliver_to(job, &letter, &user).await
    }

    /// Asks at the address that a person wants whether it is theirs.
    pub(crate) async fn mail_email_change_proof(
        &self,
        job: &TakenJob,
        user: UserId,
        link: LinkId,
    ) -> Result<(), Failure> {
        let purpose = LinkPurpose::ProveNewEmail;
        let tx = UserTx::read(self.database(), user, job.trace).await?;
        let Some(change) = tx.email_change().await? else {
            return Ok(());
        };
        drop(tx);
        let Some((user, found)) = self.recipient(job, user, Some(link)).await? else {
            return Ok(());
        };
        let Some(left) = self.left_of(found, purpose, &change.email)? else {
            return Ok(());
        };
        let letter = Letter::EmailChangeProof {
            link: self.link("confirm-email-change", purpose, link),
            email: change.email.as_str().to_owned(),
            hours: rounded_up(left.num_minutes(), 60),
        };
        self.deliver_at(job, &letter, &user, &change.email).await
    }

    /// Tells whoever reads a person's former address that they have another.
    pub(crate) async fn mail_email_changed(
        &self,
        job: &TakenJob,
        user: UserId,
        to: &Email,
        email: &Email,
        at: Timestamp,
    ) -> Result<(), Failure> {
        let Some((user, _)) = self.recipient(job, user, None).await? else {
            return Ok(());
        };
        let letter = Letter::EmailChanged {
            email: email.as_str().to_owned(),
            at: moment(at),
        };
        self.deliver_at(job, &letter, &user, to).await
    }

    /// Tells a person that they signed in with something new, or from somewhere new.
    pub(crate) async fn mail_new_device(
        &self,
        job: &TakenJob,
        user: UserId,
        device: Option<&str>,
        ip: Option<IpAddr>,
        at: Timestamp,
    ) -> Result<(), Failure> {
        let letter = Letter::NewDevice {
            device: device.unwrap_or_default().to_owned(),
            ip: ip.map(|ip| ip.to_canonical().to_string()).unwrap_or_default(),
            at: moment(at),
        };
        self.tell(job, user, &letter).await
    }

    /// What tells a person what became of an identity of theirs.
    ///
    /// # Errors
    /// When the database is away.
    pub(crate) async fn identity_letter(
        &self,
        change: IdentityChange,
        provider: &str,
        account: Option<&str>,
        at: Timestamp,
    ) -> Result<Letter, Failure> {
        Ok(Letter::Identity {
            change,
            provider: self.provider_name(provider).await?,
            account: account.unwrap_or_default().to_owned(),
            at: moment(at),
        })
    }

    /// Mails a person what happened to their account.
    pub(crate) async fn tell(&self, job: &TakenJob, user: UserId, letter: &Letter) -> Result<(), Failure> {
        let Some((user, _)) = self.recipient(job, user, None).await? else {
            return Ok(());
        };
        if user.email_verified_at.is_none() {
            // Perhaps the address is not theirs, and its owner has nothing to do with it.
            return Ok(());
        }
        self.deliver_to(job, letter, &user).await
    }

    /// Mails somebody the link by which they join an organization.
    pub(crate) async fn mail_invitation(
        &self,
        job: &TakenJob,
        organization: OrganizationId,
        invitation: InvitationId,
    ) -> Result<(), Failure> {
        let Some(found) = invitations::to_mail(self.database(), organization, invitation).await? else {
            return Ok(());
        };
        if found.status != OrganizationStatus::Active {
            return Err(Failure::Temporary("the organization is suspended".to_owned()));
        }
        let left = found.invitation.expires_at - self.environment().now();
        if left <= TimeDelta::zero() {
            return Err(Failure::Lasting("it has expired before it was mailed".to_owned()));
        }
        let secret = mailed_links::invitation_secret(self.keyring(), invitation);
        let letter = Letter::Invitation {
            link: self.page("accept-invitation", &secret),
            organization: found.organization_name.into_string(),
            workspace: found.workspace_name.map(Name::into_string),
            inviter: found.invited_by_name.into_string(),
            role: found.invitation.role.name,
            days: rounded_up(left.num_seconds(), 86_400),
        };
        let to = Recipient {
            name: String::new(),
            address: found.invitation.email.as_str().to_owned(),
        };
        self.deliver(job, &letter, to, Language::of(found.locale.as_deref()))
            .await
    }

    /// Where a link leads, its secret included.
    fn link(&self, page: &str, purpose: LinkPurpose, link: LinkId) -> String {
        self.page(page, &mailed_links::secret(self.keyring(), purpose, link))
    }

    fn page(&self, page: &str, secret: &SecretString) -> String {
        format!("{}/{page}?token={}", self.link_base(), secret.expose_secret())
    }

    /// Whom to mail a link to, at their address, and how long it is good yet; `None` where it was used. One that has expired on the way
    /// is a failure that is told.
    async fn still_to_be_mailed(
        &self,
        job: &TakenJob,
        user: UserId,
        purpose: LinkPurpose,
        link: LinkId,
    ) -> Result<Option<(User, TimeDelta)>, Failure> {
        let found = self.recipient(job, user, Some(link)).await?;
        found.map_or(Ok(None), |(user, link)| {
            let left = self.left_of(link, purpose, &user.email)?;
            Ok(left.map(|left| (user, left)))
        })
    }

    /// How long a link is good yet that is mailed to an address; `None` where it was used.
    fn left_of(&self, link: Option<Link>, purpose: LinkPurpose, to: &Email) -> Result<Option<TimeDelta>, Failure> {
        let now = self.environment().now();
        let Some(link) = link.filter(|link| link.used_at.is_none()) else {
            return Ok(None);
        };
        if link.is_good(purpose, to.canonical(), now) {
            return Ok(Some(link.expires_at - now));
        }
        Err(Failure::Lasting("its link has expired before it was mailed".to_owned()))
    }

    /// The person whom a job is for, with a link of theirs; `None` once they are gone.
    async fn recipient(
        &self,
        job: &TakenJob,
        user: UserId,
        link: Option<LinkId>,
    ) -> Result<Option<(User, Option<Link>)>, Failure> {
        let tx = UserTx::read(self.database(), user, job.trace).await?;
        let user = match tx.oneself().await {
            Err(StoreError::SessionEnded) => return Ok(None),
            user => user?,
        };
        let link = match link {
            Some(link) => tx.link(link).await?,
            None => None,
        };
        Ok(Some((user, link)))
    }

    /// Writes a mail to a person, in their language, and sends it.
    async fn deliver_to(&self, job: &TakenJob, letter: &Letter, user: &User) -> Result<(), Failure> {
        self.deliver_at(job, letter, user, &user.email).await
    }

    /// The same to an address that is not theirs yet, or no longer.
    async fn deliver_at(&self, job: &TakenJob, letter: &Letter, user: &User, address: &Email) -> Result<(), Failure> {
        let to = Recipient {
            name: user.name.as_str().to_owned(),
            address: address.as_str().to_owned(),
        };
        self.deliver(job, letter, to, Language::of(user.locale.as_deref()))
            .await
    }

    /// Writes a mail, and sends it.
    async fn deliver(&self, job: &TakenJob, letter: &Letter, to: Recipient, language: Language) -> Result<(), Failure> {
        let mail = letter
            .write(job.id.as_uuid(), to, language)
            .map_err(Undelivered::from)?;
        let sent = self.settings().mailer.send(&mail, self.environment().now()).await;
        sent.map_err(Undelivered::from)?;
        tracing::info!(letter = letter.name(), "a mail was sent");
        Ok(())
    }
}
