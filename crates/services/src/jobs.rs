//! Jobs: what a worker does, one call each.

use std::time::Duration;

use tenantry_domain::jobs::{self, Job, OrganizationJob, UserJob};
pub use tenantry_persistence::jobs::{DueJob, TakenJob};
use tenantry_persistence::{
    jobs::{JobEnd, end, take},
    system::{SystemReason, SystemTx},
};
use tokio::time::timeout;

use crate::{Services, error::Result, mails::Undelivered};

/// How long doing a job may take: well within its lease.
const TIME: Duration = Duration::from_secs(45);

/// Why a job was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Trying again may succeed.
    #[error("{0}")]
    Temporary(String),
    /// Trying again would change nothing.
    #[error("{0}")]
    Lasting(String),
}

impl Services {
    /// Wakes a worker of this process, for a job that was just committed. Those elsewhere find it by themselves.
    pub(crate) fn ring_for_jobs(&self) {
        self.jobs_bell().notify_one();
    }

    /// Returns when there may be a job that was not there before.
    pub async fn job_added(&self) {
        self.jobs_bell().notified().await;
    }

    /// The jobs that may be taken now.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn due_jobs(&self, most: u32) -> Result<Vec<DueJob>> {
        let now = self.environment().now();
        let tx = SystemTx::begin(self.database(), SystemReason::DueJobs).await?;
        Ok(tx.due_jobs(now, most).await?)
    }

    /// Takes a job. `None` where another has it, or it is done.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn take_job(&self, due: DueJob) -> Result<Option<TakenJob>> {
        Ok(take(self.database(), due).await?)
    }

    /// Does a job that was taken. One that fails is tried again later, or given up.
    ///
    /// # Errors
    /// When the database is away: the job is another's once its lease ends.
    #[tracing::instrument(skip_all, fields(job = %taken.id, trace = %taken.trace, attempt = taken.attempts))]
    pub async fn do_job(&self, taken: TakenJob) -> Result<()> {
        let too_old = taken.attempts > 1 && self.environment().now() - taken.created_at > jobs::MAX_AGE;
        let done = if too_old {
            // Whoever had it never came to say what became of it, and perhaps could not because of it.
            Err(Failure::Lasting("it was tried for too long".to_owned()))
        } else {
            let done = timeout(TIME, self.done(&taken)).await;
            done.unwrap_or_else(|_| Err(Failure::Temporary("it took too long".to_owned())))
        };
        let outcome = match done {
            Ok(()) => JobEnd::Done,
            Err(failure) => self.failed(&taken, &failure),
        };
        if !end(self.database(), &taken, outcome).await? {
            tracing::warn!("a job took longer than its lease: another worker may have done it too");
        }
        Ok(())
    }

    async fn done(&self, taken: &TakenJob) -> Result<(), Failure> {
        match &taken.job {
            None => Err(Failure::Temporary("its kind is not known to this version".to_owned())),
            Some(Job::User(user, job)) => match job {
                UserJob::MailVerification { link } => self.mail_verification(taken, *user, *link).await,
                UserJob::MailPasswordReset { link } => self.mail_password_reset(taken, *user, *link).await,
                UserJob::MailPasswordChanged { at } => self.mail_password_changed(taken, *user, *at).await,
                UserJob::MailSecondFactor { change, at } => {
                    self.mail_second_factor(taken, *user, change.clone(), *at).await
                }
                UserJob::MailIdentityConfirmation { link } => {
                    self.mail_identity_confirmation(taken, *user, *link).await
                }
                UserJob::MailEmailChangeApproval { link } => self.mail_email_change_approval(taken, *user, *link).await,
                UserJob::MailEmailChangeProof { link } => self.mail_email_change_proof(taken, *user, *link).await,
                UserJob::MailEmailChanged { to, email, at } => {
                    self.mail_email_changed(taken, *user, to, email, *at).await
                }
                UserJob::MailNewDevice { device, ip, at } => {
                    self.mail_new_device(taken, *user, device.as_deref(), *ip, *at).await
                }
                UserJob::MailIdentity {
                    change,
                    provider,
                    account,
                    at,
                } => {
                    let letter = self.identity_letter(*change, provider, account.as_deref(), *at).await?;
                    self.tell(taken, *user, &letter).await
                }
            },
            Some(Job::Organization(organization, job)) => match job {
                OrganizationJob::MailInvitation { invitation } => {
                    self.mail_invitation(taken, *organization, *invitation).await
                }
            },
        }
    }

    fn failed(&self, taken: &TakenJob, failure: &Failure) -> JobEnd {
        let error = failure.to_string();
        let [jitter] = self.environment().random();
        let next = match failure {
            Failure::Temporary(_) => jobs::next_try(taken.created_at, taken.attempts, self.environment().now(), jitter),
            Failure::Lasting(_) => None,
        };
        match next {
            Some(at) => {
                tracing::warn!(error, again_at = %at, "a job failed and is tried again");
                JobEnd::Again { at, error }
            }
            None => {
                tracing::error!(error, "a job failed and is given up");
                JobEnd::GivenUp { error }
            }
        }
    }
}

impl From<crate::Error> for Failure {
    fn from(error: crate::Error) -> Self {
        Self::Temporary(error.to_string())
    }
}

impl From<tenantry_persistence::Error> for Failure {
    fn from(error: tenantry_persistence::Error) -> Self {
        crate::Error::from(error).into()
    }
}

impl From<Undelivered> for Failure {
    fn from(error: Undelivered) -> Self {
        match error {
            Undelivered::Unwritten(_) | Undelivered::Unsent(tenantry_integrations::mail::SendError::Refused(_)) => {
                Self::Lasting(error.to_string())
            }
            Undelivered::Unsent(_) => Self::Temporary(error.to_string()),
        }
    }
}
