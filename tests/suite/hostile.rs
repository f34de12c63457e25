//! What no polite client sends: each is refused with the right code, nothing is half-written, and the server goes on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test should stop where it fails"
)]

mod bodies;
mod connections;
mod data;
mod fuzzed;
mod heads;
mod json;
mod types;

use reqwest::{Method, StatusCode};
use tenantry_tests::{client::Answer, scene::Scene, wire::Wire};

/// Every table that a request may write to.
const TABLES: &[&str] = &[
    "users",
    "credentials",
    "organizations",
    "workspaces",
    "projects",
    "roles",
    "members",
    "grants",
    "events",
    "idempotency_records",
    "user_idempotency_records",
];

/// How many rows each table has.
async fn rows(scene: &Scene) -> Vec<(&'static str, i64)> {
    let mut rows = Vec::new();
    for table in TABLES {
        rows.push((*table, scene.database.count(table).await));
    }
    rows
}

/// Panics unless nothing was written since, and the server answers as ever.
async fn expect_unharmed(scene: &Scene, before: &[(&'static str, i64)]) {
    assert_eq!(rows(scene).await, before);
    scene.client().get("/api/v1/me").await.expect(StatusCode::OK);
    scene
        .client()
        .get(&scene.path("/projects"))
        .await
        .expect(StatusCode::OK);
    scene.app.client().get("/health/ready").await.expect(StatusCode::OK);
}

/// Panics unless an answer is the client's fault, told in the envelope.
#[track_caller]
fn expect_client_error(answer: &Answer) {
    assert!(answer.status.is_client_error(), "{}: {}", answer.status, answer.text);
    let error = &answer.json()["error"];
    assert!(
        error["code"].is_string() && error["message"].is_string(),
        "{}",
        answer.text
    );
    assert_eq!(error["traceId"], answer.header("x-trace-id").unwrap());
}

/// The head of a request with a JSON body, in the owner's name.
fn head(scene: &Scene, method: &Method, path: &str, more: &str) -> String {
    let token = scene.client().token().unwrap();
    format!(
        "{method} {path} HTTP/1.1\r\nHost: tenantry.test\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\n{more}\r\n"
    )
}

/// Creates a project with these very bytes as the body.
async fn create_raw(scene: &Scene, body: &[u8]) -> Answer {
    let request = scene.client().request(Method::POST, &scene.projects());
    let request = request.header("content-type", "application/json").body(body.to_vec());
    scene.client().send(request).await
}

/// What is answered to these very bytes; `None` where the connection is closed without a word.
async fn exchange(scene: &Scene, bytes: impl AsRef<[u8]>) -> Option<Answer> {
    let mut wire = Wire::connect(scene.app.address).await;
    wire.send(bytes).await;
    wire.answer().await
}
