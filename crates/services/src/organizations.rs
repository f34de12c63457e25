//! Organizations: the tenants.

use tenantry_domain::{
    events::{Event, EventType},
    ids::RoleId,
    lists::{ListQuery, Page, ResourceField},
    organizations::{Organization, OrganizationCreate, OrganizationUpdate},
    permissions::{Required, perm},
    roles::BuiltInRole,
    trace::TraceId,
    workspaces::Workspace,
};
use tenantry_persistence::{
    Error as StoreError,
    user::{FoundingTx, UserTx},
};

use crate::{
    Services,
    callers::{Access, Principal},
    error::{Conflict, Error, Result},
    idempotency::{Created, IdempotencyKey, settle},
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
        if let Some(key) = key
            && let Some(before) = settle(tx.claim(&key.0).await?)?
        {
            return Ok(before);
        }
        let (organization, _) = found(&tx, new).await?;
        if let Some(key) = key {
            tx.record(&key.0, &organization).await?;
        }
        tx.commit(Event::created(EventType::OrganizationCreated, &organization))
            .await?;
        Ok(Created {
            resource: organization,
            replayed: false,
        })
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
        let tx = access.begin(self.database()).await?;
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
            .map_err(|error| match error {
                StoreError::Taken(_) => Error::Conflict(Conflict::SlugTaken),
                error => error.into(),
            })?;
        tx.commit(Event::changed(EventType::OrganizationUpdated, &*organization, &changed))
            .await?;
        // A slug that was given up must not lead here any longer.
        self.caller_caches().forget();
        Ok(changed)
    }
}

/// The ids of an organization's built-in roles.
pub(crate) type BuiltInRoles = [(BuiltInRole, RoleId); 4];

/// Makes the rows that an organization begins with.
pub(crate) async fn found(tx: &FoundingTx, new: OrganizationCreate) -> Result<(Organization, BuiltInRoles)> {
    let organization = tx
        .create_organization(new)
        .await?
        .ok_or(Error::Conflict(Conflict::SlugTaken))?;
    let roles = tx.create_built_in_roles().await?;
    let [(_, owner), ..] = roles;
    tx.create_member(tx.as_user().user(), owner).await?;
    tx.create_workspace(&Workspace::default_name(), true).await?;
    Ok((organization, roles))
}
