//! That an organization always has an owner, whatever happens at once.
//!
//! Whoever is about to take an owner away (a member who leaves, is removed, or gets a lesser role; a person whose account
//! is deleted) locks the organization's row **before any other row**, then asks [`has_another_owner`]. Of two who do so at
//! once the second waits, and sees what the first left. Where several organizations are concerned, they are locked in the
//! order of their ids.

use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _,
    sea_query::{Condition, Expr, ExprTrait as _, Query},
};
use tenantry_domain::{ids::MemberId, members::MemberStatus, roles::BuiltInRole};

use crate::{
    connection::Connection,
    entities::{grants, members, roles},
    error::Result,
    scope::Scope,
};

/// Whether the organization would still have an owner without `member`: another whose membership counts. It stays so until
/// the end of the transaction, which has [taken its turn](crate::organizations::take_turn).
///
/// # Errors
/// When the database fails.
pub(crate) async fn has_another_owner(connection: &Connection, scope: Scope, member: MemberId) -> Result<bool> {
    let column = |table: members::Column| Expr::col((members::Entity, table));
    let others = Query::select()
        .expr(Expr::val(1))
        .from(members::Entity)
        .inner_join(grants::Entity, grants_at_organization(scope))
        .inner_join(roles::Entity, owner_role(scope))
        .cond_where(scope.filter::<members::Entity>())
        .and_where(column(members::Column::Id).ne(member.as_uuid()))
        .and_where(column(members::Column::Status).eq(MemberStatus::Active.as_str()))
        .limit(1)
        .to_owned();
    Ok(connection.query_one(&others).await?.is_some())
}

/// Joins to members the grants that they hold at the organization itself.
pub(crate) fn grants_at_organization(scope: Scope) -> Condition {
    Condition::all()
        .add(scope.filter::<grants::Entity>())
        .add(Expr::col((grants::Entity, grants::Column::MemberId)).equals((members::Entity, members::Column::Id)))
        .add(grants::Column::WorkspaceId.is_null())
        .add(grants::Column::ProjectId.is_null())
}

/// Joins to grants the role of owner, where it is that.
pub(crate) fn owner_role(scope: Scope) -> Condition {
    Condition::all()
        .add(scope.filter::<roles::Entity>())
        .add(Expr::col((roles::Entity, roles::Column::Id)).equals((grants::Entity, grants::Column::RoleId)))
        .add(roles::Column::BuiltIn.eq(true))
        .add(roles::Column::Key.eq(BuiltInRole::Owner.key()))
}
