//! A search stays in its tenant, whichever of the two walls stands; and with both, even where the look-up tells too much.

use serde_json::{Value, json};
use tenantry_persistence::Database;
use tenantry_tests::{
    app::TestApp,
    client::{Account, text},
    database::settings,
    scene::Scene,
};

/// Projects and workspaces that are called the same in both tenants, found by texts that the index carries, and by one that
/// it does not.
const NAMES: [&str; 3] = ["Common ground 100%", "common_sense", "共通基盤"];

const SEARCHES: [&str; 4] = ["common", "100%25", "共通基", "共通"];

/// What a search finds.
async fn found(account: &Account, path: &str) -> Vec<Value> {
    let answer = account.client.get(path).await;
    answer.expect(reqwest::StatusCode::OK);
    answer.data().as_array().unwrap().clone()
}

/// The names that are found where only they should be, and that all are of this organization's workspace.
async fn expect_own(account: &Account, organization: &str, workspace: &str, when: &str) {
    for (search, expected) in SEARCHES.iter().zip([2, 1, 1, 1]) {
        for window in ["", "&cursor=", "&sort=name"] {
            let path = format!("/api/v1/organizations/{organization}/projects?q={search}{window}");
            let projects = found(account, &path).await;
            assert_eq!(projects.len(), expected, "{when}: {path}: {projects:?}");
            assert!(
                projects.iter().all(|project| project["workspaceId"] == workspace),
                "{when}: {path}"
            );
            let path = format!("/api/v1/organizations/{organization}/workspaces?q={search}{window}");
            assert_eq!(found(account, &path).await.len(), expected, "{when}: {path}");
        }
    }
}

/// An account of the same name in an application over the same database.
async fn again(app: &TestApp, account: &Account) -> Account {
    let body = json!({ "email": account.email, "password": tenantry_tests::client::PASSWORD });
    let session = app.client().post("/api/v1/auth/login", &body).await.data();
    Account {
        client: app.client().with_token(&text(&session["accessToken"])),
        ..account.clone()
    }
}

#[tokio::test]
async fn a_search_stays_in_its_tenant() {
    let scene = Scene::new().await;
    let other = scene.app.client().register("Otto Other", Some("Other")).await;
    let others_organization = other.organization().await;
    let others_workspace = other.default_workspace(&others_organization).await;
    for (account, organization, workspace) in [
        (&scene.owner, &scene.organization, &scene.workspace),
        (&other, &others_organization, &others_workspace),
    ] {
        for name in NAMES {
            account
                .create_project(organization, workspace, &json!({ "name": name }))
                .await;
            let path = format!("/api/v1/organizations/{organization}/workspaces");
            account
                .client
                .post(&path, &json!({ "name": name }))
                .await
                .expect(reqwest::StatusCode::CREATED);
        }
    }
    expect_own(&scene.owner, &scene.organization, &scene.workspace, "both walls").await;

    let first_open = TestApp::without_row_level_security(&scene.database, |bypassing| {
        let settings = settings(scene.database.runtime_url(), 10);
        let held = Database::new(&settings, bypassing.environment().clone()).unwrap();
        held.with_organization_filter_off()
            .with_mfa_grace(chrono::TimeDelta::days(365))
    });
    let owner = again(&first_open, &scene.owner).await;
    expect_own(&owner, &scene.organization, &scene.workspace, "the first wall open").await;

    let second_open = TestApp::without_row_level_security(&scene.database, |database| database);
    let owner = again(&second_open, &scene.owner).await;
    expect_own(&owner, &scene.organization, &scene.workspace, "the second wall open").await;

    for table in ["projects", "workspaces"] {
        let everything = format!(
            "create or replace function lookup.{table}_named(pattern text) returns uuid[]
                 language sql stable security definer set search_path = pg_catalog, public
                 return array(select t.id from public.{table} t where t.name ilike pattern)"
        );
        scene.database.superuser(everything).await;
    }
    for (app, when) in [
        (&scene.app, "a look-up that tells too much"),
        (&first_open, "that, and the first wall open"),
        (&second_open, "that, and the second wall open"),
    ] {
        let owner = again(app, &scene.owner).await;
        // Too short for the index, so the look-up is the one that compares here.
        expect_own(&owner, &scene.organization, &scene.workspace, when).await;
    }
}

/// What stands for other characters in a pattern stands for itself in a search.
#[tokio::test]
async fn a_search_finds_what_is_written() {
    let scene = Scene::new().await;
    for name in [
        "100% wool",
        "1000 wool",
        "snake_case",
        "snakeXcase",
        r"C:\temp",
        "C:temp",
        "Ünïcode",
        "ÜNÏCODE",
    ] {
        scene.create_project(&json!({ "name": name })).await;
    }
    for (search, expected) in [
        ("100%25", vec!["100% wool"]),
        ("%25", vec!["100% wool"]),
        ("_", vec!["snake_case"]),
        ("E_C", vec!["snake_case"]),
        ("wool", vec!["100% wool", "1000 wool"]),
        ("%5C", vec![r"C:\temp"]),
        ("c:%5Ctemp", vec![r"C:\temp"]),
        ("ünï", vec!["ÜNÏCODE", "Ünïcode"]),
        ("nothing", vec![]),
    ] {
        let path = format!("{}?sort=name&q={search}", scene.path("/projects"));
        for path in [path.clone(), format!("{path}&cursor=")] {
            let projects = found(&scene.owner, &path).await;
            let names: Vec<String> = projects.iter().map(|project| text(&project["name"])).collect();
            assert_eq!(names, expected, "{path}");
        }
    }
}

/// More matches than the look-up tells are still all found, once each, in every order.
#[tokio::test]
async fn very_many_matches_are_walked_to_the_end() {
    let scene = Scene::new().await;
    let many = format!(
        "insert into projects (organization_id, id, workspace_id, name, slug, created_at, updated_at)
         select '{}', gen_random_uuid(), '{}', 'Common ' || i, 'common-' || i,
                now() - i % 7 * interval '1 hour', now() - i % 3 * interval '1 hour'
         from generate_series(1, 1205) i",
        scene.organization, scene.workspace
    );
    scene.database.owner(many).await;
    scene.create_project(&json!({ "name": "Rare" })).await;
    for (search, expected) in [("common", 1205), ("mon 12", 17), ("om", 1205), ("are", 1)] {
        for sort in ["-createdAt", "name", "-updatedAt,name", "createdAt,-name,updatedAt"] {
            let base = format!("{}?q={search}&sort={sort}&pageSize=100", scene.path("/projects"));
            let counted = scene.client().get(&base).await.json();
            assert_eq!(counted["meta"]["total"], expected, "{base}");
            let mut ids = std::collections::BTreeSet::new();
            let mut path = format!("{base}&cursor=");
            let mut entries = 0;
            loop {
                let list = scene.client().get(&path).await.json();
                let page = list["data"].as_array().unwrap();
                entries += page.len();
                ids.extend(page.iter().map(|project| text(&project["id"])));
                match list["meta"]["nextCursor"].as_str() {
                    Some(cursor) => path = format!("{base}&cursor={cursor}"),
                    None => break,
                }
            }
            assert_eq!((entries, ids.len()), (expected, expected), "{base}");
        }
    }
}
