//! What the mail of an invitation tells.

use sea_orm::{
    ConnectionTrait as _, DbBackend, Statement,
    sea_query::{Expr, ExprTrait as _},
};
use tenantry_domain::{
    ids::{InvitationId, OrganizationId},
    invitations::Invitation,
    organizations::OrganizationStatus,
    text::Name,
};

use super::{invitation, select_invitations};
use crate::{
    Database,
    database::Mode,
    entities::invitations::{Column, Entity},
    error::{Result, known},
    scope::Scope,
};

/// What the mail of an invitation tells, and in which language.
#[derive(Debug)]
pub struct InvitationToMail {
    /// The invitation.
    pub invitation: Invitation,
    /// Whether the organization can be worked in.
    pub status: OrganizationStatus,
    /// The name of the organization.
    pub organization_name: Name,
    /// The name of the workspace in which the role is held.
    pub workspace_name: Option<Name>,
    /// What the member who sent it is called there.
    pub invited_by_name: Name,
    /// The language of whoever sent it.
    pub locale: Option<String>,
}

/// What is to be told of an invitation of an organization; `None` where it is gone, or the organization is deleted.
///
/// # Errors
/// When the database fails.
pub async fn to_mail(
    database: &Database,
    organization: OrganizationId,
    id: InvitationId,
) -> Result<Option<InvitationToMail>> {
    let connection = database.begin(Mode::ReadOnly, None, Some(organization)).await?;
    let scope = Scope::new(organization, database.filters_by_organization());
    let mut rows = select_invitations(scope);
    rows.and_where(Expr::col((Entity, Column::Id)).eq(id.as_uuid()));
    let Some(row) = connection.query_one(&rows).await? else {
        return Ok(None);
    };
    let invitation = invitation(&row)?;
    let statement = Statement::from_sql_and_values(
        DbBackend::Postgres,
        "select organizations.status, organizations.name as organization_name, workspaces.name as workspace_name,
                coalesce(members.name, users.name) as invited_by_name, users.locale
         from organizations
         join members on members.organization_id = $1 and members.id = $2
         join users on users.id = members.user_id
         left join workspaces on workspaces.organization_id = $1 and workspaces.id = $3
         where organizations.id = $1 and organizations.status <> 'deleted'",
        [
            organization.as_uuid().into(),
            invitation.invited_by.as_uuid().into(),
            invitation.workspace_id.map(|id| id.as_uuid()).into(),
        ],
    );
    let Some(row) = connection.query_one_raw(statement).await? else {
        return Ok(None);
    };
    Ok(Some(InvitationToMail {
        invitation,
        status: known("organizations.status", &row.try_get::<String>("", "status")?)?,
        organization_name: Name::from_stored(row.try_get("", "organization_name")?),
        workspace_name: row
            .try_get::<Option<String>>("", "workspace_name")?
            .map(Name::from_stored),
        invited_by_name: Name::from_stored(row.try_get("", "invited_by_name")?),
        locale: row.try_get("", "locale")?,
    }))
}
