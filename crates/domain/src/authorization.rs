//! The one place that decides what a caller may do.
//!
//! It answers with three words: a caller who may not know of a thing is told that there is none
//! ([`Decision::Invisible`]), one who may know of it but not do this is refused ([`Decision::Forbidden`]), all others are
//! allowed. There are no deny rules: what one may do at a resource is the union of the roles held there and above.

use crate::{
    ids::{MemberId, OrganizationId, ProjectId, UserId, WorkspaceId},
    members::Member,
    permissions::{Permission, PermissionSet, Required},
    projects::{Project, Visibility},
    roles::{Grant, Level},
};

/// Who calls, in one organization, and what they hold there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The organization.
    pub organization: OrganizationId,
    /// The caller's membership in it.
    pub member: MemberId,
    /// The caller.
    pub user: UserId,
    /// The roles held, at most one a level and resource.
    pub grants: Vec<Grant>,
}

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The caller may not know that it exists.
    Invisible,
    /// The caller may know of it, not do this.
    Forbidden,
    /// Go ahead.
    Allowed,
}

impl Membership {
    /// What the caller may do in the whole organization.
    #[must_use]
    pub fn at_organization(&self) -> PermissionSet {
        self.union(|level| level == Level::Organization)
    }

    /// What the caller may do in a workspace.
    #[must_use]
    pub fn at_workspace(&self, workspace: WorkspaceId) -> PermissionSet {
        self.union(|level| level == Level::Organization || level == Level::Workspace(workspace))
    }

    /// What the caller may do at a project, leaving aside what its creator may do.
    #[must_use]
    pub fn at_project(&self, project: &Project) -> PermissionSet {
        self.at_workspace(project.workspace_id)
            .union(self.union(|level| level == Level::Project(project.id)))
    }

    /// Whether any role, wherever it is held, could allow `permission` somewhere.
    #[must_use]
    pub fn could_ever(&self, permission: Permission) -> bool {
        self.union(|_| true).has_or_own(permission)
    }

    /// The organization itself: every member knows of it.
    #[must_use]
    pub fn decide_organization(&self, permission: Permission) -> Decision {
        if self.at_organization().has(permission) {
            Decision::Allowed
        } else {
            Decision::Forbidden
        }
    }

    /// A workspace.
    #[must_use]
    pub fn decide_workspace(&self, workspace: WorkspaceId, permission: Permission) -> Decision {
        let held = self.at_workspace(workspace);
        if !held.has(Permission::WorkspaceView) {
            Decision::Invisible
        } else if held.has(permission) {
            Decision::Allowed
        } else {
            Decision::Forbidden
        }
    }

    /// A project.
    #[must_use]
    pub fn decide_project(&self, project: &Project, permission: Permission) -> Decision {
        let held = self.at_project(project);
        let created = project.created_by == Some(self.user);
        let may_know = project.organization_id == self.organization
            && held.has(Permission::ProjectView)
            && (project.visibility == Visibility::Organization
                || created
                || held.has(Permission::ProjectManage)
                || self.is_named_at(project));
        if !may_know {
            Decision::Invisible
        } else if held.has(permission) || created && permission.own().is_some_and(|own| held.has(own)) {
            Decision::Allowed
        } else {
            Decision::Forbidden
        }
    }

    /// A member: who may not view members knows of none but themselves.
    #[must_use]
    pub fn decide_member<P: Required>(&self, member: &Member) -> Decision {
        let held = self.at_organization();
        let oneself = member.id == self.member;
        let may_know = member.organization_id == self.organization && (oneself || held.has(Permission::MemberView));
        if !may_know {
            Decision::Invisible
        } else if oneself && P::OVER_ONESELF || held.has(self.needed_for_member::<P>(member)) {
            Decision::Allowed
        } else {
            Decision::Forbidden
        }
    }

    /// What it takes of the caller to do `P` to a member: `P`, and, of those who have that, everything where the member is
    /// an owner. Owners are seen by all who see members, and touched by nobody who is not one.
    #[must_use]
    pub fn needed_for_member<P: Required>(&self, member: &Member) -> Permission {
        let touches_an_owner = P::PERMISSION != Permission::MemberView && member.is_owner();
        if touches_an_owner && self.at_organization().has(P::PERMISSION) {
            Permission::Everything
        } else {
            P::PERMISSION
        }
    }

    /// The first of these permissions that the caller lacks in the whole organization: nobody gives others what they lack.
    #[must_use]
    pub fn lacks(&self, permissions: PermissionSet) -> Option<Permission> {
        first_beyond(self.at_organization(), permissions)
    }

    /// The first permission that the caller lacks in order to invite somebody to a role that allows these, in the whole
    /// organization or in a workspace.
    #[must_use]
    pub fn lacks_to_invite(&self, permissions: PermissionSet, workspace: Option<WorkspaceId>) -> Option<Permission> {
        let held = self.at_organization();
        if !held.has(Permission::MemberInvite) {
            return Some(Permission::MemberInvite);
        }
        first_beyond(workspace.map_or(held, |id| self.at_workspace(id)), permissions)
    }

    /// Which projects the caller may view, for a list to ask the database for.
    #[must_use]
    pub fn visible_projects(&self) -> VisibleProjects {
        let organization = self.at_organization();
        let mut visible = VisibleProjects {
            every: organization.has(Permission::ProjectManage),
            shared: organization.has(Permission::ProjectView),
            created_by: self.user,
            workspaces: Vec::new(),
            projects: Vec::new(),
        };
        for grant in &self.grants {
            if organization.union(grant.permissions).has(Permission::ProjectView) {
                match grant.level {
                    Level::Organization => {}
                    Level::Workspace(id) => visible.workspaces.push(id),
                    Level::Project(id) => visible.projects.push(id),
                }
            }
        }
        visible
    }

    /// Which workspaces the caller may view: all, or just these.
    #[must_use]
    pub fn visible_workspaces(&self) -> Option<Vec<WorkspaceId>> {
        if self.at_organization().has(Permission::WorkspaceView) {
            return None;
        }
        let named = self
            .grants
            .iter()
            .filter(|grant| grant.permissions.has(Permission::WorkspaceView));
        Some(
            named
                .filter_map(|grant| match grant.level {
                    Level::Workspace(id) => Some(id),
                    Level::Organization | Level::Project(_) => None,
                })
                .collect(),
        )
    }

    /// Whether a role is held on the project itself or on its workspace, not just in the organization.
    fn is_named_at(&self, project: &Project) -> bool {
        self.grants.iter().any(|grant| {
            grant.level == Level::Workspace(project.workspace_id) || grant.level == Level::Project(project.id)
        })
    }

    fn union(&self, at: impl Fn(Level) -> bool) -> PermissionSet {
        self.grants
            .iter()
            .filter(|grant| at(grant.level))
            .fold(PermissionSet::EMPTY, |set, grant| set.union(grant.permissions))
    }
}

/// The first of these permissions that is not held.
fn first_beyond(held: PermissionSet, permissions: PermissionSet) -> Option<Permission> {
    permissions.iter().find(|&permission| !held.has(permission))
}

impl PermissionSet {
    fn has_or_own(self, permission: Permission) -> bool {
        self.has(permission) || permission.own().is_some_and(|own| self.has(own))
    }
}

/// The projects that a caller may view, as a rule that a database can apply.
///
/// A project is among them if `every` is set; or its workspace or itself is listed; or `shared` is set and the project
/// is visible to the organization or was created by the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisibleProjects {
    /// All of the organization's.
    pub every: bool,
    /// Those that are visible to the organization, and the caller's own.
    pub shared: bool,
    /// The caller.
    pub created_by: UserId,
    /// All of these workspaces.
    pub workspaces: Vec<WorkspaceId>,
    /// These.
    pub projects: Vec<ProjectId>,
}
