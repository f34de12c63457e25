//! Headers: whatever a value is, each parser gives an answer that the value bears out.

use actix_web::{HttpRequest, http::header::HeaderValue, test::TestRequest};
use tenantry_api::parsers;
use tenantry_domain::trace::TraceId;
use tenantry_services::preconditions::Precondition;

/// The version that a client is asked about.
const VERSION: i64 = 7;

/// The bytes are the value of each header in turn.
pub fn run(data: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(data) else {
        return;
    };
    let with = |name: &'static str| {
        TestRequest::get()
            .insert_header((name, value.clone()))
            .to_http_request()
    };
    let text = value.to_str().unwrap_or_default();
    traceparent(text);
    bearer(&with("authorization"), text);
    accept(&with("accept"), &value);
    idempotency_key(&with("idempotency-key"), text);
    if_match(&with("if-match"), text);
    if_none_match(&with("if-none-match"), text);
}

/// W3C Trace Context, section 3.2.
fn traceparent(text: &str) {
    let Some(trace) = TraceId::from_traceparent(text) else {
        return;
    };
    let shown = trace.to_string();
    assert_eq!(text.get(3..35), Some(shown.as_str()));
    assert_eq!(shown.parse(), Ok(trace));
    assert!(shown.bytes().any(|byte| byte != b'0'));
}

/// RFC 6750, section 2.1.
fn bearer(request: &HttpRequest, text: &str) {
    let Some(token) = parsers::bearer_token(request) else {
        return;
    };
    assert!(
        text.get(..7)
            .is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer "))
    );
    assert!(text.ends_with(token) || text.trim_end().ends_with(token));
    assert_eq!(token, token.trim());
}

/// RFC 9110, section 12.5.1: naming more never accepts less.
fn accept(request: &HttpRequest, value: &HeaderValue) {
    let _ = parsers::accepts_json(request);
    let more = [value.as_bytes(), b", application/json"].concat();
    let Ok(more) = HeaderValue::from_bytes(&more) else {
        return;
    };
    let request = TestRequest::get().insert_header(("accept", more)).to_http_request();
    assert!(parsers::accepts_json(&request));
}

fn idempotency_key(request: &HttpRequest, text: &str) {
    let Ok(key) = parsers::idempotency_key(request, b"{}") else {
        return;
    };
    assert!(key.is_some() && (1..=255).contains(&text.len()));
    assert_eq!(parsers::idempotency_key(request, b"{}"), Ok(key.clone()));
    assert!(parsers::idempotency_key(request, b"[]") != Ok(key));
}

/// RFC 9110, section 13.1.1: the versions are those that the header names.
fn if_match(request: &HttpRequest, text: &str) {
    match parsers::precondition(request) {
        Ok(Precondition::Versions(versions)) => {
            assert!(versions.iter().all(|version| names(text, *version)));
            assert!(text.len() <= 255);
        }
        Ok(Precondition::None) => assert_eq!(text.trim(), "*"),
        Err(_) => {}
    }
}

/// RFC 9110, section 13.1.2: only what the header names is held.
fn if_none_match(request: &HttpRequest, text: &str) {
    if parsers::is_fresh(request, VERSION) {
        assert!(text.trim() == "*" || text.contains("\"7\""));
    }
}

/// Whether a version is among the tags, however it is written: `"7"`, `"+7"`, `"07"`.
fn names(text: &str, version: i64) -> bool {
    text.split('"').any(|tag| tag.parse() == Ok(version))
}
