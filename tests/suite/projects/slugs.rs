//! Slugs of projects: unique in their workspace.

use reqwest::StatusCode;
use serde_json::json;
use tenantry_tests::{client::text, scene::Scene};

#[tokio::test]
async fn a_slug_is_unique_in_its_workspace() {
    let scene = Scene::new().await;
    let second = scene.add_workspace("second").await;
    let mut slugs = Vec::new();
    for name in ["Website", "website", "WEBSITE!", "web site", "Website 3"] {
        slugs.push(text(&scene.create_project(&json!({ "name": name })).await["slug"]));
    }
    assert_eq!(slugs, ["website", "website-2", "website-3", "web-site", "website-3-2"]);
    let elsewhere = scene
        .owner
        .create_project(&scene.organization, &second, &json!({ "name": "Website" }))
        .await;
    assert_eq!(elsewhere["slug"], "website");
    // What is reserved for organizations is not for projects.
    assert_eq!(
        scene.create_project(&json!({ "name": "Admin", "slug": "admin" })).await["slug"],
        "admin"
    );

    let taken = scene
        .client()
        .post(&scene.projects(), &json!({ "name": "x", "slug": "website" }))
        .await;
    taken.expect_error(StatusCode::CONFLICT, "CONFLICT");
    assert_eq!(taken.reason(), "slug_taken");
    let project = scene.create_project(&json!({ "name": "Other" })).await;
    let path = scene.project(&project);
    for answer in [
        scene.client().patch(&path, &json!({ "slug": "website" })).await,
        scene
            .client()
            .put(&path, &json!({ "name": "Other", "slug": "website" }))
            .await,
    ] {
        answer.expect_error(StatusCode::CONFLICT, "CONFLICT");
        assert_eq!(answer.reason(), "slug_taken");
    }
    // Its own is not taken.
    scene
        .client()
        .patch(&path, &json!({ "slug": "other", "name": "New" }))
        .await
        .expect(StatusCode::OK);
    assert_eq!(scene.client().get(&path).await.data()["slug"], "other");
    for refused in [
        "01890a5d-ac96-774b-bcce-b302099a8057",
        "01890A5DAC96774BBCCEB302099A8057",
        "xn--a",
        "-",
        "A",
        "a_b",
        "",
    ] {
        scene
            .client()
            .patch(&path, &json!({ "slug": refused }))
            .await
            .expect_refused(&["/slug"]);
    }
}
