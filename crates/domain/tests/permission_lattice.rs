//! The permissions, their implications, the built-in roles and the decision over them, against a reference that was
//! written from the contract's words (`permission_lattice/reference.rs`).
//!
//! Who holds what by a built-in role is also a golden file, so that no change of it goes by unseen. To adopt a change:
//! `UPDATE_GOLDEN=1 cargo test --workspace --test permission_lattice`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{collections::BTreeSet, env, fmt::Write as _, fs, path::Path};

use proptest::{
    prelude::*,
    sample::{select, subsequence},
    test_runner::FileFailurePersistence,
};
use tenantry_domain::{
    authorization::{Decision, Membership},
    permissions::{Permission, PermissionSet},
    projects::{Project, ProjectStatus, Visibility},
    roles::{BuiltInRole, Grant, Level, RoleName},
};
use uuid::Uuid;

#[path = "permission_lattice/reference.rs"]
mod reference;

use reference::{Names, Place, Scene};

fn set(names: &Names) -> PermissionSet {
    names.iter().map(|name| name.parse::<Permission>().unwrap()).collect()
}

fn names(set: PermissionSet) -> Names {
    set.names().into_iter().map(str::to_owned).collect()
}

fn one(name: &str) -> Names {
    Names::from([name.to_owned()])
}

#[test]
fn the_catalogue_is_the_contracts() {
    let declared: Vec<String> = Permission::ALL.iter().map(ToString::to_string).collect();
    assert_eq!(&declared.iter().cloned().collect::<Names>(), reference::catalogue());
    assert_eq!(declared.len(), reference::catalogue().len(), "a name is there twice");
    for permission in Permission::ALL
        .iter()
        .filter(|permission| **permission != Permission::Everything)
    {
        assert_eq!(
            permission.name(),
            format!("{}:{}", permission.resource(), permission.action())
        );
    }
}

#[test]
fn every_permission_gives_what_the_contract_says() {
    for name in reference::catalogue() {
        let permission: Permission = name.parse().unwrap();
        assert_eq!(names(permission.closure()), reference::closure(&one(name)), "{name}");
    }
}

/// One published description of these roles checks the implication from its wrong end.
#[test]
fn nothing_is_implied_backwards() {
    for &upper in Permission::ALL {
        for lower in upper.closure().iter().filter(|lower| *lower != upper) {
            assert!(!lower.closure().has(upper), "{lower} gives {upper}");
        }
    }
    let gives = |held: &str, wanted: &str| set(&one(held)).closure().has(wanted.parse().unwrap());
    for resource in ["organization", "workspace", "project", "document", "file"] {
        let [view, update, delete] = ["view", "update", "delete"].map(|action| format!("{resource}:{action}"));
        assert!(gives(&delete, &update) && gives(&update, &view), "{resource}");
        assert!(
            !gives(&update, &delete) && !gives(&view, &update) && !gives(&view, &delete),
            "{resource}"
        );
    }
    assert!(gives("project:update", "project:update:own") && !gives("project:update:own", "project:update"));
    assert!(gives("project:delete", "project:delete:own") && !gives("project:delete:own", "project:delete"));
    assert!(gives("project:delete:own", "project:update:own") && !gives("project:update", "project:delete:own"));
    assert!(!gives("organization:manage", "organization:delete") && gives("*", "organization:delete"));
}

#[test]
fn the_built_in_roles_are_the_contracts() {
    for role in BuiltInRole::ALL {
        let written = reference::role(role.key());
        assert!(!written.is_empty(), "{role}");
        assert_eq!(names(role.permissions()), written, "{role}");
        assert_eq!(reference::closure(&written), written, "{role}");
    }
}

#[test]
fn who_holds_what_is_the_golden_file() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/permission_lattice.golden");
    let found = matrix();
    #[expect(
        clippy::disallowed_methods,
        reason = "how a golden file is adopted is no configuration"
    )]
    let adopting = env::var_os("UPDATE_GOLDEN").is_some();
    if adopting {
        fs::write(&path, &found).unwrap();
    }
    let adopted = fs::read_to_string(&path).unwrap_or_default();
    let moved = moved(&adopted, &found);
    assert!(
        moved.is_empty() && adopted == found,
        "{} is no longer what the roles hold (- as adopted, + as it is):\n{moved}\nif that is meant: \
         UPDATE_GOLDEN=1 cargo test --workspace --test permission_lattice\n",
        path.display(),
    );
}

/// A line for each permission, a column for each built-in role.
fn matrix() -> String {
    let mut text = format!("{:24}", "permission");
    for role in BuiltInRole::ALL {
        write!(text, " {role:6}").unwrap();
    }
    for name in reference::catalogue() {
        write!(text, "\n{name:24}").unwrap();
        for role in BuiltInRole::ALL {
            let mark = if role.permissions().has(name.parse().unwrap()) {
                "yes"
            } else {
                "-"
            };
            write!(text, " {mark:6}").unwrap();
        }
    }
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

fn moved(adopted: &str, found: &str) -> String {
    let [old, new] = [adopted, found].map(|text| text.lines().collect::<BTreeSet<_>>());
    let gone = old.difference(&new).map(|line| format!("- {line}\n"));
    let come = new.difference(&old).map(|line| format!("+ {line}\n"));
    gone.chain(come).collect()
}

/// A caller and a project as the domain has them, made from a scene.
fn played(scene: &Scene) -> (Membership, Project) {
    let id = Uuid::from_u128;
    let [caller, someone] = [id(1), id(2)];
    let project = Project {
        id: id(3).into(),
        organization_id: id(4).into(),
        workspace_id: id(5).into(),
        name: "A project".parse().unwrap(),
        slug: "a-project".parse().unwrap(),
        description: None,
        status: ProjectStatus::Active,
        visibility: if scene.private {
            Visibility::Private
        } else {
            Visibility::Organization
        },
        settings: serde_json::Map::new(),
        created_by: Some(if scene.created { caller } else { someone }.into()),
        version: 1,
        created_at: chrono::DateTime::UNIX_EPOCH,
        updated_at: chrono::DateTime::UNIX_EPOCH,
    };
    let grants = scene.grants.iter().map(|(place, held)| Grant {
        level: match place {
            Place::Organization => Level::Organization,
            Place::ItsWorkspace => Level::Workspace(project.workspace_id),
            Place::AnotherWorkspace => Level::Workspace(id(6).into()),
            Place::ItsProject => Level::Project(project.id),
            Place::AnotherProject => Level::Project(id(7).into()),
        },
        role: RoleName {
            id: id(8).into(),
            key: "custom".to_owned(),
            name: "Custom".to_owned(),
        },
        permissions: set(held).closure(),
    });
    let membership = Membership {
        organization: project.organization_id,
        member: id(9).into(),
        user: caller.into(),
        grants: grants.collect(),
    };
    (membership, project)
}

const fn status(decision: Decision) -> u16 {
    match decision {
        Decision::Invisible => 404,
        Decision::Forbidden => 403,
        Decision::Allowed => 200,
    }
}

/// How far a caller gets: an answer that tells more is a greater one.
const fn rank(decision: Decision) -> u8 {
    match decision {
        Decision::Invisible => 0,
        Decision::Forbidden => 1,
        Decision::Allowed => 2,
    }
}

fn some_names() -> impl Strategy<Value = Names> {
    let all: Vec<String> = reference::catalogue().iter().cloned().collect();
    let projects: Vec<String> = all
        .iter()
        .filter(|name| name.starts_with("project:"))
        .cloned()
        .collect();
    prop_oneof![
        3 => subsequence(all, 0..=6).prop_map(Names::from_iter),
        2 => subsequence(projects, 0..=3).prop_map(Names::from_iter),
        1 => select(&BuiltInRole::ALL[..]).prop_map(|role| reference::role(role.key())),
    ]
}

fn some_grant() -> impl Strategy<Value = (Place, Names)> {
    let place = select(vec![
        Place::Organization,
        Place::ItsWorkspace,
        Place::AnotherWorkspace,
        Place::ItsProject,
        Place::AnotherProject,
    ]);
    (place, some_names())
}

fn some_scene() -> impl Strategy<Value = Scene> {
    (prop::collection::vec(some_grant(), 0..5), any::<bool>(), any::<bool>()).prop_map(|(grants, private, created)| {
        Scene {
            grants,
            private,
            created,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn closures_agree(held in some_names()) {
        prop_assert_eq!(names(set(&held).closure()), reference::closure(&held));
    }

    #[test]
    fn a_closure_holds_its_set_and_is_closed_and_monotone(one in some_names(), other in some_names()) {
        let [one, other] = [set(&one), set(&other)];
        let both = one.union(other).closure();
        prop_assert!(one.closure().covers(one));
        prop_assert_eq!(one.closure().closure(), one.closure());
        prop_assert!(both.covers(one.closure()));
        prop_assert_eq!(both, one.closure().union(other.closure()));
    }

    #[test]
    fn sets_behave_as_sets(one in some_names(), other in some_names()) {
        let [bits, others] = [set(&one), set(&other)];
        prop_assert_eq!(&names(bits), &one);
        prop_assert!(bits.names().is_sorted());
        prop_assert_eq!(names(bits.union(others)), &one | &other);
        prop_assert_eq!(bits.covers(others), one.is_superset(&other));
        prop_assert_eq!(bits.is_empty(), one.is_empty());
        for &permission in Permission::ALL {
            prop_assert_eq!(bits.has(permission), one.contains(permission.name()));
        }
    }

    #[test]
    fn decisions_agree(scene in some_scene()) {
        let (caller, project) = played(&scene);
        for &permission in Permission::ALL {
            let name = permission.name();
            let decided = [
                caller.decide_organization(permission),
                caller.decide_workspace(project.workspace_id, permission),
                caller.decide_project(&project, permission),
            ];
            let expected = [scene.organization(name), scene.workspace(name), scene.project(name)];
            prop_assert_eq!(decided.map(status), expected, "{}", name);
        }
    }

    /// What is asked before anything is loaded must not refuse whom the later decision would allow.
    #[test]
    fn whoever_is_allowed_could_ever_be(scene in some_scene()) {
        let (caller, project) = played(&scene);
        for &permission in Permission::ALL {
            let decided = [
                caller.decide_organization(permission),
                caller.decide_workspace(project.workspace_id, permission),
                caller.decide_project(&project, permission),
            ];
            prop_assert!(caller.could_ever(permission) || !decided.contains(&Decision::Allowed), "{}", permission);
        }
    }

    #[test]
    fn another_role_never_takes_anything_away(scene in some_scene(), grant in some_grant()) {
        let mut wider = scene.clone();
        wider.grants.push(grant);
        let ((before, project), (after, _)) = (played(&scene), played(&wider));
        for &permission in Permission::ALL {
            let [before, after] = [&before, &after].map(|caller| {
                [
                    caller.decide_organization(permission),
                    caller.decide_workspace(project.workspace_id, permission),
                    caller.decide_project(&project, permission),
                ]
                .map(rank)
            });
            prop_assert!(before.iter().zip(after).all(|(before, after)| *before <= after), "{}", permission);
        }
    }

    #[test]
    fn lists_show_what_may_be_seen_one_by_one(scene in some_scene()) {
        let (caller, project) = played(&scene);
        let rule = caller.visible_projects();
        let listed = rule.every
            || rule.workspaces.contains(&project.workspace_id)
            || rule.projects.contains(&project.id)
            || rule.shared
                && (project.visibility == Visibility::Organization || project.created_by == Some(rule.created_by));
        let seen = caller.decide_project(&project, Permission::ProjectView) == Decision::Allowed;
        prop_assert_eq!(listed, seen);

        let listed = caller.visible_workspaces().is_none_or(|some| some.contains(&project.workspace_id));
        let seen = caller.decide_workspace(project.workspace_id, Permission::WorkspaceView) == Decision::Allowed;
        prop_assert_eq!(listed, seen);
    }
}
