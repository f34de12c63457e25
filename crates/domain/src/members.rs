//! Members: people in one organization.

use crate::{
    emails::Email,
    environment::Timestamp,
    ids::{MemberId, UserId},
    keywords,
    roles::RoleName,
    text::Name,
};

keywords! {
    /// Whether a membership counts.
    pub enum MemberStatus {
        /// It does.
        Active = "active",
        /// It is kept, and gives no access.
        Inactive = "inactive",
    }
}

/// A member as it is stored, with what co-members may know of the person.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// The id of the membership.
    pub id: MemberId,
    /// The person.
    pub user_id: UserId,
    /// Their address.
    pub email: Email,
    /// Their name.
    pub name: Name,
    /// A picture of them.
    pub avatar_url: Option<String>,
    /// The role held in the whole organization; `None` where roles are held further down alone.
    pub role: Option<RoleName>,
    /// Whether the membership counts.
    pub status: MemberStatus,
    /// When they joined.
    pub joined_at: Timestamp,
    /// When they were last seen in this organization, to within five minutes.
    pub last_seen_at: Option<Timestamp>,
    /// Counts the membership's changes, from 1.
    pub version: i64,
    /// When the membership was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
