//! A workspace that is deleted while something comes into it.

use reqwest::StatusCode;
use serde_json::json;
use tenantry_tests::scene::Scene;

const ROUNDS: usize = 12;

#[tokio::test]
async fn a_project_created_in_a_workspace_that_is_being_deleted() {
    let scene = Scene::new().await;
    for round in 0..ROUNDS {
        let id = scene.add_workspace(&format!("w{round}")).await;
        let workspace = scene.path(&format!("/workspaces/{id}"));
        let projects = format!("{workspace}/projects");
        let body = json!({ "name": "Website" });
        let (created, deleted) = tokio::join!(scene.client().post(&projects, &body), scene.client().delete(&workspace));
        if created.status == StatusCode::CREATED {
            deleted.expect_error(StatusCode::CONFLICT, "CONFLICT");
            assert_eq!(deleted.reason(), "not_empty");
            scene
                .client()
                .get(&scene.project(&created.data()))
                .await
                .expect(StatusCode::OK);
        } else {
            created.expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
            deleted.expect(StatusCode::NO_CONTENT);
        }
    }
}

#[tokio::test]
async fn a_project_moved_into_a_workspace_that_is_being_deleted() {
    let scene = Scene::new().await;
    for round in 0..ROUNDS {
        let id = scene.add_workspace(&format!("w{round}")).await;
        let workspace = scene.path(&format!("/workspaces/{id}"));
        let project = scene.create_project(&json!({ "name": "Website" })).await;
        let path = scene.project(&project);
        let body = json!({ "workspaceId": id });
        let (moved, deleted) = tokio::join!(scene.client().patch(&path, &body), scene.client().delete(&workspace));
        let home = if moved.status == StatusCode::OK {
            deleted.expect_error(StatusCode::CONFLICT, "CONFLICT");
            id
        } else {
            moved.expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
            deleted.expect(StatusCode::NO_CONTENT);
            scene.workspace.clone()
        };
        assert_eq!(scene.client().get(&path).await.data()["workspaceId"], home.as_str());
    }
}

#[tokio::test]
async fn a_workspace_becoming_the_default_while_it_is_deleted() {
    let scene = Scene::new().await;
    for round in 0..ROUNDS {
        let id = scene.add_workspace(&format!("w{round}")).await;
        let workspace = scene.path(&format!("/workspaces/{id}"));
        let body = json!({ "isDefault": true });
        let (chosen, deleted) = tokio::join!(
            scene.client().patch(&workspace, &body),
            scene.client().delete(&workspace)
        );
        if chosen.status == StatusCode::OK {
            deleted.expect_error(StatusCode::CONFLICT, "CONFLICT");
            assert_eq!(deleted.reason(), "default_workspace");
        } else {
            chosen.expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
            deleted.expect(StatusCode::NO_CONTENT);
        }
        assert_eq!(scene.database.count("workspaces where is_default").await, 1);
    }
}
