//! Rows of invitations, and the seats that they lead to: sending here, taking up in [`acceptance`], mailing in [`mail`].

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait as _, ConnectionTrait as _, DbBackend, EntityTrait as _, PaginatorTrait as _, QueryFilter as _,
    QueryResult, Statement,
    sea_query::{Alias, Condition, Expr, ExprTrait as _, LockType, Query, SelectStatement},
};
use tenantry_domain::{
    emails::Email,
    events::Event,
    ids::{InvitationId, WorkspaceId},
    invitations::{Invitation, InvitationPreview, LIFE},
    lists::{InvitationField, ListQuery, Page},
    organizations::OrganizationStatus,
    permissions::{Required, perm},
    roles::RoleName,
    text::Name,
};
use uuid::Uuid;

use crate::{
    connection::Connection,
    entities::{
        invitations::{ActiveModel, Column, Entity, Model},
        roles,
    },
    error::{Error, Result, known, one_row},
    lists, members,
    scope::Scope,
    system::SystemTx,
    tenant::{Authorized, ReadWrite, TenantTx, TransactionMode},
};

mod acceptance;
mod mail;

pub use self::{
    acceptance::Offer,
    mail::{InvitationToMail, to_mail},
};

/// How many members an organization may have, and has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seats {
    /// How many it may have.
    pub limit: u32,
    /// How many it has, of those that count.
    pub used: u32,
}

impl Seats {
    /// Whether there is one for somebody else.
    #[must_use]
    pub const fn is_one_free(self) -> bool {
        self.used < self.limit
    }
}

/// An invitation whose link was shown. Made by a [`SystemTx`] alone.
#[derive(Debug, Clone)]
pub struct Invited(InvitationPreview);

impl Invited {
    /// What its holder is told of it.
    #[must_use]
    pub const fn preview(&self) -> &InvitationPreview {
        &self.0
    }
}

impl SystemTx {
    /// The invitation of this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn invitation(&self, id: InvitationId) -> Result<Option<Invited>> {
        let found = self
            .look_up(
                "select organization_id, organization_name, email, workspace_name, role_id, role_key, role_name,
                        invited_by_name, expires_at, created_at, updated_at
                 from lookup.invitation($1)",
                id.as_uuid().into(),
            )
            .await?;
        found
            .map(|row| {
                Ok(Invited(InvitationPreview {
                    id,
                    email: Email::from_stored(row.try_get("", "email")?),
                    organization_id: row.try_get::<Uuid>("", "organization_id")?.into(),
                    organization_name: Name::from_stored(row.try_get("", "organization_name")?),
                    workspace_name: row
                        .try_get::<Option<String>>("", "workspace_name")?
                        .map(Name::from_stored),
                    role: role(&row)?,
                    invited_by_name: Name::from_stored(row.try_get("", "invited_by_name")?),
                    expires_at: row.try_get("", "expires_at")?,
                    created_at: row.try_get("", "created_at")?,
                    updated_at: row.try_get("", "updated_at")?,
                }))
            })
            .transpose()
    }
}

pub(crate) async fn find<P: Required, M: TransactionMode>(
    tx: &TenantTx<P, M>,
    id: InvitationId,
) -> Result<Option<Invitation>> {
    let mut rows = select_invitations(tx.scope);
    rows.and_where(Expr::col((Entity, Column::Id)).eq(id.as_uuid()));
    if M::LOCKS {
        rows.lock_with_tables(LockType::Update, [Entity]);
    }
    let row = tx.connection.query_one(&rows).await?;
    row.map(|row| invitation(&row)).transpose()
}

/// Invitations with their role, and what it allows.
fn select_invitations(scope: Scope) -> SelectStatement {
    let role = |column| Expr::col((roles::Entity, column));
    Query::select()
        .columns([
            (Entity, Column::OrganizationId),
            (Entity, Column::Id),
            (Entity, Column::Email),
            (Entity, Column::WorkspaceId),
            (Entity, Column::InvitedBy),
            (Entity, Column::ExpiresAt),
            (Entity, Column::Version),
            (Entity, Column::CreatedAt),
            (Entity, Column::UpdatedAt),
        ])
        .expr_as(role(roles::Column::Id), Alias::new("role_id"))
        .expr_as(role(roles::Column::Key), Alias::new("role_key"))
        .expr_as(role(roles::Column::Name), Alias::new("role_name"))
        .expr_as(role(roles::Column::Permissions), Alias::new("role_permissions"))
        .expr_as(role(roles::Column::BuiltIn), Alias::new("role_built_in"))
        .from(Entity)
        .inner_join(
            roles::Entity,
            Condition::all()
                .add(scope.filter::<roles::Entity>())
                .add(role(roles::Column::Id).equals((Entity, Column::RoleId))),
        )
        .cond_where(scope.filter::<Entity>())
        .to_owned()
}

fn invitation(row: &QueryResult) -> Result<Invitation> {
    Ok(Invitation {
        id: row.try_get::<Uuid>("", "id")?.into(),
        organization_id: row.try_get::<Uuid>("", "organization_id")?.into(),
        email: Email::from_stored(row.try_get("", "email")?),
        role: role(row)?,
        workspace_id: row.try_get::<Option<Uuid>>("", "workspace_id")?.map(Into::into),
        invited_by: row.try_get::<Uuid>("", "invited_by")?.into(),
        expires_at: row.try_get("", "expires_at")?,
        version: row.try_get("", "version")?,
        created_at: row.try_get("", "created_at")?,
        updated_at: row.try_get("", "updated_at")?,
    })
}

fn role(row: &QueryResult) -> Result<RoleName> {
    Ok(RoleName {
        id: row.try_get::<Uuid>("", "role_id")?.into(),
        key: row.try_get("", "role_key")?,
        name: row.try_get("", "role_name")?,
    })
}

impl<M: TransactionMode> TenantTx<perm::MemberInvite, M> {
    /// The invitations of the organization.
    ///
    /// # Errors
    /// [`Error::Forbidden`]; and when the database fails.
    pub async fn invitations(&self, query: &ListQuery<InvitationField>) -> Result<Page<Invitation>> {
        self.demand_in_organization()?;
        let column = |field| {
            Expr::col((
                Entity,
                match field {
                    InvitationField::Email => Column::EmailCanonical,
                    InvitationField::ExpiresAt => Column::ExpiresAt,
                    InvitationField::CreatedAt => Column::CreatedAt,
                    InvitationField::UpdatedAt => Column::UpdatedAt,
                },
            ))
        };
        let id = Expr::col((Entity, Column::Id));
        lists::fetch(
            &self.connection,
            select_invitations(self.scope),
            query,
            column,
            id,
            invitation,
        )
        .await
    }

    /// Whether somebody with this address is a member.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_member_with(&self, email: &Email) -> Result<bool> {
        members::has_address(&self.connection, self.scope, email.canonical()).await
    }

    /// How many members the organization may have, and has.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn seats(&self) -> Result<Seats> {
        Ok(room(&self.connection, self.scope).await?.1)
    }

    /// How many invitations the organization has.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn invitation_count(&self) -> Result<u64> {
        Ok(self.scope.find::<Entity>().count(&self.connection).await?)
    }
}

/// Whether an organization can be worked in, and its seats.
pub(crate) async fn room(connection: &Connection, scope: Scope) -> Result<(OrganizationStatus, Seats)> {
    let statement = Statement::from_sql_and_values(
        DbBackend::Postgres,
        "select organizations.status, organizations.max_seats,
                (select count(*) from members
                 where members.organization_id = $1 and members.status = 'active') as used
         from organizations
         where organizations.id = $1",
        [scope.organization().as_uuid().into()],
    );
    let row = connection.query_one_raw(statement).await?.ok_or(Error::NotFound)?;
    let count = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
    Ok((
        known("organizations.status", &row.try_get::<String>("", "status")?)?,
        Seats {
            limit: count(row.try_get::<i32>("", "max_seats")?.into()),
            used: count(row.try_get("", "used")?),
        },
    ))
}

impl TenantTx<perm::MemberInvite, ReadWrite> {
    /// Adds an invitation of the caller's.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn create_invitation(
        &self,
        email: Email,
        role: Authorized<RoleName, perm::MemberInvite>,
        workspace: Option<WorkspaceId>,
    ) -> Result<Invitation> {
        let now = self.now();
        let created = Invitation {
            id: InvitationId::new(&self.environment),
            organization_id: self.scope.organization(),
            email,
            role: role.into_inner(),
            workspace_id: workspace,
            invited_by: self.membership().member,
            expires_at: now + LIFE,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        let row = Model {
            organization_id: created.organization_id.as_uuid(),
            id: created.id.as_uuid(),
            email: created.email.as_str().to_owned(),
            email_canonical: created.email.canonical().to_owned(),
            role_id: created.role.id.as_uuid(),
            workspace_id: created.workspace_id.map(|id| id.as_uuid()),
            invited_by: created.invited_by.as_uuid(),
            expires_at: created.expires_at,
            version: created.version,
            created_at: created.created_at,
            updated_at: created.updated_at,
        };
        Entity::insert(ActiveModel::from(row))
            .exec_without_returning(&self.connection)
            .await?;
        Ok(created)
    }

    /// Takes back the invitation of this address, where there is one, and tells so beside what is committed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn replace_invitation(&self, email: &Email, event: impl FnOnce(&Invitation) -> Event) -> Result<()> {
        let mut rows = select_invitations(self.scope);
        rows.and_where(Expr::col((Entity, Column::EmailCanonical)).eq(email.canonical()))
            .lock_with_tables(LockType::Update, [Entity]);
        let Some(row) = self.connection.query_one(&rows).await? else {
            return Ok(());
        };
        let earlier = invitation(&row)?;
        delete(&self.connection, self.scope, earlier.id).await?;
        self.append(event(&earlier)).await
    }

    /// Makes an invitation good for as long as a new one, as one of the caller's.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn renew_invitation(
        &self,
        invitation: &Authorized<Invitation, perm::MemberInvite>,
    ) -> Result<Invitation> {
        let now = self.now();
        let renewed = Invitation {
            invited_by: self.membership().member,
            expires_at: now + LIFE,
            version: invitation.version + 1,
            updated_at: now,
            ..(**invitation).clone()
        };
        let values = ActiveModel {
            invited_by: Set(renewed.invited_by.as_uuid()),
            expires_at: Set(renewed.expires_at),
            version: Set(renewed.version),
            updated_at: Set(renewed.updated_at),
            ..Default::default()
        };
        let done = self
            .scope
            .update::<Entity>()
            .set(values)
            .filter(Column::Id.eq(invitation.id.as_uuid()))
            .exec(&self.connection)
            .await?;
        one_row(done.rows_affected)?;
        Ok(renewed)
    }

    /// Takes back an invitation.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_invitation(&self, invitation: &Authorized<Invitation, perm::MemberInvite>) -> Result<()> {
        delete(&self.connection, self.scope, invitation.id).await
    }
}

async fn delete(connection: &Connection, scope: Scope, id: InvitationId) -> Result<()> {
    let done = scope
        .delete::<Entity>()
        .filter(Column::Id.eq(id.as_uuid()))
        .exec(connection)
        .await?;
    one_row(done.rows_affected)
}
