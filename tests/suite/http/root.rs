//! Health, the document and the page that shows it.

use std::collections::BTreeSet;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tenantry_api::ErrorCode;
use tenantry_tests::{app::TestApp, client::Answer, database::TestDatabase};

#[tokio::test]
async fn health_is_told_bare() {
    let database = TestDatabase::new().await;
    let app = TestApp::start(&database).await;
    let live = app.client().get("/health/live").await;
    live.expect(StatusCode::OK);
    assert_eq!(live.json()["status"], "healthy");
    assert_eq!(live.json().get("data"), None);

    let ready = app.client().get("/health/ready").await;
    ready.expect(StatusCode::OK);
    let ready = ready.json();
    assert_eq!(ready["status"], "healthy");
    assert_eq!(ready["checks"]["database"]["status"], "healthy");
    assert!(ready["checks"]["database"]["latencyMs"].as_f64().unwrap() >= 0.0);
    assert!(ready["timestamp"].as_str().unwrap().ends_with('Z'));
}

#[tokio::test]
async fn the_document_is_the_one_of_the_code() {
    let database = TestDatabase::new().await;
    let app = TestApp::start(&database).await;
    let served = app.client().get("/openapi.json").await;
    served.expect(StatusCode::OK);
    assert_eq!(served.header("content-type"), Some("application/json"));
    let served = served.json();
    let generated: Value = serde_json::from_str(&tenantry_api::openapi_json()).unwrap();
    assert!(served == generated, "the served document is not the generated one");
    assert!(
        served["openapi"].as_str().unwrap().starts_with("3.1."),
        "{}",
        served["openapi"]
    );
}

#[test]
fn the_introduction_tells_of_every_code() {
    let document: Value = serde_json::from_str(&tenantry_api::openapi_json()).unwrap();
    let introduction = document["info"]["description"].as_str().unwrap();
    for code in ErrorCode::ALL {
        let cell = format!("| `{}` |", code.as_str());
        assert!(introduction.contains(&cell), "the introduction has no row of {cell}");
    }
    for heading in ["Authentication", "Errors", "Pagination", "Concurrency", "Idempotency"] {
        assert!(introduction.contains(&format!("## {heading}\n")), "{heading}");
    }
}

#[tokio::test]
async fn the_docs_page_has_all_it_needs_from_here() {
    let database = TestDatabase::new().await;
    let app = TestApp::start(&database).await;
    let client = app.client();
    let redirect = client.get("/docs").await;
    assert!(redirect.status.is_redirection(), "{}", redirect.status);
    assert_eq!(redirect.header("location"), Some("/docs/"));

    let page = client.get("/docs/").await;
    expect_asset(&page, "text/html; charset=utf-8");
    // The policy would stop a script or a style within the page.
    for inline in ["<script>", "<style", " style=", " onclick="] {
        assert!(!page.text.contains(inline), "{inline}: {}", page.text);
    }
    // Should the script be missing, a browser must not write the password into an address.
    assert!(
        page.text.contains("<form id=\"sign-in\" method=\"post\""),
        "{}",
        page.text
    );

    let mut waiting: Vec<String> = files_in(&page.text);
    let mut seen = BTreeSet::new();
    let mut shows_the_document = false;
    while let Some(file) = waiting.pop() {
        assert!(!file.contains("//"), "{file} is from elsewhere");
        let name = file.trim_start_matches("./").to_owned();
        if !seen.insert(name.clone()) {
            continue;
        }
        let path = format!("/docs/{name}");
        let asset = client.get(&path).await;
        let kind = match name.rsplit_once('.').unwrap().1 {
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            other => panic!("{other} is new"),
        };
        expect_asset(&asset, kind);
        let request = client.request(Method::GET, &path);
        let again = client
            .send(request.header("if-none-match", asset.header("etag").unwrap()))
            .await;
        again.expect(StatusCode::NOT_MODIFIED);
        assert_eq!(again.text, "");
        shows_the_document |= asset.text.contains("\"/openapi.json\"");
        // Our own modules; what Swagger UI is made of is in one file.
        if !name.starts_with("swagger-ui") {
            waiting.extend(files_in(&asset.text));
        }
    }
    assert!(shows_the_document, "{seen:?}");
    for script in ["swagger-ui-bundle.js", "page.js", "session.js", "examples.js"] {
        assert!(seen.contains(script), "{script} is not on the page: {seen:?}");
    }
    assert_ne!(client.get("/docs/../openapi.json").await.json(), json!({}));
}

/// The scripts and styles that a text names.
fn files_in(text: &str) -> Vec<String> {
    text.split(['"', '\''])
        .filter(|part| !part.contains(char::is_whitespace))
        .filter(|part| part.ends_with(".js") || part.ends_with(".css"))
        .map(str::to_owned)
        .collect()
}

/// An asset of the page: its type, kept and asked about again, under the narrowest policy.
fn expect_asset(asset: &Answer, content_type: &str) {
    asset.expect(StatusCode::OK);
    assert_eq!(asset.header("content-type"), Some(content_type));
    assert_eq!(asset.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(asset.header("cache-control"), Some("public, no-cache"));
    assert!(asset.header("etag").unwrap().starts_with('"'), "the tag is strong");
    let policy: BTreeSet<&str> = asset
        .header("content-security-policy")
        .unwrap()
        .split(';')
        .map(str::trim)
        .collect();
    let narrowest = BTreeSet::from([
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        // The arrows and marks in the styles of Swagger UI.
        "img-src 'self' data:",
        "connect-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'none'",
    ]);
    assert_eq!(policy, narrowest);
}
