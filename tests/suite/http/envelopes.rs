//! One envelope for whatever goes wrong, and headers that every answer has.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tenantry_tests::{client::Answer, scene::Scene};

/// That an answer is an error of this kind in the envelope, wholly and exactly.
#[track_caller]
fn expect_envelope(answer: &Answer, status: StatusCode, code: &str) {
    answer.expect_error(status, code);
    let json = answer.json();
    assert_eq!(json.as_object().unwrap().keys().collect::<Vec<_>>(), ["error"]);
    let error = json["error"].as_object().unwrap();
    let mut keys: Vec<_> = error.keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["code", "details", "message", "traceId"]);
    assert!(!error["message"].as_str().unwrap().is_empty());
    assert_eq!(error["traceId"], answer.header("x-trace-id").unwrap());
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn whatever_goes_wrong_comes_in_the_envelope() {
    let scene = Scene::new().await;
    let (owner, anyone) = (scene.client(), scene.app.client());
    let project = scene.create_project(&json!({ "name": "Website" })).await;
    let path = scene.project(&project);

    for unknown in [
        "/",
        "/api",
        "/api/v1",
        "/api/v1/",
        "/api/v1/nothing",
        "/api/v2/me",
        "/docs/none",
        "/health",
    ] {
        expect_envelope(&anyone.get(unknown).await, StatusCode::NOT_FOUND, "NOT_FOUND");
    }
    expect_envelope(&anyone.get(&path).await, StatusCode::UNAUTHORIZED, "UNAUTHORIZED");

    for (path, method, allowed) in [
        (
            "/api/v1/me",
            Method::POST,
            vec!["DELETE", "GET", "HEAD", "OPTIONS", "PATCH"],
        ),
        ("/api/v1/auth/login", Method::GET, vec!["OPTIONS", "POST"]),
        (
            &path,
            Method::POST,
            vec!["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "PUT"],
        ),
        ("/health/live", Method::POST, vec!["GET", "HEAD", "OPTIONS"]),
        ("/openapi.json", Method::PUT, vec!["GET", "HEAD", "OPTIONS"]),
    ] {
        let answer = anyone.send(anyone.request(method, path)).await;
        expect_envelope(&answer, StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED");
        let mut allow: Vec<_> = answer.header("allow").unwrap().split(", ").collect();
        allow.sort_unstable();
        assert_eq!(allow, allowed, "{path}");
    }

    let unacceptable = owner.with_header("accept", "text/html").get("/api/v1/me").await;
    expect_envelope(&unacceptable, StatusCode::NOT_ACCEPTABLE, "NOT_ACCEPTABLE");
    for accept in [
        "*/*",
        "application/*",
        "text/html, application/json;q=0.5",
        "application/json; charset=utf-8",
    ] {
        owner
            .with_header("accept", accept)
            .get("/api/v1/me")
            .await
            .expect(StatusCode::OK);
    }

    // Two of them are one list.
    let request = owner.request(Method::GET, "/api/v1/me").header("accept", "text/html");
    owner
        .send(request.header("accept", "application/json"))
        .await
        .expect(StatusCode::OK);
    owner
        .with_header("accept", "application/json;Q=0")
        .get("/api/v1/me")
        .await
        .expect_error(StatusCode::NOT_ACCEPTABLE, "NOT_ACCEPTABLE");

    let send = |method: Method, kind: &'static str, body: &'static str| {
        owner.send(owner.request(method, &path).header("content-type", kind).body(body))
    };
    let malformed = send(Method::PATCH, "application/json", "{\"name\": ").await;
    expect_envelope(&malformed, StatusCode::BAD_REQUEST, "MALFORMED_REQUEST");
    assert!(
        malformed.json()["error"]["details"]["location"].is_string(),
        "{}",
        malformed.text
    );
    for kind in [
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "application/jsonx",
        "",
    ] {
        let answer = send(Method::PATCH, kind, "{}").await;
        expect_envelope(&answer, StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE");
    }
    let put = send(Method::PUT, "application/merge-patch+json", "{\"name\":\"x\"}").await;
    expect_envelope(&put, StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE");
    for kind in [
        "application/merge-patch+json",
        "application/json; charset=utf-8",
        "APPLICATION/JSON",
    ] {
        send(Method::PATCH, kind, "{}").await.expect(StatusCode::OK);
    }

    let invalid = send(Method::PUT, "application/json", "{\"nmae\": 1}").await;
    expect_envelope(&invalid, StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    for field in invalid.json()["error"]["details"]["fields"].as_array().unwrap() {
        let mut keys: Vec<_> = field.as_object().unwrap().keys().collect();
        keys.sort_unstable();
        assert_eq!(keys, ["code", "field", "message"]);
    }
    let unparsed = owner.get(&scene.path("/projects/no-uuid")).await;
    expect_envelope(&unparsed, StatusCode::BAD_REQUEST, "MALFORMED_REQUEST");
    let conditional = owner
        .with_header("if-match", "\"0\"")
        .patch(&path, &json!({ "name": "Other" }))
        .await;
    expect_envelope(&conditional, StatusCode::PRECONDITION_FAILED, "PRECONDITION_FAILED");
    let taken = owner
        .post(&scene.projects(), &json!({ "name": "x", "slug": "website" }))
        .await;
    expect_envelope(&taken, StatusCode::CONFLICT, "CONFLICT");
    assert_eq!(taken.reason(), "slug_taken");
}

#[tokio::test]
async fn every_answer_is_guarded_and_nameless() {
    let scene = Scene::new().await;
    let anyone = scene.app.client();
    let preflight = anyone
        .request(Method::OPTIONS, "/api/v1/me")
        .header("origin", "https://elsewhere.example")
        .header("access-control-request-method", "GET");
    let answers = [
        scene.client().get("/api/v1/me").await,
        scene.client().get(&scene.path("/projects")).await,
        scene.client().post(&scene.projects(), &json!({ "name": "A" })).await,
        scene.client().post(&scene.projects(), &json!({})).await,
        anyone.get("/api/v1/me").await,
        anyone.get("/nowhere").await,
        anyone.get("/docs/").await,
        anyone.get("/docs").await,
        anyone.get("/openapi.json").await,
        anyone.get("/health/live").await,
        anyone.get("/.well-known/jwks.json").await,
        anyone.delete("/api/v1/auth/login").await,
        anyone.send(anyone.request(Method::OPTIONS, "/api/v1/me")).await,
        anyone.send(anyone.request(Method::HEAD, "/health/live")).await,
        anyone.send(preflight).await,
    ];
    for answer in answers {
        let told = format!("{} {:?}", answer.status, answer.headers);
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{told}");
        assert_eq!(answer.header("x-frame-options"), Some("DENY"), "{told}");
        for name in [
            "strict-transport-security",
            "referrer-policy",
            "permissions-policy",
            "x-trace-id",
        ] {
            assert!(
                answer.header(name).is_some_and(|value| !value.is_empty()),
                "{name}: {told}"
            );
        }
        let policy = answer.header("content-security-policy").expect(&told);
        assert!(policy.contains("default-src 'none'"), "{told}");
        assert!(policy.contains("frame-ancestors 'none'"), "{told}");
        assert!(!policy.contains("unsafe-eval") && !policy.contains('*'), "{told}");
        assert_eq!(
            answer.headers.get_all("content-security-policy").iter().count(),
            1,
            "{told}"
        );
        for name in ["server", "x-powered-by", "via"] {
            assert_eq!(answer.header(name), None, "{told}");
        }
    }
}

#[tokio::test]
async fn caches_are_told_what_they_may_keep() {
    let scene = Scene::new().await;
    let project = scene.create_project(&json!({ "name": "Website" })).await;
    let owner = scene.client();
    for path in [
        scene.path(""),
        scene.path("/context"),
        scene.path("/members"),
        scene.path("/workspaces"),
        scene.path("/projects"),
        scene.project(&project),
    ] {
        let answer = owner.get(&path).await;
        assert_eq!(answer.header("cache-control"), Some("private, no-cache"), "{path}");
    }
    for path in [
        "/api/v1/me",
        "/api/v1/me/organizations",
        "/api/v1/auth/sessions",
        "/api/v1/auth/trusted-devices",
        "/api/v1/auth/identities",
        "/api/v1/auth/mfa",
    ] {
        let answer = owner.get(path).await;
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
    }
    let refreshed = owner
        .anonymous()
        .post(
            "/api/v1/auth/refresh",
            &json!({ "refreshToken": scene.owner.refresh_token }),
        )
        .await;
    assert_eq!(refreshed.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn moments_are_utc_with_milliseconds_and_absent_values_are_null() {
    let scene = Scene::new().await;
    let project = scene.create_project(&json!({ "name": "Website" })).await;
    let mut moments = 0;
    for path in [
        scene.path(""),
        scene.path("/members"),
        scene.path("/workspaces"),
        scene.project(&project),
        "/api/v1/me".to_owned(),
        "/api/v1/auth/sessions".to_owned(),
    ] {
        let data = scene.client().get(&path).await.data();
        let entries = data.as_array().cloned().unwrap_or_else(|| vec![data]);
        for entry in entries {
            for name in ["id", "createdAt", "updatedAt"] {
                assert!(entry[name].is_string(), "{path} has no {name}: {entry}");
            }
            for (name, value) in entry.as_object().unwrap() {
                if name.ends_with("At") && !value.is_null() {
                    assert!(is_moment(value), "{path} {name}: {value}");
                    moments += 1;
                }
            }
        }
    }
    assert!(moments >= 12);
    assert_eq!(project.get("description"), Some(&Value::Null));
}

/// Whether a value has the form `2026-01-31T09:30:00.123Z`.
fn is_moment(value: &Value) -> bool {
    let pattern = "dddd-dd-ddTdd:dd:dd.dddZ";
    let text = value.as_str().unwrap_or_default();
    text.len() == pattern.len()
        && text.chars().zip(pattern.chars()).all(|(character, place)| match place {
            'd' => character.is_ascii_digit(),
            place => character == place,
        })
}
