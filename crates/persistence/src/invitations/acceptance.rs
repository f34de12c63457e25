//! Taking up an invitation: what is offered, and becoming a member.

use sea_orm::{
    ConnectionTrait as _, DbBackend, Statement,
    sea_query::{Expr, ExprTrait as _, LockType},
};
use tenantry_domain::{
    authorization::Membership, ids::MemberId, invitations::Invitation, members::Member,
    organizations::OrganizationStatus, permissions::PermissionSet,
};
use uuid::Uuid;

use super::{Seats, delete, invitation, room, select_invitations};
use crate::{
    entities::invitations::{Column, Entity},
    error::{Error, Result},
    members,
    roles::{grants_from_json, permissions},
    user::JoiningTx,
};

/// An invitation as it is at the moment of being taken up.
#[derive(Debug)]
pub struct Offer {
    /// The invitation.
    pub invitation: Invitation,
    /// What its role allows.
    pub permissions: PermissionSet,
    /// What the member who sent it holds; `None` where their membership does not count any more.
    pub sender: Option<Membership>,
    /// Whether the organization can be worked in.
    pub status: OrganizationStatus,
    /// The organization's seats.
    pub seats: Seats,
}

impl JoiningTx {
    /// What is offered to the person; `None` where the invitation is gone.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn offer(&self) -> Result<Option<Offer>> {
        let connection = &self.user.connection;
        let mut rows = select_invitations(self.scope);
        rows.and_where(Expr::col((Entity, Column::Id)).eq(self.invitation.as_uuid()))
            .lock_with_tables(LockType::Update, [Entity]);
        let Some(row) = connection.query_one(&rows).await? else {
            return Ok(None);
        };
        let invitation = invitation(&row)?;
        let names = row.try_get::<Option<Vec<String>>>("", "role_permissions")?;
        let permissions = permissions(
            row.try_get("", "role_built_in")?,
            &invitation.role.key,
            names.as_deref(),
        )?;
        let sender = self.membership(invitation.invited_by).await?;
        let (status, seats) = room(connection, self.scope).await?;
        Ok(Some(Offer {
            invitation,
            permissions,
            sender,
            status,
            seats,
        }))
    }

    /// What a member holds whose membership counts.
    async fn membership(&self, member: MemberId) -> Result<Option<Membership>> {
        let organization = self.scope.organization();
        let statement = Statement::from_sql_and_values(
            DbBackend::Postgres,
            "select members.user_id, coalesce(
                 (select jsonb_agg(jsonb_build_object(
                         'workspace_id', grants.workspace_id, 'project_id', grants.project_id,
                         'role_id', roles.id, 'key', roles.key, 'name', roles.name,
                         'permissions', roles.permissions, 'built_in', roles.built_in))
                  from grants
                  join roles on roles.organization_id = $1 and roles.id = grants.role_id
                  where grants.organization_id = $1 and grants.member_id = $2),
                 '[]') as grants
             from members
             where members.organization_id = $1 and members.id = $2 and members.status = 'active'",
            [organization.as_uuid().into(), member.as_uuid().into()],
        );
        let row = self.user.connection.query_one_raw(statement).await?;
        row.map(|row| {
            Ok(Membership {
                organization,
                member,
                user: row.try_get::<Uuid>("", "user_id")?.into(),
                grants: grants_from_json(row.try_get("", "grants")?)?,
            })
        })
        .transpose()
    }

    /// Whether the person is a member already, whether or not that counts.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_member(&self) -> Result<bool> {
        let found = members::of_user(&self.user.connection, self.scope, self.user.user).await?;
        Ok(found.is_some())
    }

    /// Makes the person a member with the role that the invitation names, and uses it up.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn join(&self, invitation: &Invitation) -> Result<Member> {
        let (connection, user) = (&self.user.connection, self.user.user);
        delete(connection, self.scope, invitation.id).await?;
        members::insert(
            connection,
            &self.user.environment,
            self.scope.organization(),
            user,
            invitation.role.id,
            invitation.workspace_id,
        )
        .await?;
        // As it is shown, with the person and the role behind it.
        let member = members::of_user(connection, self.scope, user).await?;
        member.ok_or(Error::NotFound)
    }
}
