//! Organizations: founding, listing, finding, changing; and what a member is in one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test should stop where it fails"
)]

mod context;
mod deletion;
mod replacing;
mod slugs;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::{client::text, scene::Scene};

const ORGANIZATIONS: &str = "/api/v1/organizations";

#[tokio::test]
async fn founding_makes_an_owner_and_a_default_workspace() {
    let scene = Scene::new().await;
    let ann = scene.app.client().register("Ann", None).await;
    let answer = ann.client.post(ORGANIZATIONS, &json!({ "name": "Globex & Co." })).await;
    answer.expect(StatusCode::CREATED);
    let founded = answer.data();
    let mut names: Vec<_> = founded.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "createdAt",
            "id",
            "isolation",
            "name",
            "plan",
            "region",
            "settings",
            "slug",
            "status",
            "updatedAt"
        ]
    );
    assert_eq!(founded["name"], "Globex & Co.");
    assert_eq!(founded["slug"], "globex-co");
    assert_eq!(founded["status"], "active");
    assert_eq!(founded["settings"], json!({}));
    let id = text(&founded["id"]);
    assert_eq!(id.chars().nth(14), Some('7'), "{id} is no UUIDv7");
    assert_eq!(answer.header("location").unwrap(), format!("{ORGANIZATIONS}/{id}"));

    let by_id = ann.client.get(&format!("{ORGANIZATIONS}/{id}")).await;
    by_id.expect(StatusCode::OK);
    assert_eq!(by_id.header("etag"), answer.header("etag"));
    assert!(by_id.header("etag").unwrap().starts_with('"'), "a strong tag");
    assert_eq!(by_id.data(), founded);
    assert_eq!(
        ann.client.get(&format!("{ORGANIZATIONS}/globex-co")).await.data(),
        founded
    );
    let members = ann.client.get(&format!("{ORGANIZATIONS}/{id}/members")).await.data();
    assert_eq!(members.as_array().unwrap().len(), 1);
    assert_eq!(members[0]["userId"], ann.user_id.as_str());
    assert_eq!(members[0]["role"]["key"], "owner");
    ann.default_workspace(&id).await;

    let given = json!({ "name": "Other", "slug": "my-slug", "region": "eu-1" });
    let other = ann.client.post(ORGANIZATIONS, &given).await;
    other.expect(StatusCode::CREATED);
    assert_eq!(
        (&other.data()["slug"], &other.data()["region"]),
        (&given["slug"], &given["region"])
    );
    let nulls = json!({ "name": "Nulls", "slug": null, "region": null });
    ann.client.post(ORGANIZATIONS, &nulls).await.expect(StatusCode::CREATED);

    for (body, fields) in [
        (json!({}), vec!["/name"]),
        (
            json!({ "name": null, "slug": 5, "region": true, "plan": "enterprise" }),
            vec!["/name", "/plan", "/region", "/slug"],
        ),
        (json!({ "name": "x".repeat(256) }), vec!["/name"]),
        (json!({ "name": "", "slug": "A" }), vec!["/name", "/slug"]),
    ] {
        ann.client.post(ORGANIZATIONS, &body).await.expect_refused(&fields);
    }
    ann.client
        .post(ORGANIZATIONS, &json!({ "name": "x".repeat(255) }))
        .await
        .expect(StatusCode::CREATED);
    scene
        .app
        .client()
        .post(ORGANIZATIONS, &json!({ "name": "x" }))
        .await
        .expect(StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn mine_are_listed_and_no_others() {
    let scene = Scene::new().await;
    let ann = scene.app.client().register("Ann", Some("Zeta")).await;
    for name in ["Beta", "alpha", "Gamma"] {
        ann.client
            .post(ORGANIZATIONS, &json!({ "name": name }))
            .await
            .expect(StatusCode::CREATED);
    }
    let names = async |query: &str| -> Vec<String> {
        let list = ann.client.get(&format!("{ORGANIZATIONS}?{query}")).await;
        list.expect(StatusCode::OK);
        list.data()
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| text(&entry["name"]))
            .collect()
    };
    // The newest first.
    assert_eq!(names("").await, ["Gamma", "alpha", "Beta", "Zeta"]);
    assert_eq!(names("sort=createdAt").await, ["Zeta", "Beta", "alpha", "Gamma"]);
    assert_eq!(names("q=ETA&sort=createdAt").await, ["Zeta", "Beta"]);
    assert_eq!(names("q=nothing").await, [""; 0]);
    scene
        .join(&ann, &[("viewer", tenantry_tests::scene::Place::Organization)])
        .await;
    assert_eq!(
        names("sort=createdAt").await,
        ["Acme", "Zeta", "Beta", "alpha", "Gamma"]
    );
    assert_eq!(scene.client().get(ORGANIZATIONS).await.json()["meta"]["total"], 1);
    scene
        .app
        .client()
        .get(ORGANIZATIONS)
        .await
        .expect(StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_merge_patch_changes_what_it_names() {
    let scene = Scene::new().await;
    let owner = scene.client();
    let path = scene.path("");
    let before = owner.get(&path).await;
    let change = json!({ "name": "Acme Ltd", "settings": { "a": { "b": [1, "2", null] } } });
    let answer = owner.patch(&path, &change).await;
    answer.expect(StatusCode::OK);
    let changed = answer.data();
    assert_eq!(
        (&changed["name"], &changed["settings"]),
        (&change["name"], &change["settings"])
    );
    assert_eq!(changed["slug"], before.data()["slug"]);
    assert_ne!(answer.header("etag"), before.header("etag"));
    assert_eq!(owner.get(&path).await.data(), changed);
    let current = owner.with_header("if-match", answer.header("etag").unwrap());
    current
        .patch(&path, &json!({ "name": "Acme Inc" }))
        .await
        .expect(StatusCode::OK);
    let stale = current.patch(&path, &json!({ "name": "Acme AG" })).await;
    stale.expect_error(StatusCode::PRECONDITION_FAILED, "PRECONDITION_FAILED");

    for (body, fields) in [
        (json!({ "name": null }), vec!["/name"]),
        (json!({ "slug": null }), vec!["/slug"]),
        (json!({ "name": "x", "settings": "text" }), vec!["/settings"]),
        (
            json!({ "name": "x", "status": "suspended", "plan": "pro" }),
            vec!["/plan", "/status"],
        ),
    ] {
        owner.patch(&path, &body).await.expect_refused(&fields);
    }
    assert_eq!(owner.get(&path).await.data()["name"], "Acme Inc");
    for (role, status) in [
        ("admin", StatusCode::OK),
        ("member", StatusCode::FORBIDDEN),
        ("viewer", StatusCode::FORBIDDEN),
    ] {
        let answer = scene
            .joined(role)
            .await
            .client
            .patch(&path, &json!({ "name": role }))
            .await;
        answer.expect(status);
        if status == StatusCode::FORBIDDEN {
            assert_eq!(
                answer.json()["error"]["details"],
                json!({ "requiredPermission": "organization:update" })
            );
        }
    }
}

#[tokio::test]
async fn an_organization_of_others_is_none() {
    let scene = Scene::new().await;
    let stranger = scene.app.client().register("Stranger", Some("Elsewhere")).await.client;
    let slug = text(&scene.client().get(&scene.path("")).await.data()["slug"]);
    for organization in [
        scene.organization.as_str(),
        &slug,
        "no-such-organization",
        "01890a5d-ac96-774b-bcce-b302099a8057",
        "NOT-A-SLUG",
        "%20",
    ] {
        for below in ["", "/context", "/members", "/workspaces", "/projects"] {
            let answer = stranger.get(&format!("{ORGANIZATIONS}/{organization}{below}")).await;
            answer.expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
            assert_eq!(answer.header("x-cache"), None);
        }
        let answer = stranger
            .patch(&format!("{ORGANIZATIONS}/{organization}"), &json!({ "name": "x" }))
            .await;
        answer.expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
    }
}

#[tokio::test]
async fn a_suspended_one_is_closed_to_its_members_for_reads_and_writes() {
    let scene = Scene::new().await;
    let member = scene.joined("member").await.client;
    let stranger = scene.app.client().register("Stranger", None).await.client;
    let project = scene.create_project(&json!({ "name": "Website" })).await;
    member.get(&scene.path("")).await.expect(StatusCode::OK);
    scene
        .database
        .owner("update organizations set status = 'suspended'")
        .await;
    // What another node did is seen within five seconds.
    scene.app.clock.advance(chrono::TimeDelta::seconds(5));
    for client in [scene.client(), &member] {
        for path in [
            scene.path(""),
            scene.path("/context"),
            scene.path("/members"),
            scene.projects(),
            scene.project(&project),
        ] {
            client
                .get(&path)
                .await
                .expect_error(StatusCode::FORBIDDEN, "TENANT_SUSPENDED");
        }
        let write = client.post(&scene.projects(), &json!({ "name": "x" })).await;
        write.expect_error(StatusCode::FORBIDDEN, "TENANT_SUSPENDED");
        client
            .delete(&scene.project(&project))
            .await
            .expect_error(StatusCode::FORBIDDEN, "TENANT_SUSPENDED");
        client.get("/api/v1/me").await.expect(StatusCode::OK);
    }
    stranger
        .get(&scene.path(""))
        .await
        .expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
    let mine = scene.client().get(ORGANIZATIONS).await.data();
    assert_eq!(mine.as_array().map(Vec::len), Some(1));
    assert_eq!(mine[0].get("status"), Some(&Value::from("suspended")));
    // A write is refused at once, whatever this node remembers.
    scene.database.owner("update organizations set status = 'active'").await;
    scene.app.clock.advance(chrono::TimeDelta::seconds(5));
    scene.client().get(&scene.path("")).await.expect(StatusCode::OK);
    scene
        .database
        .owner("update organizations set status = 'suspended'")
        .await;
    let write = scene.client().post(&scene.projects(), &json!({ "name": "x" })).await;
    write.expect_error(StatusCode::FORBIDDEN, "TENANT_SUSPENDED");
}
