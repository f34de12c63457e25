//! Links that are mailed to people: whoever holds one reads what is sent to the address.

use chrono::TimeDelta;

use crate::{environment::Timestamp, ids::LinkId, keywords};

keywords! {
    /// What a link is good for.
    pub enum LinkPurpose {
        /// Proving that an address is one's own.
        VerifyEmail = "verify_email",
        /// Choosing another password without the present one.
        ResetPassword = "reset_password",
        /// Signing in through a provider from now on.
        ConfirmIdentity = "confirm_identity",
        /// Agreeing, at the present address, to another.
        ApproveEmailChange = "approve_email_change",
        /// Proving that the address that one wants is one's own.
        ProveNewEmail = "prove_new_email",
    }
}

impl LinkPurpose {
    /// How long a link is good.
    #[must_use]
    pub const fn life(self) -> TimeDelta {
        match self {
            Self::VerifyEmail | Self::ApproveEmailChange | Self::ProveNewEmail => TimeDelta::hours(24),
            Self::ResetPassword | Self::ConfirmIdentity => TimeDelta::hours(1),
        }
    }
}

/// A link as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its id, which the link holds.
    pub id: LinkId,
    /// What it is good for.
    pub purpose: LinkPurpose,
    /// The address that it was mailed to, as addresses are compared.
    pub email_canonical: String,
    /// When it is good no longer.
    pub expires_at: Timestamp,
    /// When it was used, which it is once.
    pub used_at: Option<Timestamp>,
}

impl Link {
    /// Whether it is good for `purpose` of whoever has this address at `now`.
    #[must_use]
    pub fn is_good(&self, purpose: LinkPurpose, email_canonical: &str, now: Timestamp) -> bool {
        self.purpose == purpose
            && self.used_at.is_none()
            && now < self.expires_at
            && self.email_canonical == email_canonical
    }
}

#[cfg(test)]
mod tests;
