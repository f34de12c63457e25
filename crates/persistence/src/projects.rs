//! Rows of projects.

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait as _, EntityTrait as _, FromQueryResult as _, QueryFilter as _, QuerySelect as _, QueryTrait as _,
    sea_query::{Condition, Expr, ExprTrait, OnConflict},
};
use tenantry_domain::{
    authorization::VisibleProjects,
    ids::{ProjectId, WorkspaceId},
    lists::{ListQuery, Page, ResourceField},
    permissions::{Required, perm},
    projects::{Project, ProjectCreate, ProjectStatus, Visibility},
    slugs::Slug,
    text::{Description, Name},
    workspaces::Workspace,
};

use crate::{
    entities::projects::{ActiveModel, Column, Entity, Model},
    error::{Error, Result, known, one_row},
    lists,
    search::Searched,
    slugs::{self, SlugSpace},
    tenant::{Authorized, ReadWrite, TenantTx, TransactionMode},
    users::json_object,
};

impl TryFrom<Model> for Project {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self> {
        Ok(Self {
            id: row.id.into(),
            organization_id: row.organization_id.into(),
            workspace_id: row.workspace_id.into(),
            name: Name::from_stored(row.name),
            slug: Slug::from_stored(row.slug),
            description: row.description.map(Description::from_stored),
            status: known("projects.status", &row.status)?,
            visibility: known("projects.visibility", &row.visibility)?,
            settings: json_object("projects.settings", row.settings)?,
            created_by: row.created_by.map(Into::into),
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// What a list of projects is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct ProjectFilter {
    /// Those of one workspace.
    pub workspace: Option<WorkspaceId>,
    /// Those of one status.
    pub status: Option<ProjectStatus>,
}

pub(crate) async fn find<P: Required, M: TransactionMode>(
    tx: &TenantTx<P, M>,
    id: ProjectId,
) -> Result<Option<Project>> {
    let row = tx
        .scope
        .find::<Entity>()
        .filter(Column::Id.eq(id.as_uuid()))
        .apply_if(M::LOCKS.then_some(()), |rows, ()| rows.lock_exclusive())
        .one(&tx.connection)
        .await?;
    row.map(TryInto::try_into).transpose()
}

impl<M: TransactionMode> TenantTx<perm::ProjectView, M> {
    /// The projects that the caller may view.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn projects(&self, query: &ListQuery<ResourceField>, filter: &ProjectFilter) -> Result<Page<Project>> {
        let mut rows = self.scope.find::<Entity>();
        if let Some(condition) = visible(&self.membership().visible_projects()) {
            rows = rows.filter(condition);
        }
        if let Some(workspace) = filter.workspace {
            rows = rows.filter(Column::WorkspaceId.eq(workspace.as_uuid()));
        }
        if let Some(status) = filter.status {
            // Not as a parameter: the index of archived ones serves a statement that says itself that it is about those.
            let status = Expr::Constant(status.as_str().into());
            rows = rows.filter(ExprTrait::eq(Expr::col((Entity, Column::Status)), status));
        }
        if let Some(search) = &query.search {
            let names = Searched {
                look_up: "select lookup.projects_named($1) as ids",
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

impl TenantTx<perm::ProjectCreate, ReadWrite> {
    /// Adds a project to a workspace. `None` where the given slug is taken.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn create_project(
        &self,
        workspace: &Authorized<Workspace, perm::ProjectCreate>,
        new: ProjectCreate,
    ) -> Result<Option<Project>> {
        let space = ProjectSlugs {
            tx: self,
            workspace: workspace.id,
            new: &new,
        };
        slugs::insert(&space, &self.environment, new.name.as_str(), new.slug.clone()).await
    }
}

/// The slugs of a workspace's projects.
struct ProjectSlugs<'t> {
    tx: &'t TenantTx<perm::ProjectCreate, ReadWrite>,
    workspace: WorkspaceId,
    new: &'t ProjectCreate,
}

impl SlugSpace for ProjectSlugs<'_> {
    type Slug = Slug;
    type Resource = Project;

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
            .filter(Column::WorkspaceId.eq(self.workspace.as_uuid()))
            .filter(Column::Slug.is_in(candidates.iter().map(Slug::as_str)))
            .select_only()
            .column(Column::Slug)
            .into_tuple::<String>()
            .all(&self.tx.connection)
            .await?;
        candidates.retain(|slug| !taken.iter().any(|taken| taken == slug.as_str()));
        Ok(candidates)
    }

    async fn insert(&self, slug: Slug) -> Result<Option<Project>> {
        let (new, now) = (self.new, self.tx.now());
        let row = Model {
            organization_id: self.tx.scope.organization().as_uuid(),
            id: ProjectId::new(&self.tx.environment).as_uuid(),
            workspace_id: self.workspace.as_uuid(),
            name: new.name.as_str().to_owned(),
            slug: slug.into_string(),
            description: new.description.clone().map(Description::into_string),
            status: new.status.as_str().to_owned(),
            visibility: new.visibility.as_str().to_owned(),
            settings: new.settings.clone().into(),
            created_by: Some(self.tx.user().as_uuid()),
            version: 1,
            created_at: now,
            updated_at: now,
        };
        let inserted = Entity::insert(ActiveModel::from(row.clone()))
            .on_conflict(
                OnConflict::columns([Column::OrganizationId, Column::WorkspaceId, Column::Slug])
                    .do_nothing()
                    .to_owned(),
            )
            .exec_without_returning(&self.tx.connection)
            .await?;
        (inserted == 1).then(|| row.try_into()).transpose()
    }
}

impl TenantTx<perm::ProjectUpdate, ReadWrite> {
    /// Makes a project what is wanted of it, and moves it where a target is given.
    ///
    /// # Errors
    /// [`Error::Taken`] where the workspace has another project of that slug; and when the database fails.
    pub async fn update_project(
        &self,
        project: &Authorized<Project, perm::ProjectUpdate>,
        wanted: Project,
        target: Option<&Authorized<Workspace, perm::ProjectCreate>>,
    ) -> Result<Project> {
        let mut changed = Project {
            version: project.version + 1,
            updated_at: self.now(),
            ..wanted
        };
        if let Some(workspace) = target {
            changed.workspace_id = workspace.id;
        }
        let values = ActiveModel {
            workspace_id: Set(changed.workspace_id.as_uuid()),
            name: Set(changed.name.as_str().to_owned()),
            slug: Set(changed.slug.as_str().to_owned()),
            description: Set(changed.description.clone().map(Description::into_string)),
            status: Set(changed.status.as_str().to_owned()),
            visibility: Set(changed.visibility.as_str().to_owned()),
            settings: Set(changed.settings.clone().into()),
            version: Set(changed.version),
            updated_at: Set(changed.updated_at),
            ..Default::default()
        };
        let done = self
            .scope
            .update::<Entity>()
            .set(values)
            .filter(Column::Id.eq(project.id.as_uuid()))
            .exec(&self.connection)
            .await?;
        one_row(done.rows_affected)?;
        Ok(changed)
    }
}

impl TenantTx<perm::ProjectDelete, ReadWrite> {
    /// Deletes a project.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_project(&self, project: &Authorized<Project, perm::ProjectDelete>) -> Result<()> {
        let done = self
            .scope
            .delete::<Entity>()
            .filter(Column::Id.eq(project.id.as_uuid()))
            .exec(&self.connection)
            .await?;
        one_row(done.rows_affected)
    }
}

/// The domain's rule of who sees which projects; `None` for all of them.
fn visible(rule: &VisibleProjects) -> Option<Condition> {
    if rule.every {
        return None;
    }
    let mut any = Condition::any();
    if rule.shared {
        any = any
            .add(Column::Visibility.eq(Visibility::Organization.as_str()))
            .add(Column::CreatedBy.eq(rule.created_by.as_uuid()));
    }
    any = any
        .add(Column::WorkspaceId.is_in(rule.workspaces.iter().map(|id| id.as_uuid())))
        .add(Column::Id.is_in(rule.projects.iter().map(|id| id.as_uuid())));
    Some(any)
}
