//! Invitations: addresses that are asked to join an organization.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::{
    emails::Email,
    environment::Timestamp,
    ids::{InvitationId, MemberId, OrganizationId, WorkspaceId},
    keywords,
    members::RoleRef,
    roles::RoleName,
    text::Name,
};

/// How long an invitation can be taken up, from when it was sent last.
pub const LIFE: TimeDelta = TimeDelta::days(7);

/// The most invitations that an organization has at a time, those that have expired included.
pub const MAX_OPEN: u64 = 1_000;

keywords! {
    /// Whether an invitation can still be taken up.
    pub enum InvitationStatus {
        /// It can.
        Pending = "pending",
        /// It cannot, unless it is sent again.
        Expired = "expired",
    }
}

/// An invitation as it is stored. One that was taken up or cancelled is none any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// Its id.
    pub id: InvitationId,
    /// The tenant that it belongs to.
    pub organization_id: OrganizationId,
    /// The address that is invited.
    pub email: Email,
    /// The role that they get.
    pub role: RoleName,
    /// The workspace in which they get it; `None` for the whole organization.
    pub workspace_id: Option<WorkspaceId>,
    /// The member who sent it last. It gives no more than they hold when it is taken up.
    pub invited_by: MemberId,
    /// When it expires.
    pub expires_at: Timestamp,
    /// Counts the changes.
    pub version: i64,
    /// When it was sent first.
    pub created_at: Timestamp,
    /// When it was sent last.
    pub updated_at: Timestamp,
}

impl Invitation {
    /// Whether it can be taken up at `now`.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> InvitationStatus {
        if now < self.expires_at {
            InvitationStatus::Pending
        } else {
            InvitationStatus::Expired
        }
    }
}

/// Whom to invite, and to what.
#[derive(Debug, Clone)]
pub struct InvitationCreate {
    /// The address.
    pub email: Email,
    /// The role that they are to get.
    pub role: RoleRef,
    /// The workspace in which they are to get it; `None` for the whole organization.
    pub workspace: Option<WorkspaceId>,
}

/// What whoever holds the link of an invitation is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvitationPreview {
    /// Its id.
    pub id: InvitationId,
    /// The address that is invited.
    pub email: Email,
    /// The organization to join.
    pub organization_id: OrganizationId,
    /// Its name.
    pub organization_name: Name,
    /// The name of the workspace in which the role is held; `None` for the whole organization.
    pub workspace_name: Option<Name>,
    /// The role to be held.
    pub role: RoleName,
    /// What the member who sent it is called there.
    pub invited_by_name: Name,
    /// When it expires.
    pub expires_at: Timestamp,
    /// When it was sent first.
    pub created_at: Timestamp,
    /// When it was sent last.
    pub updated_at: Timestamp,
}
