//! Entity tags: who comes second is told so.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::scene::Scene;

use crate::members::founder;

#[tokio::test]
async fn of_two_changes_to_one_version_one_wins() {
    let scene = Scene::new().await;
    let project = scene.create_project(&json!({ "name": "Website" })).await;
    let organization = scene.path("");
    let member = founder(&scene).await;
    for path in [scene.project(&project), organization, member, "/api/v1/me".to_owned()] {
        for round in 0..5 {
            let tag = scene.client().get(&path).await.header("etag").unwrap().to_owned();
            let changes: Vec<_> = (0..2)
                .map(|one| {
                    let client = scene.client().with_header("if-match", &tag);
                    let (path, body) = (path.clone(), json!({ "name": format!("{round} by {one}") }));
                    tokio::spawn(async move { client.patch(&path, &body).await })
                })
                .collect();
            let mut won = Vec::new();
            for change in changes {
                let answer = change.await.unwrap();
                if answer.status == StatusCode::OK {
                    won.push(answer);
                } else {
                    answer.expect_error(StatusCode::PRECONDITION_FAILED, "PRECONDITION_FAILED");
                }
            }
            assert_eq!(won.len(), 1, "{path}");
            let now = scene.client().get(&path).await;
            assert_eq!((now.data(), now.header("etag")), (won[0].data(), won[0].header("etag")));
            assert_ne!(now.header("etag"), Some(tag.as_str()));
        }
    }
}

#[tokio::test]
async fn if_match_demands_a_version() {
    let scene = Scene::new().await;
    let project = scene.create_project(&json!({ "name": "Website" })).await;
    let path = scene.project(&project);
    let tag = scene.client().get(&path).await.header("etag").unwrap().to_owned();
    assert!(tag.starts_with('"') && tag.ends_with('"'), "{tag} is not strong");
    let with = |value: &str| scene.client().with_header("if-match", value);

    // RFC 9110, section 13.1.1: the comparison is strong.
    for stale in [
        "\"other\"",
        "\"0\"",
        "\"\"",
        "\"+1\"",
        "\"01\"",
        "\"1.0\"",
        &format!("W/{tag}"),
        &format!("W/{tag}, \"x\""),
    ] {
        for answer in [
            with(stale).patch(&path, &json!({ "name": "x" })).await,
            with(stale).put(&path, &json!({ "name": "x" })).await,
            with(stale).delete(&path).await,
        ] {
            answer.expect_error(StatusCode::PRECONDITION_FAILED, "PRECONDITION_FAILED");
        }
    }
    assert_eq!(scene.client().get(&path).await.data(), project);
    let listed = with(&format!("\"x\", {tag}, \"y\""))
        .patch(&path, &json!({ "name": "Listed" }))
        .await;
    listed.expect(StatusCode::OK);
    with("*")
        .put(&path, &json!({ "name": "Any" }))
        .await
        .expect(StatusCode::OK);
    with(listed.header("etag").unwrap())
        .delete(&path)
        .await
        .expect(StatusCode::PRECONDITION_FAILED);
    let current = scene.client().get(&path).await.header("etag").unwrap().to_owned();
    with(&current).delete(&path).await.expect(StatusCode::NO_CONTENT);
    with("*")
        .delete(&path)
        .await
        .expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
}

#[tokio::test]
async fn if_none_match_spares_the_body() {
    let scene = Scene::new().await;
    let project = scene.create_project(&json!({ "name": "Website" })).await;
    let workspace = scene.path(&format!("/workspaces/{}", scene.workspace));
    for path in [
        scene.project(&project),
        scene.path(""),
        workspace,
        founder(&scene).await,
        "/api/v1/me".to_owned(),
    ] {
        let whole = scene.client().get(&path).await;
        let tag = whole.header("etag").unwrap();
        for same in [
            tag.to_owned(),
            format!("W/{tag}"),
            format!("\"x\", {tag}"),
            "*".to_owned(),
        ] {
            let answer = scene.client().with_header("if-none-match", &same).get(&path).await;
            answer.expect(StatusCode::NOT_MODIFIED);
            assert_eq!(answer.text, "");
            // RFC 9110, section 15.4.5
            for kept in ["etag", "cache-control", "vary"] {
                assert_eq!(answer.header(kept), whole.header(kept), "{path} {kept}");
            }
        }
        for other in ["\"other\"", "W/\"other\"", "garbage", ""] {
            let answer = scene.client().with_header("if-none-match", other).get(&path).await;
            assert_eq!(answer.expect(StatusCode::OK).data(), whole.data());
        }
    }
    let path = scene.project(&project);
    let old = scene.client().get(&path).await.header("etag").unwrap().to_owned();
    scene
        .client()
        .patch(&path, &json!({ "description": "new" }))
        .await
        .expect(StatusCode::OK);
    let answer = scene.client().with_header("if-none-match", &old).get(&path).await;
    assert_eq!(answer.expect(StatusCode::OK).data()["description"], Value::from("new"));
    // Who may not see it is not told whether it has changed.
    let anyone = scene.app.client().with_header("if-none-match", "*");
    anyone.get(&path).await.expect(StatusCode::UNAUTHORIZED);
}
