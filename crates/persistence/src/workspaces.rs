//! Rows of workspaces.

use sea_orm::{
    ColumnTrait as _, EntityTrait as _, FromQueryResult as _, QueryFilter as _, QueryTrait as _, sea_query::Expr,
};
use tenantry_domain::{
    ids::WorkspaceId,
    lists::{ListQuery, Page, ResourceField},
    permissions::{Required, perm},
    slugs::Slug,
    text::{Description, Name},
    workspaces::Workspace,
};

use crate::{
    entities::workspaces::{ActiveModel, Column, Entity, Model},
    error::{Error, Result},
    lists,
    tenant::{TenantTx, TransactionMode},
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
            icon: row.icon,
            color: row.color,
            is_default: row.is_default,
            settings: json_object("workspaces.settings", row.settings)?,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

pub(crate) async fn find<P: Required, M: TransactionMode>(
    tx: &TenantTx<P, M>,
    id: WorkspaceId,
) -> Result<Option<Workspace>> {
    let row = tx
        .scope
        .find::<Entity>()
        .filter(Column::Id.eq(id.as_uuid()))
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
            rows = rows.filter(lists::name_contains(Expr::col((Entity, Column::Name)), search));
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
            color: Workspace::DEFAULT_COLOR.to_owned(),
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
