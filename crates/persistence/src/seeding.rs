//! Rows in great number, of an organization that is being founded: for seeding at size.
//!
//! PostgreSQL copies nothing into a table with row-level security, and nothing here goes around that: whole columns are
//! sent as arrays, and inserted by the runtime role under the settings of the transaction.

use sea_orm::{ConnectionTrait as _, DbBackend, Statement, Value};
use tenantry_domain::{
    environment::Timestamp,
    ids::{ProjectId, UserId, WorkspaceId},
    projects::{ProjectStatus, Visibility},
    slugs::Slug,
    text::{Description, Name},
    workspaces::Color,
};
use uuid::Uuid;

use crate::{
    entities::organizations,
    error::{Error, Result},
    user::FoundingTx,
};

/// A workspace to be added; none of them becomes the default.
#[derive(Debug, Clone)]
pub struct SeedWorkspace {
    /// Its name.
    pub name: Name,
    /// Its slug.
    pub slug: Slug,
    /// When it was created, and last changed.
    pub created_at: Timestamp,
}

/// A project to be added.
#[derive(Debug, Clone)]
pub struct SeedProject {
    /// The workspace that it is in.
    pub workspace: WorkspaceId,
    /// Its name.
    pub name: Name,
    /// Its slug.
    pub slug: Slug,
    /// What it is about.
    pub description: Description,
    /// Whether it is being worked on.
    pub status: ProjectStatus,
    /// Who may know of it.
    pub visibility: Visibility,
    /// Who created it.
    pub created_by: UserId,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl FoundingTx {
    /// Whether the organization of this id is there already.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_founded(&self) -> Result<bool> {
        let row = self
            .scope
            .find::<organizations::Entity>()
            .one(&self.user.connection)
            .await?;
        Ok(row.is_some())
    }

    /// Adds workspaces beside the default one, and returns their ids in the same order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn seed_workspaces(&self, workspaces: &[SeedWorkspace]) -> Result<Vec<WorkspaceId>> {
        let ids: Vec<_> = workspaces
            .iter()
            .map(|_| WorkspaceId::new(&self.user.environment))
            .collect();
        let uuids: Vec<Uuid> = ids.iter().map(WorkspaceId::as_uuid).collect();
        let names: Vec<String> = workspaces.iter().map(|row| row.name.as_str().to_owned()).collect();
        let slugs: Vec<String> = workspaces.iter().map(|row| row.slug.as_str().to_owned()).collect();
        let moments: Vec<Timestamp> = workspaces.iter().map(|row| row.created_at).collect();
        self.insert(
            "insert into workspaces (organization_id, id, name, slug, created_at, color, updated_at)
             select $1, rows.*, $6, rows.created_at
             from unnest($2::uuid[], $3::text[], $4::text[], $5::timestamptz[]) rows (id, name, slug, created_at)",
            [
                uuids.into(),
                names.into(),
                slugs.into(),
                moments.into(),
                Color::default().into_string().into(),
            ],
            ids.len(),
        )
        .await?;
        Ok(ids)
    }

    /// Adds projects to workspaces of the organization.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn seed_projects(&self, projects: &[SeedProject]) -> Result<()> {
        let environment = &self.user.environment;
        let texts = |text: fn(&SeedProject) -> &str| -> Value {
            let texts: Vec<String> = projects.iter().map(|row| text(row).to_owned()).collect();
            texts.into()
        };
        let uuids = |uuid: &dyn Fn(&SeedProject) -> Uuid| -> Value {
            let uuids: Vec<Uuid> = projects.iter().map(uuid).collect();
            uuids.into()
        };
        let moments = |moment: fn(&SeedProject) -> Timestamp| -> Value {
            let moments: Vec<Timestamp> = projects.iter().map(moment).collect();
            moments.into()
        };
        self.insert(
            "insert into projects (organization_id, id, workspace_id, name, slug, description, status, visibility,
                                   created_by, created_at, updated_at)
             select $1, rows.*
             from unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::uuid[],
                         $10::timestamptz[], $11::timestamptz[]) rows",
            [
                uuids(&|_| ProjectId::new(environment).as_uuid()),
                uuids(&|row| row.workspace.as_uuid()),
                texts(|row| row.name.as_str()),
                texts(|row| row.slug.as_str()),
                texts(|row| row.description.as_str()),
                texts(|row| row.status.as_str()),
                texts(|row| row.visibility.as_str()),
                uuids(&|row| row.created_by.as_uuid()),
                moments(|row| row.created_at),
                moments(|row| row.updated_at),
            ],
            projects.len(),
        )
        .await
    }

    /// Runs a statement whose first parameter is the organization of the transaction, and expects so many rows of it.
    async fn insert(&self, sql: &str, values: impl IntoIterator<Item = Value>, rows: usize) -> Result<()> {
        let organization = self.scope.organization().as_uuid().into();
        let values = [organization].into_iter().chain(values);
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
        let done = self.user.connection.execute_raw(statement).await?;
        if done.rows_affected() == rows as u64 {
            Ok(())
        } else {
            Err(Error::Corrupt(format!(
                "{} rows of {rows} were inserted",
                done.rows_affected()
            )))
        }
    }
}
