//! Moving projects from workspace to workspace.

use reqwest::StatusCode;
use serde_json::json;
use tenantry_tests::scene::{Place, Scene};

#[tokio::test]
async fn a_project_moves_with_its_workspace_id() {
    let scene = Scene::new().await;
    let second = scene.add_workspace("second").await;
    let project = scene.create_project(&json!({ "name": "Website" })).await;
    let path = scene.project(&project);
    let moved = scene
        .client()
        .patch(&path, &json!({ "workspaceId": second, "name": "Moved" }))
        .await;
    moved.expect(StatusCode::OK);
    assert_eq!(
        (&moved.data()["workspaceId"], &moved.data()["name"]),
        (&json!(second), &json!("Moved"))
    );
    let there = scene.path(&format!("/workspaces/{second}/projects"));
    assert_eq!(scene.client().get(&there).await.json()["meta"]["total"], 1);
    assert_eq!(scene.client().get(&scene.projects()).await.json()["meta"]["total"], 0);
    let back = scene
        .client()
        .put(&path, &json!({ "name": "Back", "workspaceId": scene.workspace }))
        .await;
    back.expect(StatusCode::OK);
    assert_eq!(back.data()["workspaceId"], scene.workspace.as_str());

    // Its slug may be taken where it goes.
    scene
        .owner
        .create_project(&scene.organization, &second, &json!({ "name": "x", "slug": "website" }))
        .await;
    let taken = scene.client().patch(&path, &json!({ "workspaceId": second })).await;
    taken.expect_error(StatusCode::CONFLICT, "CONFLICT");
    assert_eq!(taken.reason(), "slug_taken");
    let renamed = scene
        .client()
        .patch(&path, &json!({ "workspaceId": second, "slug": "website-b" }))
        .await;
    renamed.expect(StatusCode::OK);

    let stranger = scene.app.client().register("Stranger", Some("Elsewhere")).await;
    let foreign = stranger.default_workspace(&stranger.organization().await).await;
    for nowhere in [foreign.as_str(), "01890a5d-ac96-774b-bcce-b302099a8057"] {
        let answer = scene.client().patch(&path, &json!({ "workspaceId": nowhere })).await;
        assert!(answer.status.is_client_error(), "{}", answer.text);
        assert_eq!(scene.client().get(&path).await.data(), renamed.data());
    }
}

#[tokio::test]
async fn moving_needs_the_right_to_create_where_it_goes() {
    let scene = Scene::new().await;
    let (second, third, hidden) = (
        scene.add_workspace("second").await,
        scene.add_workspace("third").await,
        scene.add_workspace("hidden").await,
    );
    let account = scene.app.client().register("Mover", None).await;
    let roles = [
        ("member", Place::Workspace(scene.workspace.as_str())),
        ("member", Place::Workspace(second.as_str())),
        ("viewer", Place::Workspace(third.as_str())),
    ];
    scene.join(&account, &roles).await;
    let project = account
        .create_project(&scene.organization, &scene.workspace, &json!({ "name": "Mine" }))
        .await;
    let path = scene.project(&project);
    let forbidden = account.client.patch(&path, &json!({ "workspaceId": third })).await;
    forbidden.expect_error(StatusCode::FORBIDDEN, "FORBIDDEN");
    assert_eq!(
        forbidden.json()["error"]["details"],
        json!({ "requiredPermission": "project:create" })
    );
    let unknown = account.client.patch(&path, &json!({ "workspaceId": hidden })).await;
    unknown.expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
    account
        .client
        .patch(&path, &json!({ "workspaceId": second }))
        .await
        .expect(StatusCode::OK);

    // Of what is not one's own, not even there.
    let others = scene.create_project(&json!({ "name": "Not mine" })).await;
    let answer = account
        .client
        .patch(&scene.project(&others), &json!({ "workspaceId": second }))
        .await;
    answer.expect_error(StatusCode::FORBIDDEN, "FORBIDDEN");
    assert_eq!(
        answer.json()["error"]["details"],
        json!({ "requiredPermission": "project:update" })
    );
}
