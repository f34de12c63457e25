//! Rows of domains.

use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, EntityTrait as _, FromQueryResult as _, PaginatorTrait as _, QueryFilter as _,
    QuerySelect as _, QueryTrait as _, sea_query::Expr,
};
use tenantry_domain::{
    domains::{Domain, DomainName, DomainStatus},
    environment::Environment,
    ids::DomainId,
    lists::{DomainField, ListQuery, Page},
    organizations::Organization,
    permissions::{Required, perm},
};

use crate::{
    entities::domains::{ActiveModel, Column, Entity, Model},
    error::{Result, one_row},
    lists,
    tenant::{Authorized, ReadWrite, TenantTx, TransactionMode},
};

impl From<Model> for Domain {
    fn from(row: Model) -> Self {
        Self {
            id: row.id.into(),
            organization_id: row.organization_id.into(),
            name: DomainName::from_stored(row.name),
            token: row.token,
            verified_at: row.verified_at,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

pub(crate) async fn find<P: Required, M: TransactionMode>(tx: &TenantTx<P, M>, id: DomainId) -> Result<Option<Domain>> {
    let row = tx
        .scope
        .find::<Entity>()
        .filter(Column::Id.eq(id.as_uuid()))
        .apply_if(M::LOCKS.then_some(()), |rows, ()| rows.lock_exclusive())
        .one(&tx.connection)
        .await?;
    Ok(row.map(Into::into))
}

impl<M: TransactionMode> TenantTx<perm::SettingsView, M> {
    /// The domains of the organization, of this status alone where there is one.
    ///
    /// # Errors
    /// [`Error::Forbidden`](crate::Error::Forbidden); and when the database fails.
    pub async fn domains(&self, query: &ListQuery<DomainField>, status: Option<DomainStatus>) -> Result<Page<Domain>> {
        self.demand_in_organization()?;
        let rows = self.scope.find::<Entity>();
        let rows = match status {
            None => rows,
            Some(DomainStatus::Pending) => rows.filter(Column::VerifiedAt.is_null()),
            Some(DomainStatus::Verified) => rows.filter(Column::VerifiedAt.is_not_null()),
        };
        let column = |field| {
            Expr::col((
                Entity,
                match field {
                    DomainField::Name => Column::Name,
                    DomainField::CreatedAt => Column::CreatedAt,
                    DomainField::UpdatedAt => Column::UpdatedAt,
                },
            ))
        };
        let id = Expr::col((Entity, Column::Id));
        lists::fetch(&self.connection, rows.into_query(), query, column, id, |row| {
            Ok(Model::from_query_result(row, "")?.into())
        })
        .await
    }
}

impl TenantTx<perm::SettingsManage, ReadWrite> {
    /// How many domains the organization has, those that are not proven included.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn domain_count(&self) -> Result<u64> {
        Ok(self.scope.find::<Entity>().count(&self.connection).await?)
    }

    /// Adds a domain that is yet to be proven.
    ///
    /// # Errors
    /// [`Error::Taken`](crate::Error::Taken) where the organization has it already; and when the database fails.
    pub async fn create_domain(
        &self,
        organization: &Authorized<Organization, perm::SettingsManage>,
        name: DomainName,
    ) -> Result<Domain> {
        let now = self.now();
        let created = Domain {
            id: DomainId::new(&self.environment),
            organization_id: organization.id,
            name,
            token: new_token(&self.environment),
            verified_at: None,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        let row = Model {
            organization_id: created.organization_id.as_uuid(),
            id: created.id.as_uuid(),
            name: created.name.as_str().to_owned(),
            token: created.token.clone(),
            verified_at: created.verified_at,
            version: created.version,
            created_at: created.created_at,
            updated_at: created.updated_at,
        };
        Entity::insert(ActiveModel::from(row))
            .exec_without_returning(&self.connection)
            .await?;
        Ok(created)
    }

    /// Writes down that a domain was found proven.
    ///
    /// # Errors
    /// [`Error::Taken`](crate::Error::Taken) where another organization has proven it; and when the database fails.
    pub async fn verify_domain(&self, domain: &Authorized<Domain, perm::SettingsManage>) -> Result<Domain> {
        let now = self.now();
        let verified = Domain {
            verified_at: Some(now),
            version: domain.version + 1,
            updated_at: now,
            ..(**domain).clone()
        };
        let values = ActiveModel {
            verified_at: Set(verified.verified_at),
            version: Set(verified.version),
            updated_at: Set(verified.updated_at),
            ..Default::default()
        };
        let done = self
            .scope
            .update::<Entity>()
            .set(values)
            .filter(Column::Id.eq(domain.id.as_uuid()))
            .exec(&self.connection)
            .await?;
        one_row(done.rows_affected)?;
        Ok(verified)
    }

    /// Deletes a domain.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_domain(&self, domain: &Authorized<Domain, perm::SettingsManage>) -> Result<()> {
        let done = self
            .scope
            .delete::<Entity>()
            .filter(Column::Id.eq(domain.id.as_uuid()))
            .exec(&self.connection)
            .await?;
        one_row(done.rows_affected)
    }
}

/// What a domain is proven by: 32 characters that nobody guesses and that the DNS takes as they are.
fn new_token(environment: &Environment) -> String {
    format!("{:032x}", u128::from_be_bytes(environment.random()))
}
