//! Rows of roles, and the roles that a caller holds.

use std::str::FromStr as _;

use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QuerySelect as _, QueryTrait as _,
    sea_query::{Condition, IntoCondition as _, LockType},
};
use serde::Deserialize;
use tenantry_domain::{
    ids::RoleId,
    members::RoleRef,
    permissions::{Permission, PermissionSet, Required},
    roles::{BuiltInRole, Grant, Level, RoleName},
};
use uuid::Uuid;

use crate::{
    entities::roles::{ActiveModel, Column, Entity, Model},
    error::{Error, Result, known},
    tenant::{TenantTx, TransactionMode},
    user::FoundingTx,
};

/// A grant as the look-up `membership` tells it.
#[derive(Deserialize)]
struct StoredGrant {
    workspace_id: Option<Uuid>,
    project_id: Option<Uuid>,
    role_id: Uuid,
    key: String,
    name: String,
    permissions: Option<Vec<String>>,
    built_in: bool,
}

/// The roles that a member holds, from the look-up's JSON.
pub(crate) fn grants_from_json(json: serde_json::Value) -> Result<Vec<Grant>> {
    let stored: Vec<StoredGrant> =
        serde_json::from_value(json).map_err(|error| Error::Corrupt(format!("grants: {error}")))?;
    stored.into_iter().map(Grant::try_from).collect()
}

/// What a stored role may do.
pub(crate) fn permissions(built_in: bool, key: &str, names: Option<&[String]>) -> Result<PermissionSet> {
    if built_in {
        return Ok(known::<BuiltInRole>("roles.key", key)?.permissions());
    }
    // A name that has left the catalogue gives nothing.
    let names = names.unwrap_or_default().iter();
    let known = names.filter_map(|name| Permission::from_str(name).ok());
    Ok(known.collect::<PermissionSet>().closure())
}

/// A role of the organization, and what it may do.
pub(crate) async fn find<P: Required, M: TransactionMode>(
    tx: &TenantTx<P, M>,
    role: &RoleRef,
) -> Result<Option<(RoleName, PermissionSet)>> {
    let this = match role {
        RoleRef::BuiltIn(role) => Condition::all()
            .add(Column::BuiltIn.eq(true))
            .add(Column::Key.eq(role.key())),
        RoleRef::Id(id) => Column::Id.eq(id.as_uuid()).into_condition(),
    };
    // Whoever is about to give it to somebody keeps it from being deleted meanwhile.
    let lock = M::LOCKS.then_some(LockType::KeyShare);
    let row = tx
        .scope
        .find::<Entity>()
        .filter(this)
        .apply_if(lock, |rows, lock| rows.lock(lock))
        .one(&tx.connection)
        .await?;
    row.map(|row| {
        let permissions = permissions(row.built_in, &row.key, row.permissions.as_deref())?;
        let name = RoleName {
            id: row.id.into(),
            key: row.key,
            name: row.name,
        };
        Ok((name, permissions))
    })
    .transpose()
}

impl TryFrom<StoredGrant> for Grant {
    type Error = Error;

    fn try_from(stored: StoredGrant) -> Result<Self> {
        let permissions = permissions(stored.built_in, &stored.key, stored.permissions.as_deref())?;
        Ok(Self {
            level: match (stored.workspace_id, stored.project_id) {
                (_, Some(project)) => Level::Project(project.into()),
                (Some(workspace), None) => Level::Workspace(workspace.into()),
                (None, None) => Level::Organization,
            },
            role: RoleName {
                id: stored.role_id.into(),
                key: stored.key,
                name: stored.name,
            },
            permissions,
        })
    }
}

impl FoundingTx {
    /// Adds the built-in roles and returns their ids, in the order of [`BuiltInRole::ALL`].
    ///
    /// # Errors
    /// When the database fails.
    pub async fn create_built_in_roles(&self) -> Result<[(BuiltInRole, RoleId); 4]> {
        let now = self.user.now();
        let roles = BuiltInRole::ALL.map(|role| (role, RoleId::new(&self.user.environment)));
        let rows = roles.map(|(role, id)| {
            ActiveModel::from(Model {
                organization_id: self.scope.organization().as_uuid(),
                id: id.as_uuid(),
                key: role.key().to_owned(),
                name: role.name().to_owned(),
                description: Some(role.description().to_owned()),
                permissions: None,
                built_in: true,
                version: 1,
                created_at: now,
                updated_at: now,
            })
        });
        Entity::insert_many(rows)
            .exec_without_returning(&self.user.connection)
            .await?;
        Ok(roles)
    }
}
