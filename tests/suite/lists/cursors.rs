//! Cursors that are not what they should be.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::{
    client::{Account, Client, text},
    scene::Scene,
};

async fn cursor_of(client: &Client, path: &str) -> String {
    let list = client.get(path).await;
    list.expect(StatusCode::OK);
    text(&list.json()["meta"]["nextCursor"])
}

async fn with_projects(scene: &Scene, account: &Account, organization: &str, workspace: &str) {
    for name in ["a1", "a2", "a3"] {
        account
            .create_project(organization, workspace, &json!({ "name": name }))
            .await;
    }
    assert!(scene.app.address.port() > 0);
}

#[tokio::test]
async fn a_cursor_is_good_for_its_list_and_its_caller_alone() {
    let scene = Scene::new().await;
    with_projects(&scene, &scene.owner, &scene.organization, &scene.workspace).await;
    let owner = scene.client();
    let list = scene.path("/projects");
    let question = "q=a&sort=name&status=active&pageSize=1";
    let cursor = cursor_of(owner, &format!("{list}?{question}")).await;
    let next = owner.get(&format!("{list}?{question}&cursor={cursor}")).await;
    assert_eq!(next.expect(StatusCode::OK).data()[0]["name"], "a2");

    let second = scene
        .owner
        .client
        .post("/api/v1/organizations", &json!({ "name": "Second" }))
        .await
        .data();
    let second = text(&second["id"]);
    let there = scene.owner.default_workspace(&second).await;
    with_projects(&scene, &scene.owner, &second, &there).await;
    let refused = async |client: &Client, path: &str, why: &str| {
        let answer = client.get(path).await;
        answer.expect_error(StatusCode::BAD_REQUEST, "MALFORMED_REQUEST");
        assert!(
            answer.json()["error"]["details"]["location"]
                .as_str()
                .unwrap()
                .contains("cursor"),
            "{why}"
        );
    };
    for (changed, why) in [
        ("q=a1&sort=name&status=active&pageSize=1", "another search"),
        ("sort=name&status=active&pageSize=1", "no search"),
        ("q=a&sort=-name&status=active&pageSize=1", "the other direction"),
        ("q=a&sort=name,createdAt&status=active&pageSize=1", "one more key"),
        ("q=a&sort=name&status=archived&pageSize=1", "another filter"),
        ("q=a&sort=name&pageSize=1", "no filter"),
    ] {
        refused(owner, &format!("{list}?{changed}&cursor={cursor}"), why).await;
    }
    let elsewhere = format!("/api/v1/organizations/{second}/projects?{question}&cursor={cursor}");
    refused(owner, &elsewhere, "another organization").await;
    refused(
        owner,
        &format!("{}?{question}&cursor={cursor}", scene.projects()),
        "another list",
    )
    .await;
    let other_kind = cursor_of(owner, "/api/v1/organizations?pageSize=1").await;
    refused(owner, &format!("{list}?pageSize=1&cursor={other_kind}"), "another kind").await;
    let admin = scene.joined("admin").await;
    admin.client.get(&list).await.expect(StatusCode::OK);
    refused(
        &admin.client,
        &format!("{list}?{question}&cursor={cursor}"),
        "another caller",
    )
    .await;
}

#[tokio::test]
async fn a_forged_or_edited_cursor_is_refused() {
    let scene = Scene::new().await;
    with_projects(&scene, &scene.owner, &scene.organization, &scene.workspace).await;
    let list = scene.path("/projects?pageSize=1");
    let cursor = cursor_of(scene.client(), &list).await;
    let bytes = URL_SAFE_NO_PAD
        .decode(&cursor)
        .unwrap_or_else(|_| cursor.clone().into_bytes());

    let mut forged = vec![
        "x".to_owned(),
        "null".to_owned(),
        "%00".to_owned(),
        "eyJpZCI6MX0".to_owned(),
        "1".to_owned(),
        "%27%20or%20true--".to_owned(),
        "A".repeat(6000),
        cursor[1..].to_owned(),
        cursor[..cursor.len() - 1].to_owned(),
        format!("{cursor}A"),
        format!("{cursor}{cursor}"),
        cursor.chars().rev().collect(),
        URL_SAFE_NO_PAD.encode(json!({ "createdAt": "2026-01-31T09:30:00.123Z", "id": Value::Null }).to_string()),
    ];
    // A single bit, wherever it is.
    for place in (0..bytes.len()).step_by(7) {
        let mut edited = bytes.clone();
        edited[place] ^= 1;
        forged.push(URL_SAFE_NO_PAD.encode(edited));
    }
    for cursor in forged {
        let answer = scene.client().get(&format!("{list}&cursor={cursor}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{cursor}: {}", answer.text);
        assert_eq!(answer.code(), "MALFORMED_REQUEST");
    }
    scene
        .client()
        .get(&format!("{list}&cursor={cursor}"))
        .await
        .expect(StatusCode::OK);
    let start = scene.client().get(&format!("{list}&cursor=")).await;
    assert_eq!(start.expect(StatusCode::OK).json()["meta"]["total"], Value::Null);
    assert_eq!(start.data().as_array().unwrap().len(), 1);
}
