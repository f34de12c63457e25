//! How the members of an organization sign in.

use serde::{Deserialize, Serialize};

use crate::{
    authorization::Membership,
    environment::Timestamp,
    ids::{ConnectionId, OrganizationId},
    keywords,
    organizations::Organization,
    roles::{BuiltInRole, Level},
};

/// How young a sign-in can be demanded to be, in seconds.
pub const SESSION_MAX_AGES: std::ops::RangeInclusive<u32> = 900..=2_592_000;

keywords! {
    /// Of whom an organization demands a second factor.
    pub enum MfaPolicy {
        /// Of its owners and admins.
        Admins = "admins",
        /// Of every member.
        Everyone = "everyone",
    }
}

keywords! {
    /// What somebody becomes in an organization who signs in through its provider for the first time.
    pub enum DefaultRole {
        /// A member.
        Member = "member",
        /// A viewer.
        Viewer = "viewer",
    }
}

impl DefaultRole {
    /// The role.
    #[must_use]
    pub const fn role(self) -> BuiltInRole {
        match self {
            Self::Member => BuiltInRole::Member,
            Self::Viewer => BuiltInRole::Viewer,
        }
    }
}

/// An organization's own OpenID provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// Its id.
    pub id: ConnectionId,
    /// Its issuer, to the character.
    pub issuer: String,
    /// What we are called there.
    pub client_id: String,
    /// Whether we show a secret there.
    pub has_client_secret: bool,
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
    /// The organization's own provider.
    pub connection: Option<Connection>,
    /// What somebody becomes who signs in through it for the first time; `None`: nothing.
    pub default_role: Option<DefaultRole>,
    /// Whether members with an address of its domains sign in through it alone.
    pub sso_required: bool,
    /// How old a sign-in may be, in seconds; `None`: as old as sessions become.
    pub session_max_age: Option<u32>,
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
            connection: None,
            default_role: Some(DefaultRole::Member),
            sso_required: false,
            session_max_age: None,
            version: 0,
            created_at: organization.created_at,
            updated_at: organization.created_at,
        }
    }
}

/// Whether a member may sign in otherwise than by the organization's provider where that is demanded: an owner, who sets it up anew
/// when it fails.
#[must_use]
pub fn may_bypass_connection(member: &Membership) -> bool {
    holds_any(member, &[BuiltInRole::Owner])
}

fn holds_any(member: &Membership, roles: &[BuiltInRole]) -> bool {
    member.grants.iter().any(|grant| {
        let is_one = roles.iter().any(|role| grant.role.key == role.key());
        grant.level == Level::Organization && is_one
    })
}

impl MfaPolicy {
    /// Whether it demands a second factor of this member.
    #[must_use]
    pub fn demands_of(self, member: &Membership) -> bool {
        match self {
            Self::Everyone => true,
            Self::Admins => holds_any(member, &[BuiltInRole::Owner, BuiltInRole::Admin]),
        }
    }
}
