//! Who may do what to a project: what its creator may, and who may know of a private one.

use reqwest::{Method, StatusCode};
use serde_json::json;
use tenantry_tests::{
    app::TestApp,
    client::{Answer, Client},
    database::TestDatabase,
};

use crate::world::{World, grant};

/// What can be done to one project.
const ALL: [Method; 4] = [Method::GET, Method::PATCH, Method::PUT, Method::DELETE];

async fn ask(client: &Client, method: &Method, path: &str) -> Answer {
    let request = client.request(method.clone(), path);
    let request = match *method {
        Method::PATCH => request.json(&json!({ "description": "changed" })),
        Method::PUT => request.json(&json!({ "name": "Replaced" })),
        _ => request,
    };
    client.send(request).await
}

#[tokio::test]
async fn members_change_and_delete_what_they_created() {
    let database = TestDatabase::new().await;
    let app = TestApp::start(&database).await;
    let world = World::make(&app, &database).await;
    let anonymous = app.client();
    let a = &world.a;
    let owner = a.owner.sign_in("owner", &anonymous).await.client;
    let member = a.member.sign_in("member", &anonymous).await.client;

    for visibility in ["organization", "private"] {
        let own = a.path(&format!("/projects/{}", a.new_project(&member, visibility).await));
        for (method, status) in ALL
            .iter()
            .zip([StatusCode::OK, StatusCode::OK, StatusCode::OK, StatusCode::NO_CONTENT])
        {
            ask(&member, method, &own).await.expect(status);
        }
        ask(&member, &Method::GET, &own).await.expect(StatusCode::NOT_FOUND);
    }
    let moved = a.path(&format!("/projects/{}", a.new_project(&member, "organization").await));
    let body = json!({ "workspaceId": a.workspaces[1] });
    let answer = member.patch(&moved, &body).await;
    answer.expect(StatusCode::OK);
    assert_eq!(answer.data()["workspaceId"], a.workspaces[1].as_str());

    let others = a.path(&format!("/projects/{}", a.new_project(&owner, "organization").await));
    ask(&member, &Method::GET, &others).await.expect(StatusCode::OK);
    for (method, permission) in [
        (Method::PATCH, "project:update"),
        (Method::PUT, "project:update"),
        (Method::DELETE, "project:delete"),
    ] {
        let refused = ask(&member, &method, &others).await;
        refused.expect_error(StatusCode::FORBIDDEN, "FORBIDDEN");
        assert_eq!(refused.json()["error"]["details"]["requiredPermission"], permission);
    }
    ask(&owner, &Method::GET, &others).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn who_may_not_know_of_a_private_project_finds_none() {
    let database = TestDatabase::new().await;
    let app = TestApp::start(&database).await;
    let world = World::make(&app, &database).await;
    let anonymous = app.client();
    let a = &world.a;
    let path = a.path(&format!("/projects/{}", a.private_project));
    let stranger = world.b.owner.sign_in("stranger", &anonymous).await.client;
    let mut outside = vec![stranger];
    for person in [&a.guest, &a.viewer, &a.member] {
        outside.push(person.sign_in("outside", &anonymous).await.client);
    }
    for client in &outside {
        for method in &ALL {
            ask(client, method, &path)
                .await
                .expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
        }
    }
    for person in [&a.owner, &a.admin] {
        let client = person.sign_in("inside", &anonymous).await.client;
        ask(&client, &Method::GET, &path).await.expect(StatusCode::OK);
        ask(&client, &Method::PATCH, &path).await.expect(StatusCode::OK);
    }
    let listed = async |client: &Client| {
        let list = client.get(&a.path("/projects?pageSize=100")).await;
        list.expect(StatusCode::OK);
        list.text.contains(&a.private_project)
    };
    for client in &outside[2..] {
        assert!(!listed(client).await);
    }

    // A role on it, or on its workspace, lets one know of it, and do what the role says.
    grant(&database, a, &a.guest, "viewer", ("project_id", &a.private_project)).await;
    grant(&database, a, &a.viewer, "member", ("workspace_id", &a.workspaces[0])).await;
    for person in [&a.guest, &a.viewer] {
        let client = person.sign_in("granted", &anonymous).await.client;
        ask(&client, &Method::GET, &path).await.expect(StatusCode::OK);
        for method in &ALL[1..] {
            ask(&client, method, &path)
                .await
                .expect_error(StatusCode::FORBIDDEN, "FORBIDDEN");
        }
    }
    let viewer = a.viewer.sign_in("viewer", &anonymous).await.client;
    assert!(listed(&viewer).await);
    let member = a.member.sign_in("member", &anonymous).await.client;
    ask(&member, &Method::GET, &path).await.expect(StatusCode::NOT_FOUND);
    grant(&database, a, &a.member, "admin", ("workspace_id", &a.workspaces[0])).await;
    let member = a.member.sign_in("member", &anonymous).await.client;
    ask(&member, &Method::DELETE, &path)
        .await
        .expect(StatusCode::NO_CONTENT);
}
