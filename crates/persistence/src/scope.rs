//! The first wall: the organization's filter, added to every statement on a tenant's table in this one place.
//!
//! The organization is the transaction's, never an argument's. To put a table behind this wall, implement
//! [`TenantEntity`] for its entity (the `tenant_entities!` list in [`entities`](crate::entities)).

use sea_orm::{
    ColumnTrait as _, DeleteMany, EntityTrait, QueryFilter as _, Select, UpdateMany,
    sea_query::{Condition, IntoCondition as _},
};
use tenantry_domain::ids::OrganizationId;

/// A table whose every row belongs to an organization.
pub(crate) trait TenantEntity: EntityTrait {
    /// The column that says to which.
    const ORGANIZATION: Self::Column;
}

/// The organization of a transaction, as a filter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope {
    organization: OrganizationId,
    on: bool,
}

impl Scope {
    pub(crate) fn new(organization: OrganizationId, on: bool) -> Self {
        Self { organization, on }
    }

    pub(crate) fn organization(&self) -> OrganizationId {
        self.organization
    }

    /// The filter itself, for the tables that a statement joins.
    pub(crate) fn filter<E: TenantEntity>(&self) -> Condition {
        if self.on {
            E::ORGANIZATION.eq(self.organization.as_uuid()).into_condition()
        } else {
            Condition::all()
        }
    }

    /// `SELECT … WHERE organization_id = …`
    pub(crate) fn find<E: TenantEntity>(&self) -> Select<E> {
        E::find().filter(self.filter::<E>())
    }

    /// `UPDATE … WHERE organization_id = …`
    pub(crate) fn update<E: TenantEntity>(&self) -> UpdateMany<E> {
        E::update_many().filter(self.filter::<E>())
    }

    /// `DELETE … WHERE organization_id = …`
    pub(crate) fn delete<E: TenantEntity>(&self) -> DeleteMany<E> {
        E::delete_many().filter(self.filter::<E>())
    }
}
