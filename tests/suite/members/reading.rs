//! Who sees whom.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tenantry_tests::{
    client::{Answer, Client, text},
    scene::{Place, Scene},
};

use super::{expect_forbidden, expect_unknown, founder, joined, joined_as};
use crate::world::new_id;

/// Everything that can be done to one member.
async fn everything(client: &Client, path: &str) -> [(&'static str, Answer); 4] {
    [
        ("member:view", client.get(path).await),
        ("member:update", client.patch(path, &json!({ "name": "Other" })).await),
        (
            "member:update",
            client.put(&format!("{path}/role"), &json!({ "role": "viewer" })).await,
        ),
        ("member:remove", client.delete(path).await),
    ]
}

#[tokio::test]
async fn a_member_looks_as_in_the_list() {
    let scene = Scene::new().await;
    let member = joined(&scene, "member").await;
    let read = member.client.get(&member.path).await;
    read.expect(StatusCode::OK);
    assert_eq!(read.header("cache-control"), Some("private, no-cache"));
    let list = scene.client().get(&scene.path("/members?q=The%20member")).await;
    assert_eq!(list.data(), json!([read.data()]));
    let data = read.data();
    assert_eq!(
        (
            &data["id"],
            &data["userId"],
            &data["email"],
            &data["name"],
            &data["avatarUrl"]
        ),
        (
            &json!(member.id),
            &json!(member.user_id),
            &json!(member.email),
            &json!("The member"),
            &Value::Null
        )
    );
    assert_eq!(
        (&data["role"]["key"], &data["role"]["name"], &data["status"]),
        (&json!("member"), &json!("Member"), &json!("active"))
    );
    assert!(data["lastSeenAt"].is_string());

    let tag = read.header("etag").unwrap();
    let again = member.client.with_header("if-none-match", tag).get(&member.path).await;
    again.expect(StatusCode::NOT_MODIFIED);
    let refused = member.client.get(&format!("{}?unknown=1", member.path)).await;
    refused.expect_error(StatusCode::BAD_REQUEST, "MALFORMED_REQUEST");
    member
        .client
        .request(Method::HEAD, &member.path)
        .send()
        .await
        .unwrap()
        .error_for_status()
        .unwrap();
}

#[tokio::test]
async fn who_may_not_view_members_knows_of_none_but_themselves() {
    let scene = Scene::new().await;
    let other = joined(&scene, "member").await;
    let viewer = joined(&scene, "viewer").await;
    let account = scene.app.client().register("Guest", None).await;
    let guest = scene
        .join(&account, &[("admin", Place::Workspace(&scene.workspace))])
        .await;
    let guest_path = scene.path(&format!("/members/{guest}"));
    let nobody = scene.path(&format!("/members/{}", new_id()));
    for (client, own) in [(&viewer.client, &viewer.path), (&account.client, &guest_path)] {
        for path in [&other.path, &founder(&scene).await, &nobody] {
            for (_, answer) in everything(client, path).await {
                expect_unknown(&answer);
            }
        }
        client.get(own).await.expect(StatusCode::OK);
        // They know of themselves, and that they may not change what they are.
        let role = client.put(&format!("{own}/role"), &json!({ "role": "viewer" })).await;
        expect_forbidden(&role, "member:update");
        // What is no id is nobody, not even oneself.
        let no_id = scene.path("/members/no-id");
        for (permission, answer) in everything(client, &no_id).await {
            expect_forbidden(&answer, permission);
        }
    }
    other.client.get(&other.path).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn members_view_each_other_and_change_nobody() {
    let scene = Scene::new().await;
    let (one, other) = (joined(&scene, "member").await, joined(&scene, "viewer").await);
    for path in [&other.path, &founder(&scene).await] {
        one.client.get(path).await.expect(StatusCode::OK);
    }
    for path in [&other.path, &founder(&scene).await] {
        for (permission, answer) in &everything(&one.client, path).await[1..] {
            expect_forbidden(answer, permission);
        }
    }
    let nobody = scene.path(&format!("/members/{}", new_id()));
    for (_, answer) in everything(&one.client, &nobody).await {
        expect_unknown(&answer);
    }
}

#[tokio::test]
async fn members_of_other_organizations_are_nobody() {
    let scene = Scene::new().await;
    let member = joined_as(&scene, "Here", "member").await;
    let stranger = scene.app.client().register("Stranger", Some("Elsewhere")).await;
    let elsewhere = stranger.organization().await;
    let foreign = stranger
        .client
        .get(&format!("/api/v1/organizations/{elsewhere}/members"))
        .await;
    let foreign = text(&foreign.data()[0]["id"]);

    for (_, answer) in everything(&stranger.client, &member.path).await {
        expect_unknown(&answer);
    }
    let nobody = scene.client().get(&scene.path(&format!("/members/{}", new_id()))).await;
    for (_, answer) in everything(scene.client(), &scene.path(&format!("/members/{foreign}"))).await {
        expect_unknown(&answer);
        let mut bodies = [answer.json(), nobody.json()];
        for body in &mut bodies {
            body["error"]["traceId"] = Value::Null;
        }
        assert_eq!(bodies[0], bodies[1]);
    }
    // The id of the person is not that of the membership.
    for (_, answer) in everything(scene.client(), &scene.path(&format!("/members/{}", member.user_id))).await {
        expect_unknown(&answer);
    }
    for (_, answer) in everything(scene.client(), &scene.path("/members/no-id")).await {
        answer.expect_error(StatusCode::BAD_REQUEST, "MALFORMED_REQUEST");
        assert_eq!(answer.json()["error"]["details"]["location"], "path.memberId");
    }
}

#[tokio::test]
async fn what_is_wrong_is_told_in_the_order_of_the_contract() {
    let scene = Scene::new().await;
    let (member, viewer) = (joined(&scene, "member").await, joined(&scene, "viewer").await);
    let path = founder(&scene).await;
    let send = async |client: &Client, below: &str, kind: &str, body: &str, tag: &str| {
        let method = if below.is_empty() { Method::PATCH } else { Method::PUT };
        let request = client
            .request(method, &format!("{path}{below}"))
            .header("content-type", kind)
            .header("if-match", tag);
        client.send(request.body(body.to_owned())).await.status.as_u16()
    };
    let (owner, text, json, tag) = (scene.client(), "text/plain", "application/json", "\"0\"");
    for below in ["", "/role"] {
        assert_eq!(send(&owner.anonymous(), below, text, "{", tag).await, 401);
        assert_eq!(send(&viewer.client, below, text, "{", tag).await, 404);
        assert_eq!(send(&member.client, below, text, "{", tag).await, 403);
        assert_eq!(send(owner, below, text, "{", tag).await, 415);
        assert_eq!(send(owner, below, json, &" ".repeat(1_100_000), tag).await, 413);
        assert_eq!(send(owner, below, json, "{", tag).await, 400);
    }
    assert_eq!(send(owner, "", json, "{\"name\": 5}", tag).await, 400);
    assert_eq!(send(owner, "", json, "{\"name\": \"x\"}", tag).await, 412);
    let unknown = format!("{{\"role\": \"{}\"}}", new_id());
    assert_eq!(send(owner, "/role", json, &unknown, tag).await, 400);
    assert_eq!(send(owner, "/role", json, "{\"role\": \"admin\"}", tag).await, 412);
    assert_eq!(send(owner, "/role", json, "{\"role\": \"admin\"}", "*").await, 409);
}
