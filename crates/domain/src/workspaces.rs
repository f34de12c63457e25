//! Workspaces: groupings of projects. An organization always has exactly one that is its default.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    environment::Timestamp,
    ids::{OrganizationId, WorkspaceId},
    settings::{SettingsChange, SettingsTooLarge},
    slugs::Slug,
    text::{Description, Icon, Name, checked_text},
};

/// A workspace as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    pub icon: Option<Icon>,
    /// The colour that it is shown in.
    pub color: Color,
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

    /// This workspace with `change` made, without a new version or date.
    ///
    /// # Errors
    /// When it would no longer be the default, which takes another to become it; or what it keeps for clients becomes too
    /// large.
    pub fn changed(&self, change: WorkspaceUpdate) -> Result<Self, WorkspaceError> {
        let is_default = change.is_default.unwrap_or(self.is_default);
        if self.is_default && !is_default {
            return Err(WorkspaceError::StaysDefault);
        }
        Ok(Self {
            name: change.name.unwrap_or_else(|| self.name.clone()),
            slug: change.slug.unwrap_or_else(|| self.slug.clone()),
            description: change.description.unwrap_or_else(|| self.description.clone()),
            icon: change.icon.unwrap_or_else(|| self.icon.clone()),
            color: change.color.unwrap_or_else(|| self.color.clone()),
            is_default,
            settings: match change.settings {
                Some(change) => change.applied_to(&self.settings)?,
                None => self.settings.clone(),
            },
            ..self.clone()
        })
    }
}

/// Why a workspace cannot be changed so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WorkspaceError {
    /// It is the default, and stays it until another is made the default.
    #[error("the default workspace stays the default until another becomes it")]
    StaysDefault,
    /// What it keeps for clients would become too large.
    #[error(transparent)]
    Settings(#[from] SettingsTooLarge),
}

/// What a new workspace is made of.
#[derive(Debug, Clone)]
pub struct WorkspaceCreate {
    /// Its name.
    pub name: Name,
    /// Its slug; derived from the name where there is none.
    pub slug: Option<Slug>,
    /// What it is about.
    pub description: Option<Description>,
    /// What it is shown with.
    pub icon: Option<Icon>,
    /// The colour that it is shown in.
    pub color: Color,
    /// Whether it takes the place of the default one.
    pub is_default: bool,
    /// Whatever its clients keep with it.
    pub settings: Map<String, Value>,
}

/// A change of a workspace: `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct WorkspaceUpdate {
    /// A new name.
    pub name: Option<Name>,
    /// A new slug.
    pub slug: Option<Slug>,
    /// A new description, or none.
    pub description: Option<Option<Description>>,
    /// Another icon, or none.
    pub icon: Option<Option<Icon>>,
    /// Another colour.
    pub color: Option<Color>,
    /// Whether it is the default: `true` takes that from another.
    pub is_default: Option<bool>,
    /// Other settings.
    pub settings: Option<SettingsChange>,
}

checked_text! {
    /// A colour: `#` and six hexadecimal digits, red, green and blue.
    Color, ColorError, |text| {
        let digits = text.strip_prefix('#').unwrap_or_default();
        if digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            Ok(())
        } else {
            Err(ColorError)
        }
    }
}

/// The text is no colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a colour such as #3B82F6")]
pub struct ColorError;

impl Default for Color {
    /// That of a workspace that asked for none.
    fn default() -> Self {
        Self("#3B82F6".to_owned())
    }
}

#[cfg(test)]
mod tests;
