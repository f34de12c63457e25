//! Rows of workspaces.

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait as _, EntityTrait as _, FromQueryResult as _, QueryFilter as _, QuerySelect as _, QueryTrait as _,
    sea_query::{Expr, LockType, OnConflict},
};
use tenantry_domain::{
    events::{Event, EventType},
    ids::WorkspaceId,
    lists::{ListQuery, Page, ResourceField},
    permissions::{Permission, Required, perm},
    slugs::Slug,
    text::{Description, Icon, Name},
    workspaces::{Color, Workspace, WorkspaceCreate},
};
use uuid::Uuid;

use crate::{
    entities::{
        projects,
        workspaces::{ActiveModel, Column, Entity, Model},
    },
    error::{Error, Result, one_row},
    lists, organizations,
    search::Searched,
    slugs::{self, SlugSpace},
    tenant::{Authorized, ReadWrite, TenantTx, TransactionMode},
    user::FoundingTx,
    users::json_object,
};

impl TryFrom<Model> for Workspace {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self> {
        Ok(Self {
            id: row.id.into(),
            organization_id: row.organization_id.into(),
            name: Name::from_stored(row.name),
            slug: Slug::from_stored(row.slug),
            description: row.description.map(Description::from_stored),
            icon: row.icon.map(Icon::from_stored),
            color: Color::from_stored(row.color),
            is_default: row.is_default,
            settings: json_object("workspaces.settings", row.settings)?,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// Loads a workspace for what `permission` allows. Where it is to be written or deleted it is locked for that, elsewhere in
/// a transaction that writes it is kept from being deleted: something will point to it.
pub(crate) async fn find<P: Required, M: TransactionMode>(
    tx: &TenantTx<P, M>,
    id: WorkspaceId,
    permission: Permission,
) -> Result<Option<Workspace>> {
    let lock = match permission {
        Permission::WorkspaceUpdate => LockType::NoKeyUpdate,
        Permission::WorkspaceDelete => LockType::Update,
        _ => LockType::KeyShare,
    };
    let row = tx
        .scope
        .find::<Entity>()
        .filter(Column::Id.eq(id.as_uuid()))
        .apply_if(M::LOCKS.then_some(lock), |rows, lock| rows.lock(lock))
        .one(&tx.connection)
        .await?;
    row.map(TryInto::try_into).transpose()
}

impl<M: TransactionMode> TenantTx<perm::WorkspaceView, M> {
    /// The workspaces that the caller may view.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn workspaces(&self, query: &ListQuery<ResourceField>) -> Result<Page<Workspace>> {
        let mut rows = self.scope.find::<Entity>();
        if let Some(these) = self.membership().visible_workspaces() {
            rows = rows.filter(Column::Id.is_in(these.iter().map(|id| id.as_uuid())));
        }
        if let Some(search) = &query.search {
            let names = Searched {
                look_up: "select lookup.workspaces_named($1) as ids",
                id: Expr::col((Entity, Column::Id)),
                name: Expr::col((Entity, Column::Name)),
            };
            rows = rows.filter(names.named(&self.connection, search).await?);
        }
        let column = |field| {
            Expr::col((
                Entity,
                match field {
                    ResourceField::Name => Column::Name,
                    ResourceField::CreatedAt => Column::CreatedAt,
                    ResourceField::UpdatedAt => Column::UpdatedAt,
                },
            ))
        };
        let id = Expr::col((Entity, Column::Id));
        lists::fetch(&self.connection, rows.into_query(), query, column, id, |row| {
            Model::from_query_result(row, "")?.try_into()
        })
        .await
    }
}

impl TenantTx<perm::WorkspaceCreate, ReadWrite> {
    /// Adds a workspace. `None` where the given slug is taken. If it is to be the default, the one that was no longer is.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for whoever may not create one in the whole organization; and when the database fails.
    pub async fn create_workspace(&self, new: WorkspaceCreate) -> Result<Option<Workspace>> {
        self.demand_in_organization()?;
        if new.is_default {
            organizations::take_turn(&self.connection, self.scope).await?;
            take_default(self).await?;
        }
        let space = WorkspaceSlugs { tx: self, new: &new };
        slugs::insert(&space, &self.environment, new.name.as_str(), new.slug.clone()).await
    }
}

/// The slugs of an organization's workspaces.
struct WorkspaceSlugs<'t> {
    tx: &'t TenantTx<perm::WorkspaceCreate, ReadWrite>,
    new: &'t WorkspaceCreate,
}

impl SlugSpace for WorkspaceSlugs<'_> {
    type Slug = Slug;
    type Resource = Workspace;

    fn derive(name: &str) -> Slug {
        Slug::derive(name)
    }

    fn numbered(slug: &Slug, number: u32) -> Slug {
        slug.with_suffix(number)
    }

    async fn free(&self, mut candidates: Vec<Slug>) -> Result<Vec<Slug>> {
        let taken = self
            .tx
            .scope
            .find::<Entity>()
            .filter(Column::Slug.is_in(candidates.iter().map(Slug::as_str)))
            .select_only()
            .column(Column::Slug)
            .into_tuple::<String>()
            .all(&self.tx.connection)
            .await?;
        candidates.retain(|slug| !taken.iter().any(|taken| taken == slug.as_str()));
        Ok(candidates)
    }

    async fn insert(&self, slug: Slug) -> Result<Option<Workspace>> {
        let (new, now) = (self.new, self.tx.now());
        let row = Model {
            organization_id: self.tx.scope.organization().as_uuid(),
            id: WorkspaceId::new(&self.tx.environment).as_uuid(),
            name: new.name.as_str().to_owned(),
            slug: slug.into_string(),
            description: new.description.clone().map(Description::into_string),
            icon: new.icon.clone().map(Icon::into_string),
            color: new.color.as_str().to_owned(),
            is_default: new.is_default,
            settings: new.settings.clone().into(),
            version: 1,
            created_at: now,
            updated_at: now,
        };
        let inserted = Entity::insert(ActiveModel::from(row.clone()))
            .on_conflict(
                OnConflict::columns([Column::OrganizationId, Column::Slug])
                    .do_nothing()
                    .to_owned(),
            )
            .exec_without_returning(&self.tx.connection)
            .await?;
        (inserted == 1).then(|| row.try_into()).transpose()
    }
}

impl TenantTx<perm::WorkspaceUpdate, ReadWrite> {
    /// Keeps others from choosing a default workspace until this transaction ends. Before any workspace is loaded: whoever
    /// waits for this holds none that somebody else could be waiting for.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lock_default_workspace(&self) -> Result<()> {
        organizations::take_turn(&self.connection, self.scope).await
    }

    /// Makes a workspace what is wanted of it; if it becomes the default, the one that was no longer is.
    ///
    /// # Errors
    /// [`Error::Taken`] where another workspace has that slug; and when the database fails.
    pub async fn update_workspace(
        &self,
        workspace: &Authorized<Workspace, perm::WorkspaceUpdate>,
        wanted: Workspace,
    ) -> Result<Workspace> {
        if wanted.is_default && !workspace.is_default {
            take_default(self).await?;
        }
        let changed = Workspace {
            version: workspace.version + 1,
            updated_at: self.now(),
            ..wanted
        };
        let values = ActiveModel {
            name: Set(changed.name.as_str().to_owned()),
            slug: Set(changed.slug.as_str().to_owned()),
            description: Set(changed.description.clone().map(Description::into_string)),
            icon: Set(changed.icon.clone().map(Icon::into_string)),
            color: Set(changed.color.as_str().to_owned()),
            is_default: Set(changed.is_default),
            settings: Set(changed.settings.clone().into()),
            version: Set(changed.version),
            updated_at: Set(changed.updated_at),
            ..Default::default()
        };
        let done = self
            .scope
            .update::<Entity>()
            .set(values)
            .filter(Column::Id.eq(workspace.id.as_uuid()))
            .exec(&self.connection)
            .await?;
        one_row(done.rows_affected)?;
        Ok(changed)
    }
}

impl TenantTx<perm::WorkspaceDelete, ReadWrite> {
    /// Deletes a workspace, with the roles that were held in it. `false` where it holds projects.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_workspace(&self, workspace: &Authorized<Workspace, perm::WorkspaceDelete>) -> Result<bool> {
        // The workspace is locked, so no project comes into it any more.
        let project = self
            .scope
            .find::<projects::Entity>()
            .filter(projects::Column::WorkspaceId.eq(workspace.id.as_uuid()))
            .select_only()
            .column(projects::Column::Id)
            .into_tuple::<Uuid>()
            .one(&self.connection)
            .await?;
        if project.is_some() {
            return Ok(false);
        }
        let done = self
            .scope
            .delete::<Entity>()
            .filter(Column::Id.eq(workspace.id.as_uuid()))
            .exec(&self.connection)
            .await?;
        one_row(done.rows_affected)?;
        Ok(true)
    }
}

/// Takes being the default from the workspace that is it, in a transaction that has taken its turn.
async fn take_default<P: Required>(tx: &TenantTx<P, ReadWrite>) -> Result<()> {
    let default = tx
        .scope
        .find::<Entity>()
        .filter(Column::IsDefault.eq(true))
        .lock(LockType::NoKeyUpdate)
        .one(&tx.connection)
        .await?;
    let Some(default) = default else { return Ok(()) };
    let before = Workspace::try_from(default)?;
    let after = Workspace {
        is_default: false,
        version: before.version + 1,
        updated_at: tx.now(),
        ..before.clone()
    };
    let values = ActiveModel {
        is_default: Set(false),
        version: Set(after.version),
        updated_at: Set(after.updated_at),
        ..Default::default()
    };
    let done = tx
        .scope
        .update::<Entity>()
        .set(values)
        .filter(Column::Id.eq(before.id.as_uuid()))
        .exec(&tx.connection)
        .await?;
    one_row(done.rows_affected)?;
    tx.append(Event::changed(EventType::WorkspaceUpdated, &before, &after))
        .await
}

impl FoundingTx {
    /// Adds a workspace that the new organization begins with. One of them is its default.
    ///
    /// # Errors
    /// When the database fails, and where a second one would be the default.
    pub async fn create_workspace(&self, name: &Name, is_default: bool) -> Result<WorkspaceId> {
        let now = self.user.now();
        let id = WorkspaceId::new(&self.user.environment);
        let row = Model {
            organization_id: self.scope.organization().as_uuid(),
            id: id.as_uuid(),
            name: name.as_str().to_owned(),
            slug: Slug::derive(name.as_str()).into_string(),
            description: None,
            icon: None,
            color: Color::default().into_string(),
            is_default,
            settings: serde_json::Map::new().into(),
            version: 1,
            created_at: now,
            updated_at: now,
        };
        Entity::insert(ActiveModel::from(row))
            .exec_without_returning(&self.user.connection)
            .await?;
        Ok(id)
    }
}
