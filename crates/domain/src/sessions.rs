//! Sessions: the devices on which a person is signed in.

use std::net::IpAddr;

use chrono::TimeDelta;

use crate::{
    environment::Timestamp,
    ids::{SessionId, UserId},
    keywords,
};

keywords! {
    /// Why a session ended before its time.
    pub enum RevocationReason {
        /// It was signed out.
        Logout = "logout",
        /// Its owner ended it from elsewhere.
        Revoked = "revoked",
        /// A refresh token came back long after its use: somebody has a copy.
        Reuse = "reuse",
    }
}

/// How long after its owner proved who they are a session may do what a thief of it shall not.
pub const FRESH: TimeDelta = TimeDelta::minutes(10);

/// How a second factor was used for a session that is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactorUse {
    /// None was.
    None,
    /// It opens the session.
    Now,
    /// It was used at that moment, to trust the device on which the session is opened.
    OnDevice(Timestamp),
}

/// A session as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Whose it is.
    pub user_id: UserId,
    /// Where it was signed in from.
    pub ip: Option<IpAddr>,
    /// What it was signed in with, as that named itself.
    pub user_agent: Option<String>,
    /// When it was last seen, to within a minute.
    pub last_seen_at: Timestamp,
    /// When it ends whatever happens.
    pub expires_at: Timestamp,
    /// When it was ended.
    pub revoked_at: Option<Timestamp>,
    /// When its owner last proved who they are in it: at its sign-in, or since.
    pub authenticated_at: Timestamp,
    /// When a second factor was last used for it.
    pub factor_used_at: Option<Timestamp>,
    /// When it was signed in.
    pub created_at: Timestamp,
}

impl Session {
    /// Whether its owner proved who they are lately enough for what a thief of the session shall not do.
    #[must_use]
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        is_fresh(self.authenticated_at, now)
    }

    /// Whether it has neither ended nor been ended.
    #[must_use]
    pub fn is_alive(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at > now
    }

    /// Whether a second factor was used for this very session, and not only to trust its device.
    #[must_use]
    pub fn has_used_factor(&self) -> bool {
        self.factor_used_at.is_some_and(|at| at >= self.created_at)
    }
}

/// Whether whoever proved at `authenticated_at` who they are did so lately enough, at `now`.
#[must_use]
pub fn is_fresh(authenticated_at: Timestamp, now: Timestamp) -> bool {
    now - authenticated_at < FRESH
}

/// What a new session is known by.
#[derive(Debug, Clone, Default)]
pub struct Device {
    /// Where the request came from.
    pub ip: Option<IpAddr>,
    /// Its `User-Agent`, at most 512 characters of it.
    pub user_agent: Option<String>,
}

/// What a `User-Agent` says, for people: the browser and the system, as far as they name themselves.
#[must_use]
pub fn device_name(agent: &str) -> Option<String> {
    let named = |known: &[(&str, &'static str)]| {
        known
            .iter()
            .find(|(mark, _)| agent.contains(mark))
            .map(|&(_, name)| name)
    };
    // Browsers name those before them too, so the most particular comes first.
    let browser = named(&[
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ]);
    let system = named(&[
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => Some(format!("{browser} on {system}")),
        (one, other) => one.or(other).map(str::to_owned),
    }
}
