//! Workspaces: groupings of projects. An organization always has exactly one that is its default.

use serde_json::{Map, Value};

use crate::{
    environment::Timestamp,
    ids::{OrganizationId, WorkspaceId},
    slugs::Slug,
    text::{Description, Name},
};

/// A workspace as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Workspace {
    /// Its id.
    pub id: WorkspaceId,
    /// The tenant that it belongs to.
    pub organization_id: OrganizationId,
    /// Its name.
    pub name: Name,
    /// Its name in URLs, unique in its organization.
    pub slug: Slug,
    /// What it is about.
    pub description: Option<Description>,
    /// What it is shown with.
    pub icon: Option<String>,
    /// The colour that it is shown in: `#RRGGBB`.
    pub color: String,
    /// Whether projects go here when nobody says where.
    pub is_default: bool,
    /// Whatever its clients keep with it.
    pub settings: Map<String, Value>,
    /// Counts its changes, from 1.
    pub version: i64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Workspace {
    /// The name of the workspace that an organization is founded with.
    #[must_use]
    pub fn default_name() -> Name {
        Name::from_stored("General".to_owned())
    }

    /// The colour of a workspace that asked for none.
    pub const DEFAULT_COLOR: &'static str = "#3B82F6";
}
