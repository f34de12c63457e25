//! Workspaces.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test should stop where it fails"
)]

mod default;
mod races;
mod rights;
mod writing;

use reqwest::StatusCode;
use serde_json::json;
use tenantry_tests::{
    client::text,
    scene::{Place, Scene},
};

#[tokio::test]
async fn workspaces_are_listed_and_found() {
    let scene = Scene::new().await;
    scene.add_workspace("second").await;
    let list = scene.client().get(&scene.path("/workspaces?sort=createdAt")).await;
    list.expect(StatusCode::OK);
    assert_eq!(list.json()["meta"]["total"], 2);
    let default = &list.data()[0];
    let mut names: Vec<_> = default.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "color",
            "createdAt",
            "description",
            "icon",
            "id",
            "isDefault",
            "name",
            "settings",
            "slug",
            "updatedAt"
        ]
    );
    assert_eq!(default["isDefault"], true);
    assert_eq!(default["settings"], json!({}));
    assert_eq!(list.data()[1]["isDefault"], false);

    let path = scene.path(&format!("/workspaces/{}", scene.workspace));
    let one = scene.client().get(&path).await;
    one.expect(StatusCode::OK);
    assert_eq!(&one.data(), default);
    let tag = one.header("etag").unwrap();
    assert!(tag.starts_with('"'), "{tag}");
    scene
        .client()
        .with_header("if-none-match", tag)
        .get(&path)
        .await
        .expect(StatusCode::NOT_MODIFIED);
    scene
        .joined("viewer")
        .await
        .client
        .get(&path)
        .await
        .expect(StatusCode::OK);
    let searched = scene.client().get(&scene.path("/workspaces?q=SECO")).await.data();
    assert_eq!(searched.as_array().unwrap().len(), 1);

    for (id, status) in [
        ("no-uuid", StatusCode::BAD_REQUEST),
        ("01890a5d-ac96-774b-bcce-b302099a8057", StatusCode::NOT_FOUND),
    ] {
        scene
            .client()
            .get(&scene.path(&format!("/workspaces/{id}")))
            .await
            .expect(status);
    }
    let stranger = scene.app.client().register("Stranger", Some("Elsewhere")).await;
    let elsewhere = stranger.organization().await;
    let foreign = format!("/api/v1/organizations/{elsewhere}/workspaces/{}", scene.workspace);
    stranger
        .client
        .get(&foreign)
        .await
        .expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
}

#[tokio::test]
async fn who_holds_a_role_in_one_workspace_sees_just_that() {
    let scene = Scene::new().await;
    let second = scene.add_workspace("second").await;
    let hidden = scene.create_project(&json!({ "name": "Hidden" })).await;
    let shown = scene
        .owner
        .create_project(&scene.organization, &second, &json!({ "name": "Shown" }))
        .await;
    let guest = scene.app.client().register("Guest", None).await;
    scene.join(&guest, &[("member", Place::Workspace(&second))]).await;
    let guest = guest.client;

    // The organization's name is what every member may know, and no more of it.
    let listed = guest.get("/api/v1/organizations").await.data();
    assert_eq!(listed[0]["name"], "Acme");
    assert_eq!(listed[0]["settings"], json!({}));
    let organization = guest.get(&scene.path("")).await;
    organization.expect_error(StatusCode::FORBIDDEN, "FORBIDDEN");
    let workspaces = guest.get(&scene.path("/workspaces")).await;
    workspaces.expect(StatusCode::OK);
    assert_eq!(workspaces.json()["meta"]["total"], 1);
    assert_eq!(workspaces.data()[0]["id"], second.as_str());
    guest
        .get(&scene.path(&format!("/workspaces/{second}")))
        .await
        .expect(StatusCode::OK);
    let other = guest
        .get(&scene.path(&format!("/workspaces/{}", scene.workspace)))
        .await;
    other.expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");

    let projects = guest.get(&scene.path("/projects")).await;
    assert_eq!(projects.json()["meta"]["total"], 1);
    assert_eq!(projects.data()[0]["id"], shown["id"]);
    guest.get(&scene.project(&hidden)).await.expect(StatusCode::NOT_FOUND);
    guest.get(&scene.projects()).await.expect(StatusCode::NOT_FOUND);
    guest
        .post(&scene.projects(), &json!({ "name": "x" }))
        .await
        .expect(StatusCode::NOT_FOUND);
    let own = guest
        .post(
            &scene.path(&format!("/workspaces/{second}/projects")),
            &json!({ "name": "Mine" }),
        )
        .await;
    own.expect(StatusCode::CREATED);
    // What one has made oneself, one may change and remove: not what others made.
    let own = scene.path(&format!("/projects/{}", text(&own.data()["id"])));
    guest
        .patch(&own, &json!({ "name": "Still mine" }))
        .await
        .expect(StatusCode::OK);
    guest
        .patch(&scene.project(&shown), &json!({ "name": "x" }))
        .await
        .expect_error(StatusCode::FORBIDDEN, "FORBIDDEN");
    guest.delete(&own).await.expect(StatusCode::NO_CONTENT);
}
