//! Deleting one's account.

use tenantry_domain::{
    events::{Event, EventType, Subject},
    members::Member,
    trace::TraceId,
    users::User,
};
use tenantry_persistence::user::DepartingTx;

use crate::{
    Services,
    callers::Principal,
    error::{Error, Result},
    preconditions::Precondition,
};

/// How many organizations are named that would be left without an owner.
const MOST_NAMED: usize = 100;

/// How often it is begun anew because the person has joined another organization meanwhile.
const ATTEMPTS: usize = 5;

impl Services {
    /// Deletes the caller's account: memberships, roles, sessions, password, and all that is known of them. What they made in
    /// organizations stays there, made by nobody; the address is free at once.
    ///
    /// # Errors
    /// [`Error::LastOwner`] where organizations would be left without an owner; when the caller is another version by now, or
    /// the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn delete_oneself(
        &self,
        principal: &Principal,
        precondition: &Precondition,
        trace: TraceId,
    ) -> Result<()> {
        for _ in 0..ATTEMPTS {
            if self.try_to_delete_oneself(principal, precondition, trace).await? {
                self.caller_caches().forget();
                tracing::info!(user = %principal.user(), "an account was deleted");
                return Ok(());
            }
        }
        Err(Error::Unavailable("memberships keep being added".into()))
    }

    /// `false` where a membership was added too late to be ended.
    async fn try_to_delete_oneself(
        &self,
        principal: &Principal,
        precondition: &Precondition,
        trace: TraceId,
    ) -> Result<bool> {
        let mut tx = DepartingTx::begin_as(self.database(), principal, trace).await?;
        let mut left_without_owner = Vec::new();
        for organization in tx.organizations_to_leave().await? {
            let Some(departure) = tx.depart_from(organization).await? else {
                continue;
            };
            if departure.is_last_owner().await? {
                left_without_owner.push(departure.organization);
                if left_without_owner.len() == MOST_NAMED {
                    break;
                }
            } else {
                // Bare: nothing of what is known of a person outlives their account.
                let event = Event::bare(EventType::MemberLeft, Member::TYPE, departure.member);
                departure.leave(event).await?;
            }
        }
        // After the organizations: whoever writes in one of them may be waited for, and then needs the person's row.
        let user = tx.as_user().oneself_alone().await?;
        precondition.check(user.revision())?;
        if !left_without_owner.is_empty() {
            return Err(Error::LastOwner(left_without_owner));
        }
        if !tx.organizations_to_leave().await?.is_empty() {
            return Ok(false);
        }
        tx.delete_oneself().await?;
        tx.commit(Event::bare(EventType::UserDeleted, User::TYPE, user.id))
            .await?;
        Ok(true)
    }
}
