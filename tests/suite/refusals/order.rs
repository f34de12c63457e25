//! Requests with everything wrong that can be, in the order in which it is told.

use reqwest::{Method, StatusCode};
use serde_json::json;
use tenantry_tests::{
    app::TestApp,
    client::{Answer, Client},
    database::TestDatabase,
};

use crate::world::{World, new_id, new_text};

/// A request whose body is of a type that nothing takes.
async fn send(client: &Client, method: Method, path: &str) -> Answer {
    let request = client
        .request(method, path)
        .header("content-type", "text/plain")
        .body("{");
    client.send(request).await
}

#[tokio::test]
async fn the_first_of_many_wrongs_is_told() {
    let database = TestDatabase::new().await;
    let app = TestApp::start(&database).await;
    let world = World::make(&app, &database).await;
    let a = &world.a;
    let anonymous = app.client();
    let stranger = world.b.owner.sign_in("stranger", &anonymous).await.client;
    let viewer = a.viewer.sign_in("viewer", &anonymous).await.client;
    let owner = a.owner.sign_in("owner", &anonymous).await.client;
    let project = a.path(&format!("/projects/{}", a.project));
    let projects = a.path(&format!("/workspaces/{}/projects", a.workspaces[0]));

    for client in [&anonymous, &stranger, &viewer, &owner] {
        send(client, Method::PATCH, &a.path("/nothing/here"))
            .await
            .expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
        let refused = send(client, Method::POST, &project).await;
        refused.expect_error(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED");
        assert_eq!(refused.header("allow"), Some("DELETE, GET, HEAD, PATCH, PUT, OPTIONS"));
    }
    for path in [
        &project,
        &a.path("/projects/no-id"),
        &format!("/api/v1/organizations/{}/projects/{}", new_id(), new_id()),
    ] {
        send(&anonymous, Method::PATCH, path)
            .await
            .expect_error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED");
        send(&stranger, Method::PATCH, path)
            .await
            .expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
    }
    for path in [
        a.path(&format!("/projects/{}", new_id())),
        a.path(&format!("/projects/{}", a.private_project)),
    ] {
        send(&viewer, Method::PATCH, &path)
            .await
            .expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
    }
    send(&viewer, Method::PATCH, &format!("{project}?unknown=1"))
        .await
        .expect_error(StatusCode::FORBIDDEN, "FORBIDDEN");
    send(&owner, Method::PATCH, &format!("{project}?unknown=1"))
        .await
        .expect_error(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE");

    // 400 before 422: the key was used, and the body does not fit.
    let key = new_text();
    let with_key = owner.with_header("idempotency-key", &key);
    with_key
        .post(&projects, &json!({ "name": "First", "slug": "first" }))
        .await
        .expect(StatusCode::CREATED);
    with_key
        .post(&projects, &json!({ "name": "" }))
        .await
        .expect_error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    // 422 before 409: the slug is taken, too.
    with_key
        .post(&projects, &json!({ "name": "Second", "slug": "first" }))
        .await
        .expect_error(StatusCode::UNPROCESSABLE_ENTITY, "IDEMPOTENCY_KEY_REUSED");
    owner
        .post(&projects, &json!({ "name": "Second", "slug": "first" }))
        .await
        .expect_error(StatusCode::CONFLICT, "CONFLICT");
    // 400 before 412 before 409.
    let of_another_version = owner.with_header("if-match", "\"4711\"");
    for (body, status, code) in [
        (json!({ "name": "" }), StatusCode::BAD_REQUEST, "VALIDATION_ERROR"),
        (
            json!({ "slug": "first" }),
            StatusCode::PRECONDITION_FAILED,
            "PRECONDITION_FAILED",
        ),
    ] {
        of_another_version
            .patch(&project, &body)
            .await
            .expect_error(status, code);
    }
    owner
        .patch(&project, &json!({ "slug": "first" }))
        .await
        .expect_error(StatusCode::CONFLICT, "CONFLICT");
    // 403 before 412.
    viewer
        .with_header("if-match", "\"4711\"")
        .delete(&project)
        .await
        .expect_error(StatusCode::FORBIDDEN, "FORBIDDEN");
}

#[tokio::test]
async fn what_is_no_id_is_told_to_those_who_may_act() {
    let database = TestDatabase::new().await;
    let app = TestApp::start(&database).await;
    let world = World::make(&app, &database).await;
    let a = &world.a;
    let anonymous = app.client();
    let stranger = world.b.owner.sign_in("stranger", &anonymous).await.client;
    let viewer = a.viewer.sign_in("viewer", &anonymous).await.client;
    let owner = a.owner.sign_in("owner", &anonymous).await.client;
    for (method, below, location, viewers) in [
        (
            Method::GET,
            "/projects/no-id",
            "path.projectId",
            StatusCode::BAD_REQUEST,
        ),
        (
            Method::PATCH,
            "/projects/no-id",
            "path.projectId",
            StatusCode::FORBIDDEN,
        ),
        (Method::PUT, "/projects/no-id", "path.projectId", StatusCode::FORBIDDEN),
        (
            Method::DELETE,
            "/projects/no-id",
            "path.projectId",
            StatusCode::FORBIDDEN,
        ),
        (Method::GET, "/workspaces/no-id", "path.wsId", StatusCode::BAD_REQUEST),
        (
            Method::GET,
            "/workspaces/no-id/projects",
            "path.wsId",
            StatusCode::BAD_REQUEST,
        ),
        (
            Method::POST,
            "/workspaces/no-id/projects",
            "path.wsId",
            StatusCode::FORBIDDEN,
        ),
    ] {
        let path = a.path(below);
        let ask = async |client: &Client| {
            let request = client.request(method.clone(), &path);
            let request = if method == Method::GET || method == Method::DELETE {
                request
            } else {
                request.json(&json!({ "name": "New" }))
            };
            client.send(request).await
        };
        ask(&anonymous).await.expect(StatusCode::UNAUTHORIZED);
        ask(&stranger).await.expect(StatusCode::NOT_FOUND);
        ask(&viewer).await.expect(viewers);
        let refused = ask(&owner).await;
        refused.expect_error(StatusCode::BAD_REQUEST, "MALFORMED_REQUEST");
        assert_eq!(refused.json()["error"]["details"]["location"], location);
    }
    let sessions = "/api/v1/auth/sessions/no-id";
    anonymous.delete(sessions).await.expect(StatusCode::UNAUTHORIZED);
    owner
        .delete(sessions)
        .await
        .expect_error(StatusCode::BAD_REQUEST, "MALFORMED_REQUEST");
    // An organization goes by a slug, which is any text.
    owner
        .get("/api/v1/organizations/No%20Slug!")
        .await
        .expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
}

#[tokio::test]
async fn the_type_of_a_body_is_told_before_what_is_no_id() {
    let database = TestDatabase::new().await;
    let app = TestApp::start(&database).await;
    let world = World::make(&app, &database).await;
    let owner = world.a.owner.sign_in("owner", &app.client()).await.client;
    for (method, below) in [
        (Method::PATCH, "/projects/no-id"),
        (Method::PUT, "/projects/no-id"),
        (Method::POST, "/workspaces/no-id/projects"),
    ] {
        send(&owner, method, &world.a.path(below))
            .await
            .expect_error(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE");
    }
}
