//! People who sign in through an organization's provider, and become members by that, or sign in past it.

use sea_orm::{ConnectionTrait as _, DbBackend, Statement};
use tenantry_domain::{
    emails::Email,
    events::Event,
    ids::{ConnectionId, OrganizationId},
    members::Member,
    sign_on::DefaultRole,
};
use uuid::Uuid;

use super::connections::default_role;
use crate::{
    Database,
    error::{Error, Result},
    invitations::{Seats, room},
    members, organizations,
    scope::Scope,
    user::UserTx,
};

/// An organization that a person's transaction has entered: from then on it reaches what is the person's and what is the organization's.
pub struct EnteredOrganization<'t> {
    tx: &'t UserTx,
    scope: Scope,
}

/// What an organization takes people in by who sign in through its provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The provider.
    pub connection: ConnectionId,
    /// What they become there at the first time.
    pub default_role: Option<DefaultRole>,
}

impl<'t> EnteredOrganization<'t> {
    /// Has a person's transaction enter an organization.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn enter(database: &Database, tx: &'t UserTx, organization: OrganizationId) -> Result<Self> {
        tx.connection.enter(organization).await?;
        Ok(Self {
            tx,
            scope: Scope::new(organization, database.filters_by_organization()),
        })
    }

    /// Waits until nobody else changes who belongs to the organization, until the transaction ends. Before the person is held: whoever
    /// deletes themselves locks them in this order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take_turn(&self) -> Result<()> {
        organizations::take_turn(&self.tx.connection, self.scope).await
    }

    /// What the organization takes somebody in by who has this address; `None` where it has not proven that the address's domain is
    /// its own, has no provider, or cannot be worked in.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn terms(&self, email: &Email) -> Result<Option<Terms>> {
        let statement = Statement::from_sql_and_values(
            DbBackend::Postgres,
            "select sign_on_policies.connection_id, sign_on_policies.default_role
             from organizations
             join sign_on_policies on sign_on_policies.organization_id = $1
             join domains on domains.organization_id = $1
             where organizations.id = $1 and organizations.status = 'active'
               and sign_on_policies.connection_id is not null
               and domains.name = $2 and domains.verified_at is not null",
            [self.scope.organization().as_uuid().into(), email.domain().into()],
        );
        let found = self.tx.connection.query_one_raw(statement).await?;
        found
            .map(|row| {
                Ok(Terms {
                    connection: row.try_get::<Uuid>("", "connection_id")?.into(),
                    default_role: default_role(&row)?,
                })
            })
            .transpose()
    }

    /// Whether the person is a member, whether or not that counts, or was one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_or_was_member(&self) -> Result<bool> {
        let statement = Statement::from_sql_and_values(
            DbBackend::Postgres,
            "select exists (select from members where members.organization_id = $1 and members.user_id = $2)
                 or exists (select from former_members
                            where former_members.organization_id = $1 and former_members.user_id = $2) as found",
            [
                self.scope.organization().as_uuid().into(),
                self.tx.user.as_uuid().into(),
            ],
        );
        let row = self.tx.connection.query_one_raw(statement).await?;
        let row = row.ok_or_else(|| Error::Corrupt("a select of one value gave none".to_owned()))?;
        Ok(row.try_get("", "found")?)
    }

    /// The organization's seats, in its [turn](Self::take_turn).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn seats(&self) -> Result<Seats> {
        Ok(room(&self.tx.connection, self.scope).await?.1)
    }

    /// Makes the person a member, in the organization's [turn](Self::take_turn).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn join(&self, role: DefaultRole) -> Result<Member> {
        let (connection, organization) = (&self.tx.connection, self.scope.organization());
        let statement = Statement::from_sql_and_values(
            DbBackend::Postgres,
            "select roles.id from roles where roles.organization_id = $1 and roles.built_in and roles.key = $2",
            [organization.as_uuid().into(), role.role().key().into()],
        );
        let found = connection.query_one_raw(statement).await?.ok_or(Error::NotFound)?;
        let role = found.try_get::<Uuid>("", "id")?.into();
        members::insert(connection, &self.tx.environment, organization, self.tx.user, role, None).await?;
        // As it is shown, with the person and the role behind it.
        let member = members::of_user(connection, self.scope, self.tx.user).await?;
        member.ok_or(Error::NotFound)
    }

    /// Adds an event of the organization, beside the person's own.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn append(&self, event: Event) -> Result<()> {
        self.tx.append_in(self.scope, event).await
    }
}
