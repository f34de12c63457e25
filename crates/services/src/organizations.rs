//! Organizations: the tenants.

use tenantry_domain::{
    events::{Event, EventType},
    ids::{RoleId, WorkspaceId},
    lists::{ListQuery, Page, ResourceField},
    organizations::{Organization, OrganizationCreate, OrganizationUpdate},
    permissions::{Required, perm},
    roles::BuiltInRole,
    trace::TraceId,
    workspaces::Workspace,
};
use tenantry_persistence::user::{FoundingTx, UserTx};

use crate::{
    Services,
    callers::{Access, Principal},
    error::{Conflict, Error, Result, slug_taken},
    idempotency::{Created, IdempotencyKey, once},
    preconditions::Precondition,
};

impl Services {
    /// The organizations that the caller is a member of.
    ///
    /// # Errors
    /// When the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn list_organizations(
        &self,
        principal: &Principal,
        query: &ListQuery<ResourceField>,
        trace: TraceId,
    ) -> Result<Page<Organization>> {
        let tx = UserTx::read(self.database(), principal.user(), trace).await?;
        Ok(tx.organizations(query).await?)
    }

    /// Founds an organization, with the caller as its owner, the built-in roles and a default workspace.
    ///
    /// # Errors
    /// When the slug is taken, the key is in use, or the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn found_organization(
        &self,
        principal: &Principal,
        new: OrganizationCreate,
        key: Option<&IdempotencyKey>,
        trace: TraceId,
    ) -> Result<Created<Organization>> {
        let tx = FoundingTx::begin_as(self.database(), principal, trace).await?;
        once(tx, key, async |tx| {
            let (organization, ..) = found(tx, new).await?;
            let event = Event::created(EventType::OrganizationCreated, &organization);
            Ok((organization, event))
        })
        .await
    }

    /// The organization.
    ///
    /// # Errors
    /// When the caller may not see it, or the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn organization(&self, access: &Access<perm::OrganizationView>) -> Result<Organization> {
        Ok(access.read(self.database()).await?.organization().await?.into_inner())
    }

    /// Whether the caller may do `P` to the organization: what is asked before a body is read.
    ///
    /// # Errors
    /// When not, or when the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn may_touch_organization<P: Required>(&self, access: &Access<P>) -> Result<()> {
        access.read(self.database()).await?.organization().await?;
        Ok(())
    }

    /// Changes the organization.
    ///
    /// # Errors
    /// When the caller may not, the organization is another version, the slug is taken, or the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn update_organization(
        &self,
        access: &Access<perm::OrganizationUpdate>,
        change: OrganizationUpdate,
        precondition: &Precondition,
    ) -> Result<Organization> {
        // In turn: a deletion that is under way is waited for, and then there is nothing to change.
        let tx = access.begin_in_turn(self.database()).await?;
        let organization = tx.organization().await?;
        precondition.check(organization.version)?;
        let wanted = organization
            .changed(change)
            .map_err(|_| Error::SettingsTooLarge("settings"))?;
        if wanted == *organization {
            return Ok(organization.into_inner());
        }
        let changed = tx
            .update_organization(&organization, wanted)
            .await
            .map_err(slug_taken)?;
        tx.commit(Event::changed(EventType::OrganizationUpdated, &*organization, &changed))
            .await?;
        // A slug that was given up must not lead here any longer.
        self.caller_caches().forget();
        Ok(changed)
    }

    /// Deletes the organization: it is there for nobody from now on, and can be restored for [`Organization::GRACE`].
    ///
    /// # Errors
    /// When the caller may not, the organization is another version, or the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn delete_organization(
        &self,
        access: &Access<perm::OrganizationDelete>,
        precondition: &Precondition,
    ) -> Result<()> {
        let tx = access.begin_in_turn(self.database()).await?;
        let organization = tx.organization().await?;
        precondition.check(organization.version)?;
        let deleted = tx.delete_organization(&organization).await?;
        tx.commit(Event::changed(EventType::OrganizationDeleted, &*organization, &deleted))
            .await?;
        self.caller_caches().forget();
        Ok(())
    }

    /// Restores a deleted organization. One that is not deleted stays as it is, so that asking again does no harm.
    ///
    /// # Errors
    /// [`Error::NotFound`] where it is too late; when the caller may not, or the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn restore_organization(&self, access: &Access<perm::OrganizationRestore>) -> Result<Organization> {
        // Its last owner may go while it is deleted: who is on the way is waited for, so that it does not come back without.
        let tx = access.begin_in_turn(self.database()).await?;
        let organization = tx.organization().await?;
        if organization.is_past_grace(tx.now()) {
            return Err(Error::NotFound);
        }
        if organization.deleted_at.is_none() {
            return Ok(organization.into_inner());
        }
        let restored = tx.restore_organization(&organization).await?;
        tx.commit(Event::changed(
            EventType::OrganizationRestored,
            &*organization,
            &restored,
        ))
        .await?;
        self.caller_caches().forget();
        Ok(restored)
    }
}

/// The ids of an organization's built-in roles.
pub(crate) type BuiltInRoles = [(BuiltInRole, RoleId); 4];

/// Makes the rows that an organization begins with; the last of what is returned is its default workspace.
pub(crate) async fn found(
    tx: &FoundingTx,
    new: OrganizationCreate,
) -> Result<(Organization, BuiltInRoles, WorkspaceId)> {
    let organization = tx
        .create_organization(new)
        .await?
        .ok_or(Error::Conflict(Conflict::SlugTaken))?;
    let roles = tx.create_built_in_roles().await?;
    let [(_, owner), ..] = roles;
    tx.create_member(tx.as_user().user(), owner).await?;
    let workspace = tx.create_workspace(&Workspace::default_name(), true).await?;
    Ok((organization, roles, workspace))
}
