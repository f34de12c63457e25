//! A person's memberships, across organizations: by the look-up that tells them to their owner alone.

use sea_orm::{
    ConnectionTrait as _, QueryResult,
    sea_query::{Alias, Asterisk, Expr, ExprTrait as _, Func, Query},
};
use tenantry_domain::{
    ids::OrganizationId,
    lists::{ListQuery, MembershipField, Page},
    roles::RoleName,
    slugs::OrganizationSlug,
    text::Name,
    users::memberships::{MemberOrganization, UserMembership},
};
use uuid::Uuid;

use crate::{
    error::{Result, known},
    lists, search,
    user::UserTx,
};

/// The look-up.
const MINE: &str = "lookup.my_memberships";

impl UserTx {
    /// The person's memberships that count.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn memberships(&self, query: &ListQuery<MembershipField>) -> Result<Page<UserMembership>> {
        let mine = Alias::new("mine");
        let mut rows = Query::select()
            .column((mine.clone(), Asterisk))
            .expr_as(
                Expr::cust("mine.organization_id is not distinct from (select lookup.my_current_organization())"),
                Alias::new("current"),
            )
            .from_function(Func::cust(MINE), mine.clone())
            .to_owned();
        let of_mine = |column: &str| Expr::col((mine.clone(), Alias::new(column)));
        if let Some(search) = &query.search {
            rows.and_where(search::name_contains(of_mine("name"), search));
        }
        let column = |field| {
            of_mine(match field {
                MembershipField::Name => "name",
                MembershipField::JoinedAt => "joined_at",
                MembershipField::CreatedAt => "created_at",
                MembershipField::UpdatedAt => "updated_at",
            })
        };
        lists::fetch(&self.connection, rows, query, column, of_mine("id"), membership).await
    }

    /// Whether the person is a member of an organization that is not deleted.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_member_of(&self, organization: OrganizationId) -> Result<bool> {
        let mine = Alias::new("mine");
        let rows = Query::select()
            .expr(Expr::val(1))
            .from_function(Func::cust(MINE), mine.clone())
            .and_where(Expr::col((mine, Alias::new("organization_id"))).eq(organization.as_uuid()))
            .to_owned();
        Ok(self.connection.query_one(&rows).await?.is_some())
    }
}

fn membership(row: &QueryResult) -> Result<UserMembership> {
    let role = row.try_get::<Option<Uuid>>("", "role_id")?;
    Ok(UserMembership {
        id: row.try_get::<Uuid>("", "id")?.into(),
        organization: MemberOrganization {
            id: row.try_get::<Uuid>("", "organization_id")?.into(),
            name: Name::from_stored(row.try_get("", "name")?),
            slug: OrganizationSlug::from_stored(row.try_get("", "slug")?),
            status: known("organizations.status", &row.try_get::<String>("", "status")?)?,
            plan: known("organizations.plan", &row.try_get::<String>("", "plan")?)?,
        },
        role: role
            .map(|id| {
                Ok::<_, sea_orm::DbErr>(RoleName {
                    id: id.into(),
                    key: row.try_get("", "role_key")?,
                    name: row.try_get("", "role_name")?,
                })
            })
            .transpose()?,
        current: row.try_get("", "current")?,
        joined_at: row.try_get("", "joined_at")?,
        created_at: row.try_get("", "created_at")?,
        updated_at: row.try_get("", "updated_at")?,
    })
}
