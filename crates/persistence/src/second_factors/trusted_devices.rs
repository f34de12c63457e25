//! Rows of devices on which a person is not asked for a second factor.

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait as _, EntityTrait as _, FromQueryResult as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    QueryTrait as _,
    sea_query::{Expr, ExprTrait as _},
};
use tenantry_domain::{
    ids::TrustedDeviceId,
    lists::{ListQuery, Page, TrustedDeviceField},
    second_factors::{MAX_TRUSTED_DEVICES, TRUST, TrustedDevice},
    sessions::Device,
};

use crate::{
    entities::trusted_devices::{ActiveModel, Column, Entity, Model},
    error::Result,
    lists,
    sessions::stored_address,
    user::UserTx,
};

impl From<Model> for TrustedDevice {
    fn from(row: Model) -> Self {
        Self {
            id: row.id.into(),
            ip: row.ip.as_deref().and_then(stored_address),
            user_agent: row.user_agent,
            last_used_at: row.last_used_at,
            expires_at: row.expires_at,
            created_at: row.created_at,
        }
    }
}

impl UserTx {
    /// Trusts a device of the person's, by the hash of its token. The oldest ones give way where there are too many, and those
    /// whose time is over go.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn trust_device(&self, device: &Device, token_hash: [u8; 32]) -> Result<TrustedDeviceId> {
        let now = self.now();
        let newest_to_go = Entity::find()
            .filter(Column::UserId.eq(self.user.as_uuid()))
            .order_by_desc(Column::CreatedAt)
            .order_by_desc(Column::Id)
            .offset(MAX_TRUSTED_DEVICES - 1)
            .one(&self.connection)
            .await?;
        let mut gone = Column::ExpiresAt.lte(now);
        if let Some(device) = newest_to_go {
            gone = gone.or(Column::CreatedAt.lte(device.created_at));
        }
        Entity::delete_many()
            .filter(Column::UserId.eq(self.user.as_uuid()))
            .filter(gone)
            .exec(&self.connection)
            .await?;
        let id = TrustedDeviceId::new(&self.environment);
        let row = Model {
            user_id: self.user.as_uuid(),
            id: id.as_uuid(),
            token_hash: token_hash.to_vec(),
            ip: device.ip.map(|ip| ip.to_string()),
            user_agent: device.user_agent.clone(),
            last_used_at: now,
            expires_at: now + TRUST,
            created_at: now,
        };
        Entity::insert(ActiveModel::from(row))
            .exec_without_returning(&self.connection)
            .await?;
        Ok(id)
    }

    /// The person's trusted device whose token has this hash, which is seen thereby.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn see_trusted_device(&self, token_hash: &[u8; 32]) -> Result<Option<TrustedDevice>> {
        let row = Entity::find()
            .filter(Column::UserId.eq(self.user.as_uuid()))
            .filter(Column::TokenHash.eq(token_hash.to_vec()))
            .filter(Column::ExpiresAt.gt(self.now()))
            .lock_exclusive()
            .one(&self.connection)
            .await?;
        let Some(row) = row else { return Ok(None) };
        Entity::update_many()
            .set(ActiveModel {
                last_used_at: Set(self.now()),
                ..Default::default()
            })
            .filter(Column::UserId.eq(self.user.as_uuid()))
            .filter(Column::Id.eq(row.id))
            .exec(&self.connection)
            .await?;
        Ok(Some(row.into()))
    }

    /// The person's trusted devices.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn trusted_devices(&self, query: &ListQuery<TrustedDeviceField>) -> Result<Page<TrustedDevice>> {
        let rows = Entity::find()
            .filter(Column::UserId.eq(self.user.as_uuid()))
            .filter(Column::ExpiresAt.gt(self.now()));
        let column = |field| match field {
            TrustedDeviceField::CreatedAt => Expr::col((Entity, Column::CreatedAt)),
            TrustedDeviceField::UpdatedAt => Expr::col((Entity, Column::LastUsedAt)),
        };
        let id = Expr::col((Entity, Column::Id));
        lists::fetch(&self.connection, rows.into_query(), query, column, id, |row| {
            Ok(Model::from_query_result(row, "")?.into())
        })
        .await
    }

    /// Trusts a device no longer. `false` where there is none of this id that was.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn distrust_device(&self, id: TrustedDeviceId) -> Result<bool> {
        let gone = Entity::delete_many()
            .filter(Column::UserId.eq(self.user.as_uuid()))
            .filter(Column::Id.eq(id.as_uuid()))
            .filter(Column::ExpiresAt.gt(self.now()))
            .exec(&self.connection)
            .await?;
        Ok(gone.rows_affected == 1)
    }

    /// Trusts none of the person's devices any longer.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn distrust_devices(&self) -> Result<()> {
        Entity::delete_many()
            .filter(Column::UserId.eq(self.user.as_uuid()))
            .exec(&self.connection)
            .await?;
        Ok(())
    }
}
