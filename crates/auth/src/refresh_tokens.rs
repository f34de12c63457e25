//! Refresh tokens: opaque secrets, each good for one exchange, that keep a session going.
//!
//! Each exchange hands out a successor and marks the token as used (rotation, RFC 9700, section 4.14.2). A used token
//! that turns up again was copied, and its session ends; but for a short while it is taken for a second tab or for a
//! retry, and yields another successor. What is stored of a token is its hash.
//!
//! To change a rule: `judge` is the only place that decides, and its tests state each rule at its edge.

use chrono::TimeDelta;
use tenantry_domain::environment::Timestamp;

use crate::opaque_tokens::{Kind, OpaqueToken};

/// How long a token may wait for its use.
pub const LIFE: TimeDelta = TimeDelta::days(7);

/// How long a session lasts at most, from its sign-in on, however often its tokens are exchanged.
pub const ABSOLUTE_LIFE: TimeDelta = TimeDelta::days(30);

/// How long after its first use a token yields further successors.
pub const REUSE_LEEWAY: TimeDelta = TimeDelta::seconds(10);

/// How many successors a token yields, the first included.
pub const MAX_SUCCESSORS: u32 = 5;

/// What sets refresh tokens apart from others.
#[derive(Debug, Clone, Copy)]
pub enum Refresh {}

impl Kind for Refresh {
    const PREFIX: &'static str = "tnr_";
}

/// A refresh token as its owner holds it.
pub type RefreshToken = OpaqueToken<Refresh>;

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
