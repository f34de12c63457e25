//! A request's trace: in the header, in the envelope, and continued from `traceparent`.

use reqwest::StatusCode;
use tenantry_tests::{app::TestApp, database::TestDatabase};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

#[tokio::test]
async fn a_trace_is_continued_where_it_is_one() {
    let database = TestDatabase::new().await;
    let app = TestApp::start(&database).await;
    let trace_of = async |traceparent: &str| {
        let answer = app
            .client()
            .with_header("traceparent", traceparent)
            .get("/nowhere")
            .await;
        answer.expect(StatusCode::NOT_FOUND);
        let trace = answer.header("x-trace-id").unwrap().to_owned();
        assert_eq!(answer.json()["error"]["traceId"], trace.as_str());
        let hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        assert!(trace.len() == 32 && trace.bytes().all(hex), "{trace}");
        trace
    };

    for valid in [
        format!("00-{TRACE}-00f067aa0ba902b7-01"),
        format!("00-{TRACE}-00f067aa0ba902b7-00"),
        // W3C Trace Context, section 3.2.2.1: what a later version adds at the end is not looked at.
        format!("cc-{TRACE}-00f067aa0ba902b7-01-what-the-future-brings"),
    ] {
        assert_eq!(trace_of(&valid).await, TRACE, "{valid}");
    }
    for invalid in [
        "".to_owned(),
        "garbage".to_owned(),
        TRACE.to_owned(),
        format!("ff-{TRACE}-00f067aa0ba902b7-01"),
        format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
        format!("00-{TRACE}-{}-01", "0".repeat(16)),
        format!("00-{}-00f067aa0ba902b7-01", TRACE.to_uppercase()),
        format!("00-{TRACE}-00f067aa0ba902b7"),
        format!("00-{TRACE}-00f067aa0ba902b7-01-more"),
        format!("00-{}-00f067aa0ba902b7-01", &TRACE[1..]),
    ] {
        let trace = trace_of(&invalid).await;
        assert!(trace != TRACE && trace != "0".repeat(32), "{invalid}");
    }
    let (one, other) = (app.client().get("/nowhere").await, app.client().get("/nowhere").await);
    assert_ne!(one.header("x-trace-id"), other.header("x-trace-id"));
    let fine = app
        .client()
        .with_header("traceparent", &format!("00-{TRACE}-00f067aa0ba902b7-01"))
        .get("/health/live")
        .await;
    assert_eq!(fine.header("x-trace-id"), Some(TRACE));
}
