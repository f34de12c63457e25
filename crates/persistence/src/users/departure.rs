//! A person who goes: out of one organization after the other, and then altogether.
//!
//! A [`DepartingTx`] is in one organization at a time, which a [`Departure`] stands for: as long as there is one, no other
//! can be taken. Both walls hold in it as in any other: its statements have the filter of that organization, and its
//! setting tells the policies the same.

use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, QueryFilter as _, QueryResult, Statement,
    sea_query::{Alias, Expr, ExprTrait as _, Query, SelectStatement},
};
use tenantry_domain::{
    events::Event,
    ids::{MemberId, OrganizationId, UserId},
    members::MemberStatus,
    organizations::OrganizationStatus,
    slugs::OrganizationSlug,
    text::Name,
    users::memberships::MemberOrganization,
};
use uuid::Uuid;

use crate::{
    entities::{grants, members, organizations, roles, user_events, users},
    error::{Result, known, one_row},
    events,
    members::ownership,
    scope::Scope,
    user::{DepartingTx, UserTx},
};

/// The membership of a person who goes, in the organization that their transaction is in.
pub struct Departure<'t> {
    tx: &'t UserTx,
    scope: Scope,
    /// The id of the membership.
    pub member: MemberId,
    /// What it is in.
    pub organization: MemberOrganization,
    is_owner: bool,
}

impl DepartingTx {
    /// The organizations that hold a membership of the person, whether or not it counts, in the order in which they are
    /// to be taken.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn organizations_to_leave(&self) -> Result<Vec<OrganizationId>> {
        let backend = self.user.connection.get_database_backend();
        let sql = "select organization_id from lookup.organizations_to_leave() organization_id order by 1";
        let rows = self
            .user
            .connection
            .query_all_raw(Statement::from_string(backend, sql))
            .await?;
        rows.iter()
            .map(|row| Ok(row.try_get::<Uuid>("", "organization_id")?.into()))
            .collect()
    }

    /// Takes the person's membership of an organization to end it, and the turn there: nobody else's role changes until the transaction
    /// ends. `None` where there is no such membership any more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn depart_from(&mut self, organization: OrganizationId) -> Result<Option<Departure<'_>>> {
        let scope = self.enter(organization).await?;
        crate::organizations::take_turn(&self.user.connection, scope).await?;
        let found = self
            .user
            .connection
            .query_one(&membership(scope, self.user.user))
            .await?;
        found.map(|row| Departure::new(&self.user, scope, &row)).transpose()
    }

    /// Deletes the person, with all that is theirs: password, sessions, records and events. What they made in
    /// organizations stays there and is nobody's.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_oneself(&self) -> Result<()> {
        let UserTx { connection, user, .. } = &self.user;
        user_events::Entity::delete_many()
            .filter(user_events::Column::UserId.eq(user.as_uuid()))
            .exec(connection)
            .await?;
        let done = users::Entity::delete_by_id(user.as_uuid()).exec(connection).await?;
        one_row(done.rows_affected)
    }
}

impl<'t> Departure<'t> {
    fn new(tx: &'t UserTx, scope: Scope, row: &QueryResult) -> Result<Self> {
        let status = known::<MemberStatus>("members.status", &row.try_get::<String>("", "member_status")?)?;
        Ok(Self {
            tx,
            scope,
            member: row.try_get::<Uuid>("", "member_id")?.into(),
            organization: MemberOrganization {
                id: scope.organization(),
                name: Name::from_stored(row.try_get("", "name")?),
                slug: OrganizationSlug::from_stored(row.try_get("", "slug")?),
                status: known("organizations.status", &row.try_get::<String>("", "status")?)?,
                plan: known("organizations.plan", &row.try_get::<String>("", "plan")?)?,
            },
            is_owner: row.try_get("", "is_owner")? && status == MemberStatus::Active,
        })
    }

    /// Whether the organization would be left without an owner. One that is deleted may be.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_last_owner(&self) -> Result<bool> {
        if !self.is_owner || self.organization.status == OrganizationStatus::Deleted {
            return Ok(false);
        }
        let other = ownership::has_another_owner(&self.tx.connection, self.scope, self.member).await?;
        Ok(!other)
    }

    /// Leaves the organization, with all roles held in it, and tells it so.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn leave(self, event: Event) -> Result<()> {
        let done = self
            .scope
            .delete::<members::Entity>()
            .filter(members::Column::Id.eq(self.member.as_uuid()))
            .exec(&self.tx.connection)
            .await?;
        one_row(done.rows_affected)?;
        let UserTx {
            connection,
            environment,
            user,
            ..
        } = self.tx;
        let (trace, now) = (self.tx.trace(), self.tx.now());
        events::append(connection, environment, self.scope, *user, trace, now, event).await
    }
}

/// The membership of a person in the organization of the scope, with the organization, and whether they own it.
fn membership(scope: Scope, user: UserId) -> SelectStatement {
    let column = |column| Expr::col((members::Entity, column));
    Query::select()
        .expr_as(column(members::Column::Id), Alias::new("member_id"))
        .expr_as(column(members::Column::Status), Alias::new("member_status"))
        .columns([
            (organizations::Entity, organizations::Column::Name),
            (organizations::Entity, organizations::Column::Slug),
            (organizations::Entity, organizations::Column::Status),
            (organizations::Entity, organizations::Column::Plan),
        ])
        .expr_as(
            Expr::col((roles::Entity, roles::Column::Id)).is_not_null(),
            Alias::new("is_owner"),
        )
        .from(members::Entity)
        .inner_join(organizations::Entity, scope.filter::<organizations::Entity>())
        .left_join(grants::Entity, ownership::grants_at_organization(scope))
        .left_join(roles::Entity, ownership::owner_role(scope))
        .cond_where(scope.filter::<members::Entity>())
        .and_where(column(members::Column::UserId).eq(user.as_uuid()))
        .to_owned()
}
