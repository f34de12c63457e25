//! What a page of another origin comes to that has the browser send the cookies and knows no CSRF token: nothing. And
//! what pages of listed origins may send.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use reqwest::{Method, StatusCode};
use tenantry_tests::{
    app::Options,
    client::{Answer, Client},
};

use super::{
    Browser, CSRF_HEADER, LEEWAY, LOGOUT, TRANSPORT, by_password, expect_forbidden, in_mode, traces, without_token,
};
use crate::mfa::{LOGIN, REFRESH, Stage, expect_unauthorized, post_nothing};

const LISTED: &str = "https://app.example.com";

/// Everything that is no right CSRF token of a browser, whatever it knows of another's.
fn without_right_token(ann: &Browser, other: &Browser) -> Vec<Client> {
    let csrf = ann.csrf_token.as_str();
    let swapped: String = csrf
        .chars()
        .map(|letter| {
            if letter.is_ascii_uppercase() {
                letter.to_ascii_lowercase()
            } else {
                letter.to_ascii_uppercase()
            }
        })
        .collect();
    let mut clients = vec![ann.cookies_alone(), in_mode(&ann.cookies_alone(), "cookie")];
    for wrong in [
        "",
        "x",
        "null",
        "\"",
        &csrf[1..],
        &csrf[..csrf.len() - 1],
        &csrf[..csrf.len() / 2],
        &format!("{csrf}A"),
        &format!("{csrf}="),
        &format!("\"{csrf}\""),
        &format!("{csrf}, {csrf}"),
        &swapped,
        &"A".repeat(csrf.len()),
        &other.csrf_token,
        &ann.refresh_token,
        &ann.access_token,
        &"x".repeat(4000),
    ] {
        clients.push(ann.page_with(wrong));
    }
    clients
}

#[tokio::test]
async fn a_refresh_without_the_right_csrf_token_is_none() {
    let stage = Stage::new().await;
    let account = stage.newcomer("Ann").await;
    let ann = Browser::sign_in(&stage, &account).await;
    let elsewhere = Browser::sign_in(&stage, &account).await;
    let before = traces(&stage).await;
    for client in without_right_token(&ann, &elsewhere) {
        expect_forbidden(&post_nothing(&client, REFRESH).await);
    }
    for request in without_token(&ann.cookies_alone(), REFRESH) {
        expect_forbidden(&ann.cookies_alone().send(request).await);
    }
    stage.app.clock.advance(LEEWAY + TimeDelta::seconds(1));
    for client in without_right_token(&ann, &elsewhere) {
        expect_forbidden(&post_nothing(&client, REFRESH).await);
    }
    assert_eq!(traces(&stage).await, before);
    assert_eq!(
        stage.database.count("refresh_tokens where used_at is not null").await,
        0
    );
    // The token was never used: it is good, and so is the session.
    ann.expect_signed_in().await;
    let next = ann.renewed(&stage).await;
    next.expect_signed_in().await;
    elsewhere.renewed(&stage).await;
}

/// Otherwise another origin could end a session by having an old cookie sent.
#[tokio::test]
async fn a_used_cookie_without_the_right_csrf_token_is_no_theft() {
    let stage = Stage::new().await;
    let account = stage.newcomer("Ann").await;
    let ann = Browser::sign_in(&stage, &account).await;
    let elsewhere = Browser::sign_in(&stage, &account).await;
    let next = ann.renewed(&stage).await;
    stage.app.clock.advance(LEEWAY + TimeDelta::seconds(1));
    let before = traces(&stage).await;
    for client in without_right_token(&ann, &elsewhere) {
        expect_forbidden(&post_nothing(&client, REFRESH).await);
    }
    assert_eq!(traces(&stage).await, before);
    next.expect_signed_in().await;
    let last = next.renewed(&stage).await;
    // With the right one it is.
    expect_unauthorized(&ann.refresh().await);
    assert_eq!(
        stage.database.count("sessions where revoked_because = 'reuse'").await,
        1
    );
    last.expect_signed_out().await;
}

#[tokio::test]
async fn a_logout_without_the_right_csrf_token_is_none() {
    let stage = Stage::new().await;
    let account = stage.newcomer("Ann").await;
    let ann = Browser::sign_in(&stage, &account).await;
    let elsewhere = Browser::sign_in(&stage, &account).await;
    let before = traces(&stage).await;
    for client in without_right_token(&ann, &elsewhere) {
        expect_forbidden(&post_nothing(&client, LOGOUT).await);
    }
    for request in without_token(&ann.cookies_alone(), LOGOUT) {
        expect_forbidden(&ann.cookies_alone().send(request).await);
    }
    assert_eq!(traces(&stage).await, before);
    stage.app.clock.advance(LEEWAY + TimeDelta::seconds(1));
    ann.expect_signed_in().await;
    ann.renewed(&stage).await.expect_signed_in().await;
}

#[tokio::test]
async fn a_csrf_token_is_its_sessions_own_and_tells_nothing() {
    let stage = Stage::new().await;
    let account = stage.newcomer("Ann").await;
    let mut browsers = Vec::new();
    for _ in 0..3 {
        browsers.push(Browser::sign_in(&stage, &account).await);
    }
    browsers.push(Browser::sign_in(&stage, &stage.newcomer("Bob").await).await);
    for (index, browser) in browsers.iter().enumerate() {
        for (other_index, other) in browsers.iter().enumerate() {
            if index != other_index {
                assert_ne!(browser.csrf_token, other.csrf_token);
                expect_forbidden(&post_nothing(&browser.page_with(&other.csrf_token), REFRESH).await);
                expect_forbidden(&post_nothing(&browser.page_with(&other.csrf_token), LOGOUT).await);
            }
        }
        let session: uuid::Uuid = browser.session().await.parse().unwrap();
        let csrf = browser.csrf_token.as_str();
        let secret = browser.refresh_token.trim_start_matches("tnr_");
        let bytes = URL_SAFE_NO_PAD.decode(csrf).unwrap_or_default();
        let text = csrf.to_lowercase();
        assert!(!text.contains(&session.to_string()) && !text.contains(&session.simple().to_string()));
        assert!(!csrf.contains(&URL_SAFE_NO_PAD.encode(session.as_bytes())));
        assert!(!bytes.windows(16).any(|window| window == session.as_bytes()));
        // No eight letters of the one are in the other.
        let parts = |of: &str| of.as_bytes().windows(8).map(<[u8]>::to_vec).collect::<Vec<_>>();
        let of_secret = parts(secret);
        assert!(
            !parts(csrf).iter().any(|part| of_secret.contains(part)),
            "{csrf} {secret}"
        );
    }
    for browser in &browsers {
        // The same after every refresh, and good each time.
        browser
            .renewed(&stage)
            .await
            .renewed(&stage)
            .await
            .renewed(&stage)
            .await;
    }
}

/// The values of a header that is a list, in lower case.
fn listed(answer: &Answer, name: &str) -> Vec<String> {
    let values = answer.headers.get_all(name).iter();
    values
        .flat_map(|value| value.to_str().unwrap().split(','))
        .map(|value| value.trim().to_ascii_lowercase())
        .collect()
}

async fn preflight(client: &Client, path: &str) -> Answer {
    let request = client
        .request(Method::OPTIONS, path)
        .header("access-control-request-method", "POST")
        .header(
            "access-control-request-headers",
            "content-type,x-csrf-token,x-token-transport",
        );
    client.send(request).await
}

#[tokio::test]
async fn pages_of_listed_origins_may_send_cookies_and_both_headers() {
    let stage = Stage::with(Options {
        cors_origins: vec![LISTED.to_owned()],
        ..Options::default()
    })
    .await;
    let account = stage.newcomer("Ann").await;
    let page = stage.anybody().with_header("origin", LISTED);
    for path in [LOGIN, "/api/v1/auth/register", REFRESH, LOGOUT] {
        let answer = preflight(&page, path).await;
        assert!(answer.status.is_success(), "{path}: {}", answer.status);
        assert_eq!(answer.header("access-control-allow-origin"), Some(LISTED));
        assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
        let allowed = listed(&answer, "access-control-allow-headers");
        for name in [TRANSPORT, CSRF_HEADER, "content-type"] {
            assert!(
                allowed.contains(&name.to_owned()),
                "{path}: {name} is not among {allowed:?}"
            );
        }
        let elsewhere = stage.anybody().with_header("origin", "https://elsewhere.example");
        let answer = preflight(&elsewhere, path).await;
        assert_eq!(answer.header("access-control-allow-origin"), None);
        assert_eq!(answer.header("access-control-allow-credentials"), None);
    }

    let answer = in_mode(&page, "cookie").post(LOGIN, &by_password(&account)).await;
    let ann = Browser::of(&stage, answer.expect(StatusCode::OK));
    let renewed = post_nothing(&ann.page().with_header("origin", LISTED), REFRESH).await;
    ann.succeeded_by(&stage, &renewed);
    for answer in [answer, renewed] {
        assert_eq!(answer.header("access-control-allow-origin"), Some(LISTED));
        assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
    }
    // The refusal can be read, too.
    let refused = post_nothing(&ann.cookies_alone().with_header("origin", LISTED), REFRESH).await;
    expect_forbidden(&refused);
    assert_eq!(refused.header("access-control-allow-origin"), Some(LISTED));
}
