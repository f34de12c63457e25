//! How people are shown in one organization.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::{
    client::{Account, text},
    scene::{Place, Scene},
};

use super::{expect_forbidden, founder, joined, joined_as};
use crate::binary::process::eventually;

const PICTURE: &str = "https://example.com/ann.png";
const PICTURE_HERE: &str = "https://example.com/ann-here.png";

async fn names(scene: &Scene, query: &str) -> Vec<String> {
    let list = scene.client().get(&scene.path(&format!("/members?{query}"))).await;
    list.expect(StatusCode::OK);
    let data = list.data();
    data.as_array()
        .unwrap()
        .iter()
        .map(|entry| text(&entry["name"]))
        .collect()
}

#[tokio::test]
async fn what_is_set_here_is_shown_here_alone() {
    let scene = Scene::new().await;
    let ann = joined_as(&scene, "Ann Lee", "member").await;
    let elsewhere = Account {
        client: ann.client.clone(),
        ..ann.account.clone()
    };
    elsewhere
        .client
        .post("/api/v1/organizations", &json!({ "name": "Elsewhere" }))
        .await
        .expect(StatusCode::CREATED);
    let own = json!({ "name": "Ann Lee", "avatarUrl": PICTURE });
    ann.client.patch("/api/v1/me", &own).await.expect(StatusCode::OK);
    let shown = async || {
        let data = ann.client.get(&ann.path).await.data();
        (text(&data["name"]), data["avatarUrl"].clone())
    };
    assert_eq!(shown().await, ("Ann Lee".to_owned(), json!(PICTURE)));

    // By herself, which takes no permission.
    let changed = ann.client.patch(&ann.path, &json!({ "name": "Dr Ann" })).await;
    changed.expect(StatusCode::OK);
    assert_eq!(changed.data(), ann.client.get(&ann.path).await.data());
    assert_eq!(shown().await, ("Dr Ann".to_owned(), json!(PICTURE)));
    // By somebody who may.
    let admin = joined(&scene, "admin").await;
    let merge = admin
        .client
        .request(reqwest::Method::PATCH, &ann.path)
        .header("content-type", "application/merge-patch+json")
        .body(json!({ "avatarUrl": PICTURE_HERE }).to_string());
    admin.client.send(merge).await.expect(StatusCode::OK);
    assert_eq!(shown().await, ("Dr Ann".to_owned(), json!(PICTURE_HERE)));

    assert_eq!(ann.client.get("/api/v1/me").await.data()["name"], "Ann Lee");
    let organization = elsewhere.organization().await;
    let members = format!("/api/v1/organizations/{organization}/members");
    let there = elsewhere.client.get(&members).await.data();
    assert_eq!(
        (&there[0]["name"], &there[0]["avatarUrl"]),
        (&json!("Ann Lee"), &json!(PICTURE))
    );

    // What the person changes does not show where something else is set, and is there once that is cleared.
    let own = json!({ "name": "Ann Smith", "avatarUrl": null });
    ann.client.patch("/api/v1/me", &own).await.expect(StatusCode::OK);
    assert_eq!(shown().await, ("Dr Ann".to_owned(), json!(PICTURE_HERE)));
    let cleared = ann.client.patch(&ann.path, &json!({ "name": null })).await;
    cleared.expect(StatusCode::OK);
    assert_eq!(shown().await, ("Ann Smith".to_owned(), json!(PICTURE_HERE)));
    ann.client
        .patch(&ann.path, &json!({ "avatarUrl": null }))
        .await
        .expect(StatusCode::OK);
    assert_eq!(shown().await, ("Ann Smith".to_owned(), Value::Null));
    assert_eq!(scene.database.count("events where type = 'member.updated'").await, 4);
}

#[tokio::test]
async fn lists_go_by_the_name_that_is_shown() {
    let scene = Scene::new().await;
    for (name, here) in [("Zoe", "Anita"), ("Bea", "Zenobia"), ("Carl", "")] {
        let member = joined_as(&scene, name, "viewer").await;
        if !here.is_empty() {
            member
                .client
                .patch(&member.path, &json!({ "name": here }))
                .await
                .expect(StatusCode::OK);
        }
    }
    let sorted = ["Anita", "Carl", "Olga Owner", "Zenobia"];
    assert_eq!(names(&scene, "sort=name").await, sorted);
    let reversed: Vec<_> = sorted.iter().rev().copied().collect();
    assert_eq!(names(&scene, "sort=-name").await, reversed);
    assert_eq!(names(&scene, "q=NIT").await, ["Anita"]);
    assert_eq!(names(&scene, "q=zoe").await, Vec::<String>::new());
    assert_eq!(names(&scene, "q=car").await, ["Carl"]);
    // And so does a walk.
    let mut walked = Vec::new();
    let mut path = scene.path("/members?sort=name&pageSize=1&cursor=");
    loop {
        let page = scene.client().get(&path).await;
        page.expect(StatusCode::OK);
        let json = page.json();
        walked.extend(
            json["data"]
                .as_array()
                .unwrap()
                .iter()
                .map(|entry| text(&entry["name"])),
        );
        match json["links"]["next"].as_str() {
            Some(next) => path = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(walked, sorted);
}

#[tokio::test]
async fn a_tag_is_another_after_any_change() {
    let scene = Scene::new().await;
    let ann = joined_as(&scene, "Ann", "member").await;
    let tag = async || ann.client.get(&ann.path).await.header("etag").unwrap().to_owned();
    let mut tags = vec![tag().await];
    let changed = ann.client.patch(&ann.path, &json!({ "name": "Dr Ann" })).await;
    tags.push(tag().await);
    assert_eq!(changed.header("etag"), tags.last().map(String::as_str));
    // The person's own name is part of what is shown, or may be.
    ann.client
        .patch("/api/v1/me", &json!({ "name": "Anna" }))
        .await
        .expect(StatusCode::OK);
    tags.push(tag().await);
    let role = scene
        .client()
        .put(&format!("{}/role", ann.path), &json!({ "role": "viewer" }))
        .await;
    tags.push(tag().await);
    assert_eq!(role.header("etag"), tags.last().map(String::as_str));
    for stale in &tags[..3] {
        let client = ann.client.with_header("if-match", stale);
        for answer in [
            client.patch(&ann.path, &json!({ "name": "x" })).await,
            client.delete(&ann.path).await,
        ] {
            answer.expect_error(StatusCode::PRECONDITION_FAILED, "PRECONDITION_FAILED");
        }
        let role = scene.client().with_header("if-match", stale);
        role.put(&format!("{}/role", ann.path), &json!({ "role": "admin" }))
            .await
            .expect_error(StatusCode::PRECONDITION_FAILED, "PRECONDITION_FAILED");
        let read = ann.client.with_header("if-none-match", stale).get(&ann.path).await;
        read.expect(StatusCode::OK);
    }
    let mut all = tags.clone();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), tags.len(), "{tags:?}");

    // What changes nothing is no change.
    let before = ann.client.get(&ann.path).await;
    for body in [json!({}), json!({ "name": "Dr Ann" }), json!({ "avatarUrl": null })] {
        let same = ann.client.patch(&ann.path, &body).await;
        same.expect(StatusCode::OK);
        assert_eq!(
            (same.data(), same.header("etag")),
            (before.data(), before.header("etag"))
        );
    }
    let current = ann.client.with_header("if-match", &tags[3]);
    current
        .patch(&ann.path, &json!({ "name": null }))
        .await
        .expect(StatusCode::OK);
}

#[tokio::test]
async fn being_seen_is_another_state_and_no_change() {
    let scene = Scene::new().await;
    let ann = joined_as(&scene, "Ann", "member").await;
    let unseen = scene.client().get(&ann.path).await;
    assert_eq!(unseen.data()["lastSeenAt"], Value::Null);
    let tag = unseen.header("etag").unwrap();
    ann.client.get(&scene.path("")).await.expect(StatusCode::OK);

    let holding = scene.client().with_header("if-none-match", tag);
    let seen = eventually("Ann to be seen", async || {
        let answer = holding.get(&ann.path).await;
        (answer.status == StatusCode::OK).then_some(answer)
    })
    .await;
    assert!(seen.data()["lastSeenAt"].is_string());
    // Whoever changes her loses nothing by it.
    for tag in [tag, seen.header("etag").unwrap()] {
        let meant = scene.client().with_header("if-match", tag);
        meant
            .patch(&ann.path, &json!({ "name": null }))
            .await
            .expect(StatusCode::OK);
    }
    for tag in ["\"2.x\"", "\"2.\"", "\".2\"", "\"2.3.4\"", "\"\""] {
        scene
            .client()
            .with_header("if-match", tag)
            .patch(&ann.path, &json!({ "name": "x" }))
            .await
            .expect_error(StatusCode::PRECONDITION_FAILED, "PRECONDITION_FAILED");
    }
}

#[tokio::test]
async fn everybody_changes_their_own_and_few_that_of_others() {
    let scene = Scene::new().await;
    let (admin, viewer) = (joined(&scene, "admin").await, joined(&scene, "viewer").await);
    let account = scene.app.client().register("Guest", None).await;
    let guest = scene
        .join(&account, &[("viewer", Place::Workspace(&scene.workspace))])
        .await;
    let guest_path = scene.path(&format!("/members/{guest}"));
    let body = json!({ "name": "Other" });
    account.client.patch(&guest_path, &body).await.expect(StatusCode::OK);
    viewer.client.patch(&viewer.path, &body).await.expect(StatusCode::OK);
    admin.client.patch(&admin.path, &body).await.expect(StatusCode::OK);
    admin
        .client
        .patch(&viewer.path, &json!({ "name": "The viewer" }))
        .await
        .expect(StatusCode::OK);

    let owner = founder(&scene).await;
    expect_forbidden(&admin.client.patch(&owner, &body).await, "*");
    scene.client().patch(&owner, &body).await.expect(StatusCode::OK);
    let co_owner = joined(&scene, "owner").await;
    co_owner.client.patch(&owner, &body).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn a_profile_that_does_not_fit_is_refused() {
    let scene = Scene::new().await;
    let ann = joined_as(&scene, "Ann", "viewer").await;
    let before = ann.client.get(&ann.path).await;
    for (body, fields) in [
        (json!({ "name": "" }), vec!["/name"]),
        (json!({ "name": "x".repeat(256) }), vec!["/name"]),
        (json!({ "name": "line\nbreak" }), vec!["/name"]),
        (
            json!({ "name": 5, "avatarUrl": "http://example.com/x" }),
            vec!["/avatarUrl", "/name"],
        ),
        (json!({ "avatarUrl": "javascript:alert(1)" }), vec!["/avatarUrl"]),
        (
            json!({ "email": "a@example.com", "role": "owner", "status": "active" }),
            vec!["/email", "/role", "/status"],
        ),
        (json!([]), vec![""]),
    ] {
        let refused = ann.client.patch(&ann.path, &body).await;
        refused.expect_refused(&fields);
    }
    assert_eq!(ann.client.get(&ann.path).await.data(), before.data());
    let name = "Zoë 🚀 <b>\"quoted\"</b> 名前";
    let stored = ann.client.patch(&ann.path, &json!({ "name": name })).await;
    assert_eq!(stored.data()["name"], name);
}
