//! Identities: what other providers know a person by, who signs in through them.
//!
//! An identity is known by the issuer and the subject that it gives, never by an address: that may become somebody else's.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::{
    emails::Email,
    environment::Timestamp,
    ids::{ConnectionId, IdentityId, OrganizationId},
};

/// The most identities of a person.
pub const MAX_IDENTITIES: u64 = 20;

/// How long somebody may take to sign in at a provider.
pub const FLOW_LIFE: TimeDelta = TimeDelta::minutes(10);

/// How long what a sign-in at a provider came to can be exchanged for a session.
pub const CODE_LIFE: TimeDelta = TimeDelta::seconds(60);

/// Whom a provider vouches for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExternalIdentity {
    /// The provider's key in the configuration; of an organization's own, that one's id.
    pub provider: String,
    /// Who vouches: the provider's issuer, a URL.
    pub issuer: String,
    /// Whom it means; it never means anybody else by that.
    pub subject: String,
    /// Through what it does, where that is an organization's own provider: it vouches for nobody elsewhere.
    #[serde(default)]
    pub connection: Option<ConnectionId>,
    /// Their address.
    pub email: Option<Email>,
    /// Whether the provider has seen that the address is theirs.
    pub email_verified: bool,
    /// Their name, as it is.
    pub name: Option<String>,
    /// An `https` URL of a picture of them.
    pub picture: Option<String>,
    /// The language that they read.
    pub locale: Option<String>,
}

impl ExternalIdentity {
    /// The organization whose own provider vouches; `None` for one of the configuration's.
    #[must_use]
    pub fn organization(&self) -> Option<OrganizationId> {
        organization_of(&self.provider)
    }

    /// By what it is told apart from all others of its issuer: what is vouched for through one organization's provider is nothing to
    /// another's, nor to those of the configuration.
    #[must_use]
    pub fn scoped_subject(&self) -> String {
        match self.connection {
            Some(connection) => format!("{connection}/{}", self.subject),
            None => self.subject.clone(),
        }
    }
}

/// The organization whose own provider is called so in paths; `None` for one of the configuration's, none of which has a UUID for a key.
#[must_use]
pub fn organization_of(provider: &str) -> Option<OrganizationId> {
    // One organization has one spelling.
    let id: OrganizationId = provider.parse().ok()?;
    (id.to_string() == provider).then_some(id)
}

/// An identity as its owner knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// Its id.
    pub id: IdentityId,
    /// The provider's key in the configuration; of an organization's own, that one's id.
    pub provider: String,
    /// What it was vouched for through, where that is an organization's own provider.
    pub connection_id: Option<ConnectionId>,
    /// Who vouches.
    pub issuer: String,
    /// Whom that means.
    pub subject: String,
    /// The address that the provider knew when it was last used.
    pub email: Option<Email>,
    /// When it last signed in.
    pub last_used_at: Option<Timestamp>,
    /// When it was linked.
    pub created_at: Timestamp,
}

impl Identity {
    /// The organization whose own provider vouches; `None` for one of the configuration's.
    #[must_use]
    pub fn organization(&self) -> Option<OrganizationId> {
        self.connection_id.and(organization_of(&self.provider))
    }

    /// When it was last used, or else linked.
    #[must_use]
    pub fn updated_at(&self) -> Timestamp {
        self.last_used_at.unwrap_or(self.created_at)
    }

    /// Tells its states apart, as finely as moments are kept.
    #[must_use]
    pub fn revision(&self) -> i64 {
        self.updated_at().timestamp_millis()
    }
}
