//! The one typed way to a tenant's rows: context → access → transaction → proof.
//!
//! Each step can only be made from the one before it, in this crate: a service cannot skip one, and a handler that
//! forgot its permission does not compile (`tests/compile_fail` has the proofs). To let a resource be authorized, add a
//! method beside [`TenantTx::project`] that loads it and asks the domain's decision.

use std::{marker::PhantomData, ops::Deref, sync::Arc};

use tenantry_domain::{
    authorization::{Decision, Membership},
    domains::Domain,
    environment::{Environment, Timestamp},
    events::Event,
    ids::{DomainId, InvitationId, MemberId, ProjectId, UserId, WorkspaceId},
    invitations::Invitation,
    lists::ListQuery,
    members::{Member, RoleRef},
    organizations::{Organization, OrganizationStatus},
    permissions::Required,
    projects::Project,
    roles::RoleName,
    trace::TraceId,
    workspaces::Workspace,
};
use tokio::sync::OwnedSemaphorePermit;

use crate::{
    Database,
    connection::Connection,
    database::Mode,
    domains,
    error::{Error, Result},
    events, invitations, members, organizations, projects, roles,
    scope::Scope,
    workspaces,
};

mod context;

use self::context::read_context;
pub use self::context::{OrganizationRef, TenantContext, load};

/// What lets its holder begin a transaction about `P`. Made by [`admit`] alone.
pub struct Access<P> {
    context: Arc<TenantContext>,
    trace: TraceId,
    permission: PhantomData<fn() -> P>,
}

impl<P> Clone for Access<P> {
    fn clone(&self) -> Self {
        Self {
            context: Arc::clone(&self.context),
            trace: self.trace,
            permission: PhantomData,
        }
    }
}

impl<P> std::fmt::Debug for Access<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Access<{}>", std::any::type_name::<P>())
    }
}

/// Lets a caller in who holds `P` somewhere in the organization: whether here, is decided over the resource.
///
/// # Errors
/// [`Error::Suspended`], and [`Error::Forbidden`] where no role of the caller's could ever allow it.
pub fn admit<P: Required>(context: &Arc<TenantContext>, trace: TraceId) -> Result<Access<P>> {
    check::<P>(context)?;
    Ok(Access {
        context: Arc::clone(context),
        trace,
        permission: PhantomData,
    })
}

fn check<P: Required>(context: &TenantContext) -> Result<()> {
    if P::OF_DELETED && context.status == OrganizationStatus::Deleted {
        // To those who may not, it is as gone as to everybody else.
        demand_in_organization::<P>(&context.membership).map_err(|_| Error::NotFound)?;
        return context.demand_sign_on();
    }
    context.demand_active()?;
    if !P::OVER_ONESELF_HOWEVER_SIGNED_IN {
        context.demand_sign_on()?;
    }
    if P::OVER_ONESELF || context.membership.could_ever(P::PERMISSION) {
        Ok(())
    } else {
        Err(Error::Forbidden(P::PERMISSION))
    }
}

impl<P: Required> Access<P> {
    /// Who calls, and what they hold.
    #[must_use]
    pub fn context(&self) -> &TenantContext {
        &self.context
    }

    /// The trace of the request.
    #[must_use]
    pub fn trace(&self) -> TraceId {
        self.trace
    }

    /// That the caller may do `P` in the whole organization, as far as is known without asking the database.
    ///
    /// # Errors
    /// What [`TenantContext::demand_sign_on`] refuses, [`Error::Forbidden`].
    pub fn demand_in_organization(&self) -> Result<()> {
        self.context.demand_sign_on()?;
        demand_in_organization::<P>(&self.context.membership)
    }

    /// Begins a transaction that reads, in one round trip; it ends by being dropped.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn read(&self, database: &Database) -> Result<TenantTx<P, ReadOnly>> {
        let connection = self.connect(database, Mode::ReadOnly).await?;
        Ok(self.transaction(database, connection, Arc::clone(&self.context)))
    }

    /// The same for a list: one that is searched waits for its turn to be.
    ///
    /// # Errors
    /// When the database cannot be reached, or too many others search.
    pub async fn read_list<F>(&self, database: &Database, query: &ListQuery<F>) -> Result<TenantTx<P, ReadOnly>> {
        let turn = match &query.search {
            Some(_) => Some(database.turn_to_search().await?),
            None => None,
        };
        Ok(TenantTx {
            _turn: turn,
            ..self.read(database).await?
        })
    }

    /// Begins a transaction that writes. The caller's session and rights are read again inside it, so what was taken away
    /// a moment ago, on whatever node, is gone; and what is taken away while it waits for others keeps it from its commit. What
    /// is taken in the moment of the commit itself was taken after it.
    ///
    /// # Errors
    /// When the database cannot be reached, and what [`admit`] and [`load`] refuse.
    pub async fn begin(&self, database: &Database) -> Result<TenantTx<P, ReadWrite>> {
        let connection = self.connect(database, Mode::ReadWrite).await?;
        self.admitted_again(database, connection, Rights::MayChange).await
    }

    /// The same for what changes who belongs to the organization and what they hold: one transaction after the other, so
    /// that each is decided over what the one before it left.
    ///
    /// # Errors
    /// Those of [`begin`](Self::begin).
    pub async fn begin_in_turn(&self, database: &Database) -> Result<TenantTx<P, ReadWrite>> {
        let connection = self.connect(database, Mode::ReadWrite).await?;
        organizations::take_turn(&connection, self.scope(database)).await?;
        self.admitted_again(database, connection, Rights::Stay).await
    }

    async fn admitted_again(
        &self,
        database: &Database,
        connection: Connection,
        rights: Rights,
    ) -> Result<TenantTx<P, ReadWrite>> {
        let context = self.context.again::<P>(&connection).await?;
        Ok(TenantTx {
            rights,
            ..self.transaction(database, connection, Arc::new(context))
        })
    }

    async fn connect(&self, database: &Database, mode: Mode) -> Result<Connection> {
        let membership = &self.context.membership;
        database
            .begin(mode, Some(membership.user), Some(membership.organization))
            .await
    }

    fn scope(&self, database: &Database) -> Scope {
        Scope::new(self.context.membership.organization, database.filters_by_organization())
    }

    fn transaction<M>(
        &self,
        database: &Database,
        connection: Connection,
        context: Arc<TenantContext>,
    ) -> TenantTx<P, M> {
        TenantTx {
            connection,
            scope: self.scope(database),
            context,
            environment: database.environment().clone(),
            trace: self.trace,
            rights: Rights::MayChange,
            _turn: None,
            kind: PhantomData,
        }
    }
}

impl TenantContext {
    /// What the same caller holds now, if it still lets them in.
    async fn again<P: Required>(&self, connection: &Connection) -> Result<Self> {
        let organization = OrganizationRef::Id(self.membership.organization);
        let context = read_context(connection, self.principal(), &organization, self.rules.clone())
            .await?
            .ok_or(Error::NotFound)?;
        check::<P>(&context)?;
        Ok(context)
    }
}

/// What can become of the caller's rights in the course of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rights {
    /// Others may change them until it commits.
    MayChange,
    /// Whoever changes them waits for it.
    Stay,
}

/// What a transaction may do to rows: [`ReadOnly`] or [`ReadWrite`].
pub trait TransactionMode: Send + Sync + 'static {
    /// Whether what is loaded in order to be changed is locked: whoever comes second then sees what the first made of it.
    const LOCKS: bool;
}

/// A transaction that only reads.
#[derive(Debug, Clone, Copy)]
pub enum ReadOnly {}

/// A transaction that writes.
#[derive(Debug, Clone, Copy)]
pub enum ReadWrite {}

impl TransactionMode for ReadOnly {
    const LOCKS: bool = false;
}

impl TransactionMode for ReadWrite {
    const LOCKS: bool = true;
}

/// A transaction in one organization, about the permission `P`. Dropped, it is rolled back.
pub struct TenantTx<P, M = ReadWrite> {
    pub(crate) connection: Connection,
    pub(crate) scope: Scope,
    context: Arc<TenantContext>,
    pub(crate) environment: Environment,
    trace: TraceId,
    rights: Rights,
    /// Given back with the connection.
    _turn: Option<OwnedSemaphorePermit>,
    kind: PhantomData<fn() -> (P, M)>,
}

/// A resource over which it was decided that the caller may do `P` to it. Made by a [`TenantTx`] alone.
pub struct Authorized<R, P> {
    resource: R,
    permission: PhantomData<fn() -> P>,
}

impl<R, P> Authorized<R, P> {
    /// The resource, no longer a proof of anything.
    pub fn into_inner(self) -> R {
        self.resource
    }
}

impl<R, P> Deref for Authorized<R, P> {
    type Target = R;

    fn deref(&self) -> &R {
        &self.resource
    }
}

fn decided<R, P: Required>(resource: R, decision: Decision) -> Result<Authorized<R, P>> {
    match decision {
        Decision::Invisible => Err(Error::NotFound),
        Decision::Forbidden => Err(Error::Forbidden(P::PERMISSION)),
        Decision::Allowed => Ok(Authorized {
            resource,
            permission: PhantomData,
        }),
    }
}

fn demand_in_organization<P: Required>(membership: &Membership) -> Result<()> {
    match membership.decide_organization(P::PERMISSION) {
        Decision::Allowed => Ok(()),
        Decision::Invisible | Decision::Forbidden => Err(Error::Forbidden(P::PERMISSION)),
    }
}

impl<P: Required, M: TransactionMode> TenantTx<P, M> {
    /// Who calls, and what they hold; in a transaction that writes, as read inside it.
    #[must_use]
    pub fn membership(&self) -> &Membership {
        &self.context.membership
    }

    /// The caller.
    #[must_use]
    pub fn user(&self) -> UserId {
        self.context.membership.user
    }

    pub(crate) fn trace(&self) -> TraceId {
        self.trace
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.environment.now()
    }

    /// The organization itself, if the caller may do `P` to it.
    ///
    /// # Errors
    /// [`Error::Forbidden`]; and when the database fails.
    pub async fn organization(&self) -> Result<Authorized<Organization, P>> {
        let organization = organizations::find(self).await?.ok_or(Error::NotFound)?;
        decided(organization, self.membership().decide_organization(P::PERMISSION))
    }

    /// That the caller may do `P` in the whole organization: for what belongs to no resource further down.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub fn demand_in_organization(&self) -> Result<()> {
        demand_in_organization::<P>(self.membership())
    }

    /// That the caller proved lately who they are: for what a thief of the session shall not do.
    ///
    /// # Errors
    /// [`Error::SignInTooOld`].
    pub fn demand_fresh(&self) -> Result<()> {
        self.context.demand_fresh()
    }

    /// A workspace, if the caller may do `P` in it.
    ///
    /// # Errors
    /// [`Error::NotFound`] also where the caller may not know of it; [`Error::Forbidden`]; and when the database fails.
    pub async fn workspace(&self, id: WorkspaceId) -> Result<Authorized<Workspace, P>> {
        self.workspace_for::<P>(id).await
    }

    /// A workspace, if the caller may do `Q` in it: for what needs a second permission elsewhere, such as a move.
    ///
    /// # Errors
    /// Those of [`workspace`](Self::workspace).
    pub async fn workspace_for<Q: Required>(&self, id: WorkspaceId) -> Result<Authorized<Workspace, Q>> {
        let workspace = workspaces::find(self, id, Q::PERMISSION)
            .await?
            .ok_or(Error::NotFound)?;
        let decision = self.membership().decide_workspace(workspace.id, Q::PERMISSION);
        decided(workspace, decision)
    }

    /// A member, if the caller may do `P` to them.
    ///
    /// # Errors
    /// What [`TenantContext::demand_sign_on`] refuses, where it was not asked before; [`Error::NotFound`] also where the caller may not know of them; [`Error::Forbidden`]; and when the database fails.
    pub async fn member(&self, id: MemberId) -> Result<Authorized<Member, P>> {
        if P::OVER_ONESELF_HOWEVER_SIGNED_IN && id != self.membership().member {
            self.context.demand_sign_on()?;
        }
        let member = members::find(self, id).await?.ok_or(Error::NotFound)?;
        match self.membership().decide_member::<P>(&member) {
            Decision::Forbidden => Err(Error::Forbidden(self.membership().needed_for_member::<P>(&member))),
            decision => decided(member, decision),
        }
    }

    /// A role that the caller may give to others, since they have all that it allows. `None` where there is no such role.
    ///
    /// # Errors
    /// [`Error::Forbidden`] with the first permission that they lack; and when the database fails.
    pub async fn role_to_give(&self, role: &RoleRef) -> Result<Option<Authorized<RoleName, P>>> {
        let Some((role, permissions)) = roles::find(self, role).await? else {
            return Ok(None);
        };
        match self.membership().lacks(permissions) {
            Some(lacking) => Err(Error::Forbidden(lacking)),
            None => decided(role, Decision::Allowed).map(Some),
        }
    }

    /// A role that the caller may invite to, in the whole organization or in a workspace, since they may invite and have all that
    /// it allows there. `None` where there is no such role.
    ///
    /// # Errors
    /// [`Error::Forbidden`] with the first permission that they lack; and when the database fails.
    pub async fn role_to_invite_to(
        &self,
        role: &RoleRef,
        workspace: Option<WorkspaceId>,
    ) -> Result<Option<Authorized<RoleName, P>>> {
        let Some((role, permissions)) = roles::find(self, role).await? else {
            return Ok(None);
        };
        match self.membership().lacks_to_invite(permissions, workspace) {
            Some(lacking) => Err(Error::Forbidden(lacking)),
            None => decided(role, Decision::Allowed).map(Some),
        }
    }

    /// An invitation, if the caller may do `P` in the whole organization.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`]; and when the database fails.
    pub async fn invitation(&self, id: InvitationId) -> Result<Authorized<Invitation, P>> {
        self.demand_in_organization()?;
        let invitation = invitations::find(self, id).await?.ok_or(Error::NotFound)?;
        decided(invitation, Decision::Allowed)
    }

    /// A domain, if the caller may do `P` in the whole organization.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`]; and when the database fails.
    pub async fn domain(&self, id: DomainId) -> Result<Authorized<Domain, P>> {
        self.demand_in_organization()?;
        let domain = domains::find(self, id).await?.ok_or(Error::NotFound)?;
        decided(domain, Decision::Allowed)
    }

    /// A project, if the caller may do `P` to it.
    ///
    /// # Errors
    /// [`Error::NotFound`] also where the caller may not know of it; [`Error::Forbidden`]; and when the database fails.
    pub async fn project(&self, id: ProjectId) -> Result<Authorized<Project, P>> {
        let project = projects::find(self, id).await?.ok_or(Error::NotFound)?;
        let decision = self.membership().decide_project(&project, P::PERMISSION);
        decided(project, decision)
    }
}

impl<P: Required> TenantTx<P, ReadWrite> {
    /// Adds the event of something else that was done on the way, beside the one that is committed.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn append(&self, event: Event) -> Result<()> {
        let (user, now) = (self.user(), self.now());
        events::append(
            &self.connection,
            &self.environment,
            self.scope,
            user,
            self.trace,
            now,
            event,
        )
        .await
    }

    /// Makes the written rows last, with the event that names what was done: the only way to.
    ///
    /// # Errors
    /// What [`admit`] and [`load`] refuse to a caller whose rights were taken meanwhile, and [`Error::RightsChanged`] where
    /// they are others now; and when the database fails. Nothing was written then.
    pub async fn commit(self, event: Event) -> Result<()> {
        match self.rights {
            Rights::Stay => self.append(event).await?,
            Rights::MayChange => self.append_with_rights(event).await?,
        }
        self.connection.commit().await
    }

    /// Adds an event if the caller's rights are those that were decided over.
    async fn append_with_rights(&self, event: Event) -> Result<()> {
        let now = self.now();
        let appended = events::append_of_member(
            &self.connection,
            &self.environment,
            self.scope,
            self.context.decided_over(),
            self.trace,
            now,
            event,
        )
        .await?;
        if appended {
            return Ok(());
        }
        self.context.again::<P>(&self.connection).await?;
        Err(Error::RightsChanged)
    }
}
