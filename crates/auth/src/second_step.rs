//! Tokens of a sign-in that has begun: whoever shows one knew the password a moment ago, or came from a provider, and owes a second
//! factor.
//!
//! A token holds who it is, until when it is good, and a mark of the first step: of the password's hash, so that it ends with the
//! password, or of the name of the identity; and a signature of these. Nothing of it is stored.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta};
use secrecy::SecretString;
use tenantry_domain::{environment::Timestamp, ids::UserId};
use uuid::Uuid;

use crate::{keys::Keyring, opaque_tokens::TokenHash, signatures::SIGNATURE_BYTES};

/// How long a token is good.
pub const LIFE: TimeDelta = TimeDelta::minutes(5);

/// What a token begins with, so that people and scanners recognise a leaked one.
pub const PREFIX: &str = "tnm_";

/// What is signed with the keys.
const SIGNED_FOR: &str = "second step of a sign-in";

/// Bytes of an id, of a moment, and of the mark of a hash.
const ID_BYTES: usize = 16;
const TIME_BYTES: usize = 8;
const MARK_BYTES: usize = 8;

/// How long each is: the prefix and the base64url of all parts, without padding.
const TEXT_BYTES: usize = PREFIX.len() + ((ID_BYTES + TIME_BYTES + MARK_BYTES + SIGNATURE_BYTES) * 4).div_ceil(3);

/// A sign-in that has begun.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SecondStep {
    /// Who signs in.
    pub user: UserId,
    mark: [u8; MARK_BYTES],
}

impl SecondStep {
    /// Whether this was the first step: the hash of a password, or the name of an identity.
    #[must_use]
    pub fn is_of(&self, first_step: &str) -> bool {
        self.mark == mark(first_step)
    }
}

/// A token for whoever took this first step at `now`: the hash of a password, or the name of an identity.
#[must_use]
pub fn issue(keyring: &Keyring, user: UserId, first_step: &str, now: Timestamp) -> SecretString {
    let ends = (now + LIFE).timestamp_millis().to_be_bytes();
    let message = [user.as_uuid().as_bytes().as_slice(), &ends, &mark(first_step)].concat();
    let signature = keyring.sign(SIGNED_FOR, &message);
    let all = [message.as_slice(), signature.as_bytes()].concat();
    SecretString::from(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(all)))
}

/// The sign-in of a token that is good at `now`. `None` for any other text.
#[must_use]
pub fn read(keyring: &Keyring, text: &str, now: Timestamp) -> Option<SecondStep> {
    if text.len() != TEXT_BYTES {
        return None;
    }
    let all = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok()?;
    let (message, signature) = all.split_at_checked(ID_BYTES + TIME_BYTES + MARK_BYTES)?;
    if !keyring.verify(SIGNED_FOR, message, signature) {
        return None;
    }
    let (id, rest) = message.split_first_chunk::<ID_BYTES>()?;
    let (ends, mark) = rest.split_first_chunk::<TIME_BYTES>()?;
    let ends = DateTime::from_timestamp_millis(i64::from_be_bytes(*ends))?;
    (now < ends).then_some(SecondStep {
        user: Uuid::from_bytes(*id).into(),
        mark: mark.try_into().ok()?,
    })
}

/// A mark of what a password is kept as. It has a salt in it, so that the mark tells nothing of the password.
fn mark(first_step: &str) -> [u8; MARK_BYTES] {
    let hash = TokenHash::of(first_step.as_bytes());
    hash.as_bytes().first_chunk().copied().unwrap_or_default()
}

impl fmt::Debug for SecondStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecondStep")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
