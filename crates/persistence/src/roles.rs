//! Rows of roles, and the roles that a caller holds.

use std::str::FromStr as _;

use sea_orm::EntityTrait as _;
use serde::Deserialize;
use tenantry_domain::{
    ids::RoleId,
    permissions::{Permission, PermissionSet},
    roles::{BuiltInRole, Grant, Level, RoleName},
};
use uuid::Uuid;

use crate::{
    entities::roles::{ActiveModel, Entity, Model},
    error::{Error, Result, known},
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

impl TryFrom<StoredGrant> for Grant {
    type Error = Error;

    fn try_from(stored: StoredGrant) -> Result<Self> {
        let permissions = if stored.built_in {
            known::<BuiltInRole>("roles.key", &stored.key)?.permissions()
        } else {
            // A name that has left the catalogue gives nothing.
            let names = stored.permissions.unwrap_or_default();
            names
                .iter()
                .filter_map(|name| Permission::from_str(name).ok())
                .collect::<PermissionSet>()
                .closure()
        };
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
