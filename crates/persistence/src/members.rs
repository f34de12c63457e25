//! Rows of members, with the people and the roles behind them.

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryResult,
    sea_query::{Alias, Condition, Expr, ExprTrait as _, Query, SelectStatement},
};
use tenantry_domain::{
    emails::Email,
    ids::{GrantId, MemberId, RoleId, UserId},
    lists::{ListQuery, MemberField, Page},
    members::Member,
    permissions::perm,
    roles::RoleName,
    text::Name,
};
use uuid::Uuid;

use crate::{
    Database,
    database::Mode,
    entities::{
        grants,
        members::{ActiveModel, Column, Entity, Model},
        roles, users,
    },
    error::{Result, known},
    lists,
    scope::Scope,
    tenant::{TenantContext, TenantTx, TransactionMode},
    user::FoundingTx,
};

impl<M: TransactionMode> TenantTx<perm::MemberView, M> {
    /// The members of the organization.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn members(&self, query: &ListQuery<MemberField>) -> Result<Page<Member>> {
        let mut rows = select_members(self.scope);
        if let Some(search) = &query.search {
            rows.and_where(lists::name_contains(
                Expr::col((users::Entity, users::Column::Name)),
                search,
            ));
        }
        let column = |field| match field {
            MemberField::Name => Expr::col((users::Entity, users::Column::Name)),
            MemberField::Email => Expr::col((users::Entity, users::Column::EmailCanonical)),
            MemberField::JoinedAt => Expr::col((Entity, Column::JoinedAt)),
            MemberField::CreatedAt => Expr::col((Entity, Column::CreatedAt)),
            MemberField::UpdatedAt => Expr::col((Entity, Column::UpdatedAt)),
        };
        let id = Expr::col((Entity, Column::Id));
        lists::fetch(&self.connection, rows, query, column, id, member).await
    }
}

/// Members with their person and the role that they hold in the whole organization.
fn select_members(scope: Scope) -> SelectStatement {
    let same = |left, right| Expr::col(left).equals(right);
    Query::select()
        .columns([
            (Entity, Column::Id),
            (Entity, Column::UserId),
            (Entity, Column::Status),
            (Entity, Column::JoinedAt),
            (Entity, Column::LastSeenAt),
            (Entity, Column::Version),
            (Entity, Column::CreatedAt),
            (Entity, Column::UpdatedAt),
        ])
        .columns([
            (users::Entity, users::Column::Email),
            (users::Entity, users::Column::Name),
            (users::Entity, users::Column::AvatarUrl),
        ])
        .expr_as(Expr::col((roles::Entity, roles::Column::Id)), Alias::new("role_id"))
        .expr_as(Expr::col((roles::Entity, roles::Column::Key)), Alias::new("role_key"))
        .expr_as(Expr::col((roles::Entity, roles::Column::Name)), Alias::new("role_name"))
        .from(Entity)
        .inner_join(
            users::Entity,
            Expr::col((users::Entity, users::Column::Id)).equals((Entity, Column::UserId)),
        )
        .left_join(
            grants::Entity,
            Condition::all()
                .add(scope.filter::<grants::Entity>())
                .add(same((grants::Entity, grants::Column::MemberId), (Entity, Column::Id)))
                .add(Expr::col((grants::Entity, grants::Column::WorkspaceId)).is_null())
                .add(Expr::col((grants::Entity, grants::Column::ProjectId)).is_null()),
        )
        .left_join(
            roles::Entity,
            Condition::all()
                .add(scope.filter::<roles::Entity>())
                .add(Expr::col((roles::Entity, roles::Column::Id)).equals((grants::Entity, grants::Column::RoleId))),
        )
        .cond_where(scope.filter::<Entity>())
        .to_owned()
}

fn member(row: &QueryResult) -> Result<Member> {
    let role = row.try_get::<Option<Uuid>>("", "role_id")?;
    Ok(Member {
        id: row.try_get::<Uuid>("", "id")?.into(),
        user_id: row.try_get::<Uuid>("", "user_id")?.into(),
        email: Email::from_stored(row.try_get("", "email")?),
        name: Name::from_stored(row.try_get("", "name")?),
        avatar_url: row.try_get("", "avatar_url")?,
        role: role
            .map(|id| {
                Ok::<_, sea_orm::DbErr>(RoleName {
                    id: id.into(),
                    key: row.try_get("", "role_key")?,
                    name: row.try_get("", "role_name")?,
                })
            })
            .transpose()?,
        status: known("members.status", &row.try_get::<String>("", "status")?)?,
        joined_at: row.try_get("", "joined_at")?,
        last_seen_at: row.try_get("", "last_seen_at")?,
        version: row.try_get("", "version")?,
        created_at: row.try_get("", "created_at")?,
        updated_at: row.try_get("", "updated_at")?,
    })
}

impl FoundingTx {
    /// Adds a member who holds a role in the whole organization.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn create_member(&self, user: UserId, role: RoleId) -> Result<MemberId> {
        let environment = &self.user.environment;
        let now = environment.now();
        let organization = self.scope.organization().as_uuid();
        let id = MemberId::new(environment);
        let member = Model {
            organization_id: organization,
            id: id.as_uuid(),
            user_id: user.as_uuid(),
            status: "active".to_owned(),
            joined_at: now,
            last_seen_at: None,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        Entity::insert(ActiveModel::from(member))
            .exec_without_returning(&self.user.connection)
            .await?;
        let grant = grants::Model {
            organization_id: organization,
            id: GrantId::new(environment).as_uuid(),
            member_id: id.as_uuid(),
            role_id: role.as_uuid(),
            workspace_id: None,
            project_id: None,
            created_at: now,
            updated_at: now,
        };
        grants::Entity::insert(grants::ActiveModel::from(grant))
            .exec_without_returning(&self.user.connection)
            .await?;
        Ok(id)
    }
}

/// Writes down that a member was seen just now. Not an act of the member's, so no event names it.
///
/// # Errors
/// When the database fails.
pub async fn touch(database: &Database, context: &TenantContext) -> Result<()> {
    let membership = context.membership();
    let connection = database
        .begin(Mode::ReadWrite, Some(membership.user), Some(membership.organization))
        .await?;
    Scope::new(membership.organization, database.filters_by_organization())
        .update::<Entity>()
        .set(ActiveModel {
            last_seen_at: Set(Some(database.environment().now())),
            ..Default::default()
        })
        .filter(Column::Id.eq(membership.member.as_uuid()))
        .exec(&connection)
        .await?;
    connection.commit().await
}
