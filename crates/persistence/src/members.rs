//! Rows of members, with the people and the roles behind them.

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait as _, ConnectionTrait as _, DbBackend, EntityTrait as _, QueryFilter as _, QueryResult, Statement,
    sea_query::{Alias, Condition, Expr, ExprTrait as _, Func, LockType, Query, SelectStatement, SimpleExpr},
};
use tenantry_domain::{
    emails::Email,
    environment::{Environment, Timestamp},
    ids::{GrantId, MemberId, OrganizationId, RoleId, UserId, WorkspaceId},
    lists::{ListQuery, MemberField, Page},
    members::{Member, MemberStatus, Profile, or_oneself},
    permissions::{Required, perm},
    roles::RoleName,
    text::Name,
};
use uuid::Uuid;

use crate::{
    Database,
    connection::Connection,
    database::Mode,
    entities::{
        grants,
        members::{ActiveModel, Column, Entity, Model},
        roles, users,
    },
    error::{Result, known, one_row},
    lists,
    scope::Scope,
    search,
    tenant::{Authorized, ReadWrite, TenantContext, TenantTx, TransactionMode},
    user::{FoundingTx, UserTx},
};

pub(crate) mod ownership;

pub(crate) async fn find<P: Required, M: TransactionMode>(tx: &TenantTx<P, M>, id: MemberId) -> Result<Option<Member>> {
    let mut rows = select_members(tx.scope);
    rows.and_where(Expr::col((Entity, Column::Id)).eq(id.as_uuid()));
    if M::LOCKS {
        rows.lock_with_tables(LockType::Update, [Entity]);
    }
    let row = tx.connection.query_one(&rows).await?;
    row.map(|row| member(&row)).transpose()
}

/// The membership that somebody has, whether or not it counts.
pub(crate) async fn of_user(connection: &Connection, scope: Scope, user: UserId) -> Result<Option<Member>> {
    let mut rows = select_members(scope);
    rows.and_where(Expr::col((Entity, Column::UserId)).eq(user.as_uuid()));
    let row = connection.query_one(&rows).await?;
    row.map(|row| member(&row)).transpose()
}

/// Whether somebody with this address, in its canonical form, is a member, whether or not that counts.
pub(crate) async fn has_address(connection: &Connection, scope: Scope, canonical: &str) -> Result<bool> {
    let mut rows = select_members(scope);
    rows.and_where(Expr::col((users::Entity, users::Column::EmailCanonical)).eq(canonical));
    Ok(connection.query_one(&rows).await?.is_some())
}

impl<M: TransactionMode> TenantTx<perm::MemberView, M> {
    /// The members of the organization.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn members(&self, query: &ListQuery<MemberField>) -> Result<Page<Member>> {
        let mut rows = select_members(self.scope);
        if let Some(search) = &query.search {
            rows.and_where(search::name_contains(shown_name(), search));
        }
        let column = |field| match field {
            MemberField::Name => shown_name(),
            MemberField::Email => Expr::col((users::Entity, users::Column::EmailCanonical)),
            MemberField::JoinedAt => Expr::col((Entity, Column::JoinedAt)),
            MemberField::CreatedAt => Expr::col((Entity, Column::CreatedAt)),
            MemberField::UpdatedAt => Expr::col((Entity, Column::UpdatedAt)),
        };
        let id = Expr::col((Entity, Column::Id));
        lists::fetch(&self.connection, rows, query, column, id, member).await
    }
}

/// What a member is called here.
fn shown_name() -> SimpleExpr {
    let here = Expr::col((Entity, Column::Name));
    Func::coalesce([here, Expr::col((users::Entity, users::Column::Name))]).into()
}

/// Members with their person and the role that they hold in the whole organization.
fn select_members(scope: Scope) -> SelectStatement {
    let same = |left, right| Expr::col(left).equals(right);
    let person = |column| Expr::col((users::Entity, column));
    Query::select()
        .columns([
            (Entity, Column::OrganizationId),
            (Entity, Column::Id),
            (Entity, Column::UserId),
            (Entity, Column::Name),
            (Entity, Column::AvatarUrl),
            (Entity, Column::Status),
            (Entity, Column::JoinedAt),
            (Entity, Column::LastSeenAt),
            (Entity, Column::CreatedAt),
            (Entity, Column::UpdatedAt),
        ])
        .column((users::Entity, users::Column::Email))
        .expr_as(person(users::Column::Name), Alias::new("person_name"))
        .expr_as(person(users::Column::AvatarUrl), Alias::new("person_avatar_url"))
        // Both only ever grow: their sum is another after any change of either.
        .expr_as(
            Expr::col((Entity, Column::Version)).add(person(users::Column::Version)),
            Alias::new("version"),
        )
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
        organization_id: row.try_get::<Uuid>("", "organization_id")?.into(),
        user_id: row.try_get::<Uuid>("", "user_id")?.into(),
        email: Email::from_stored(row.try_get("", "email")?),
        person_name: Name::from_stored(row.try_get("", "person_name")?),
        person_avatar_url: row.try_get("", "person_avatar_url")?,
        profile: Profile {
            name: row.try_get::<Option<String>>("", "name")?.map(Name::from_stored),
            avatar_url: row.try_get("", "avatar_url")?,
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
        status: known("members.status", &row.try_get::<String>("", "status")?)?,
        joined_at: row.try_get("", "joined_at")?,
        last_seen_at: row.try_get("", "last_seen_at")?,
        version: row.try_get("", "version")?,
        created_at: row.try_get("", "created_at")?,
        updated_at: row.try_get("", "updated_at")?,
    })
}

impl TenantTx<or_oneself::MemberUpdate, ReadWrite> {
    /// Makes the way in which a member is shown what is wanted of it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn update_member(
        &self,
        member: &Authorized<Member, or_oneself::MemberUpdate>,
        wanted: Member,
    ) -> Result<Member> {
        let values = ActiveModel {
            name: Set(wanted.profile.name.clone().map(Name::into_string)),
            avatar_url: Set(wanted.profile.avatar_url.clone()),
            ..Default::default()
        };
        self.put_member(member, wanted, values).await
    }
}

impl TenantTx<perm::MemberUpdate, ReadWrite> {
    /// Gives a member a role in the whole organization, in place of the one that they held there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn change_member_role(
        &self,
        member: &Authorized<Member, perm::MemberUpdate>,
        role: Authorized<RoleName, perm::MemberUpdate>,
    ) -> Result<Member> {
        let now = self.now();
        let values = grants::ActiveModel {
            role_id: Set(role.id.as_uuid()),
            updated_at: Set(now),
            ..Default::default()
        };
        let done = self
            .scope
            .update::<grants::Entity>()
            .set(values)
            .filter(grants::Column::MemberId.eq(member.id.as_uuid()))
            .filter(grants::Column::WorkspaceId.is_null())
            .filter(grants::Column::ProjectId.is_null())
            .exec(&self.connection)
            .await?;
        if done.rows_affected == 0 {
            let grant = grant(
                self.scope.organization(),
                GrantId::new(&self.environment),
                member.id,
                role.id,
                now,
            );
            grants::Entity::insert(grant)
                .exec_without_returning(&self.connection)
                .await?;
        }
        let wanted = Member {
            role: Some(role.into_inner()),
            ..(**member).clone()
        };
        self.put_member(member, wanted, ActiveModel::default()).await
    }
}

impl TenantTx<or_oneself::MemberRemove, ReadWrite> {
    /// Removes a member, with all roles that they hold.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_member(&self, member: &Authorized<Member, or_oneself::MemberRemove>) -> Result<()> {
        let done = self
            .scope
            .delete::<Entity>()
            .filter(Column::Id.eq(member.id.as_uuid()))
            .exec(&self.connection)
            .await?;
        one_row(done.rows_affected)?;
        // Who was a member is told apart from who never was, and may have been one before.
        let statement = Statement::from_sql_and_values(
            DbBackend::Postgres,
            "insert into former_members (organization_id, user_id, created_at) values ($1, $2, $3) on conflict do nothing",
            [
                self.scope.organization().as_uuid().into(),
                member.user_id.as_uuid().into(),
                self.now().into(),
            ],
        );
        self.connection.execute_raw(statement).await?;
        Ok(())
    }
}

impl<P: Required> TenantTx<P, ReadWrite> {
    /// Whether the organization would still have an owner without this one. Transactions that ask this begin with
    /// [`begin_in_turn`](crate::tenant::Access::begin_in_turn).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_another_owner(&self, member: &Authorized<Member, P>) -> Result<bool> {
        ownership::has_another_owner(&self.connection, self.scope, member.id).await
    }

    async fn put_member(&self, member: &Authorized<Member, P>, wanted: Member, values: ActiveModel) -> Result<Member> {
        let changed = Member {
            version: member.version + 1,
            updated_at: self.now(),
            ..wanted
        };
        let done = self
            .scope
            .update::<Entity>()
            .set(ActiveModel {
                updated_at: Set(changed.updated_at),
                ..values
            })
            .col_expr(Column::Version, Expr::col((Entity, Column::Version)).add(1))
            .filter(Column::Id.eq(member.id.as_uuid()))
            .exec(&self.connection)
            .await?;
        one_row(done.rows_affected)?;
        Ok(changed)
    }
}

/// Adds a member who holds a role in the whole organization, or in a workspace.
pub(crate) async fn insert(
    connection: &Connection,
    environment: &Environment,
    organization: OrganizationId,
    user: UserId,
    role: RoleId,
    workspace: Option<WorkspaceId>,
) -> Result<MemberId> {
    let now = environment.now();
    let id = MemberId::new(environment);
    let member = Model {
        organization_id: organization.as_uuid(),
        id: id.as_uuid(),
        user_id: user.as_uuid(),
        name: None,
        avatar_url: None,
        status: MemberStatus::Active.as_str().to_owned(),
        joined_at: now,
        last_seen_at: None,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    Entity::insert(ActiveModel::from(member))
        .exec_without_returning(connection)
        .await?;
    let grant = grants::ActiveModel {
        workspace_id: Set(workspace.map(|id| id.as_uuid())),
        ..grant(organization, GrantId::new(environment), id, role, now)
    };
    grants::Entity::insert(grant).exec_without_returning(connection).await?;
    Ok(id)
}

/// A role held in the whole organization.
fn grant(
    organization: OrganizationId,
    id: GrantId,
    member: MemberId,
    role: RoleId,
    now: Timestamp,
) -> grants::ActiveModel {
    grants::Model {
        organization_id: organization.as_uuid(),
        id: id.as_uuid(),
        member_id: member.as_uuid(),
        role_id: role.as_uuid(),
        workspace_id: None,
        project_id: None,
        created_at: now,
        updated_at: now,
    }
    .into()
}

impl FoundingTx {
    /// Adds a member who holds a role in the whole organization.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn create_member(&self, user: UserId, role: RoleId) -> Result<MemberId> {
        let UserTx {
            connection,
            environment,
            ..
        } = &self.user;
        insert(connection, environment, self.scope.organization(), user, role, None).await
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
