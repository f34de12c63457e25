//! Browsers of other origins.

use reqwest::{Method, StatusCode};
use serde_json::json;
use tenantry_tests::{app::Options, client::Answer, scene::Scene};

const LISTED: &str = "https://app.example.com";

/// The headers that api.md names and a script may want to read.
const NAMED: &[&str] = &[
    "etag",
    "location",
    "x-trace-id",
    "x-cache",
    "retry-after",
    "www-authenticate",
    "idempotency-replayed",
    "ratelimit-limit",
    "ratelimit-remaining",
    "ratelimit-reset",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
];

async fn scene() -> Scene {
    let options = Options {
        cors_origins: vec![LISTED.to_owned()],
        ..Options::default()
    };
    Scene::with(options).await
}

/// The values of a header that is a list, in lower case.
fn listed(answer: &Answer, name: &str) -> Vec<String> {
    let values = answer.headers.get_all(name).iter();
    values
        .flat_map(|value| value.to_str().unwrap().split(','))
        .map(|value| value.trim().to_ascii_lowercase())
        .collect()
}

#[track_caller]
fn expect_let_in(answer: &Answer) {
    assert_eq!(
        answer.header("access-control-allow-origin"),
        Some(LISTED),
        "{:?}",
        answer.headers
    );
    assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
    assert!(
        listed(answer, "vary").contains(&"origin".to_owned()),
        "{:?}",
        answer.headers
    );
}

#[track_caller]
fn expect_left_out(answer: &Answer) {
    assert_eq!(
        answer.header("access-control-allow-origin"),
        None,
        "{:?}",
        answer.headers
    );
    assert_eq!(
        answer.header("access-control-allow-credentials"),
        None,
        "{:?}",
        answer.headers
    );
}

#[tokio::test]
async fn listed_origins_may_call_and_read() {
    let scene = scene().await;
    let browser = scene.client().with_header("origin", LISTED);
    let answers = [
        browser.get("/api/v1/me").await,
        browser.post(&scene.projects(), &json!({ "name": "Website" })).await,
        browser.post(&scene.projects(), &json!({})).await,
        browser.anonymous().get("/api/v1/me").await,
        browser.get("/nowhere").await,
    ];
    let statuses = answers.each_ref().map(|answer| answer.status.as_u16());
    assert_eq!(statuses, [200, 201, 400, 401, 404]);
    for answer in answers {
        expect_let_in(&answer);
        let exposed = listed(&answer, "access-control-expose-headers");
        for name in NAMED {
            assert!(exposed.contains(&(*name).to_owned()), "{name} is not among {exposed:?}");
        }
    }

    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        let preflight = scene
            .app
            .client()
            .request(Method::OPTIONS, &scene.projects())
            .header("origin", LISTED)
            .header("access-control-request-method", method)
            .header(
                "access-control-request-headers",
                "authorization,content-type,idempotency-key,if-match,if-none-match,traceparent,x-tenant-id",
            );
        let answer = scene.client().send(preflight).await;
        assert!(answer.status.is_success(), "{method}: {}", answer.status);
        expect_let_in(&answer);
        assert!(listed(&answer, "access-control-allow-methods").contains(&method.to_ascii_lowercase()));
        let headers = listed(&answer, "access-control-allow-headers");
        for name in [
            "authorization",
            "content-type",
            "idempotency-key",
            "if-match",
            "if-none-match",
        ] {
            assert!(headers.contains(&name.to_owned()), "{name} is not among {headers:?}");
        }
    }
}

#[tokio::test]
async fn other_origins_are_told_nothing() {
    let scene = scene().await;
    for origin in [
        "https://elsewhere.example",
        "http://app.example.com",
        "https://app.example.com.evil.example",
        "https://app.example.com:8443",
        "null",
    ] {
        let browser = scene.client().with_header("origin", origin);
        expect_left_out(&browser.get("/api/v1/me").await);
        expect_left_out(&browser.anonymous().get("/api/v1/me").await);
        let preflight = browser
            .anonymous()
            .request(Method::OPTIONS, "/api/v1/me")
            .header("access-control-request-method", "GET");
        expect_left_out(&browser.send(preflight).await);
    }
    // Who is no browser sends no origin, and is served.
    scene.client().get("/api/v1/me").await.expect(StatusCode::OK);
}
