//! Jobs: what is done after the request that asked for it.
//!
//! A job is enqueued in the transaction of its cause and belongs to whom it is done for. It is done at least once: whoever
//! does one must be able to do it again. To add one: a variant of [`UserJob`] or [`OrganizationJob`], and what doing it means in
//! the services.

use std::net::IpAddr;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::{
    emails::Email,
    environment::Timestamp,
    ids::{InvitationId, LinkId, OrganizationId, UserId},
    text::Name,
};

/// How long a worker has a job before another may take it.
pub const LEASE: TimeDelta = TimeDelta::seconds(60);

/// How long a job is tried before it is given up.
pub const MAX_AGE: TimeDelta = TimeDelta::hours(24);

/// How long the first retry waits.
const FIRST_PAUSE: TimeDelta = TimeDelta::seconds(5);

/// The longest that a retry waits.
const LONGEST_PAUSE: TimeDelta = TimeDelta::minutes(30);

/// Something to be done for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "payload", rename_all = "snake_case")]
#[expect(
    clippy::enum_variant_names,
    reason = "all that is done for people so far is mailing them"
)]
pub enum UserJob {
    /// Mailing them the link by which they prove that their address is theirs.
    MailVerification {
        /// The link.
        link: LinkId,
    },
    /// Mailing them the link by which they choose another password.
    MailPasswordReset {
        /// The link.
        link: LinkId,
    },
    /// Telling them that their password was changed.
    MailPasswordChanged {
        /// When it was.
        at: Timestamp,
    },
    /// Telling them what became of their second factors.
    MailSecondFactor {
        /// What it was.
        change: FactorChange,
        /// When it was.
        at: Timestamp,
    },
    /// Asking them whether it was them who signed in through a provider.
    MailIdentityConfirmation {
        /// The link by which they say so.
        link: LinkId,
    },
    /// Asking them, at their present address, to agree to another.
    MailEmailChangeApproval {
        /// The link by which they do.
        link: LinkId,
    },
    /// Asking at the address that they want whether it is theirs.
    MailEmailChangeProof {
        /// The link by which they prove it.
        link: LinkId,
    },
    /// Telling whoever reads the former address that they have another.
    MailEmailChanged {
        /// The former address.
        to: Email,
        /// The address that took its place.
        email: Email,
        /// When it did.
        at: Timestamp,
    },
    /// Telling them that they signed in with something new, or from somewhere new.
    MailNewDevice {
        /// What it named itself.
        device: Option<String>,
        /// Where the request came from.
        ip: Option<IpAddr>,
        /// When they did.
        at: Timestamp,
    },
    /// Telling them what became of an identity of theirs.
    MailIdentity {
        /// What it was.
        change: IdentityChange,
        /// The provider's key.
        provider: String,
        /// The address that the provider knows.
        account: Option<String>,
        /// When it was.
        at: Timestamp,
    },
}

/// What can become of an identity of a person, and is told to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentityChange {
    /// They sign in by it from now on.
    Linked,
    /// They sign in by it no longer.
    Unlinked,
}

/// What can become of the second factors of a person, and is told to them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactorChange {
    /// One is asked for from now on.
    Enabled,
    /// None is asked for any more.
    Disabled,
    /// An operator took all of them away, and signed them out everywhere.
    Reset,
    /// There were too many wrong codes.
    Locked {
        /// For how many minutes none is looked at.
        minutes: u32,
    },
    /// A recovery code was used, and so many are left.
    RecoveryCodeUsed {
        /// How many.
        left: u32,
    },
    /// There are other recovery codes.
    RecoveryCodesReplaced,
    /// There is a passkey more.
    PasskeyAdded {
        /// What it is called.
        name: Name,
    },
    /// There is a passkey less.
    PasskeyRemoved {
        /// What it was called.
        name: Name,
    },
    /// A passkey was refused because there may be a copy of it.
    PasskeySuspected {
        /// What it is called.
        name: Name,
    },
}

/// Something to be done for an organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "payload", rename_all = "snake_case")]
pub enum OrganizationJob {
    /// Mailing somebody the link by which they join.
    MailInvitation {
        /// The invitation.
        invitation: InvitationId,
    },
}

/// Whom a job is done for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobOwner {
    /// A person.
    User(UserId),
    /// An organization.
    Organization(OrganizationId),
}

/// A job, with whom it is done for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Job {
    /// For a person.
    User(UserId, UserJob),
    /// For an organization.
    Organization(OrganizationId, OrganizationJob),
}

/// When a job that was made at `created` and failed at `now`, for the `attempts`th time, is tried again: later each time, and
/// with `jitter` (0 to 255) up to half as late again, so that what failed together is not tried together. `None` where it is
/// to be given up.
#[must_use]
pub fn next_try(created: Timestamp, attempts: u32, now: Timestamp, jitter: u8) -> Option<Timestamp> {
    let doublings = attempts.saturating_sub(1).min(16);
    let pause = (FIRST_PAUSE * (1 << doublings)).min(LONGEST_PAUSE);
    let next = now + pause + pause * i32::from(jitter) / 512;
    (next - created <= MAX_AGE).then_some(next)
}

#[cfg(test)]
mod tests;
