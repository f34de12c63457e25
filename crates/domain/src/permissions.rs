//! The catalogue of permissions, and which of them imply which.
//!
//! A permission is `resource:action`. Whoever has one has all that it implies, transitively, and never the other way
//! round: who may delete may update and view; who may view may do nothing more.
//!
//! To add one: a line in the `catalogue!` list below. Its type in [`perm`], its place in every bit set, its implications
//! and its entry in the public catalogue follow from that line; then `docs/adding-an-endpoint.md` says how a route
//! comes to ask for it.

use std::{fmt, str::FromStr, sync::LazyLock};

use serde::{Serialize, Serializer};

/// What a type in [`perm`] says: the permission that a route, a transaction and a proof are about.
pub trait Required: Send + Sync + 'static {
    /// The permission.
    const PERMISSION: Permission;
    /// Its name, as clients know it.
    const NAME: &'static str;
    /// Whether it is about a deleted organization too, of which all else says that there is none.
    const OF_DELETED: bool = false;
    /// Whether every member has it over themselves, whatever their roles.
    const OVER_ONESELF: bool = false;
    /// Whether every member has it over themselves also where they did not sign in as the organization demands it.
    const OVER_ONESELF_HOWEVER_SIGNED_IN: bool = false;
}

macro_rules! catalogue {
    ($($variant:ident = $resource:literal $action:literal $name:literal, $description:literal;)*) => {
        /// One permission of the catalogue.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Permission {$(
            #[doc = $description]
            $variant,
        )*}

        impl Permission {
            /// The whole catalogue, in the order of its declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// `resource:action`, the one spelling in and out.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {$(Self::$variant => $name,)*}
            }

            /// The resource that it is about; `*` for all of them.
            #[must_use]
            pub const fn resource(self) -> &'static str {
                match self {$(Self::$variant => $resource,)*}
            }

            /// What it lets one do to that resource.
            #[must_use]
            pub const fn action(self) -> &'static str {
                match self {$(Self::$variant => $action,)*}
            }

            /// One sentence for the people who put roles together.
            #[must_use]
            pub const fn description(self) -> &'static str {
                match self {$(Self::$variant => $description,)*}
            }
        }

        /// A type for each permission, for signatures that say what they need.
        pub mod perm {
            use super::{Permission, Required};
            $(
                #[doc = $description]
                #[derive(Debug, Clone, Copy)]
                pub enum $variant {}

                impl Required for $variant {
                    const PERMISSION: Permission = Permission::$variant;
                    const NAME: &'static str = $name;
                }
            )*

            /// Delete and restore the organization, asked by the one use case for which it may be deleted already.
            #[derive(Debug, Clone, Copy)]
            pub enum OrganizationRestore {}

            impl Required for OrganizationRestore {
                const PERMISSION: Permission = OrganizationDelete::PERMISSION;
                const NAME: &'static str = OrganizationDelete::NAME;
                const OF_DELETED: bool = true;
            }
        }
    };
}

catalogue! {
    Everything = "*" "*" "*", "Do everything in the organization.";
    OrganizationView = "organization" "view" "organization:view", "See the organization.";
    OrganizationUpdate = "organization" "update" "organization:update", "Change the organization's name, slug and settings.";
    OrganizationDelete = "organization" "delete" "organization:delete", "Delete and restore the organization.";
    OrganizationManage = "organization" "manage" "organization:manage", "Manage the organization, its members, roles, workspaces and projects.";
    MemberView = "member" "view" "member:view", "See the members.";
    MemberInvite = "member" "invite" "member:invite", "Invite people.";
    MemberUpdate = "member" "update" "member:update", "Change members' profiles and roles.";
    MemberRemove = "member" "remove" "member:remove", "Remove members.";
    MemberManage = "member" "manage" "member:manage", "Do everything with members.";
    RoleView = "role" "view" "role:view", "See the roles.";
    RoleManage = "role" "manage" "role:manage", "Create, change and delete roles.";
    WorkspaceView = "workspace" "view" "workspace:view", "See workspaces.";
    WorkspaceCreate = "workspace" "create" "workspace:create", "Create workspaces.";
    WorkspaceUpdate = "workspace" "update" "workspace:update", "Change workspaces.";
    WorkspaceDelete = "workspace" "delete" "workspace:delete", "Delete workspaces.";
    WorkspaceManage = "workspace" "manage" "workspace:manage", "Do everything with workspaces.";
    ProjectView = "project" "view" "project:view", "See projects.";
    ProjectCreate = "project" "create" "project:create", "Create projects.";
    ProjectUpdate = "project" "update" "project:update", "Change any project.";
    ProjectUpdateOwn = "project" "update:own" "project:update:own", "Change the projects that one created.";
    ProjectDelete = "project" "delete" "project:delete", "Delete any project.";
    ProjectDeleteOwn = "project" "delete:own" "project:delete:own", "Delete the projects that one created.";
    ProjectManage = "project" "manage" "project:manage", "Do everything with projects, private ones included.";
    ApiKeyView = "api_key" "view" "api_key:view", "See API keys.";
    ApiKeyManage = "api_key" "manage" "api_key:manage", "Create, change, rotate and revoke API keys.";
    WebhookView = "webhook" "view" "webhook:view", "See webhooks.";
    WebhookManage = "webhook" "manage" "webhook:manage", "Create, change and delete webhooks.";
    IntegrationView = "integration" "view" "integration:view", "See integrations.";
    IntegrationManage = "integration" "manage" "integration:manage", "Connect, change and remove integrations.";
    SettingsView = "settings" "view" "settings:view", "See the organization's settings.";
    SettingsManage = "settings" "manage" "settings:manage", "Change the organization's settings.";
    BillingView = "billing" "view" "billing:view", "See plan and invoices.";
    BillingManage = "billing" "manage" "billing:manage", "Change plan and payment.";
    AuditLogView = "audit_log" "view" "audit_log:view", "Read the audit log.";
    AuditLogExport = "audit_log" "export" "audit_log:export", "Export the audit log.";
    SecurityEventView = "security_event" "view" "security_event:view", "See security events.";
    AnalyticsView = "analytics" "view" "analytics:view", "See analytics.";
    UsageView = "usage" "view" "usage:view", "See usage against quotas.";
    DocumentView = "document" "view" "document:view", "See documents.";
    DocumentCreate = "document" "create" "document:create", "Create documents.";
    DocumentUpdate = "document" "update" "document:update", "Change documents.";
    DocumentDelete = "document" "delete" "document:delete", "Delete documents.";
    DocumentManage = "document" "manage" "document:manage", "Do everything with documents.";
    FileView = "file" "view" "file:view", "See files.";
    FileCreate = "file" "create" "file:create", "Upload files.";
    FileUpdate = "file" "update" "file:update", "Change files.";
    FileDelete = "file" "delete" "file:delete", "Delete files.";
    FileManage = "file" "manage" "file:manage", "Do everything with files.";
}

// A bit set holds one bit a permission.
const _: () = assert!(Permission::ALL.len() <= 64);

impl Permission {
    /// Whether having `self` gives `other` by one rule, without going through a third.
    fn implies_directly(self, other: Self) -> bool {
        if self == Self::Everything {
            return true;
        }
        if self == Self::OrganizationManage
            && matches!(
                other,
                Self::MemberManage | Self::RoleManage | Self::WorkspaceManage | Self::ProjectManage
            )
        {
            return true;
        }
        if self.resource() != other.resource() {
            return false;
        }
        match (self.action(), other.action()) {
            // Deleting an organization is for those who hold everything.
            ("manage", "delete") => self != Self::OrganizationManage,
            ("manage", _)
            | (_, "view")
            | ("delete", "update" | "delete:own")
            | ("update" | "delete:own", "update:own") => true,
            (_, _) => false,
        }
    }

    /// What follows from having this one: itself and all that it implies, transitively.
    #[must_use]
    pub fn closure(self) -> PermissionSet {
        CLOSURES.get(self as usize).copied().unwrap_or_default()
    }

    /// The same permission on what one created oneself, where there is such a thing.
    #[must_use]
    pub fn own(self) -> Option<Self> {
        match self {
            Self::ProjectUpdate => Some(Self::ProjectUpdateOwn),
            Self::ProjectDelete => Some(Self::ProjectDeleteOwn),
            _ => None,
        }
    }
}

static CLOSURES: LazyLock<Vec<PermissionSet>> = LazyLock::new(|| {
    Permission::ALL
        .iter()
        .map(|&permission| {
            let mut set = PermissionSet::EMPTY.with(permission);
            loop {
                let wider = Permission::ALL
                    .iter()
                    .filter(|&&candidate| set.iter().any(|held| held.implies_directly(candidate)))
                    .fold(set, |set, &implied| set.with(implied));
                if wider == set {
                    return set;
                }
                set = wider;
            }
        })
        .collect()
});

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Permission {
    type Err = UnknownPermission;

    fn from_str(name: &str) -> Result<Self, UnknownPermission> {
        Self::ALL
            .iter()
            .copied()
            .find(|permission| permission.name() == name)
            .ok_or(UnknownPermission)
    }
}

impl Serialize for Permission {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// The text names no permission of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a permission")]
pub struct UnknownPermission;

/// A set of permissions, a bit each.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct PermissionSet(u64);

impl PermissionSet {
    /// No permission at all.
    pub const EMPTY: Self = Self(0);

    /// This set and `permission`, without what it implies.
    #[must_use]
    pub const fn with(self, permission: Permission) -> Self {
        Self(self.0 | 1 << permission as u8)
    }

    /// Both sets together.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether `permission` is among them.
    #[must_use]
    pub const fn has(self, permission: Permission) -> bool {
        self.0 & (1 << permission as u8) != 0
    }

    /// Whether all of `other` is among them.
    #[must_use]
    pub const fn covers(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// All that follows from these: themselves and what they imply, transitively.
    #[must_use]
    pub fn closure(self) -> Self {
        self.iter()
            .fold(Self::EMPTY, |set, permission| set.union(permission.closure()))
    }

    /// Its members, in the order of the catalogue.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL
            .iter()
            .copied()
            .filter(move |&permission| self.has(permission))
    }

    /// The names of its members in alphabetical order: how a set is shown.
    #[must_use]
    pub fn names(self) -> Vec<&'static str> {
        let mut names: Vec<_> = self.iter().map(Permission::name).collect();
        names.sort_unstable();
        names
    }
}

impl FromIterator<Permission> for PermissionSet {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        permissions.into_iter().fold(Self::EMPTY, Self::with)
    }
}

impl fmt::Debug for PermissionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
