//! Rows of organizations.

use sea_orm::{
    ActiveValue::Set,
    ConnectionTrait as _, DbBackend, EntityTrait as _, FromQueryResult as _, QuerySelect as _, QueryTrait as _,
    Statement,
    sea_query::{Alias, Asterisk, Expr, Func, OnConflict, Query},
};
use tenantry_domain::{
    lists::{ListQuery, Page, ResourceField},
    organizations::{Isolation, Organization, OrganizationCreate, OrganizationStatus, Plan},
    permissions::{Required, perm},
    slugs::OrganizationSlug,
    text::Name,
};

use crate::{
    entities::organizations::{ActiveModel, Column, Entity, Model},
    error::{Error, Result, known, one_row},
    lists,
    slugs::random_suffix,
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

impl UserTx {
    /// The organizations that the person is a member of.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn organizations(&self, query: &ListQuery<ResourceField>) -> Result<Page<Organization>> {
        let mine = Alias::new("mine");
        let mut rows = Query::select()
            .column((mine.clone(), Asterisk))
            .from_function(Func::cust("lookup.my_organizations"), mine.clone())
            .to_owned();
        if let Some(search) = &query.search {
            rows.and_where(lists::name_contains(Expr::col((mine.clone(), Column::Name)), search));
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
        let now = self.user.now();
        let mut row = Model {
            id: self.scope.organization().as_uuid(),
            name: new.name.as_str().to_owned(),
            slug: String::new(),
            status: OrganizationStatus::Active.as_str().to_owned(),
            plan: Plan::Free.as_str().to_owned(),
            region: new.region,
            isolation: Isolation::Shared.as_str().to_owned(),
            settings: serde_json::Map::new().into(),
            version: 1,
            created_at: now,
            updated_at: now,
        };
        if let Some(slug) = new.slug {
            row.slug = slug.into_string();
            return self.insert_unless_taken(row).await;
        }
        let base = OrganizationSlug::derive(new.name.as_str());
        let mut next = 1;
        while next <= MOST_SUFFIXES {
            let candidates: Vec<String> = (next..next + SLUGS_AT_ONCE)
                .map(|n| if n == 1 { base.clone() } else { base.with_suffix(n) }.into_string())
                .collect();
            match self.first_free(candidates).await? {
                Some(slug) => {
                    row.slug = slug;
                    // Between the look and the insert somebody else may have taken it: then look again.
                    if let Some(organization) = self.insert_unless_taken(row.clone()).await? {
                        return Ok(Some(organization));
                    }
                }
                None => next += SLUGS_AT_ONCE,
            }
        }
        // So many of one name: a number that nobody else can have taken.
        row.slug = base.with_suffix(random_suffix(&self.user.environment)).into_string();
        self.insert_unless_taken(row).await
    }

    async fn insert_unless_taken(&self, row: Model) -> Result<Option<Organization>> {
        let inserted = Entity::insert(ActiveModel::from(row.clone()))
            .on_conflict(OnConflict::column(Column::Slug).do_nothing().to_owned())
            .exec_without_returning(&self.user.connection)
            .await?;
        if inserted == 0 {
            Ok(None)
        } else {
            row.try_into().map(Some)
        }
    }

    async fn first_free(&self, candidates: Vec<String>) -> Result<Option<String>> {
        let statement = Statement::from_sql_and_values(
            DbBackend::Postgres,
            "select lookup.free_organization_slug($1) as slug",
            [candidates.into()],
        );
        let row = self.user.connection.query_one_raw(statement).await?;
        Ok(row.map(|row| row.try_get("", "slug")).transpose()?.flatten())
    }
}

/// How many slugs are looked for in one round trip.
const SLUGS_AT_ONCE: u32 = 64;

/// How many suffixes are tried in order.
const MOST_SUFFIXES: u32 = 512;
