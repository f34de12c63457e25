//! Another address in place of a person's own: whoever reads the mails of both has to say so.

use serde::Serialize;

use crate::{emails::Email, environment::Timestamp, ids::EmailChangeId, keywords, links::LinkPurpose};

keywords! {
    /// One of the two addresses of a change.
    pub enum Side {
        /// The address that it is to take the place of.
        Current = "current_address",
        /// The address that is wanted.
        New = "new_address",
    }
}

impl Side {
    /// What the link is for that is mailed there.
    #[must_use]
    pub const fn link_purpose(self) -> LinkPurpose {
        match self {
            Self::Current => LinkPurpose::ApproveEmailChange,
            Self::New => LinkPurpose::ProveNewEmail,
        }
    }
}

/// A change of address that is under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EmailChange {
    /// Its id.
    pub id: EmailChangeId,
    /// The address that is wanted.
    pub email: Email,
    /// Whether the present one is still to be confirmed. One that was never proven is not asked: it may be a typo.
    pub awaits_current: bool,
    /// Whether the one that is wanted is still to be confirmed.
    pub awaits_new: bool,
    /// When it comes to nothing, unless both are.
    pub expires_at: Timestamp,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When one of both was confirmed, or else when it was asked for.
    pub updated_at: Timestamp,
}

impl EmailChange {
    /// What is still to be confirmed.
    #[must_use]
    pub fn awaits(&self) -> Vec<Side> {
        let of = |awaited: bool, side| awaited.then_some(side);
        [of(self.awaits_current, Side::Current), of(self.awaits_new, Side::New)]
            .into_iter()
            .flatten()
            .collect()
    }

    /// Tells its states apart, as finely as moments are kept.
    #[must_use]
    pub fn revision(&self) -> i64 {
        self.updated_at.timestamp_millis()
    }

    /// The same with one of both confirmed at `now`.
    #[must_use]
    pub fn confirmed(self, side: Side, now: Timestamp) -> Self {
        Self {
            awaits_current: self.awaits_current && side != Side::Current,
            awaits_new: self.awaits_new && side != Side::New,
            updated_at: now,
            ..self
        }
    }
}
