//! Health, the document and the page that shows it.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::{app::TestApp, database::TestDatabase};

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

#[tokio::test]
async fn the_docs_page_has_all_it_needs_from_here() {
    let database = TestDatabase::new().await;
    let app = TestApp::start(&database).await;
    let client = app.client();
    let redirect = client.get("/docs").await;
    assert!(redirect.status.is_redirection(), "{}", redirect.status);
    assert_eq!(redirect.header("location"), Some("/docs/"));

    let page = client.get("/docs/").await;
    page.expect(StatusCode::OK);
    assert!(page.header("content-type").unwrap().starts_with("text/html"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.contains("script-src 'self'") && policy.contains("connect-src 'self'"),
        "{policy}"
    );
    assert!(!policy.contains("http:") && !policy.contains("https:"), "{policy}");
    // The policy would stop a script within the page.
    assert!(!page.text.contains("<script>"), "{}", page.text);

    let references = page
        .text
        .split(['"', '\''])
        .filter(|part| part.ends_with(".js") || part.ends_with(".css"));
    let mut assets = Vec::new();
    for reference in references {
        assert!(!reference.contains("//"), "{reference}");
        let asset = client
            .get(&format!("/docs/{}", reference.trim_start_matches("./")))
            .await;
        asset.expect(StatusCode::OK);
        let kind = if reference.ends_with(".js") {
            "javascript"
        } else {
            "text/css"
        };
        assert!(asset.header("content-type").unwrap().contains(kind), "{reference}");
        assets.push(asset.text);
    }
    assert!(assets.len() >= 3, "{}", page.text);
    assert!(
        assets.iter().any(|asset| asset.contains("/openapi.json")),
        "the page shows no document"
    );
    assert_ne!(client.get("/docs/../openapi.json").await.json(), json!({}));
}
