//! Users: people, each once, in however many organizations.

pub mod memberships;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    emails::Email,
    environment::Timestamp,
    ids::{OrganizationId, UserId},
    settings::{SettingsChange, SettingsTooLarge},
    text::Name,
};

/// A person as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct User {
    /// Their id.
    pub id: UserId,
    /// Their address, as they typed it.
    pub email: Email,
    /// When they proved that the address is theirs.
    pub email_verified_at: Option<Timestamp>,
    /// Their name.
    pub name: Name,
    /// A picture of them: an `https` URL.
    pub avatar_url: Option<String>,
    /// The language that they read: a BCP 47 tag.
    pub locale: Option<String>,
    /// Whether a second factor is asked for beside the password.
    pub mfa_enabled: bool,
    /// Whatever clients keep with them.
    pub preferences: Map<String, Value>,
    /// What they work in where a request names no organization, while they are a member of it.
    pub current_organization_id: Option<OrganizationId>,
    /// Counts their changes, from 1.
    pub version: i64,
    /// When they registered.
    pub created_at: Timestamp,
    /// When this was last changed.
    pub updated_at: Timestamp,
}

/// A change of what is known of a person: `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct UserUpdate {
    /// A new name.
    pub name: Option<Name>,
    /// Another picture, or none.
    pub avatar_url: Option<Option<String>>,
    /// Another language, or none.
    pub locale: Option<Option<String>>,
    /// Other preferences.
    pub preferences: Option<SettingsChange>,
}

impl User {
    /// Tells any two states of the person apart. The version alone does not: when the membership behind
    /// [`current_organization_id`](Self::current_organization_id) ends, or counts again, that is no change of theirs.
    #[must_use]
    pub fn revision(&self) -> i64 {
        self.version * 2 + i64::from(self.current_organization_id.is_some())
    }

    /// This person with `change` made, without a new version or date.
    ///
    /// # Errors
    /// When what it keeps for clients becomes too large.
    pub fn changed(&self, change: UserUpdate) -> Result<Self, SettingsTooLarge> {
        Ok(Self {
            name: change.name.unwrap_or_else(|| self.name.clone()),
            avatar_url: change.avatar_url.unwrap_or_else(|| self.avatar_url.clone()),
            locale: change.locale.unwrap_or_else(|| self.locale.clone()),
            preferences: match change.preferences {
                Some(change) => change.applied_to(&self.preferences)?,
                None => self.preferences.clone(),
            },
            ..self.clone()
        })
    }
}
