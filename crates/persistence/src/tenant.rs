//! The one typed way to a tenant's rows: context → access → transaction → proof.
//!
//! Each step can only be made from the one before it, in this crate: a service cannot skip one, and a handler that
//! forgot its permission does not compile (`tests/compile_fail` has the proofs). To let a resource be authorized, add a
//! method beside [`TenantTx::project`] that loads it and asks the domain's decision.

use std::{marker::PhantomData, ops::Deref, sync::Arc};

use sea_orm::{ConnectionTrait as _, DbBackend, QueryResult, Statement};
use tenantry_domain::{
    authorization::{Decision, Membership},
    environment::{Environment, Timestamp},
    events::Event,
    ids::{OrganizationId, ProjectId, UserId, WorkspaceId},
    organizations::{Organization, OrganizationStatus},
    permissions::Required,
    projects::Project,
    slugs,
    trace::TraceId,
    workspaces::Workspace,
};
use uuid::Uuid;

use crate::{
    Database,
    connection::Connection,
    database::Mode,
    error::{Error, Result, known},
    events, organizations, projects, roles,
    scope::Scope,
    sessions::Principal,
    workspaces,
};

/// How a request names an organization.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum OrganizationRef {
    /// By id.
    Id(OrganizationId),
    /// By what may be a slug: it is looked up as it is.
    Slug(String),
}

impl OrganizationRef {
    /// Takes what a UUID parser accepts for an id and all else for a slug. A text that can be neither is `None`, so it is
    /// not looked up at all.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.parse() {
            Ok(id) => Some(Self::Id(id)),
            Err(_) if is_slug_text(text) => Some(Self::Slug(text.to_owned())),
            Err(_) => None,
        }
    }
}

/// The letters of a slug, without its finer rules: an organization keeps a slug that was reserved after it took it.
fn is_slug_text(text: &str) -> bool {
    let letter = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    (1..=slugs::MAX).contains(&text.len()) && text.bytes().all(letter)
}

/// Who calls and what they hold in one organization, as the database said at one moment. Made by [`load`] alone.
#[derive(Debug)]
pub struct TenantContext {
    principal: Principal,
    membership: Membership,
    status: OrganizationStatus,
    last_seen_at: Option<Timestamp>,
}

impl TenantContext {
    /// What the caller holds.
    #[must_use]
    pub fn membership(&self) -> &Membership {
        &self.membership
    }

    /// The caller.
    #[must_use]
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// When the member was last seen here, as far as this was written down.
    #[must_use]
    pub fn last_seen_at(&self) -> Option<Timestamp> {
        self.last_seen_at
    }
}

/// Loads what the caller holds in an organization: two round trips. `None` for a stranger, and where there is none.
///
/// # Errors
/// When the database fails, or the caller's session has ended.
pub async fn load(
    database: &Database,
    principal: &Principal,
    organization: &OrganizationRef,
) -> Result<Option<TenantContext>> {
    let connection = database.begin(Mode::ReadOnly, Some(principal.user()), None).await?;
    read_context(&connection, principal, organization, database.environment().now()).await
}

async fn read_context(
    connection: &Connection,
    principal: &Principal,
    organization: &OrganizationRef,
    now: Timestamp,
) -> Result<Option<TenantContext>> {
    let (id, slug) = match organization {
        OrganizationRef::Id(id) => (Some(id.as_uuid()), None),
        OrganizationRef::Slug(slug) => (None, Some(slug.clone())),
    };
    let statement = Statement::from_sql_and_values(
        DbBackend::Postgres,
        "select session.live, m.organization_id, m.status, m.member_id, m.last_seen_at, m.grants
         from (select exists (select 1 from sessions
                              where user_id = $1 and id = $2 and revoked_at is null and expires_at > $3) as live) session
         left join lookup.membership($4, $5) m on true",
        [
            principal.user().as_uuid().into(),
            principal.session().as_uuid().into(),
            now.into(),
            id.into(),
            slug.into(),
        ],
    );
    let row = connection.query_one_raw(statement).await?.ok_or(Error::SessionEnded)?;
    if !row.try_get::<bool>("", "live")? {
        return Err(Error::SessionEnded);
    }
    context_from_row(&row, principal)
}

fn context_from_row(row: &QueryResult, principal: &Principal) -> Result<Option<TenantContext>> {
    let Some(organization) = row.try_get::<Option<Uuid>>("", "organization_id")? else {
        return Ok(None);
    };
    Ok(Some(TenantContext {
        principal: principal.clone(),
        membership: Membership {
            organization: organization.into(),
            member: row.try_get::<Uuid>("", "member_id")?.into(),
            user: principal.user(),
            grants: roles::grants_from_json(row.try_get("", "grants")?)?,
        },
        status: known("organizations.status", &row.try_get::<String>("", "status")?)?,
        last_seen_at: row.try_get("", "last_seen_at")?,
    }))
}

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

impl TenantContext {
    /// That the organization can be worked in: all that is asked where being a member is enough.
    ///
    /// # Errors
    /// [`Error::Suspended`].
    pub fn demand_active(&self) -> Result<()> {
        match self.status {
            OrganizationStatus::Active => Ok(()),
            OrganizationStatus::Suspended => Err(Error::Suspended),
            OrganizationStatus::Deleted => Err(Error::NotFound),
        }
    }
}

fn check<P: Required>(context: &TenantContext) -> Result<()> {
    context.demand_active()?;
    if context.membership.could_ever(P::PERMISSION) {
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

    /// Begins a transaction that reads, in one round trip; it ends by being dropped.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn read(&self, database: &Database) -> Result<TenantTx<P, ReadOnly>> {
        let connection = self.connect(database, Mode::ReadOnly).await?;
        Ok(self.transaction(database, connection, Arc::clone(&self.context)))
    }

    /// Begins a transaction that writes. The caller's session and rights are read again inside it, so what was taken away
    /// a moment ago, on whatever node, is gone.
    ///
    /// # Errors
    /// When the database cannot be reached, and what [`admit`] and [`load`] refuse.
    pub async fn begin(&self, database: &Database) -> Result<TenantTx<P, ReadWrite>> {
        let connection = self.connect(database, Mode::ReadWrite).await?;
        let organization = OrganizationRef::Id(self.context.membership.organization);
        let context = read_context(
            &connection,
            &self.context.principal,
            &organization,
            database.environment().now(),
        )
        .await?
        .ok_or(Error::NotFound)?;
        check::<P>(&context)?;
        Ok(self.transaction(database, connection, Arc::new(context)))
    }

    async fn connect(&self, database: &Database, mode: Mode) -> Result<Connection> {
        let membership = &self.context.membership;
        database
            .begin(mode, Some(membership.user), Some(membership.organization))
            .await
    }

    fn transaction<M>(
        &self,
        database: &Database,
        connection: Connection,
        context: Arc<TenantContext>,
    ) -> TenantTx<P, M> {
        TenantTx {
            connection,
            scope: Scope::new(context.membership.organization, database.filters_by_organization()),
            context,
            environment: database.environment().clone(),
            trace: self.trace,
            kind: PhantomData,
        }
    }
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
        match self.membership().decide_organization(P::PERMISSION) {
            Decision::Allowed => Ok(()),
            Decision::Invisible | Decision::Forbidden => Err(Error::Forbidden(P::PERMISSION)),
        }
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
        let workspace = workspaces::find(self, id).await?.ok_or(Error::NotFound)?;
        let decision = self.membership().decide_workspace(workspace.id, Q::PERMISSION);
        decided(workspace, decision)
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
    /// Makes the written rows last, with the event that names what was done: the only way to.
    ///
    /// # Errors
    /// When the database fails: nothing was written then.
    pub async fn commit(self, event: Event) -> Result<()> {
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
        .await?;
        self.connection.commit().await
    }
}
