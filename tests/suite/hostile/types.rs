//! Wrong types, everywhere.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tenantry_tests::scene::Scene;

use super::expect_client_error;

#[tokio::test]
async fn every_field_of_every_body_survives_every_type() {
    let scene = Scene::new().await;
    let project = scene.create_project(&json!({ "name": "Website" })).await;
    let path = scene.project(&project);
    let values = [
        Value::Null,
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(u64::MAX),
        json!(""),
        json!(" "),
        json!("x".repeat(10_000)),
        json!([]),
        json!([[[]]]),
        json!({}),
        json!({ "": {} }),
        json!("01890a5d-ac96-774b-bcce-b302099a8057"),
        json!("\u{0}"),
        json!("../../etc/passwd"),
    ];
    let (projects, organization) = (scene.projects(), scene.path(""));
    let project_fields = &[
        "name",
        "slug",
        "description",
        "status",
        "visibility",
        "settings",
        "workspaceId",
    ][..];
    for (method, path, fields) in [
        (
            Method::POST,
            "/api/v1/auth/register",
            &["email", "password", "name", "organizationName"][..],
        ),
        (Method::POST, "/api/v1/auth/login", &["email", "password"]),
        (Method::POST, "/api/v1/auth/refresh", &["refreshToken"]),
        (Method::POST, "/api/v1/auth/logout", &["refreshToken"]),
        (
            Method::POST,
            "/api/v1/auth/oidc/exchange",
            &["code", "codeVerifier", "trustedDeviceToken"],
        ),
        (Method::POST, "/api/v1/auth/oidc/confirm", &["token"]),
        (Method::POST, "/api/v1/organizations", &["name", "slug", "region"]),
        (Method::PATCH, &organization, &["name", "slug", "settings"]),
        (
            Method::PATCH,
            "/api/v1/me",
            &["name", "avatarUrl", "locale", "preferences"],
        ),
        (Method::POST, &projects, &project_fields[..6]),
        (Method::PATCH, &path, project_fields),
        (Method::PUT, &path, project_fields),
    ] {
        for field in fields {
            for value in &values {
                let mut body = json!({ (*field): value });
                if method != Method::PATCH && *field != "name" && fields.contains(&"name") {
                    body["name"] = "x".into();
                }
                let answer = scene
                    .client()
                    .send(scene.client().request(method.clone(), path).json(&body))
                    .await;
                let asked = format!(
                    "{method} {path} {field}: {}",
                    value.to_string().chars().take(50).collect::<String>()
                );
                assert!(!answer.status.is_server_error(), "{asked}: {}", answer.text);
                if !answer.status.is_success() {
                    expect_client_error(&answer);
                }
            }
        }
        for whole in [
            json!(null),
            json!(true),
            json!(1),
            json!("text"),
            json!([]),
            json!([{}]),
        ] {
            let answer = scene
                .client()
                .send(scene.client().request(method.clone(), path).json(&whole))
                .await;
            answer.expect_error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
        }
    }
    // Too long is too long, in whatever script.
    for name in ["x".repeat(10_000), "ش".repeat(10_000), "🦦".repeat(256)] {
        let body = json!({ "name": name });
        scene
            .client()
            .post(&scene.projects(), &body)
            .await
            .expect_refused(&["/name"]);
        scene
            .client()
            .post("/api/v1/organizations", &body)
            .await
            .expect_refused(&["/name"]);
        scene
            .client()
            .patch("/api/v1/me", &body)
            .await
            .expect_refused(&["/name"]);
    }
    scene.app.client().get("/health/ready").await.expect(StatusCode::OK);
}
