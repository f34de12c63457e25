//! Heads of requests, and what paths and parameters may hold.

use reqwest::{Method, StatusCode};
use serde_json::json;
use tenantry_tests::scene::Scene;

use super::{exchange, expect_client_error, expect_unharmed, head, rows};

#[tokio::test]
async fn heads_that_are_no_heads_are_refused_or_hung_up_on() {
    let scene = Scene::new().await;
    let before = rows(&scene).await;
    let token = scene.client().token().unwrap().to_owned();
    let create = |more: &str, body: &str| format!("{}{body}", head(&scene, &Method::POST, &scene.projects(), more));
    let body = "{\"name\":\"smuggled\"}";
    let length = body.len();
    let get = |more: &str| format!("GET /api/v1/me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n{more}\r\n");
    for (bytes, why) in [
        ("\r\n\r\n\r\n".to_owned(), "nothing"),
        ("GET\r\n\r\n".to_owned(), "no path"),
        ("GET /api/v1/me HTTP/9.9\r\n\r\n".to_owned(), "no such version"),
        (
            "GET /api/v1/me\0 HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
            "NUL in the path",
        ),
        (get("X-Odd: a\0b\r\n"), "NUL in a value"),
        (get("X-\0Odd: a\r\n"), "NUL in a name"),
        (get("X Odd: a\r\n"), "a space in a name"),
        (get("no colon at all\r\n"), "no colon"),
        (get(": no name\r\n"), "no name"),
        (get(&format!("X-Large: {}\r\n", "x".repeat(1_000_000))), "a large value"),
        (get(&format!("{}: x\r\n", "x".repeat(1_000_000))), "a large name"),
        (
            get(&(0..5000).map(|number| format!("X-{number}: x\r\n")).collect::<String>()),
            "many headers",
        ),
        (
            format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(1_000_000)),
            "a long path",
        ),
        ("\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}".to_owned(), "TLS"),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), "HTTP/2"),
        (create("Content-Length: -1\r\n", body), "a negative length"),
        (create("Content-Length: 1e3\r\n", body), "no length"),
        (
            create("Content-Length: 99999999999999999999999\r\n", body),
            "a length beyond numbers",
        ),
        (
            create(&format!("Content-Length: {length}\r\nContent-Length: 1\r\n"), body),
            "two lengths",
        ),
        (
            create(
                &format!("Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n"),
                body,
            ),
            "length and chunks",
        ),
        (
            create("Transfer-Encoding: chunked\r\n", "zz\r\n{}\r\n0\r\n\r\n"),
            "no chunk",
        ),
        (
            create("Transfer-Encoding: chunked\r\n", "FFFFFFFFFFFFFFFFFFFF\r\n{}"),
            "a chunk beyond numbers",
        ),
    ] {
        if let Some(answer) = exchange(&scene, &bytes).await {
            assert!(
                answer.status.is_client_error(),
                "{why}: {} {}",
                answer.status,
                answer.text
            );
        }
    }
    expect_unharmed(&scene, &before).await;
}

#[tokio::test]
async fn odd_requests_have_even_answers() {
    let scene = Scene::new().await;
    let before = rows(&scene).await;
    for (line, statuses) in [
        ("FOO /api/v1/me", &[405][..]),
        ("get /api/v1/me", &[405]),
        ("TRACE /api/v1/me", &[405]),
        ("FOO /nowhere", &[404]),
        ("GET /API/V1/me", &[404]),
        ("GET //api/v1/me", &[404]),
        ("GET /api/v1/me/", &[404]),
        ("GET /api/v1/../v1/me", &[404]),
        ("GET /api/v1/%6de", &[200, 404]),
        ("GET /api/v1/me%00", &[400, 404]),
        ("GET /api/v1/organizations/%00", &[400, 404]),
        ("GET /api/v1/organizations/a%00b/projects", &[400, 404]),
        ("GET /api/v1/organizations/%ff%fe", &[400, 404]),
        ("GET /api/v1/organizations/%zz", &[400, 404]),
        ("GET /api/v1/organizations/%", &[400, 404]),
        ("GET /api/v1/organizations/..%2f..%2fhealth", &[400, 404]),
        ("GET /api/v1/organizations/acme'--", &[400, 404]),
        ("GET /api/v1/organizations/acme/projects/%00", &[400, 404]),
        ("GET /api/v1/organizations/acme/projects?q=%00", &[200, 400]),
        ("GET /api/v1/organizations/acme/projects?q=%FF", &[200, 400]),
        ("GET /api/v1/organizations/acme/projects?%00=1", &[400]),
        ("GET /api/v1/organizations/acme/projects?cursor=%00", &[400]),
        ("GET /api/v1/organizations/acme/projects?sort=%00", &[400]),
        ("GET /api/v1/organizations/acme/projects?status=%00", &[400]),
        ("GET /api/v1/organizations/acme/projects?page=%00", &[400]),
        ("GET /api/v1/organizations/acme/projects?&&&", &[200, 400]),
        ("GET /api/v1/organizations/acme/projects?=", &[400]),
        ("GET /docs/%00", &[400, 404]),
        ("GET /docs/..%2f..%2f..%2fetc%2fpasswd", &[400, 404]),
    ] {
        let token = scene.client().token().unwrap();
        let request = format!("{line} HTTP/1.1\r\nHost: tenantry.test\r\nAuthorization: Bearer {token}\r\n\r\n");
        let answer = exchange(&scene, request).await.expect("an answer");
        let status = answer.status.as_u16();
        assert!(statuses.contains(&status), "{line}: {status} {}", answer.text);
        if status >= 400 {
            expect_client_error(&answer);
        }
    }
    expect_unharmed(&scene, &before).await;
}

#[tokio::test]
async fn absurd_values_of_known_headers_do_no_harm() {
    let scene = Scene::new().await;
    let project = scene.create_project(&json!({ "name": "Website" })).await;
    let path = scene.project(&project);
    let long = "x".repeat(20_000);
    let odd = [
        "",
        ",",
        ",,,",
        "\"",
        "\"\"\"",
        "W/",
        "W/\"",
        "*, *",
        "\"a\" \"b\"",
        "ÿ",
        "\u{fe}\u{ff}",
        "0",
        "-1",
        long.as_str(),
    ];
    for name in [
        "if-match",
        "if-none-match",
        "accept",
        "authorization",
        "traceparent",
        "tracestate",
        "origin",
        "x-forwarded-for",
        "forwarded",
        "x-tenant-id",
        "x-http-method-override",
        "cookie",
        "range",
        "accept-encoding",
        "content-encoding",
        "user-agent",
        "expect",
        "connection",
        "upgrade",
    ] {
        for value in odd {
            // As bytes: some of these are no ASCII.
            let token = scene.client().token().unwrap();
            let credentials = if name == "authorization" {
                String::new()
            } else {
                format!("Authorization: Bearer {token}\r\n")
            };
            let mut request = format!("PATCH {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n{credentials}{name}: ").into_bytes();
            request.extend(
                value
                    .chars()
                    .map(|character| u8::try_from(u32::from(character)).unwrap()),
            );
            request.extend_from_slice(b"\r\n\r\n{}");
            if let Some(answer) = exchange(&scene, request).await {
                assert!(
                    !answer.status.is_server_error(),
                    "{name}: {value:?}: {} {}",
                    answer.status,
                    answer.text
                );
            }
        }
    }
    for key in ["", "\t", "ÿ"] {
        let request = format!("Idempotency-Key: {key}\r\nContent-Length: 12\r\n");
        let request = format!(
            "{}{{\"name\":\"x\"}}",
            head(&scene, &Method::POST, &scene.projects(), &request)
        );
        if let Some(answer) = exchange(&scene, request).await {
            assert!(!answer.status.is_server_error(), "{key:?}: {}", answer.text);
        }
    }
    // A tenant named by header is not the one of the path: no one's rights grow by it.
    let stranger = scene.app.client().register("Stranger", Some("Elsewhere")).await;
    let foreign = stranger
        .client
        .with_header("x-tenant-id", &stranger.organization().await);
    foreign
        .get(&path)
        .await
        .expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
    scene.client().get(&path).await.expect(StatusCode::OK);
}
