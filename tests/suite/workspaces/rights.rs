//! Who may write workspaces.

use reqwest::{Method, StatusCode};
use serde_json::json;
use tenantry_tests::scene::{Place, Scene};

#[tokio::test]
async fn a_role_in_one_workspace_makes_no_others() {
    let scene = Scene::new().await;
    let second = scene.add_workspace("second").await;
    let admin = scene.app.client().register("Admin of one", None).await;
    scene.join(&admin, &[("admin", Place::Workspace(&second))]).await;
    let (own, other) = (
        scene.path(&format!("/workspaces/{second}")),
        scene.path(&format!("/workspaces/{}", scene.workspace)),
    );
    let created = admin
        .client
        .post(&scene.path("/workspaces"), &json!({ "name": "x" }))
        .await;
    created.expect_error(StatusCode::FORBIDDEN, "FORBIDDEN");
    assert_eq!(
        created.json()["error"]["details"]["requiredPermission"],
        "workspace:create"
    );
    admin
        .client
        .patch(&own, &json!({ "name": "Ours" }))
        .await
        .expect(StatusCode::OK);
    for (method, path) in [(Method::PATCH, &other), (Method::PUT, &other), (Method::DELETE, &other)] {
        let request = admin.client.request(method, path).json(&json!({ "name": "x" }));
        admin
            .client
            .send(request)
            .await
            .expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
    }
    // Being the default concerns the whole organization: whoever may change just this one may not say so.
    let default = admin.client.patch(&own, &json!({ "isDefault": true })).await;
    default.expect_error(StatusCode::FORBIDDEN, "FORBIDDEN");
    assert_eq!(scene.client().get(&other).await.data()["isDefault"], true);
    admin.client.delete(&own).await.expect(StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn bodies_of_those_who_may_not_are_not_read() {
    let scene = Scene::new().await;
    let viewer = scene.joined("viewer").await.client;
    let workspace = scene.path(&format!("/workspaces/{}", scene.workspace));
    for (method, path) in [
        (Method::POST, scene.path("/workspaces")),
        (Method::PATCH, workspace.clone()),
        (Method::PUT, workspace),
    ] {
        let broken = viewer
            .request(method, &path)
            .header("content-type", "text/plain")
            .body("{");
        viewer
            .send(broken)
            .await
            .expect_error(StatusCode::FORBIDDEN, "FORBIDDEN");
    }
}
