//! Replacing an organization.

use reqwest::StatusCode;
use serde_json::json;
use tenantry_tests::scene::Scene;

#[tokio::test]
async fn put_writes_the_name_and_what_it_names() {
    let scene = Scene::new().await;
    let path = scene.path("");
    scene
        .client()
        .patch(&path, &json!({ "settings": { "theme": "dark" } }))
        .await
        .expect(StatusCode::OK);
    let before = scene.client().get(&path).await;
    let renamed = scene.client().put(&path, &json!({ "name": "Acme Ltd" })).await;
    renamed.expect(StatusCode::OK);
    assert_eq!(renamed.data()["name"], "Acme Ltd");
    for field in ["slug", "settings", "status", "plan", "region", "isolation", "createdAt"] {
        assert_eq!(renamed.data()[field], before.data()[field], "{field}");
    }
    let all = scene
        .client()
        .with_header("if-match", renamed.header("etag").unwrap())
        .put(
            &path,
            &json!({ "name": "Acme", "slug": "acme-two", "settings": { "a": 1 } }),
        )
        .await;
    all.expect(StatusCode::OK);
    assert_eq!(
        (&all.data()["slug"], &all.data()["settings"]),
        (&json!("acme-two"), &json!({ "a": 1 }))
    );
    assert_eq!(scene.client().get(&path).await.data(), all.data());

    scene
        .client()
        .put(
            &path,
            &json!({ "slug": "no-name", "plan": "enterprise", "status": "suspended" }),
        )
        .await
        .expect_refused(&["/name", "/plan", "/status"]);
    scene
        .client()
        .with_header("if-match", before.header("etag").unwrap())
        .put(&path, &json!({ "name": "x" }))
        .await
        .expect_error(StatusCode::PRECONDITION_FAILED, "PRECONDITION_FAILED");
    let nowhere = "/api/v1/organizations/01890a5d-ac96-774b-bcce-b302099a8057";
    scene
        .client()
        .put(nowhere, &json!({ "name": "x" }))
        .await
        .expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
    let other = scene.app.client().register("Ann", Some("Globex")).await;
    let taken = scene
        .client()
        .put(&path, &json!({ "name": "x", "slug": "globex" }))
        .await;
    taken.expect_error(StatusCode::CONFLICT, "CONFLICT");
    assert_eq!(taken.reason(), "slug_taken");
    other
        .client
        .put(&path, &json!({ "name": "x" }))
        .await
        .expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
}
