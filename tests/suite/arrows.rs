//! The arrows between the rooms: who may depend on whom, and who may name which foreign crate.
//!
//! A new room gets its place in [`FLOORS`]; a crate that belongs to one room gets a line in [`FOREIGN`].

use std::process::Command;

use serde_json::{Value, json};

/// The rooms, the lowest floor first. A room knows the floors below its own, and nobody on it.
const FLOORS: [&[&str]; 5] = [
    &["domain"],
    &["persistence", "auth", "cache", "integrations"],
    &["services"],
    &["api", "worker"],
    &["server"],
];

/// Rooms beside the house, from which every room can be seen, and which no room sees.
const OUTSIDE: [&str; 2] = ["tests", "xtask"];

/// Crates whose name contains the first may be named by the rooms in the second alone; beside them by tests.
const FOREIGN: [(&str, &[&str]); 5] = [
    ("sea-orm", &["persistence", "migrations"]),
    ("sea-query", &["persistence", "migrations"]),
    ("sqlx", &["persistence", "migrations"]),
    ("actix", &["api"]),
    ("redis", &["cache"]),
];

/// The room of a package of ours, by the name that the plan of the house gives it.
fn room(package: &str) -> Option<&str> {
    match package {
        "tenantry" => Some("server"),
        "xtask" => Some("xtask"),
        _ => package.strip_prefix("tenantry-"),
    }
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

fn may_see(from: &str, to: &str) -> bool {
    if OUTSIDE.contains(&from) {
        return true;
    }
    // The schema is brought in from the top and knows nobody.
    if to == "migrations" {
        return from == "server";
    }
    matches!((floor(from), floor(to)), (Some(from), Some(to)) if from > to)
}

/// What is wrong with one dependency of `from`, if anything is.
fn complaint(from: &str, dependency: &Value) -> Option<String> {
    let name = dependency["name"].as_str()?;
    if dependency["path"].is_string() {
        let to = room(name).unwrap_or(name);
        return (!may_see(from, to)).then(|| format!("{from} → {to}"));
    }
    let only_in_tests = from == "tests" || dependency["kind"] == "dev";
    let (_, rooms) = FOREIGN.iter().find(|(part, _)| name.contains(part))?;
    (!only_in_tests && !rooms.contains(&from)).then(|| format!("{from} names {name}"))
}

/// Everything in the answer of `cargo metadata` that the plan of the house does not allow.
fn complaints(metadata: &Value) -> Vec<String> {
    let mut complaints = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        let known = room(name).filter(|room| floor(room).is_some() || OUTSIDE.contains(room) || *room == "migrations");
        let Some(from) = known else {
            complaints.push(format!("{name} is no room of the house"));
            continue;
        };
        let dependencies = package["dependencies"].as_array().into_iter().flatten();
        complaints.extend(dependencies.filter_map(|dependency| complaint(from, dependency)));
    }
    complaints
}

#[test]
fn the_workspace_has_no_arrow_that_the_plan_does_not_allow() {
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    let metadata: Value = serde_json::from_slice(&cargo.output().unwrap().stdout).unwrap();

    // What is read is the workspace: an answer of another shape would hold nothing to complain about.
    let arrow = |from: &str, to: &str| {
        let packages = metadata["packages"].as_array().unwrap();
        let from = packages.iter().find(|package| package["name"] == from).unwrap();
        from["dependencies"]
            .as_array()
            .unwrap()
            .iter()
            .any(|dependency| dependency["name"] == to)
    };
    assert!(arrow("tenantry", "tenantry-api") && arrow("tenantry-persistence", "sea-orm"));

    assert_eq!(complaints(&metadata), Vec::<String>::new());
}

/// A workspace in which `package` has one dependency on a room (`path`) or on a foreign crate.
fn planted(package: &str, dependency: &str, kind: &str) -> Vec<String> {
    let ours = room(dependency).is_some();
    let path = if ours { json!("/checkout/crates/x") } else { Value::Null };
    let kind = if kind == "normal" { Value::Null } else { json!(kind) };
    let dependency = json!({ "name": dependency, "kind": kind, "path": path });
    complaints(&json!({ "packages": [{ "name": package, "dependencies": [dependency] }] }))
}

#[test]
fn a_planted_arrow_is_reported() {
    for (from, to, said) in [
        ("tenantry-domain", "tenantry-persistence", "domain → persistence"),
        ("tenantry-services", "tenantry-api", "services → api"),
        ("tenantry-auth", "tenantry-cache", "auth → cache"),
        (
            "tenantry-persistence",
            "tenantry-migrations",
            "persistence → migrations",
        ),
        ("tenantry-migrations", "tenantry-domain", "migrations → domain"),
        ("tenantry-api", "tenantry", "api → server"),
        ("tenantry-api", "tenantry-worker", "api → worker"),
        ("tenantry-domain", "tenantry-tests", "domain → tests"),
    ] {
        // Also where tests alone would follow the arrow: a room is tested from within or from above.
        for kind in ["normal", "dev", "build"] {
            assert_eq!(planted(from, to, kind), [said]);
        }
    }
    assert_eq!(
        planted("tenantry-common", "serde", "normal"),
        ["tenantry-common is no room of the house"]
    );
}

#[test]
fn a_foreign_crate_in_the_wrong_room_is_reported() {
    for (from, name, said) in [
        ("tenantry-services", "sea-orm", "services names sea-orm"),
        ("tenantry-api", "sqlx", "api names sqlx"),
        ("tenantry-auth", "sea-query-sqlx", "auth names sea-query-sqlx"),
        ("tenantry", "actix-web", "server names actix-web"),
        (
            "tenantry-services",
            "tracing-actix-web",
            "services names tracing-actix-web",
        ),
        (
            "tenantry-persistence",
            "deadpool-redis",
            "persistence names deadpool-redis",
        ),
    ] {
        assert_eq!(planted(from, name, "normal"), [said]);
        assert_eq!(
            planted(from, name, "dev"),
            Vec::<String>::new(),
            "{from}'s tests may name {name}"
        );
    }
}

#[test]
fn what_the_plan_allows_is_not_reported() {
    for (from, to) in [
        ("tenantry", "tenantry-migrations"),
        ("tenantry", "tenantry-domain"),
        ("tenantry-api", "tenantry-services"),
        ("tenantry-services", "tenantry-persistence"),
        ("tenantry-persistence", "tenantry-domain"),
        ("tenantry-tests", "tenantry"),
        ("tenantry-tests", "sqlx"),
        ("tenantry-persistence", "sea-orm"),
        ("tenantry-migrations", "sea-orm-migration"),
        ("tenantry-api", "actix-web"),
        ("tenantry-cache", "redis"),
        ("tenantry-domain", "serde"),
    ] {
        assert_eq!(planted(from, to, "normal"), Vec::<String>::new(), "{from} → {to}");
    }
}
