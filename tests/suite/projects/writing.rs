//! Creating, changing, replacing and deleting projects.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::{client::text, scene::Scene};

#[tokio::test]
async fn a_project_is_created_as_it_was_sent() {
    let scene = Scene::new().await;
    let full = json!({
        "name": "Website",
        "slug": "web",
        "description": "The new one\u{1F9A6}",
        "status": "archived",
        "visibility": "private",
        "settings": { "a": [1, -2.5, 1e10, true, null, "x"], "b": {} },
    });
    let answer = scene.client().post(&scene.projects(), &full).await;
    answer.expect(StatusCode::CREATED);
    let created = answer.data();
    let mut names: Vec<_> = created.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "createdAt",
            "createdBy",
            "description",
            "id",
            "name",
            "settings",
            "slug",
            "status",
            "updatedAt",
            "visibility",
            "workspaceId"
        ]
    );
    for (name, value) in full.as_object().unwrap() {
        assert_eq!(&created[name], value);
    }
    assert_eq!(created["workspaceId"], scene.workspace.as_str());
    assert_eq!(created["createdBy"], scene.owner.user_id.as_str());
    assert_eq!(created["createdAt"], created["updatedAt"]);
    let location = answer.header("location").unwrap();
    assert_eq!(location, scene.project(&created));
    let found = scene.client().get(location).await;
    assert_eq!((found.data(), found.header("etag")), (created, answer.header("etag")));

    let least = scene.create_project(&json!({ "name": "Least" })).await;
    assert_eq!(
        (&least["status"], &least["visibility"]),
        (&json!("active"), &json!("organization"))
    );
    assert_eq!((&least["description"], &least["settings"]), (&Value::Null, &json!({})));
    let nulls = json!({ "name": "Nulls", "slug": null, "description": null, "status": null, "visibility": null, "settings": null });
    scene.create_project(&nulls).await;

    for (body, fields) in [
        (json!({}), vec!["/name"]),
        (
            json!({ "name": 1, "slug": 2, "description": 3, "status": 4, "visibility": 5, "settings": 6, "other": 7 }),
            vec![
                "/description",
                "/name",
                "/other",
                "/settings",
                "/slug",
                "/status",
                "/visibility",
            ],
        ),
        (
            json!({ "name": "x", "status": "deleted", "visibility": "public" }),
            vec!["/status", "/visibility"],
        ),
        (
            json!({ "name": "x".repeat(256), "description": "x".repeat(2001) }),
            vec!["/description", "/name"],
        ),
        (
            json!({ "name": "x", "createdBy": "x", "id": "x" }),
            vec!["/createdBy", "/id"],
        ),
    ] {
        scene
            .client()
            .post(&scene.projects(), &body)
            .await
            .expect_refused(&fields);
    }
    assert_eq!(scene.database.count("projects").await, 3);
    let longest = json!({ "name": "🦦".repeat(255), "description": "ß".repeat(2000) });
    let longest_back = scene.create_project(&longest).await;
    assert_eq!(
        (&longest_back["name"], &longest_back["description"]),
        (&longest["name"], &longest["description"])
    );
    let nowhere = scene.path("/workspaces/01890a5d-ac96-774b-bcce-b302099a8057/projects");
    scene
        .client()
        .post(&nowhere, &json!({ "name": "x" }))
        .await
        .expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
}

#[tokio::test]
async fn a_merge_patch_changes_what_it_names_and_null_clears() {
    let scene = Scene::new().await;
    let before = scene
        .create_project(&json!({ "name": "Website", "description": "Old", "settings": { "a": 1, "b": { "c": 2 } } }))
        .await;
    let path = scene.project(&before);
    let patch = async |body: Value| {
        let answer = scene.client().patch(&path, &body).await;
        answer.expect(StatusCode::OK);
        assert_eq!(answer.header("etag"), scene.client().get(&path).await.header("etag"));
        answer.data()
    };
    let renamed = patch(json!({ "name": "Site" })).await;
    assert_eq!((&renamed["name"], &renamed["slug"]), (&json!("Site"), &before["slug"]));
    assert_eq!(
        (&renamed["description"], &renamed["settings"]),
        (&before["description"], &before["settings"])
    );
    assert_eq!(patch(json!({ "description": null })).await["description"], Value::Null);
    assert_eq!(
        patch(json!({ "status": "archived", "visibility": "private" })).await["status"],
        "archived"
    );
    assert_eq!(patch(json!({ "slug": "site" })).await["slug"], "site");
    let last = patch(json!({})).await;
    for kept in ["id", "createdAt", "createdBy", "workspaceId"] {
        assert_eq!(last[kept], before[kept]);
    }
    for (body, fields) in [
        (json!({ "name": null }), vec!["/name"]),
        (
            json!({ "name": "x", "createdAt": "2026-01-31T09:30:00.123Z" }),
            vec!["/createdAt"],
        ),
        (json!({ "workspaceId": "x" }), vec!["/workspaceId"]),
    ] {
        scene.client().patch(&path, &body).await.expect_refused(&fields);
    }
    assert_eq!(scene.client().get(&path).await.data(), last);
}

#[tokio::test]
async fn objects_are_merged_as_rfc_7396_has_it() {
    let scene = Scene::new().await;
    let project = scene.create_project(&json!({ "name": "Website" })).await;
    let first = json!({ "a": 1, "b": { "c": 2, "d": 3 }, "e": [1, 2] });
    let patch = json!({ "a": null, "b": { "c": null, "x": 4 }, "e": [3], "f": { "g": null, "h": 5 } });
    let merged = json!({ "b": { "d": 3, "x": 4 }, "e": [3], "f": { "h": 5 } });
    for (path, field) in [
        (scene.project(&project), "settings"),
        (scene.path(""), "settings"),
        ("/api/v1/me".to_owned(), "preferences"),
    ] {
        scene
            .client()
            .patch(&path, &json!({ field: first }))
            .await
            .expect(StatusCode::OK);
        let answer = scene.client().patch(&path, &json!({ field: patch })).await;
        assert_eq!(answer.expect(StatusCode::OK).data()[field], merged, "{path}");
    }
}

#[tokio::test]
async fn replacing_writes_all_fields_and_creates_nothing() {
    let scene = Scene::new().await;
    let before = scene
        .create_project(&json!({
            "name": "Website", "slug": "web", "description": "Old", "status": "archived", "visibility": "private",
            "settings": { "a": 1 },
        }))
        .await;
    let path = scene.project(&before);
    let replaced = scene.client().put(&path, &json!({ "name": "Site" })).await;
    replaced.expect(StatusCode::OK);
    let after = replaced.data();
    // What is absent has its default; but for these, which stay.
    assert_eq!(after["name"], "Site");
    assert_eq!(
        (&after["description"], &after["status"], &after["visibility"]),
        (&Value::Null, &json!("active"), &json!("organization"))
    );
    for stays in ["id", "slug", "workspaceId", "settings", "createdAt", "createdBy"] {
        assert_eq!(after[stays], before[stays], "{stays}");
    }
    assert_ne!(replaced.header("etag"), None);
    assert_eq!(scene.client().get(&path).await.data(), after);

    let full = json!({
        "name": "All", "slug": "all", "description": "New", "status": "archived", "visibility": "private",
        "settings": { "b": 2 }, "workspaceId": scene.workspace,
    });
    let all = scene.client().put(&path, &full).await;
    all.expect(StatusCode::OK);
    for (name, value) in full.as_object().unwrap() {
        assert_eq!(&all.data()[name], value);
    }
    for body in [json!({}), json!({ "name": null }), json!({ "slug": "x" })] {
        let refused = scene.client().put(&path, &body).await;
        refused.expect_refused(&["/name"]);
    }
    let unknown = scene.path("/projects/01890a5d-ac96-774b-bcce-b302099a8057");
    scene
        .client()
        .put(&unknown, &json!({ "name": "x" }))
        .await
        .expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
    assert_eq!(scene.database.count("projects").await, 1);
}

#[tokio::test]
async fn a_deleted_project_is_gone_and_its_slug_free() {
    let scene = Scene::new().await;
    let project = scene.create_project(&json!({ "name": "Website" })).await;
    let path = scene.project(&project);
    let deleted = scene.client().delete(&path).await;
    deleted.expect(StatusCode::NO_CONTENT);
    assert_eq!(deleted.text, "");
    for answer in [
        scene.client().get(&path).await,
        scene.client().delete(&path).await,
        scene.client().patch(&path, &json!({ "name": "x" })).await,
        scene.client().put(&path, &json!({ "name": "x" })).await,
    ] {
        answer.expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
    }
    assert_eq!(
        scene.client().get(&scene.path("/projects")).await.json()["meta"]["total"],
        0
    );
    let again = scene.create_project(&json!({ "name": "Website" })).await;
    assert_eq!(again["slug"], project["slug"]);
    assert_ne!(text(&again["id"]), text(&project["id"]));
    // Each write left the event that names it.
    for (event, count) in [("created", 2), ("deleted", 1)] {
        let events = scene
            .database
            .count(&format!("events where type = 'project.{event}'"))
            .await;
        assert_eq!(events, count, "{event}");
    }
}
