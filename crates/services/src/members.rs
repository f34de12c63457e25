//! Members: who is in an organization, how they are shown there, and what they may do in all of it.

use tenantry_domain::{
    events::{Event, EventType},
    ids::MemberId,
    lists::{ListQuery, MemberField, Page},
    members::{Member, ProfileUpdate, RoleRef, or_oneself},
    permissions::{Required, perm},
    roles::BuiltInRole,
};
use tenantry_persistence::tenant::{Authorized, TenantTx};

use crate::{
    Services,
    callers::Access,
    error::{Conflict, Error, Result},
    preconditions::Precondition,
};

impl Services {
    /// The members of the organization.
    ///
    /// # Errors
    /// When the caller may not see them, or the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn list_members(
        &self,
        access: &Access<perm::MemberView>,
        query: &ListQuery<MemberField>,
    ) -> Result<Page<Member>> {
        let tx = access.read_list(self.database(), query).await?;
        tx.demand_in_organization()?;
        Ok(tx.members(query).await?)
    }

    /// One member.
    ///
    /// # Errors
    /// When the caller may not see them, or the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn member(&self, access: &Access<or_oneself::MemberView>, id: MemberId) -> Result<Member> {
        Ok(access.read(self.database()).await?.member(id).await?.into_inner())
    }

    /// Whether the caller may do `P` to a member: what is asked before a body is read. Without an id it is nobody, and so
    /// not the caller either.
    ///
    /// # Errors
    /// When not, or when the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn may_touch_member<P: Required>(&self, access: &Access<P>, id: Option<MemberId>) -> Result<()> {
        match id {
            Some(id) => access.read(self.database()).await?.member(id).await.map(|_| ())?,
            None => access.demand_in_organization()?,
        }
        Ok(())
    }

    /// Changes how a member is shown in the organization.
    ///
    /// # Errors
    /// When the caller may not, the member is another version, or the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn update_member(
        &self,
        access: &Access<or_oneself::MemberUpdate>,
        id: MemberId,
        change: ProfileUpdate,
        precondition: &Precondition,
    ) -> Result<Member> {
        // In turn, although no role changes: whoever becomes an owner meanwhile is one, and changed by owners alone.
        let tx = access.begin_in_turn(self.database()).await?;
        let member = tx.member(id).await?;
        precondition.check(member.version)?;
        let wanted = member.changed(change);
        if wanted == *member {
            return Ok(member.into_inner());
        }
        let changed = tx.update_member(&member, wanted).await?;
        tx.commit(Event::changed(EventType::MemberUpdated, &*member, &changed))
            .await?;
        Ok(changed)
    }

    /// Gives a member another role in the whole organization.
    ///
    /// # Errors
    /// When the caller may not, or lacks something that the role allows; there is no such role, the member is another
    /// version, or the last owner; or the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn change_member_role(
        &self,
        access: &Access<perm::MemberUpdate>,
        id: MemberId,
        role: &RoleRef,
        precondition: &Precondition,
    ) -> Result<Member> {
        let tx = access.begin_in_turn(self.database()).await?;
        let member = tx.member(id).await?;
        let role = tx.role_to_give(role).await?.ok_or(Error::UnknownRole)?;
        precondition.check(member.version)?;
        if member.role.as_ref() == Some(&*role) {
            return Ok(member.into_inner());
        }
        if role.key != BuiltInRole::Owner.key() {
            keep_an_owner(&tx, &member).await?;
        }
        let changed = tx.change_member_role(&member, role).await?;
        tx.commit(Event::changed(EventType::MemberRoleChanged, &*member, &changed))
            .await?;
        self.caller_caches().forget();
        Ok(changed)
    }

    /// Removes a member from the organization, with all roles that they hold in it; oneself, one leaves.
    ///
    /// # Errors
    /// When the caller may not, the member is another version, or the last owner; or the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn remove_member(
        &self,
        access: &Access<or_oneself::MemberRemove>,
        id: MemberId,
        precondition: &Precondition,
    ) -> Result<()> {
        let tx = access.begin_in_turn(self.database()).await?;
        let member = tx.member(id).await?;
        precondition.check(member.version)?;
        keep_an_owner(&tx, &member).await?;
        tx.remove_member(&member).await?;
        let leaves = member.id == tx.membership().member;
        let event_type = if leaves {
            EventType::MemberLeft
        } else {
            EventType::MemberRemoved
        };
        tx.commit(Event::deleted(event_type, &*member)).await?;
        self.caller_caches().forget();
        Ok(())
    }
}

/// That the organization is not left without an owner when this member is none any more.
async fn keep_an_owner<P: Required>(tx: &TenantTx<P>, member: &Authorized<Member, P>) -> Result<()> {
    if member.is_owner() && !tx.has_another_owner(member).await? {
        return Err(Error::Conflict(Conflict::LastOwner));
    }
    Ok(())
}
