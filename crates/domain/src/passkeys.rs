//! Passkeys: keys that a person's devices hold (WebAuthn), which sign in by themselves and count as a second factor.

use chrono::TimeDelta;
use serde::Serialize;

use crate::{environment::Timestamp, ids::PasskeyId, text::Name};

/// The most passkeys of a person.
pub const MAX_PASSKEYS: u64 = 20;

/// How long a challenge can be answered: what WebAuthn Level 3 recommends for a person who looks for their device.
pub const CHALLENGE_LIFE: TimeDelta = TimeDelta::minutes(5);

/// How long after it was registered a passkey goes with the password that its owner forgot: whoever added it may not have been them.
pub const DOUBT: TimeDelta = TimeDelta::days(7);

/// A passkey, as its owner knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Passkey {
    /// Its id.
    pub id: PasskeyId,
    /// What its owner calls it.
    pub name: Name,
    /// Whether it was on more than one device when it was last used.
    pub synced: bool,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
    /// Counts the changes of its name.
    pub version: i64,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When its name was last changed.
    pub updated_at: Timestamp,
}

/// A passkey, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPasskey {
    /// What its owner knows of it.
    pub passkey: Passkey,
    /// The public key with its counter and flags, as `tenantry-auth` writes it down.
    pub credential: serde_json::Value,
}

/// What is stored of a passkey that was registered just now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPasskey {
    /// By what it is found: the id that the authenticator gave it.
    pub credential_id: Vec<u8>,
    /// As in [`StoredPasskey`].
    pub credential: serde_json::Value,
    /// Whether it is on more than one device.
    pub synced: bool,
}
