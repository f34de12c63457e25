//! The table `email_changes`.

use sea_orm::entity::prelude::*;
use tenantry_domain::environment::Timestamp;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "email_changes")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) user_id: Uuid,
    pub(crate) id: Uuid,
    pub(crate) email: String,
    pub(crate) email_canonical: String,
    pub(crate) awaits_current: bool,
    pub(crate) awaits_new: bool,
    pub(crate) expires_at: Timestamp,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
