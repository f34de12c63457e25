//! Finding and listing projects.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::{client::text, scene::Scene};

#[tokio::test]
async fn a_project_is_found_in_its_organization_alone() {
    let scene = Scene::new().await;
    let project = scene.create_project(&json!({ "name": "Website" })).await;
    let path = scene.project(&project);
    let found = scene.client().get(&path).await;
    found.expect(StatusCode::OK);
    assert_eq!(found.data(), project);
    let by_slug = format!("/api/v1/organizations/acme/projects/{}", text(&project["id"]));
    assert_eq!(scene.client().get(&by_slug).await.data(), project);
    scene
        .joined("viewer")
        .await
        .client
        .get(&path)
        .await
        .expect(StatusCode::OK);

    let stranger = scene.app.client().register("Stranger", Some("Elsewhere")).await;
    let elsewhere = format!("/api/v1/organizations/{}/projects", stranger.organization().await);
    let foreign = stranger
        .client
        .get(&format!("{elsewhere}/{}", text(&project["id"])))
        .await;
    foreign.expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
    stranger
        .client
        .get(&path)
        .await
        .expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
    assert_eq!(stranger.client.get(&elsewhere).await.json()["meta"]["total"], 0);

    let unknown = scene.path("/projects/01890a5d-ac96-774b-bcce-b302099a8057");
    scene
        .client()
        .get(&unknown)
        .await
        .expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
    for bad in ["website", "1", "%00", "01890a5d", "..%2f"] {
        let answer = scene.client().get(&scene.path(&format!("/projects/{bad}"))).await;
        assert!([400, 404].contains(&answer.status.as_u16()), "{bad}: {}", answer.text);
    }
    scene
        .client()
        .get(&format!("{path}?expand=all"))
        .await
        .expect_error(StatusCode::BAD_REQUEST, "MALFORMED_REQUEST");
}

#[tokio::test]
async fn projects_are_listed_filtered_and_searched() {
    let scene = Scene::new().await;
    let second = scene.add_workspace("second").await;
    for (name, status) in [
        ("Website", "active"),
        ("Old WEBSITE", "archived"),
        ("100% _done_", "active"),
        ("100 done", "active"),
    ] {
        scene.create_project(&json!({ "name": name, "status": status })).await;
    }
    scene
        .owner
        .create_project(&scene.organization, &second, &json!({ "name": "Site \\ two" }))
        .await;
    let names = async |path: &str| -> Vec<String> {
        let list = scene.client().get(path).await;
        list.expect(StatusCode::OK);
        let data = list.data();
        let names: Vec<_> = data
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| text(&entry["name"]))
            .collect();
        assert_eq!(list.json()["meta"]["total"], names.len());
        names
    };
    let all = scene.path("/projects");
    let there = scene.path(&format!("/workspaces/{second}/projects"));
    assert_eq!(
        names(&all).await,
        ["Site \\ two", "100 done", "100% _done_", "Old WEBSITE", "Website"]
    );
    assert_eq!(names(&there).await, ["Site \\ two"]);
    assert_eq!(names(&scene.projects()).await.len(), 4);
    assert_eq!(names(&format!("{all}?status=archived")).await, ["Old WEBSITE"]);
    assert_eq!(names(&format!("{all}?status=active")).await.len(), 4);
    assert_eq!(
        names(&format!("{all}?q=site&sort=createdAt")).await,
        ["Website", "Old WEBSITE", "Site \\ two"]
    );
    assert_eq!(names(&format!("{all}?q=site&status=archived")).await, ["Old WEBSITE"]);
    // What is special to a pattern is searched for as it is.
    assert_eq!(names(&format!("{all}?q=%25")).await, ["100% _done_"]);
    assert_eq!(names(&format!("{all}?q=_")).await, ["100% _done_"]);
    assert_eq!(names(&format!("{all}?q=%5C")).await, ["Site \\ two"]);
    assert_eq!(names(&format!("{all}?q=%27%20or%201%3D1--")).await, [""; 0]);
    for refused in [
        "status=deleted",
        "status=",
        "status=ACTIVE",
        "workspaceId=x",
        "visibility=private",
        "name=x",
    ] {
        let answer = scene.client().get(&format!("{all}?{refused}")).await;
        answer.expect_error(StatusCode::BAD_REQUEST, "MALFORMED_REQUEST");
    }
    let unknown = scene.path("/workspaces/01890a5d-ac96-774b-bcce-b302099a8057/projects");
    scene
        .client()
        .get(&unknown)
        .await
        .expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
    assert_eq!(scene.client().get(&all).await.json()["links"]["prev"], Value::Null);
}
