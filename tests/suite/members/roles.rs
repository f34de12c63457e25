//! Giving members other roles.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::{
    client::{Answer, Client, text},
    scene::{Place, Scene},
};

use super::{expect_forbidden, expect_last_owner, founder, joined};
use crate::world::new_id;

async fn give(client: &Client, path: &str, role: &str) -> Answer {
    client.put(&format!("{path}/role"), &json!({ "role": role })).await
}

async fn role_id(scene: &Scene, key: &str) -> String {
    let context = scene.joined(key).await.client.get(&scene.path("/context")).await;
    text(&context.data()["role"]["id"])
}

#[tokio::test]
async fn a_role_takes_the_place_of_the_one_before() {
    let scene = Scene::new().await;
    let member = joined(&scene, "viewer").await;
    for role in ["member", "admin", "owner", "viewer"] {
        let changed = give(scene.client(), &member.path, role).await;
        changed.expect(StatusCode::OK);
        assert_eq!(changed.data()["role"]["key"], role);
        assert_eq!(changed.data(), scene.client().get(&member.path).await.data());
        // In force at once.
        let context = member.client.get(&scene.path("/context")).await;
        assert_eq!(context.data()["role"]["key"], role);
        let projects = member.client.post(&scene.projects(), &json!({ "name": role })).await;
        let may_create = role != "viewer";
        assert_eq!(projects.status == StatusCode::CREATED, may_create, "{}", projects.text);
    }
    // By its id, too.
    let id = role_id(&scene, "admin").await;
    let changed = give(scene.client(), &member.path, &id).await;
    assert_eq!(
        changed.data()["role"],
        json!({ "id": id, "key": "admin", "name": "Admin" })
    );
    assert_eq!(
        scene.database.count("events where type = 'member.role_changed'").await,
        5
    );
    let moved = "events where type = 'member.role_changed' and resource_type = 'member'
                 and before #>> '{role,key}' = 'owner' and after #>> '{role,key}' = 'viewer'";
    assert_eq!(scene.database.count(moved).await, 1);
    // The same again changes nothing.
    let again = give(scene.client(), &member.path, "admin").await;
    again.expect(StatusCode::OK);
    assert_eq!(
        (again.data(), again.header("etag")),
        (changed.data(), changed.header("etag"))
    );
    assert_eq!(
        scene.database.count("events where type = 'member.role_changed'").await,
        5
    );
}

#[tokio::test]
async fn who_has_none_gets_one_and_keeps_what_is_held_further_down() {
    let scene = Scene::new().await;
    let account = scene.app.client().register("Guest", None).await;
    let guest = scene
        .join(&account, &[("admin", Place::Workspace(&scene.workspace))])
        .await;
    let path = scene.path(&format!("/members/{guest}"));
    assert_eq!(scene.client().get(&path).await.data()["role"], Value::Null);
    give(scene.client(), &path, "viewer").await.expect(StatusCode::OK);
    let context = account.client.get(&scene.path("/context")).await.data();
    assert_eq!(context["role"]["key"], "viewer");
    assert_eq!(
        (
            &context["grants"][0]["resourceId"],
            &context["grants"][0]["role"]["key"]
        ),
        (&json!(scene.workspace), &json!("admin"))
    );
}

#[tokio::test]
async fn nobody_gives_what_they_lack() {
    let scene = Scene::new().await;
    let (admin, other, member, viewer) = (
        joined(&scene, "admin").await,
        joined(&scene, "admin").await,
        joined(&scene, "member").await,
        joined(&scene, "viewer").await,
    );
    let owner = founder(&scene).await;
    // Owners are made by owners, and left alone by all others.
    let owner_role = {
        let context = scene.client().get(&scene.path("/context")).await;
        text(&context.data()["role"]["id"])
    };
    for path in [&admin.path, &other.path, &viewer.path] {
        expect_forbidden(&give(&admin.client, path, "owner").await, "*");
        expect_forbidden(&give(&admin.client, path, &owner_role).await, "*");
    }
    for role in ["owner", "admin", "viewer"] {
        expect_forbidden(&give(&admin.client, &owner, role).await, "*");
    }
    expect_forbidden(&admin.client.delete(&owner).await, "*");
    // All else is for admins to give, other admins included.
    give(&admin.client, &viewer.path, "admin").await.expect(StatusCode::OK);
    give(&admin.client, &viewer.path, "viewer").await.expect(StatusCode::OK);
    give(&admin.client, &other.path, "member").await.expect(StatusCode::OK);
    give(&other.client, &other.path, "admin")
        .await
        .expect_error(StatusCode::FORBIDDEN, "FORBIDDEN");
    // Nobody makes more of themselves.
    for role in ["owner", "admin", "member", "viewer"] {
        expect_forbidden(&give(&member.client, &member.path, role).await, "member:update");
        expect_forbidden(&give(&viewer.client, &viewer.path, role).await, "member:update");
    }
    assert_eq!(scene.client().get(&member.path).await.data()["role"]["key"], "member");
    // But less, who may.
    give(&admin.client, &admin.path, "viewer").await.expect(StatusCode::OK);
    expect_forbidden(&give(&admin.client, &admin.path, "admin").await, "member:update");
    give(scene.client(), &admin.path, "owner").await.expect(StatusCode::OK);
    give(&admin.client, &owner, "viewer").await.expect(StatusCode::OK);
    expect_last_owner(&give(&admin.client, &admin.path, "admin").await);
}

#[tokio::test]
async fn a_role_further_down_gives_no_right_to_change_members() {
    let scene = Scene::new().await;
    let viewer = joined(&scene, "viewer").await;
    let account = scene.app.client().register("Chief below", None).await;
    let below = [
        ("member", Place::Organization),
        ("owner", Place::Workspace(&scene.workspace)),
    ];
    let own = scene.join(&account, &below).await;
    let own = scene.path(&format!("/members/{own}"));
    for path in [&own, &viewer.path] {
        expect_forbidden(&give(&account.client, path, "viewer").await, "member:update");
    }
    expect_forbidden(&account.client.delete(&viewer.path).await, "member:remove");
}

#[tokio::test]
async fn what_is_no_role_of_the_organization_is_refused() {
    let scene = Scene::new().await;
    let viewer = joined(&scene, "viewer").await;
    let stranger = scene.app.client().register("Stranger", Some("Elsewhere")).await;
    let elsewhere = stranger.organization().await;
    let context = stranger
        .client
        .get(&format!("/api/v1/organizations/{elsewhere}/context"))
        .await;
    let foreign = text(&context.data()["role"]["id"]);
    let unknown = new_id();
    let mut answers = Vec::new();
    for role in [&foreign, &unknown, "editor", "Owner", "", "*"] {
        let refused = give(scene.client(), &viewer.path, role).await;
        refused.expect_refused(&["/role"]);
        assert_eq!(refused.refused_fields()[0].1, "enum");
        answers.push(refused.json()["error"]["details"].clone());
    }
    assert_eq!(answers[0], answers[1]);
    for (body, fields) in [
        (json!({}), vec!["/role"]),
        (json!({ "role": null }), vec!["/role"]),
        (json!({ "role": { "key": "admin" } }), vec!["/role"]),
        (
            json!({ "role": "admin", "workspaceId": scene.workspace }),
            vec!["/workspaceId"],
        ),
    ] {
        let refused = scene.client().put(&format!("{}/role", viewer.path), &body).await;
        refused.expect_refused(&fields);
    }
    let wrong = scene.client().get(&format!("{}/role", viewer.path)).await;
    wrong.expect_error(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED");
    assert_eq!(wrong.header("allow"), Some("PUT, OPTIONS"));
}
