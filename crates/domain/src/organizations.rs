//! Organizations: the tenants.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    environment::Timestamp,
    ids::OrganizationId,
    keywords,
    settings::{SettingsChange, SettingsTooLarge},
    slugs::OrganizationSlug,
    text::Name,
};

keywords! {
    /// Whether an organization can be worked in.
    pub enum OrganizationStatus {
        /// It can.
        Active = "active",
        /// Nobody may read or write it until it is reactivated.
        Suspended = "suspended",
        /// It is gone, for its grace time restorable.
        Deleted = "deleted",
    }
}

keywords! {
    /// What an organization pays for.
    pub enum Plan {
        /// Nothing.
        Free = "free",
        /// The smallest plan.
        Starter = "starter",
        /// The usual plan.
        Pro = "pro",
        /// A plan by agreement.
        Enterprise = "enterprise",
    }
}

keywords! {
    /// How an organization's rows are kept apart from others'.
    pub enum Isolation {
        /// In shared tables, behind row-level security.
        Shared = "shared",
    }
}

/// An organization as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Organization {
    /// Its id.
    pub id: OrganizationId,
    /// Its name.
    pub name: Name,
    /// Its name in URLs, unique among all organizations.
    pub slug: OrganizationSlug,
    /// Whether it can be worked in.
    pub status: OrganizationStatus,
    /// What it pays for.
    pub plan: Plan,
    /// Where its data lives; chosen at its founding.
    pub region: String,
    /// How its rows are kept apart.
    pub isolation: Isolation,
    /// Whatever its clients keep with it.
    pub settings: Map<String, Value>,
    /// Counts its changes, from 1.
    pub version: i64,
    /// When it was deleted, as long as it can be restored.
    #[serde(default)]
    pub deleted_at: Option<Timestamp>,
    /// When it was founded.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What a new organization is made of.
#[derive(Debug, Clone)]
pub struct OrganizationCreate {
    /// Its name.
    pub name: Name,
    /// Its slug; derived from the name where there is none.
    pub slug: Option<OrganizationSlug>,
    /// Where its data shall live.
    pub region: String,
}

/// A change of an organization: `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct OrganizationUpdate {
    /// A new name.
    pub name: Option<Name>,
    /// A new slug.
    pub slug: Option<OrganizationSlug>,
    /// Other settings.
    pub settings: Option<SettingsChange>,
}

impl Organization {
    /// How long a deleted organization can be restored.
    pub const GRACE: chrono::Duration = chrono::Duration::days(30);

    /// Whether it is deleted and can no longer be restored.
    #[must_use]
    pub fn is_past_grace(&self, now: Timestamp) -> bool {
        self.deleted_at.is_some_and(|deleted| now - deleted >= Self::GRACE)
    }

    /// The region of an organization that asked for none.
    pub const DEFAULT_REGION: &'static str = "default";

    /// This organization with `change` made, without a new version or date.
    ///
    /// # Errors
    /// When what it keeps for clients becomes too large.
    pub fn changed(&self, change: OrganizationUpdate) -> Result<Self, SettingsTooLarge> {
        Ok(Self {
            name: change.name.unwrap_or_else(|| self.name.clone()),
            slug: change.slug.unwrap_or_else(|| self.slug.clone()),
            settings: match change.settings {
                Some(change) => change.applied_to(&self.settings)?,
                None => self.settings.clone(),
            },
            ..self.clone()
        })
    }
}
