//! Projects: the work itself, each in one workspace.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    environment::Timestamp,
    ids::{OrganizationId, ProjectId, UserId, WorkspaceId},
    keywords,
    settings::{SettingsChange, SettingsTooLarge},
    slugs::Slug,
    text::{Description, Name},
};

keywords! {
    /// Whether a project is being worked on.
    pub enum ProjectStatus {
        /// It is.
        Active = "active",
        /// It is kept, out of the way.
        Archived = "archived",
    }
}

keywords! {
    /// Who may know of a project.
    pub enum Visibility {
        /// Whoever may view projects above it.
        Organization = "organization",
        /// Its creator, those named on it or on its workspace, and those who manage projects.
        Private = "private",
    }
}

/// A project as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Project {
    /// Its id.
    pub id: ProjectId,
    /// The tenant that it belongs to.
    pub organization_id: OrganizationId,
    /// The workspace that it is in.
    pub workspace_id: WorkspaceId,
    /// Its name.
    pub name: Name,
    /// Its name in URLs, unique in its workspace.
    pub slug: Slug,
    /// What it is about.
    pub description: Option<Description>,
    /// Whether it is being worked on.
    pub status: ProjectStatus,
    /// Who may know of it.
    pub visibility: Visibility,
    /// Whatever its clients keep with it.
    pub settings: Map<String, Value>,
    /// Who created it; `None` once that person is gone.
    pub created_by: Option<UserId>,
    /// Counts its changes, from 1.
    pub version: i64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What a new project is made of.
#[derive(Debug, Clone)]
pub struct ProjectCreate {
    /// Its name.
    pub name: Name,
    /// Its slug; derived from the name where there is none.
    pub slug: Option<Slug>,
    /// What it is about.
    pub description: Option<Description>,
    /// Who may know of it.
    pub visibility: Visibility,
    /// Whether it is being worked on.
    pub status: ProjectStatus,
    /// Whatever its clients keep with it.
    pub settings: Map<String, Value>,
}

/// A change of a project: `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct ProjectUpdate {
    /// A new name.
    pub name: Option<Name>,
    /// A new slug.
    pub slug: Option<Slug>,
    /// A new description, or none.
    pub description: Option<Option<Description>>,
    /// Another status.
    pub status: Option<ProjectStatus>,
    /// Another visibility.
    pub visibility: Option<Visibility>,
    /// Other settings.
    pub settings: Option<SettingsChange>,
}

impl Project {
    /// This project with `change` made, without a new version or date.
    ///
    /// # Errors
    /// When what it keeps for clients becomes too large.
    pub fn changed(&self, change: ProjectUpdate) -> Result<Self, SettingsTooLarge> {
        Ok(Self {
            name: change.name.unwrap_or_else(|| self.name.clone()),
            slug: change.slug.unwrap_or_else(|| self.slug.clone()),
            description: change.description.unwrap_or_else(|| self.description.clone()),
            status: change.status.unwrap_or(self.status),
            visibility: change.visibility.unwrap_or(self.visibility),
            settings: match change.settings {
                Some(change) => change.applied_to(&self.settings)?,
                None => self.settings.clone(),
            },
            ..self.clone()
        })
    }
}
