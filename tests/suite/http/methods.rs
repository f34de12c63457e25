//! HEAD wherever GET is, and OPTIONS.

use std::collections::BTreeSet;

use reqwest::{Method, StatusCode};
use serde_json::json;
use tenantry_tests::{client::Answer, scene::Scene};

/// The headers that tell of the resource and not of the request.
fn headers(answer: &Answer) -> BTreeSet<(String, String)> {
    let told = answer
        .headers
        .iter()
        .filter(|(name, _)| !["x-trace-id", "date"].contains(&name.as_str()));
    told.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect()
}

#[tokio::test]
async fn head_is_get_without_its_body() {
    let scene = Scene::new().await;
    // So that nothing in a body depends on when it was asked for.
    scene.app.clock.stop();
    let project = scene.create_project(&json!({ "name": "Website" })).await;
    let owner = scene.client();
    let mut seen = Vec::new();
    for path in [
        scene.path(""),
        scene.path("/context"),
        scene.path("/members"),
        scene.path("/workspaces"),
        scene.projects(),
        scene.project(&project),
        scene.path("/projects/00000000-0000-7000-8000-000000000000"),
        scene.path("/projects?page=0"),
        "/api/v1/me".to_owned(),
        "/api/v1/organizations".to_owned(),
        "/api/v1/permissions".to_owned(),
        "/api/v1/auth/sessions".to_owned(),
        "/api/v1/auth/identities".to_owned(),
        "/api/v1/auth/oidc/providers".to_owned(),
        "/health/live".to_owned(),
        "/.well-known/jwks.json".to_owned(),
        "/openapi.json".to_owned(),
        "/docs".to_owned(),
        "/docs/".to_owned(),
        "/nowhere".to_owned(),
    ] {
        let got = owner.get(&path).await;
        let head = owner.send(owner.request(Method::HEAD, &path)).await;
        assert_eq!(head.status, got.status, "{path}");
        assert_eq!(head.text, "", "{path}");
        assert_eq!(headers(&head), headers(&got), "{path}");
        seen.push(got.status.as_u16());
    }
    for status in [200, 308, 400, 404] {
        assert!(seen.contains(&status), "{seen:?}");
    }
    let project = scene.project(&project);
    let tag = owner.get(&project).await.header("etag").unwrap().to_owned();
    let fresh = owner.with_header("if-none-match", &tag);
    fresh
        .send(fresh.request(Method::HEAD, &project))
        .await
        .expect(StatusCode::NOT_MODIFIED);
    let anyone = owner.anonymous();
    anyone
        .send(anyone.request(Method::HEAD, &project))
        .await
        .expect(StatusCode::UNAUTHORIZED);
    anyone
        .send(anyone.request(Method::HEAD, "/health/ready"))
        .await
        .expect(StatusCode::OK);
    anyone
        .send(anyone.request(Method::HEAD, "/api/v1/auth/login"))
        .await
        .expect(StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn options_tells_the_methods_to_anyone() {
    let scene = Scene::new().await;
    let anyone = scene.app.client();
    for (path, allowed) in [
        ("/api/v1/auth/register", "OPTIONS POST"),
        ("/api/v1/me", "DELETE GET HEAD OPTIONS PATCH"),
        ("/api/v1/organizations/acme/projects", "GET HEAD OPTIONS"),
        (
            "/api/v1/organizations/no-such-organization/projects/x",
            "DELETE GET HEAD OPTIONS PATCH PUT",
        ),
        ("/health/ready", "GET HEAD OPTIONS"),
        ("/openapi.json", "GET HEAD OPTIONS"),
        ("/docs/", "GET HEAD OPTIONS"),
    ] {
        let answer = anyone.send(anyone.request(Method::OPTIONS, path)).await;
        answer.expect(StatusCode::NO_CONTENT);
        assert_eq!(answer.text, "");
        let mut allow: Vec<_> = answer.header("allow").unwrap().split(", ").collect();
        allow.sort_unstable();
        assert_eq!(allow.join(" "), allowed, "{path}");
    }
    let unknown = anyone.send(anyone.request(Method::OPTIONS, "/api/v1/nothing")).await;
    unknown.expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
}

#[tokio::test]
async fn a_path_that_is_written_out_is_none_with_an_id() {
    let scene = Scene::new().await;
    for path in [
        scene.path("/members/invite"),
        "/api/v1/invitations/accept".to_owned(),
        "/api/v1/auth/passkeys/options".to_owned(),
        "/api/v1/auth/passkeys/login".to_owned(),
        "/api/v1/auth/oidc/exchange".to_owned(),
        "/api/v1/auth/oidc/confirm".to_owned(),
    ] {
        for method in [Method::GET, Method::HEAD, Method::PUT, Method::PATCH, Method::DELETE] {
            let refused = scene.client().send(scene.client().request(method.clone(), &path)).await;
            refused.expect(StatusCode::METHOD_NOT_ALLOWED);
            assert_eq!(refused.header("allow"), Some("POST, OPTIONS"), "{method} {path}");
        }
        let told = scene
            .client()
            .send(scene.client().request(Method::OPTIONS, &path))
            .await;
        assert_eq!(
            told.expect(StatusCode::NO_CONTENT).header("allow"),
            Some("POST, OPTIONS")
        );
    }
}
