//! Rows of organizations.

use sea_orm::{
    ActiveModelTrait as _,
    ActiveValue::Set,
    ConnectionTrait as _, DbBackend, FromQueryResult as _, Iterable as _, QuerySelect as _, QueryTrait as _, Statement,
    Value,
    sea_query::{Alias, Asterisk, DynIden, Expr, Func, IntoIden as _, LockType, OnConflict, Query},
};
use tenantry_domain::{
    environment::Timestamp,
    lists::{ListQuery, Page, ResourceField},
    organizations::{Isolation, Organization, OrganizationCreate, OrganizationStatus, Plan},
    permissions::{Required, perm},
    slugs::OrganizationSlug,
    text::Name,
};
use uuid::Uuid;

use crate::{
    connection::Connection,
    entities::organizations::{ActiveModel, Column, Entity, Model},
    error::{Error, Result, known, one_row},
    lists,
    scope::Scope,
    search,
    slugs::{self, SlugSpace},
    tenant::{Authorized, ReadWrite, TenantTx, TransactionMode},
    user::{FoundingTx, UserTx},
    users::json_object,
};

impl TryFrom<Model> for Organization {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self> {
        Ok(Self {
            id: row.id.into(),
            name: Name::from_stored(row.name),
            slug: OrganizationSlug::from_stored(row.slug),
            status: known("organizations.status", &row.status)?,
            plan: known("organizations.plan", &row.plan)?,
            region: row.region,
            isolation: known("organizations.isolation", &row.isolation)?,
            settings: json_object("organizations.settings", row.settings)?,
            version: row.version,
            deleted_at: row.deleted_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

pub(crate) async fn find<P: Required, M: TransactionMode>(tx: &TenantTx<P, M>) -> Result<Option<Organization>> {
    let row = tx
        .scope
        .find::<Entity>()
        .apply_if(M::LOCKS.then_some(()), |rows, ()| rows.lock_exclusive())
        .one(&tx.connection)
        .await?;
    row.map(TryInto::try_into).transpose()
}

/// Takes the turn of the transaction in its organization: who holds what is changed by one at a time. The lock is held to
/// the end of the transaction, and holds up nobody who merely adds rows to the organization.
///
/// # Errors
/// When the database fails, or the wait takes too long.
pub(crate) async fn take_turn(connection: &Connection, scope: Scope) -> Result<()> {
    scope
        .find::<Entity>()
        .select_only()
        .column(Column::Id)
        .lock(LockType::NoKeyUpdate)
        .into_tuple::<Uuid>()
        .one(connection)
        .await?;
    Ok(())
}

impl TenantTx<perm::OrganizationUpdate, ReadWrite> {
    /// Makes the organization what is wanted of it.
    ///
    /// # Errors
    /// [`Error::Taken`] where another organization has that slug; and when the database fails.
    pub async fn update_organization(
        &self,
        organization: &Authorized<Organization, perm::OrganizationUpdate>,
        wanted: Organization,
    ) -> Result<Organization> {
        let changed = Organization {
            version: organization.version + 1,
            updated_at: self.now(),
            ..wanted
        };
        let values = ActiveModel {
            name: Set(changed.name.as_str().to_owned()),
            slug: Set(changed.slug.as_str().to_owned()),
            settings: Set(changed.settings.clone().into()),
            version: Set(changed.version),
            updated_at: Set(changed.updated_at),
            ..Default::default()
        };
        let done = self.scope.update::<Entity>().set(values).exec(&self.connection).await?;
        one_row(done.rows_affected)?;
        Ok(changed)
    }
}

impl TenantTx<perm::OrganizationDelete, ReadWrite> {
    /// Deletes the organization, so that it can be restored: from now on it is there for nobody.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_organization(
        &self,
        organization: &Authorized<Organization, perm::OrganizationDelete>,
    ) -> Result<Organization> {
        let now = self.now();
        self.put_status(organization, OrganizationStatus::Deleted, Some(now))
            .await
    }
}

impl TenantTx<perm::OrganizationRestore, ReadWrite> {
    /// Undoes the deletion of the organization.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn restore_organization(
        &self,
        organization: &Authorized<Organization, perm::OrganizationRestore>,
    ) -> Result<Organization> {
        self.put_status(organization, OrganizationStatus::Active, None).await
    }
}

impl<P: Required> TenantTx<P, ReadWrite> {
    async fn put_status(
        &self,
        organization: &Authorized<Organization, P>,
        status: OrganizationStatus,
        deleted_at: Option<Timestamp>,
    ) -> Result<Organization> {
        let changed = Organization {
            status,
            deleted_at,
            version: organization.version + 1,
            updated_at: self.now(),
            ..(**organization).clone()
        };
        let values = ActiveModel {
            status: Set(status.as_str().to_owned()),
            deleted_at: Set(deleted_at),
            version: Set(changed.version),
            updated_at: Set(changed.updated_at),
            ..Default::default()
        };
        let done = self.scope.update::<Entity>().set(values).exec(&self.connection).await?;
        one_row(done.rows_affected)?;
        Ok(changed)
    }
}

impl UserTx {
    /// The organizations that the person is a member of.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn organizations(&self, query: &ListQuery<ResourceField>) -> Result<Page<Organization>> {
        let mine = Alias::new("mine");
        let mut rows = Query::select()
            .column((mine.clone(), Asterisk))
            // Deleted ones are not among them.
            .expr_as(Expr::cust("null::timestamptz"), Alias::new("deleted_at"))
            .from_function(Func::cust("lookup.my_organizations"), mine.clone())
            .to_owned();
        if let Some(search) = &query.search {
            rows.and_where(search::name_contains(Expr::col((mine.clone(), Column::Name)), search));
        }
        let column = |field| {
            Expr::col((
                mine.clone(),
                match field {
                    ResourceField::Name => Column::Name,
                    ResourceField::CreatedAt => Column::CreatedAt,
                    ResourceField::UpdatedAt => Column::UpdatedAt,
                },
            ))
        };
        let id = Expr::col((mine.clone(), Column::Id));
        lists::fetch(&self.connection, rows, query, column, id, |row| {
            Model::from_query_result(row, "")?.try_into()
        })
        .await
    }
}

impl FoundingTx {
    /// Adds the organization. `None` where the given slug is taken.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn create_organization(&self, new: OrganizationCreate) -> Result<Option<Organization>> {
        let space = OrganizationSlugs { tx: self, new: &new };
        slugs::insert(&space, &self.user.environment, new.name.as_str(), new.slug.clone()).await
    }
}

/// The slugs of all organizations.
struct OrganizationSlugs<'t> {
    tx: &'t FoundingTx,
    new: &'t OrganizationCreate,
}

impl SlugSpace for OrganizationSlugs<'_> {
    type Slug = OrganizationSlug;
    type Resource = Organization;

    fn derive(name: &str) -> OrganizationSlug {
        OrganizationSlug::derive(name)
    }

    fn numbered(slug: &OrganizationSlug, number: u32) -> OrganizationSlug {
        slug.with_suffix(number)
    }

    async fn free(&self, candidates: Vec<OrganizationSlug>) -> Result<Vec<OrganizationSlug>> {
        let candidates: Vec<_> = candidates.into_iter().map(OrganizationSlug::into_string).collect();
        let statement = Statement::from_sql_and_values(
            DbBackend::Postgres,
            "select lookup.free_organization_slug($1) as slug",
            [candidates.into()],
        );
        let row = self.tx.user.connection.query_one_raw(statement).await?;
        let slug = row.map(|row| row.try_get("", "slug")).transpose()?.flatten();
        Ok(slug.map(OrganizationSlug::from_stored).into_iter().collect())
    }

    async fn insert(&self, slug: OrganizationSlug) -> Result<Option<Organization>> {
        let now = self.tx.user.now();
        let row = Model {
            id: self.tx.scope.organization().as_uuid(),
            name: self.new.name.as_str().to_owned(),
            slug: slug.into_string(),
            status: OrganizationStatus::Active.as_str().to_owned(),
            plan: Plan::Free.as_str().to_owned(),
            region: self.new.region.clone(),
            isolation: Isolation::Shared.as_str().to_owned(),
            settings: serde_json::Map::new().into(),
            version: 1,
            deleted_at: None,
            created_at: now,
            updated_at: now,
        };
        let new = ActiveModel::from(row.clone());
        let values = Column::iter().filter_map(|column| Some((column.into_iden(), new.get(column).into_value()?)));
        // Not a column of the entity: nothing else in here asks how many it has.
        let seats = self
            .tx
            .seats
            .map(|seats| (Alias::new("max_seats").into_iden(), i32::from(seats).into()));
        let (columns, values): (Vec<DynIden>, Vec<Value>) = values.chain(seats).unzip();
        let insert = Query::insert()
            .into_table(Entity)
            .columns(columns)
            .values(values.into_iter().map(Expr::val))
            .map_err(|error| Error::Corrupt(error.to_string()))?
            .on_conflict(OnConflict::column(Column::Slug).do_nothing().to_owned())
            .to_owned();
        let done = self.tx.user.connection.execute(&insert).await?;
        (done.rows_affected() == 1).then(|| row.try_into()).transpose()
    }
}
