//! Refresh tokens: opaque secrets, each good for one exchange, that keep a session going.
//!
//! Each exchange hands out a successor and marks the token as used (rotation, RFC 9700, section 4.14.2). A used token
//! that turns up again was copied, and its session ends; but for a short while it is taken for a second tab or for a
//! retry, and yields another successor. What is stored of a token is its hash.
//!
//! To change a rule: `judge` is the only place that decides, and its tests state each rule at its edge.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use secrecy::SecretString;
use subtle::ConstantTimeEq as _;
use tenantry_domain::environment::{Environment, Timestamp};
use zeroize::Zeroizing;

/// How long a token may wait for its use.
pub const LIFE: TimeDelta = TimeDelta::days(7);

/// How long a session lasts at most, from its sign-in on, however often its tokens are exchanged.
pub const ABSOLUTE_LIFE: TimeDelta = TimeDelta::days(30);

/// How long after its first use a token yields further successors.
pub const REUSE_LEEWAY: TimeDelta = TimeDelta::seconds(10);

/// How many successors a token yields, the first included.
pub const MAX_SUCCESSORS: u32 = 5;

/// What a token begins with, so that people and scanners recognise a leaked one.
pub const PREFIX: &str = "tnr_";

/// Random bytes of a token.
const SECRET_BYTES: usize = 32;

/// Bytes of a token's hash, a SHA-256.
pub const HASH_BYTES: usize = 32;

/// The longest text that is looked at: the prefix and the base64url of the secret, without padding.
const TEXT_BYTES: usize = PREFIX.len() + (SECRET_BYTES * 4).div_ceil(3);

/// A refresh token as its owner holds it. It is never printed.
pub struct RefreshToken(Zeroizing<[u8; SECRET_BYTES]>);

impl RefreshToken {
    /// A new token of 256 random bits.
    #[must_use]
    pub fn generate(environment: &Environment) -> Self {
        Self(Zeroizing::new(environment.random()))
    }

    /// The token that a client sent, or `None` when the text cannot be one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != TEXT_BYTES {
            return None;
        }
        let secret = Zeroizing::new(URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok()?);
        secret.as_slice().try_into().ok().map(Zeroizing::new).map(Self)
    }

    /// The text for the client.
    #[must_use]
    pub fn secret(&self) -> SecretString {
        SecretString::from(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(self.0.as_slice())))
    }

    /// What is stored of it. A plain hash does: 256 random bits cannot be guessed.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        let mut hash = [0; HASH_BYTES];
        hash.iter_mut()
            .zip(digest(&SHA256, self.0.as_slice()).as_ref())
            .for_each(|(to, from)| *to = *from);
        TokenHash(hash)
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken")
    }
}

/// The SHA-256 of a token's secret, by which it is found.
#[derive(Clone, Copy)]
pub struct TokenHash([u8; HASH_BYTES]);

impl TokenHash {
    /// The bytes to store.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; HASH_BYTES] {
        &self.0
    }
}

/// A hash that was stored.
impl From<[u8; HASH_BYTES]> for TokenHash {
    fn from(bytes: [u8; HASH_BYTES]) -> Self {
        Self(bytes)
    }
}

/// In constant time.
impl PartialEq for TokenHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for TokenHash {}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash")
    }
}

/// What is stored about a token that was presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredRefresh {
    /// When it ends unused.
    pub expires_at: Timestamp,
    /// When it was first exchanged.
    pub used_at: Option<Timestamp>,
    /// How many successors it has.
    pub successors: u32,
}

/// What is stored about the session of a token that was presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredSession {
    /// When it ends, however often its tokens are exchanged.
    pub expires_at: Timestamp,
    /// Whether it was logged out or revoked.
    pub ended: bool,
}

/// What to do with a token that was presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    /// Hand out a successor and count it.
    Rotate,
    /// Answer that it is not good (401), and do nothing else.
    Refuse,
    /// Answer likewise, and revoke the session: somebody has a copy of the token.
    Theft,
}

/// Decides what to do with `token` of `session` at `now`.
///
/// A session that is over makes every token of it plainly useless: a replay after logging out is no theft. A used token
/// past its leeway is a theft even when it has expired as well, since its successors may be alive in other hands.
#[must_use]
pub fn judge(token: &StoredRefresh, session: &StoredSession, now: Timestamp) -> Judgement {
    if session.ended || now >= session.expires_at {
        return Judgement::Refuse;
    }
    let late = token
        .used_at
        .is_some_and(|used_at| now.signed_duration_since(used_at) > REUSE_LEEWAY);
    if late {
        return Judgement::Theft;
    }
    // More tabs than that at once are refused and no more: nobody is signed out for having them.
    if now >= token.expires_at || token.successors >= MAX_SUCCESSORS {
        return Judgement::Refuse;
    }
    Judgement::Rotate
}

/// When a token that is handed out at `now` ends, of a session that ends at `session_expires_at`.
#[must_use]
pub fn expiry(now: Timestamp, session_expires_at: Timestamp) -> Timestamp {
    now.checked_add_signed(LIFE)
        .map_or(session_expires_at, |sliding| sliding.min(session_expires_at))
}

#[cfg(test)]
mod tests;
