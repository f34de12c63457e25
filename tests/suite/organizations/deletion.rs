//! Deleting an organization, and having it back.

use chrono::TimeDelta;
use reqwest::{Method, StatusCode};
use serde_json::json;
use tenantry_tests::{client::Client, scene::Scene};

use crate::{
    hold::{Hold, held_up},
    operations::{self, Meaning},
};

async fn restore(client: &Client, scene: &Scene) -> tenantry_tests::client::Answer {
    client.send(client.request(Method::POST, &scene.path("/restore"))).await
}

#[tokio::test]
async fn a_deleted_organization_is_there_for_nobody() {
    let scene = Scene::new().await;
    let project = scene.create_project(&json!({ "name": "Website" })).await;
    let admin = scene.joined("admin").await.client;
    let (by_id, by_slug) = (scene.path(""), "/api/v1/organizations/acme".to_owned());
    scene.client().get(&by_slug).await.expect(StatusCode::OK);
    admin
        .delete(&by_id)
        .await
        .expect_error(StatusCode::FORBIDDEN, "FORBIDDEN");
    scene
        .client()
        .with_header("if-match", "\"4711\"")
        .delete(&by_id)
        .await
        .expect_error(StatusCode::PRECONDITION_FAILED, "PRECONDITION_FAILED");
    scene.client().delete(&by_slug).await.expect(StatusCode::NO_CONTENT);

    for client in [scene.client(), &admin] {
        for path in [&by_id, &by_slug] {
            for below in [
                "",
                "/context",
                "/members",
                "/workspaces",
                "/projects",
                &format!("/projects/{}", project["id"].as_str().unwrap()),
            ] {
                let answer = client.get(&format!("{path}{below}")).await;
                answer.expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
            }
            client
                .patch(path, &json!({ "name": "x" }))
                .await
                .expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
            client
                .delete(path)
                .await
                .expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
        }
        let mine = client.get("/api/v1/organizations").await;
        assert_eq!(mine.json()["meta"]["total"], 0);
    }
    // Its slug stays taken.
    let taken = scene
        .client()
        .post("/api/v1/organizations", &json!({ "name": "Acme", "slug": "acme" }))
        .await;
    assert_eq!(taken.reason(), "slug_taken");
    let derived = scene
        .client()
        .post("/api/v1/organizations", &json!({ "name": "Acme" }))
        .await;
    assert_eq!(derived.data()["slug"], "acme-2");
}

#[tokio::test]
async fn every_path_below_a_deleted_organization_is_gone() {
    let scene = Scene::new().await;
    let project = scene.create_project(&json!({ "name": "Website" })).await;
    scene
        .client()
        .delete(&scene.path(""))
        .await
        .expect(StatusCode::NO_CONTENT);
    let mut asked = 0;
    for operation in operations::all() {
        if !operation.has(Meaning::Organization) || operation.name == "restoreOrganization" {
            continue;
        }
        let path = operation
            .path
            .replace("{orgId}", &scene.organization)
            .replace("{wsId}", &scene.workspace)
            .replace("{projectId}", project["id"].as_str().unwrap())
            .replace("{memberId}", &scene.owner.user_id);
        let request = scene.client().request(operation.method.clone(), &path);
        let answer = scene.client().send(request.json(&json!({}))).await;
        answer.expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
        asked += 1;
    }
    assert!(asked > 10, "{asked}");
}

#[tokio::test]
async fn whoever_may_delete_it_can_restore_it() {
    let scene = Scene::new().await;
    let project = scene.create_project(&json!({ "name": "Website" })).await;
    let (admin, viewer) = (scene.joined("admin").await.client, scene.joined("viewer").await.client);
    let stranger = scene.app.client().register("Stranger", Some("Elsewhere")).await.client;
    // Nothing to restore: nothing is done, and who may not is told so.
    let before = scene.client().get(&scene.path("")).await;
    let nothing = restore(scene.client(), &scene).await;
    nothing.expect(StatusCode::OK);
    assert_eq!(
        (nothing.data(), nothing.header("etag")),
        (before.data(), before.header("etag"))
    );
    let refused = restore(&admin, &scene).await;
    refused.expect_error(StatusCode::FORBIDDEN, "FORBIDDEN");
    assert_eq!(
        refused.json()["error"]["details"]["requiredPermission"],
        "organization:delete"
    );

    scene
        .client()
        .delete(&scene.path(""))
        .await
        .expect(StatusCode::NO_CONTENT);
    for client in [&admin, &viewer, &stranger] {
        restore(client, &scene)
            .await
            .expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
    }
    restore(&scene.app.client(), &scene)
        .await
        .expect_error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED");
    let restored = restore(scene.client(), &scene).await;
    restored.expect(StatusCode::OK);
    assert_eq!(restored.data()["status"], "active");
    assert_ne!(restored.header("etag"), before.header("etag"));
    assert_eq!(scene.client().get(&scene.project(&project)).await.data(), project);
    viewer.get(&scene.path("/context")).await.expect(StatusCode::OK);
    assert_eq!(
        scene
            .database
            .count("events where type in ('organization.deleted', 'organization.restored')")
            .await,
        2
    );
}

#[tokio::test]
async fn after_thirty_days_it_is_too_late() {
    let scene = Scene::new().await;
    scene
        .client()
        .delete(&scene.path(""))
        .await
        .expect(StatusCode::NO_CONTENT);
    let again = async |after: TimeDelta| {
        scene.app.clock.advance(after);
        let owner = scene
            .app
            .client()
            .post(
                "/api/v1/auth/login",
                &json!({ "email": scene.owner.email, "password": tenantry_tests::client::PASSWORD }),
            )
            .await;
        let token = owner.data()["accessToken"].as_str().unwrap().to_owned();
        restore(&scene.app.client().with_token(&token), &scene).await
    };
    again(TimeDelta::days(30) - TimeDelta::hours(1))
        .await
        .expect(StatusCode::OK);
    scene
        .database
        .owner(format!(
            "update organizations set status = 'deleted', deleted_at = created_at where id = '{}'",
            scene.organization
        ))
        .await;
    again(TimeDelta::hours(2))
        .await
        .expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
}

/// A deleted organization may lose its last owner, but not while it is restored: nobody could ever get into it again.
#[tokio::test]
async fn it_is_not_restored_for_an_owner_who_goes() {
    let scene = Scene::new().await;
    scene
        .client()
        .delete(&scene.path(""))
        .await
        .expect(StatusCode::NO_CONTENT);
    // The account is deleted at the very end, when its memberships already are.
    let hold = Hold::begin(&scene, "lock table user_events in exclusive mode").await;
    let (goes, restores, path) = (scene.client().clone(), scene.client().clone(), scene.path("/restore"));
    let going = held_up(&scene, 1, async move { goes.delete("/api/v1/me").await }).await;
    let restoring = held_up(&scene, 2, async move {
        restores.send(restores.request(Method::POST, &path)).await
    })
    .await;
    hold.end().await;
    going.await.unwrap().expect(StatusCode::NO_CONTENT);
    let restored = restoring.await.unwrap();
    assert!(
        [StatusCode::NOT_FOUND, StatusCode::UNAUTHORIZED].contains(&restored.status),
        "{restored:?}"
    );
    let active = format!(
        "organizations where id = '{}' and status = 'active'",
        scene.organization
    );
    assert_eq!(scene.database.count(&active).await, 0);
}

#[tokio::test]
async fn a_write_that_waits_while_the_organization_is_deleted_is_none() {
    let scene = Scene::new().await;
    let hold = Hold::begin(&scene, "lock table projects in exclusive mode").await;
    let (writes, projects) = (scene.client().clone(), scene.projects());
    let writing = held_up(&scene, 1, async move {
        writes.post(&projects, &json!({ "name": "Late" })).await
    })
    .await;
    scene
        .client()
        .delete(&scene.path(""))
        .await
        .expect(StatusCode::NO_CONTENT);
    hold.end().await;
    let written = writing.await.unwrap();
    written.expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
    restore(scene.client(), &scene).await.expect(StatusCode::OK);
    assert_eq!(scene.client().get(&scene.projects()).await.data(), json!([]));
}

#[tokio::test]
async fn a_write_under_way_and_a_deletion_agree() {
    let scene = Scene::new().await;
    for round in 0..8 {
        let (projects, path) = (scene.projects(), scene.path(""));
        let body = json!({ "name": format!("Round {round}") });
        let (written, deleted) = tokio::join!(scene.client().post(&projects, &body), scene.client().delete(&path));
        deleted.expect(StatusCode::NO_CONTENT);
        if written.status != StatusCode::CREATED {
            written.expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
        }
        restore(scene.client(), &scene).await.expect(StatusCode::OK);
        if written.status == StatusCode::CREATED {
            scene
                .client()
                .get(&scene.project(&written.data()))
                .await
                .expect(StatusCode::OK);
        }
    }
}
