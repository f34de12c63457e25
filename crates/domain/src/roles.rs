//! The roles that every organization has from its first day, and what each may do.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    ids::{ProjectId, RoleId, WorkspaceId},
    permissions::{Permission, PermissionSet},
};

/// A role that every organization has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BuiltInRole {
    /// Everything; an organization always has at least one.
    Owner,
    /// All but paying and deleting the organization.
    Admin,
    /// Sees, creates, and changes what it created.
    Member,
    /// Sees.
    Viewer,
}

impl BuiltInRole {
    /// All of them, the mightiest first.
    pub const ALL: [Self; 4] = [Self::Owner, Self::Admin, Self::Member, Self::Viewer];

    /// Its key in URLs, bodies and the database.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Member => "member",
            Self::Viewer => "viewer",
        }
    }

    /// Its name for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Owner => "Owner",
            Self::Admin => "Admin",
            Self::Member => "Member",
            Self::Viewer => "Viewer",
        }
    }

    /// One sentence on what it is for.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::Owner => "Everything, including billing and deleting the organization.",
            Self::Admin => "Everything but changing the billing and deleting the organization.",
            Self::Member => "Sees workspaces and members, creates projects, changes what it created.",
            Self::Viewer => "Sees workspaces and projects.",
        }
    }

    /// What it may do, with all that follows.
    #[must_use]
    pub fn permissions(self) -> PermissionSet {
        use Permission as P;
        match self {
            Self::Owner => P::Everything.closure(),
            Self::Admin => Permission::ALL
                .iter()
                .copied()
                .filter(|permission| !matches!(permission, P::Everything | P::BillingManage | P::OrganizationDelete))
                .collect::<PermissionSet>()
                .closure(),
            Self::Member => PermissionSet::from_iter([
                P::OrganizationView,
                P::MemberView,
                P::WorkspaceView,
                P::ProjectView,
                P::ProjectCreate,
                P::ProjectUpdateOwn,
                P::ProjectDeleteOwn,
                P::DocumentView,
                P::DocumentCreate,
                P::FileView,
                P::FileCreate,
                P::AnalyticsView,
            ])
            .closure(),
            Self::Viewer => PermissionSet::from_iter([
                P::OrganizationView,
                P::WorkspaceView,
                P::ProjectView,
                P::DocumentView,
                P::FileView,
                P::AnalyticsView,
            ])
            .closure(),
        }
    }
}

impl FromStr for BuiltInRole {
    type Err = UnknownRole;

    fn from_str(key: &str) -> Result<Self, UnknownRole> {
        Self::ALL.into_iter().find(|role| role.key() == key).ok_or(UnknownRole)
    }
}

impl fmt::Display for BuiltInRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

/// The text is the key of no built-in role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a role")]
pub struct UnknownRole;

/// A role as it is named beside a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleName {
    /// The role's id in its organization.
    pub id: RoleId,
    /// The key of a built-in role, or a custom role's own.
    pub key: String,
    /// The name for people.
    pub name: String,
}

/// Where a role is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Level {
    /// In the whole organization.
    Organization,
    /// In one workspace and in its projects.
    Workspace(WorkspaceId),
    /// In one project.
    Project(ProjectId),
}

/// A role held at a level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Where it is held.
    pub level: Level,
    /// The role.
    pub role: RoleName,
    /// What the role may do, with all that follows.
    pub permissions: PermissionSet,
}
