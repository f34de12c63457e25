//! Second factors: what a person proves themselves by beside their password, and how often that may go wrong.

use std::net::IpAddr;

use chrono::TimeDelta;

use crate::{environment::Timestamp, ids::TrustedDeviceId, keywords};

/// How many wrong codes in a row lock them, and as many more each time again.
pub const MAX_FAILURES: u32 = 10;

/// How long they are locked at first; twice as long each further time, so that a guess a minute never comes to be.
pub const LOCK: TimeDelta = TimeDelta::minutes(15);

/// How long they are locked at most.
pub const LONGEST_LOCK: TimeDelta = TimeDelta::hours(24);

/// How many recovery codes a person is given.
pub const RECOVERY_CODES: usize = 10;

/// How long a device is trusted.
pub const TRUST: TimeDelta = TimeDelta::days(30);

/// The most devices that a person trusts: the oldest gives way to a new one.
pub const MAX_TRUSTED_DEVICES: u64 = 20;

keywords! {
    /// How a sign-in that has begun can be completed.
    pub enum SecondFactor {
        /// By a code of an authenticator app (RFC 6238).
        Totp = "totp",
        /// By a code that was written down for the day on which the app, or a passkey, is lost.
        RecoveryCode = "recovery_code",
    }
}

/// The second factors of a person, as they are stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SecondFactors {
    /// Their authenticator app.
    pub totp: Option<TotpFactor>,
    /// Wrong codes in a row.
    pub failures: u32,
    /// Until when no code is looked at.
    pub locked_until: Option<Timestamp>,
}

/// An authenticator app, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TotpFactor {
    /// What it shares with us, sealed.
    pub sealed_secret: Vec<u8>,
    /// When it proved that it has the secret; until then it opens nothing.
    pub confirmed_at: Option<Timestamp>,
    /// The time step of the last code that was used.
    pub last_step: Option<u64>,
}

/// What a wrong code leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consequence {
    /// It is counted.
    Counted,
    /// It was one too many.
    Locked {
        /// For so long no code is looked at.
        lock: TimeDelta,
    },
}

impl SecondFactors {
    /// The authenticator app, where it was confirmed.
    #[must_use]
    pub fn confirmed_totp(&self) -> Option<&TotpFactor> {
        self.totp.as_ref().filter(|totp| totp.confirmed_at.is_some())
    }

    /// How long no code is looked at yet.
    #[must_use]
    pub fn locked_for(&self, now: Timestamp) -> Option<TimeDelta> {
        let left = self.locked_until? - now;
        (left > TimeDelta::zero()).then_some(left)
    }

    /// Counts a wrong code.
    pub fn count_failure(&mut self, now: Timestamp) -> Consequence {
        self.failures = self.failures.saturating_add(1);
        if !self.failures.is_multiple_of(MAX_FAILURES) {
            self.locked_until = None;
            return Consequence::Counted;
        }
        let doublings = (self.failures / MAX_FAILURES - 1).min(16);
        let lock = (LOCK * (1 << doublings)).min(LONGEST_LOCK);
        self.locked_until = Some(now + lock);
        Consequence::Locked { lock }
    }

    /// Counts a right code: those before it are forgiven.
    pub fn count_success(&mut self) {
        self.failures = 0;
        self.locked_until = None;
    }
}

impl TotpFactor {
    /// Whether a code of this time step is still to be used: none of it or of one before was.
    #[must_use]
    pub fn is_unused(&self, step: u64) -> bool {
        self.last_step.is_none_or(|last| step > last)
    }
}

/// A device on which a second factor was used, and is not asked for again for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedDevice {
    /// Its id.
    pub id: TrustedDeviceId,
    /// Where it was trusted from.
    pub ip: Option<IpAddr>,
    /// What it named itself then.
    pub user_agent: Option<String>,
    /// When somebody last signed in on it.
    pub last_used_at: Timestamp,
    /// When it is trusted no longer.
    pub expires_at: Timestamp,
    /// When the factor was used.
    pub created_at: Timestamp,
}

#[cfg(test)]
mod tests;
