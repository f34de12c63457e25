//! The signed-in user.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test should stop where it fails"
)]

mod deletion;
mod organizations;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::{app::TestApp, database::TestDatabase};

const ME: &str = "/api/v1/me";

#[tokio::test]
async fn a_merge_patch_changes_what_it_names_and_null_clears() {
    let database = TestDatabase::new().await;
    let app = TestApp::start(&database).await;
    let ann = app.client().register("Ann", None).await.client;
    let before = ann.get(ME).await;
    before.expect(StatusCode::OK);
    let before_tag = before.header("etag").unwrap().to_owned();

    let change = json!({
        "name": "Ann Lee",
        "avatarUrl": "https://pictures.example/ann.png?size=64",
        "locale": "pt-BR",
        "preferences": { "theme": "dark", "columns": [1, 2.5, null, { "deep": "ش🦦\"<b>'" }] },
    });
    let answer = ann.patch(ME, &change).await;
    answer.expect(StatusCode::OK);
    assert_ne!(answer.header("etag").unwrap(), before_tag);
    let changed = answer.data();
    for (name, value) in change.as_object().unwrap() {
        assert_eq!(&changed[name], value);
    }
    for kept in ["id", "email", "emailVerified", "mfaEnabled", "createdAt"] {
        assert_eq!(changed[kept], before.data()[kept]);
    }
    assert!(changed["updatedAt"].as_str() >= before.data()["updatedAt"].as_str());
    assert_eq!(ann.get(ME).await.data(), changed);

    let cleared = ann
        .patch(ME, &json!({ "avatarUrl": null, "locale": null }))
        .await
        .data();
    assert_eq!(
        (&cleared["avatarUrl"], &cleared["locale"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(
        (&cleared["name"], &cleared["preferences"]),
        (&change["name"], &change["preferences"])
    );
    let nothing = ann.patch(ME, &json!({})).await;
    nothing.expect(StatusCode::OK);
    assert_eq!(nothing.data(), cleared);
}

#[tokio::test]
async fn what_does_not_fit_is_refused_whole() {
    let database = TestDatabase::new().await;
    let app = TestApp::start(&database).await;
    let ann = app.client().register("Ann", None).await.client;
    let before = ann.get(ME).await.data();
    for (body, fields) in [
        (json!({ "name": null }), vec!["/name"]),
        (json!({ "name": "" }), vec!["/name"]),
        (json!({ "name": "x".repeat(256) }), vec!["/name"]),
        (json!({ "name": "a\u{0}b" }), vec!["/name"]),
        (json!({ "name": "a\u{7}b" }), vec!["/name"]),
        (
            json!({ "name": 5, "locale": [], "avatarUrl": {}, "preferences": [] }),
            vec!["/avatarUrl", "/locale", "/name", "/preferences"],
        ),
        (json!({ "locale": "not a tag" }), vec!["/locale"]),
        (json!({ "avatarUrl": "javascript:alert(1)" }), vec!["/avatarUrl"]),
        (json!({ "name": "Eve", "email": "eve@example.com" }), vec!["/email"]),
        (
            json!({ "name": "Eve", "emailVerified": true, "mfaEnabled": true, "id": "x" }),
            vec!["/emailVerified", "/id", "/mfaEnabled"],
        ),
    ] {
        ann.patch(ME, &body).await.expect_refused(&fields);
    }
    assert_eq!(ann.get(ME).await.data(), before);
    app.client()
        .get(ME)
        .await
        .expect_error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED");
    app.client()
        .patch(ME, &json!({ "name": "Eve" }))
        .await
        .expect_error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED");
    ann.get("/api/v1/me?fields=name")
        .await
        .expect_error(StatusCode::BAD_REQUEST, "MALFORMED_REQUEST");
}
