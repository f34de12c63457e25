//! How the members of an organization sign in.

use serde::{Deserialize, Serialize};

use crate::{
    authorization::Membership,
    environment::Timestamp,
    ids::OrganizationId,
    keywords,
    organizations::Organization,
    roles::{BuiltInRole, Level},
};

keywords! {
    /// Of whom an organization demands a second factor.
    pub enum MfaPolicy {
        /// Of its owners and admins.
        Admins = "admins",
        /// Of every member.
        Everyone = "everyone",
    }
}

/// How the members of an organization sign in, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignOnPolicy {
    /// The organization.
    pub id: OrganizationId,
    /// Of whom a second factor is demanded.
    pub mfa: MfaPolicy,
    /// From when on the time is counted that they have to set one up.
    pub mfa_grace_from: Timestamp,
    /// Counts its changes; 0 as long as there was none.
    pub version: i64,
    /// When the organization was founded.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl SignOnPolicy {
    /// What holds in an organization that never chose.
    #[must_use]
    pub fn default_of(organization: &Organization) -> Self {
        Self {
            id: organization.id,
            mfa: MfaPolicy::Admins,
            mfa_grace_from: organization.created_at,
            version: 0,
            created_at: organization.created_at,
            updated_at: organization.created_at,
        }
    }
}

impl MfaPolicy {
    /// Whether it demands a second factor of this member.
    #[must_use]
    pub fn demands_of(self, member: &Membership) -> bool {
        match self {
            Self::Everyone => true,
            Self::Admins => member.grants.iter().any(|grant| {
                let mighty = [BuiltInRole::Owner, BuiltInRole::Admin]
                    .iter()
                    .any(|role| grant.role.key == role.key());
                grant.level == Level::Organization && mighty
            }),
        }
    }
}
