//! Creating, changing, replacing and deleting workspaces.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::{client::text, scene::Scene};

#[tokio::test]
async fn a_workspace_is_created_with_what_it_asks_for() {
    let scene = Scene::new().await;
    let path = scene.path("/workspaces");
    let answer = scene.client().post(&path, &json!({ "name": "Größe & Co. 🚀" })).await;
    answer.expect(StatusCode::CREATED);
    let plain = answer.data();
    assert_eq!(plain["name"], "Größe & Co. 🚀");
    assert_eq!(plain["slug"], "grosse-co-rocket");
    assert_eq!((&plain["description"], &plain["icon"]), (&Value::Null, &Value::Null));
    assert_eq!(
        (&plain["color"], &plain["isDefault"], &plain["settings"]),
        (&json!("#3B82F6"), &json!(false), &json!({}))
    );
    let location = answer.header("location").unwrap();
    assert_eq!(location, scene.path(&format!("/workspaces/{}", text(&plain["id"]))));
    let found = scene.client().get(location).await;
    assert_eq!((found.data(), found.header("etag")), (plain, answer.header("etag")));

    let all = json!({
        "name": "Design", "slug": "drawing", "description": "Draws", "icon": "🎨", "color": "#aBcDeF", "isDefault": false,
        "settings": { "theme": "dark" },
    });
    let full = scene.client().post(&path, &all).await;
    full.expect(StatusCode::CREATED);
    for (field, value) in all.as_object().unwrap() {
        assert_eq!(&full.data()[field], value, "{field}");
    }
    assert_eq!(scene.database.count("events where type = 'workspace.created'").await, 2);

    let again = scene
        .client()
        .post(&path, &json!({ "name": "Design", "slug": "drawing" }))
        .await;
    again.expect_error(StatusCode::CONFLICT, "CONFLICT");
    assert_eq!(again.reason(), "slug_taken");
    let derived = scene.client().post(&path, &json!({ "name": "Drawing" })).await;
    assert_eq!(derived.data()["slug"], "drawing-2");
}

#[tokio::test]
async fn a_repeated_creation_makes_one_workspace() {
    let scene = Scene::new().await;
    let client = scene.client().with_header("idempotency-key", "k");
    let path = scene.path("/workspaces");
    let first = client
        .post(&path, &json!({ "name": "Design", "isDefault": true }))
        .await;
    first.expect(StatusCode::CREATED);
    let second = client
        .post(&path, &json!({ "name": "Design", "isDefault": true }))
        .await;
    second.expect(StatusCode::CREATED);
    assert_eq!(second.header("idempotency-replayed"), Some("true"));
    assert_eq!(first.data(), second.data());
    assert_eq!(scene.client().get(&path).await.json()["meta"]["total"], 2);
    let other = client.post(&path, &json!({ "name": "Other" })).await;
    other.expect_error(StatusCode::UNPROCESSABLE_ENTITY, "IDEMPOTENCY_KEY_REUSED");
}

#[tokio::test]
async fn a_workspace_changes_by_patch_and_by_put() {
    let scene = Scene::new().await;
    let created = scene
        .client()
        .post(
            &scene.path("/workspaces"),
            &json!({ "name": "Design", "description": "Draws", "icon": "🎨", "settings": { "a": 1, "b": { "c": 2 } } }),
        )
        .await;
    let path = scene.path(&format!("/workspaces/{}", text(&created.data()["id"])));

    let patched = scene
        .client()
        .patch(
            &path,
            &json!({ "color": "#000000", "icon": null, "settings": { "a": null, "b": { "d": 3 } } }),
        )
        .await;
    patched.expect(StatusCode::OK);
    assert_ne!(patched.header("etag"), created.header("etag"));
    assert_eq!(patched.data()["description"], "Draws");
    assert_eq!(
        (
            &patched.data()["color"],
            &patched.data()["icon"],
            &patched.data()["settings"]
        ),
        (&json!("#000000"), &Value::Null, &json!({ "b": { "c": 2, "d": 3 } }))
    );
    // What changes nothing is no new version, and no event.
    let same = scene.client().patch(&path, &json!({ "color": "#000000" })).await;
    assert_eq!(same.header("etag"), patched.header("etag"));
    assert_eq!(scene.database.count("events where type = 'workspace.updated'").await, 1);

    let replaced = scene.client().put(&path, &json!({ "name": "Drawing" })).await;
    replaced.expect(StatusCode::OK);
    let data = replaced.data();
    assert_eq!(
        (&data["name"], &data["description"], &data["color"]),
        (&json!("Drawing"), &Value::Null, &json!("#3B82F6"))
    );
    // These stay as they are.
    assert_eq!(
        (&data["slug"], &data["isDefault"], &data["settings"]),
        (&json!("design"), &json!(false), &patched.data()["settings"])
    );
    scene
        .client()
        .put(&path, &json!({ "slug": "nameless" }))
        .await
        .expect_refused(&["/name"]);
    let stale = scene.client().with_header("if-match", patched.header("etag").unwrap());
    for answer in [
        stale.patch(&path, &json!({ "name": "x" })).await,
        stale.put(&path, &json!({ "name": "x" })).await,
        stale.delete(&path).await,
    ] {
        answer.expect_error(StatusCode::PRECONDITION_FAILED, "PRECONDITION_FAILED");
    }
    assert_eq!(scene.client().get(&path).await.data(), data);
}

#[tokio::test]
async fn what_does_not_fit_is_refused_by_field() {
    let scene = Scene::new().await;
    let answer = scene
        .client()
        .post(
            &scene.path("/workspaces"),
            &json!({
                "name": "", "slug": "No Slug", "description": 3, "icon": "", "color": "blue", "isDefault": "yes",
                "settings": [], "colour": "#000000",
            }),
        )
        .await;
    answer.expect_refused(&[
        "/color",
        "/colour",
        "/description",
        "/icon",
        "/isDefault",
        "/name",
        "/settings",
        "/slug",
    ]);
    let path = scene.path(&format!("/workspaces/{}", scene.workspace));
    for (body, fields) in [
        (
            json!({ "name": null, "color": null, "isDefault": null }),
            ["/color", "/isDefault", "/name"],
        ),
        (
            json!({ "color": "#12345", "icon": "a\u{0}", "slug": "-" }),
            ["/color", "/icon", "/slug"],
        ),
    ] {
        scene.client().patch(&path, &body).await.expect_refused(&fields);
    }
}

#[tokio::test]
async fn an_empty_workspace_can_be_deleted() {
    let scene = Scene::new().await;
    let second = scene.add_workspace("second").await;
    let path = scene.path(&format!("/workspaces/{second}"));
    let project = scene
        .owner
        .create_project(&scene.organization, &second, &json!({ "name": "Website" }))
        .await;
    let refused = scene.client().delete(&path).await;
    refused.expect_error(StatusCode::CONFLICT, "CONFLICT");
    assert_eq!(refused.reason(), "not_empty");

    // An archived project is a project.
    let project = scene.project(&project);
    scene
        .client()
        .patch(&project, &json!({ "status": "archived" }))
        .await
        .expect(StatusCode::OK);
    assert_eq!(scene.client().delete(&path).await.reason(), "not_empty");

    scene.client().delete(&project).await.expect(StatusCode::NO_CONTENT);
    scene.client().delete(&path).await.expect(StatusCode::NO_CONTENT);
    for answer in [
        scene.client().get(&path).await,
        scene.client().delete(&path).await,
        scene.client().get(&format!("{path}/projects")).await,
    ] {
        answer.expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
    }
    assert_eq!(scene.database.count("events where type = 'workspace.deleted'").await, 1);
}

#[tokio::test]
async fn roles_held_in_a_workspace_go_with_it() {
    let scene = Scene::new().await;
    let second = scene.add_workspace("second").await;
    let guest = scene.app.client().register("Guest", None).await;
    scene
        .join(&guest, &[("member", tenantry_tests::scene::Place::Workspace(&second))])
        .await;
    let context = scene.path("/context");
    assert_eq!(
        guest.client.get(&context).await.data()["grants"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    scene
        .client()
        .delete(&scene.path(&format!("/workspaces/{second}")))
        .await
        .expect(StatusCode::NO_CONTENT);
    assert_eq!(guest.client.get(&context).await.data()["grants"], json!([]));
}
