//! The default workspace: always exactly one.

use reqwest::StatusCode;
use serde_json::json;
use tenantry_tests::{client::text, scene::Scene};

/// The ids of the default workspaces.
async fn defaults(scene: &Scene) -> Vec<String> {
    let list = scene.client().get(&scene.path("/workspaces?pageSize=100")).await.data();
    let workspaces = list.as_array().unwrap().iter();
    workspaces
        .filter(|workspace| workspace["isDefault"] == true)
        .map(|workspace| text(&workspace["id"]))
        .collect()
}

#[tokio::test]
async fn being_the_default_is_taken_from_the_one_that_was() {
    let scene = Scene::new().await;
    let first = scene.path(&format!("/workspaces/{}", scene.workspace));
    let tag = scene.client().get(&first).await.header("etag").unwrap().to_owned();
    let second = scene.add_workspace("second").await;
    let path = scene.path(&format!("/workspaces/{second}"));
    let taken = scene.client().patch(&path, &json!({ "isDefault": true })).await;
    taken.expect(StatusCode::OK);
    assert_eq!(taken.data()["isDefault"], true);
    assert_eq!(defaults(&scene).await, [second.as_str()]);
    // The other one is another version now, and its own event tells so.
    let first_now = scene.client().get(&first).await;
    assert_eq!(first_now.data()["isDefault"], false);
    assert_ne!(first_now.header("etag"), Some(tag.as_str()));
    assert_eq!(
        scene
            .database
            .count(&format!(
                "events where type = 'workspace.updated' and resource_id = '{}'",
                scene.workspace
            ))
            .await,
        1
    );

    let third = scene
        .client()
        .post(
            &scene.path("/workspaces"),
            &json!({ "name": "Third", "isDefault": true }),
        )
        .await;
    third.expect(StatusCode::CREATED);
    assert_eq!(defaults(&scene).await, [text(&third.data()["id"])]);
    let back = scene
        .client()
        .put(&first, &json!({ "name": "General", "isDefault": true }))
        .await;
    back.expect(StatusCode::OK);
    assert_eq!(defaults(&scene).await, [scene.workspace.as_str()]);
}

#[tokio::test]
async fn the_default_can_neither_be_laid_down_nor_deleted() {
    let scene = Scene::new().await;
    let path = scene.path(&format!("/workspaces/{}", scene.workspace));
    for answer in [
        scene.client().patch(&path, &json!({ "isDefault": false })).await,
        scene
            .client()
            .put(&path, &json!({ "name": "General", "isDefault": false }))
            .await,
        scene.client().delete(&path).await,
    ] {
        answer.expect_error(StatusCode::CONFLICT, "CONFLICT");
        assert_eq!(answer.reason(), "default_workspace");
    }
    assert_eq!(defaults(&scene).await, [scene.workspace.as_str()]);
    scene
        .client()
        .put(&path, &json!({ "name": "General" }))
        .await
        .expect(StatusCode::OK);
    assert_eq!(defaults(&scene).await, [scene.workspace.as_str()]);
}

#[tokio::test]
async fn a_creation_that_fails_leaves_the_default_where_it_was() {
    let scene = Scene::new().await;
    let taken = scene
        .client()
        .post(
            &scene.path("/workspaces"),
            &json!({ "name": "x", "slug": "general", "isDefault": true }),
        )
        .await;
    taken.expect_error(StatusCode::CONFLICT, "CONFLICT");
    assert_eq!(defaults(&scene).await, [scene.workspace.as_str()]);
}

#[tokio::test]
async fn of_many_defaults_set_at_once_one_is_left() {
    let scene = Scene::new().await;
    let mut paths = vec![scene.path(&format!("/workspaces/{}", scene.workspace))];
    for number in 0..4 {
        let id = scene.add_workspace(&format!("w{number}")).await;
        paths.push(scene.path(&format!("/workspaces/{id}")));
    }
    for round in 0..10 {
        let mut changes = Vec::new();
        for path in &paths {
            let (client, path) = (scene.client().clone(), path.clone());
            changes.push(tokio::spawn(async move {
                client.patch(&path, &json!({ "isDefault": true })).await
            }));
        }
        let (client, path) = (scene.client().clone(), scene.path("/workspaces"));
        changes.push(tokio::spawn(async move {
            let body = json!({ "name": format!("New {round}"), "isDefault": true });
            client.post(&path, &body).await
        }));
        for change in changes {
            let answer = change.await.unwrap();
            assert!(answer.status.is_success(), "{}", answer.text);
        }
        assert_eq!(defaults(&scene).await.len(), 1, "round {round}");
    }
}
