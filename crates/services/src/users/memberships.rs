//! The caller's memberships, and the organization that they work in.

use tenantry_domain::{
    events::{Event, EventType},
    ids::OrganizationId,
    lists::{ListQuery, MembershipField, Page},
    trace::TraceId,
    users::{User, memberships::UserMembership},
};
use tenantry_persistence::user::UserTx;

use crate::{
    Services,
    callers::Principal,
    error::{Error, Result},
    preconditions::Precondition,
};

impl Services {
    /// The caller's memberships, those of suspended organizations too.
    ///
    /// # Errors
    /// When the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn list_memberships(
        &self,
        principal: &Principal,
        query: &ListQuery<MembershipField>,
        trace: TraceId,
    ) -> Result<Page<UserMembership>> {
        let tx = UserTx::read(self.database(), principal.user(), trace).await?;
        Ok(tx.memberships(query).await?)
    }

    /// Chooses what the caller works in where a request names no organization: one that they are a member of, or none.
    ///
    /// A suspended one can be chosen: that is a choice of the person's, and neither reads nor writes anything there.
    ///
    /// # Errors
    /// [`Error::NotFound`] for what they are no member of; when the caller is another version by now, or the database is
    /// away.
    #[tracing::instrument(skip_all)]
    pub async fn choose_organization(
        &self,
        principal: &Principal,
        organization: Option<OrganizationId>,
        precondition: &Precondition,
        trace: TraceId,
    ) -> Result<User> {
        let tx = UserTx::begin_as(self.database(), principal, trace).await?;
        if let Some(organization) = organization
            && !tx.is_member_of(organization).await?
        {
            return Err(Error::NotFound);
        }
        let user = tx.oneself_to_change().await?;
        precondition.check(user.revision())?;
        let Some(changed) = tx.choose_organization(&user, organization).await? else {
            return Ok(user);
        };
        tx.commit(Event::changed(EventType::UserUpdated, &user, &changed))
            .await?;
        Ok(changed)
    }
}
