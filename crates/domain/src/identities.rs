//! Identities: what other providers know a person by, who signs in through them.
//!
//! An identity is known by the issuer and the subject that it gives, never by an address: that may become somebody else's.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::{emails::Email, environment::Timestamp, ids::IdentityId};

/// The most identities of a person.
pub const MAX_IDENTITIES: u64 = 20;

/// How long somebody may take to sign in at a provider.
pub const FLOW_LIFE: TimeDelta = TimeDelta::minutes(10);

/// How long what a sign-in at a provider came to can be exchanged for a session.
pub const CODE_LIFE: TimeDelta = TimeDelta::seconds(60);

/// Whom a provider vouches for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExternalIdentity {
    /// The provider's key in the configuration.
    pub provider: String,
    /// Who vouches: the provider's issuer, a URL.
    pub issuer: String,
    /// Whom it means; it never means anybody else by that.
    pub subject: String,
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

/// An identity as its owner knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// Its id.
    pub id: IdentityId,
    /// The provider's key in the configuration.
    pub provider: String,
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
