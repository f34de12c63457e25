//! The catalogue of permissions.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test should stop where it fails"
)]

use std::collections::BTreeMap;

use reqwest::StatusCode;
use tenantry_tests::{app::TestApp, client::text, database::TestDatabase};

/// The catalogue of the contract.
const CATALOGUE: &[(&str, &str)] = &[
    ("organization", "view update delete manage"),
    ("member", "view invite update remove manage"),
    ("role", "view manage"),
    ("workspace", "view create update delete manage"),
    ("project", "view create update delete manage update:own delete:own"),
    ("api_key", "view manage"),
    ("webhook", "view manage"),
    ("integration", "view manage"),
    ("settings", "view manage"),
    ("billing", "view manage"),
    ("audit_log", "view export"),
    ("security_event", "view"),
    ("analytics", "view"),
    ("usage", "view"),
    ("document", "view create update delete manage"),
    ("file", "view create update delete manage"),
];

#[tokio::test]
async fn the_catalogue_is_the_contracts_with_all_that_each_implies() {
    let database = TestDatabase::new().await;
    let app = TestApp::start(&database).await;
    let ann = app.client().register("Ann", None).await.client;
    let answer = ann.get("/api/v1/permissions").await;
    answer.expect(StatusCode::OK);
    let catalogue: BTreeMap<String, Vec<String>> = answer
        .data()
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            let implied = entry["implies"].as_array().unwrap().iter().map(text).collect();
            (text(&entry["name"]), implied)
        })
        .collect();
    let mut expected: Vec<String> = CATALOGUE
        .iter()
        .flat_map(|(resource, actions)| actions.split(' ').map(move |action| format!("{resource}:{action}")))
        .collect();
    expected.sort();
    let names: Vec<_> = catalogue.keys().filter(|name| *name != "*").cloned().collect();
    assert_eq!(names, expected);

    let implied = |name: &str| catalogue[name].clone();
    assert_eq!(implied("project:view"), [""; 0]);
    assert_eq!(implied("project:create"), ["project:view"]);
    assert_eq!(implied("project:update:own"), ["project:view"]);
    assert_eq!(implied("project:delete:own"), ["project:update:own", "project:view"]);
    assert_eq!(implied("project:update"), ["project:update:own", "project:view"]);
    assert_eq!(
        implied("project:delete"),
        [
            "project:delete:own",
            "project:update",
            "project:update:own",
            "project:view"
        ]
    );
    assert_eq!(implied("audit_log:export"), ["audit_log:view"]);
    let managed = implied("organization:manage");
    for (resource, actions) in CATALOGUE {
        let all = ["organization", "member", "role", "workspace", "project"].contains(resource);
        for action in actions.split(' ') {
            let name = format!("{resource}:{action}");
            let expected = all && name != "organization:delete" && name != "organization:manage";
            assert_eq!(managed.contains(&name), expected, "organization:manage and {name}");
        }
    }
    app.client()
        .get("/api/v1/permissions")
        .await
        .expect_error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED");
    ann.get("/api/v1/permissions?page=1")
        .await
        .expect(StatusCode::BAD_REQUEST);
}
