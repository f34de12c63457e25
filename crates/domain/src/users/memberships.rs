//! Memberships, as the person sees them who has them.

use crate::{
    environment::Timestamp,
    ids::{MemberId, OrganizationId},
    organizations::{OrganizationStatus, Plan},
    roles::RoleName,
    slugs::OrganizationSlug,
    text::Name,
};

/// A membership of a person, with what they may know of the organization whatever they hold in it.
#[derive(Debug, Clone, PartialEq)]
pub struct UserMembership {
    /// The id of the membership.
    pub id: MemberId,
    /// What it is in.
    pub organization: MemberOrganization,
    /// The role held in the whole organization; `None` where roles are held further down alone.
    pub role: Option<RoleName>,
    /// Whether it is what the person works in where a request names no organization.
    pub current: bool,
    /// When they joined.
    pub joined_at: Timestamp,
    /// When the membership was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What every member may know of an organization, a suspended one too.
#[derive(Debug, Clone, PartialEq)]
pub struct MemberOrganization {
    /// Its id.
    pub id: OrganizationId,
    /// Its name.
    pub name: Name,
    /// Its name in URLs.
    pub slug: OrganizationSlug,
    /// Whether it can be worked in.
    pub status: OrganizationStatus,
    /// What it pays for.
    pub plan: Plan,
}
