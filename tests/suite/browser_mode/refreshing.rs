//! Staying signed in by cookie: rotation, its leeway and theft as in body mode, and what is in the body beside cookies.

use chrono::TimeDelta;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tenantry_tests::client::{Answer, text};

use super::{
    Browser, CSRF_HEADER, LEEWAY, LOGOUT, expect_body_mode, expect_no_cookie, expect_no_token_found, in_mode,
    names_set, traces, without_token,
};
use crate::mfa::{LOGIN, ME, REFRESH, Stage, expect_unauthorized, post_nothing};

const SECOND: TimeDelta = TimeDelta::seconds(1);
const JSON: &str = "application/json";

/// Exchanges a token that is in the body.
fn in_body(token: &str) -> Value {
    json!({ "refreshToken": token })
}

async fn refresh_at_once(browser: &Browser, times: usize) -> Vec<Answer> {
    let running: Vec<_> = (0..times)
        .map(|_| {
            let browser = browser.clone();
            tokio::spawn(async move { browser.refresh().await })
        })
        .collect();
    let mut answers = Vec::new();
    for one in running {
        answers.push(one.await.unwrap());
    }
    answers
}

#[tokio::test]
async fn a_cookie_is_exchanged_for_its_successor_whether_there_is_a_body_or_not() {
    let stage = Stage::new().await;
    let account = stage.newcomer("Ann").await;
    let mut ann = Browser::sign_in(&stage, &account).await;
    let (first, session) = (ann.clone(), ann.session().await);
    let sessions = stage.sessions(&account).await;
    for request in 0..without_token(&ann.page(), REFRESH).len() {
        // Each is used long after the one before, so that none is good by the leeway.
        stage.app.clock.advance(LEEWAY + SECOND);
        let page = ann.page();
        let answer = page
            .send(without_token(&page, REFRESH).into_iter().nth(request).unwrap())
            .await;
        ann = ann.succeeded_by(&stage, &answer);
        assert_eq!(names_set(&answer).len(), 2);
        ann.expect_signed_in().await;
    }
    assert_eq!(ann.session().await, session);
    assert_eq!(stage.sessions(&account).await, sessions);
    // The access tokens from before live out their hour.
    first.expect_signed_in().await;
    let stored = stage.all_that_is_stored().await;
    assert!(!stored.contains(&ann.refresh_token) && !stored.contains("tnr_"));
}

#[tokio::test]
async fn a_token_that_is_in_the_cookie_never_gets_into_a_body() {
    let stage = Stage::new().await;
    let account = stage.newcomer("Ann").await;
    let mut ann = Browser::sign_in(&stage, &account).await;
    for mode in ["body", "cookie", "body"] {
        let answer = post_nothing(&in_mode(&ann.page(), mode), REFRESH).await;
        ann = ann.succeeded_by(&stage, &answer);
        let answer = in_mode(&ann.page(), mode)
            .post(REFRESH, &json!({ "refreshToken": null }))
            .await;
        ann = ann.succeeded_by(&stage, &answer);
    }
    for path in [ME, super::SESSIONS, "/api/v1/auth/mfa", "/api/v1/auth/trusted-devices"] {
        let answer = ann.bearer().get(path).await;
        super::expect_no_refresh_token(answer.expect(StatusCode::OK), &ann.refresh_token);
        assert!(!answer.text.contains(&ann.csrf_token), "{}", answer.text);
        expect_no_cookie(&answer);
    }
}

#[tokio::test]
async fn within_ten_seconds_a_used_cookie_has_five_successors_at_most() {
    let stage = Stage::new().await;
    let account = stage.newcomer("Ann").await;
    let ann = Browser::sign_in(&stage, &account).await;
    let mut tokens = Vec::new();
    for answer in refresh_at_once(&ann, 5).await {
        let tab = ann.succeeded_by(&stage, &answer);
        tokens.push(tab.refresh_token.clone());
        tab.expect_signed_in().await;
        // Each is good itself.
        tab.renewed(&stage).await;
    }
    tokens.sort();
    tokens.dedup();
    assert_eq!(tokens.len(), 5);
    let sixth = ann.refresh().await;
    expect_unauthorized(&sixth);
    super::expect_no_refresh_token(&sixth, &ann.refresh_token);
    ann.expect_signed_in().await;

    // At the end of the ten seconds it is still no theft.
    let bob = Browser::sign_in(&stage, &stage.newcomer("Bob").await).await;
    bob.renewed(&stage).await;
    stage.app.clock.advance(LEEWAY);
    bob.renewed(&stage).await.expect_signed_in().await;
}

#[tokio::test]
async fn of_eight_tabs_at_once_five_go_on_and_none_ends_the_session() {
    let stage = Stage::new().await;
    let ann = Browser::sign_in(&stage, &stage.newcomer("Ann").await).await;
    let answers = refresh_at_once(&ann, 8).await;
    let (good, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == StatusCode::OK);
    assert_eq!((good.len(), refused.len()), (5, 3));
    refused.into_iter().for_each(expect_unauthorized);
    for answer in good {
        ann.succeeded_by(&stage, answer).renewed(&stage).await;
    }
    ann.expect_signed_in().await;
}

#[tokio::test]
async fn a_used_cookie_that_comes_back_later_ends_its_session() {
    let stage = Stage::new().await;
    let account = stage.newcomer("Ann").await;
    let ann = Browser::sign_in(&stage, &account).await;
    let elsewhere = Browser::sign_in(&stage, &account).await;
    let next = ann.renewed(&stage).await;
    next.expect_signed_in().await;

    stage.app.clock.advance(LEEWAY + SECOND);
    let stolen = ann.refresh().await;
    expect_unauthorized(&stolen);
    super::expect_no_refresh_token(&stolen, &next.refresh_token);
    assert_eq!(
        stage.database.count("sessions where revoked_because = 'reuse'").await,
        1
    );
    ann.expect_signed_out().await;
    next.expect_signed_out().await;
    // Another session of the same person is another matter.
    elsewhere.expect_signed_in().await;
    elsewhere.renewed(&stage).await;
}

#[tokio::test]
async fn a_token_in_the_body_counts_whatever_cookies_are_there() {
    let stage = Stage::new().await;
    let (bob, mut token) = {
        let bob = stage.newcomer("Bob").await;
        (Browser::sign_in(&stage, &bob).await, bob.refresh_token)
    };
    let ann = Browser::sign_in(&stage, &stage.newcomer("Ann").await).await;
    for client in [
        ann.cookies_alone(),
        ann.page(),
        ann.page_with("wrong"),
        ann.page_with(&bob.csrf_token),
        in_mode(&ann.page(), "body"),
        stage.anybody().with_header(CSRF_HEADER, "wrong"),
    ] {
        let session = expect_body_mode(&client.post(REFRESH, &in_body(&token)).await);
        assert_eq!(session["user"]["id"], bob.user_id.as_str());
        token = text(&session["refreshToken"]);
    }
    // One that is not good is not made up for by a cookie that is.
    for bad in ["", "x", "tnr_", &token[1..], &format!("{token}A"), &ann.csrf_token] {
        let refused = ann.page().post(REFRESH, &in_body(bad)).await;
        expect_unauthorized(&refused);
        expect_no_cookie(&refused);
        let out = ann.page().post(LOGOUT, &in_body(bad)).await;
        out.expect(StatusCode::NO_CONTENT);
        expect_no_cookie(&out);
    }
    // Nothing has become of the cookies' session.
    stage.app.clock.advance(LEEWAY + SECOND);
    ann.expect_signed_in().await;
    ann.renewed(&stage).await;
}

#[tokio::test]
async fn a_session_of_body_mode_moves_into_cookie_mode() {
    let stage = Stage::new().await;
    let account = stage.newcomer("Ann").await;
    let sessions = stage.sessions(&account).await;
    let mover = in_mode(&stage.anybody(), "cookie");
    let moved = mover.post(REFRESH, &in_body(&account.refresh_token)).await;
    let ann = Browser::of(&stage, moved.expect(StatusCode::OK));
    assert_eq!(names_set(&moved).len(), 2);
    assert_eq!(ann.user_id, account.user_id);
    assert_ne!(ann.refresh_token, account.refresh_token);
    super::expect_no_refresh_token(&moved, &account.refresh_token);
    // It is the same session, and its CSRF token is the same whichever of its tabs moves.
    assert_eq!(stage.sessions(&account).await, sessions);
    let other_tab = mover.post(REFRESH, &in_body(&account.refresh_token)).await;
    assert_eq!(Browser::of(&stage, &other_tab).csrf_token, ann.csrf_token);
    let ann = ann.renewed(&stage).await;
    ann.expect_signed_in().await;

    // The token from before is as used as any.
    stage.app.clock.advance(LEEWAY + SECOND);
    expect_unauthorized(&mover.post(REFRESH, &in_body(&account.refresh_token)).await);
    ann.expect_signed_out().await;
}

#[tokio::test]
async fn a_token_that_is_not_good_moves_nothing() {
    let stage = Stage::new().await;
    let account = stage.newcomer("Ann").await;
    let mover = in_mode(&stage.anybody(), "cookie");
    for bad in ["", "x", "tnr_", &account.refresh_token[1..]] {
        let refused = mover.post(REFRESH, &in_body(bad)).await;
        expect_unauthorized(&refused);
        expect_no_cookie(&refused);
    }
}

#[tokio::test]
async fn neither_a_token_in_the_body_nor_a_cookie_is_a_field_that_lacks() {
    let stage = Stage::new().await;
    let ann = Browser::sign_in(&stage, &stage.newcomer("Ann").await).await;
    let csrf_alone = format!("{}={}", super::CSRF_COOKIE, ann.csrf_token);
    for client in [
        stage.anybody(),
        in_mode(&stage.anybody(), "body"),
        in_mode(&stage.anybody(), "cookie"),
        stage.anybody().with_header(CSRF_HEADER, &ann.csrf_token),
        stage.anybody().with_header("cookie", "a=b; c=d"),
        stage
            .anybody()
            .with_header("cookie", &csrf_alone)
            .with_header(CSRF_HEADER, &ann.csrf_token),
        // Who is signed in by an access token has no refresh token by that.
        ann.bearer(),
    ] {
        for path in [REFRESH, LOGOUT] {
            for request in without_token(&client, path) {
                let answer = client.send(request).await;
                expect_no_token_found(&answer);
                expect_no_cookie(&answer);
            }
        }
    }
    ann.expect_signed_in().await;
    ann.renewed(&stage).await;
}

#[tokio::test]
async fn a_body_that_cannot_be_taken_is_refused_beside_a_good_cookie_and_uses_nothing() {
    let stage = Stage::new().await;
    let ann = Browser::sign_in(&stage, &stage.newcomer("Ann").await).await;
    let before = traces(&stage).await;
    for path in [REFRESH, LOGOUT] {
        let send = async |media_type: &str, body: &str| {
            let request = ann.page().request(Method::POST, path);
            let request = request.header("content-type", media_type).body(body.to_owned());
            let answer = ann.page().send(request).await;
            expect_no_cookie(&answer);
            answer
        };
        for broken in ["{", "{}{}", " ", "{\"refreshToken\":}", "null null", "refreshToken="] {
            let refused = send(JSON, broken).await;
            refused.expect_error(StatusCode::BAD_REQUEST, "MALFORMED_REQUEST");
        }
        for whole in ["null", "true", "1", "\"tnr_\"", "[]", "[{}]"] {
            let refused = send(JSON, whole).await;
            refused.expect_error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
        }
        for (body, field, code) in [
            (json!({ "refreshToken": 1 }), "/refreshToken", "type"),
            (json!({ "refreshToken": true }), "/refreshToken", "type"),
            (json!({ "refreshToken": [] }), "/refreshToken", "type"),
            (json!({ "refreshToken": {} }), "/refreshToken", "type"),
            (json!({ "refreshToken": "x".repeat(1001) }), "/refreshToken", "length"),
            (json!({ "csrfToken": ann.csrf_token }), "/csrfToken", "unknown"),
            (json!({ "refreshToken": null, "mode": "cookie" }), "/mode", "unknown"),
            (
                json!({ "refresh_token": ann.refresh_token }),
                "/refresh_token",
                "unknown",
            ),
        ] {
            let refused = send(JSON, &body.to_string()).await;
            refused.expect_error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
            assert_eq!(
                refused.refused_fields(),
                [(field.to_owned(), code.to_owned())],
                "{body}"
            );
        }
        for media_type in ["text/plain", "application/x-www-form-urlencoded"] {
            let refused = send(media_type, "{}").await;
            refused.expect_error(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE");
        }
    }
    assert_eq!(traces(&stage).await, before);
    stage.app.clock.advance(LEEWAY + SECOND);
    ann.expect_signed_in().await;
    ann.renewed(&stage).await;
}

/// The cookies of the second take the place of the first's, whose session lives on until it is ended or expires.
#[tokio::test]
async fn a_sign_in_with_cookies_of_before_is_another_session() {
    let stage = Stage::new().await;
    let account = stage.newcomer("Ann").await;
    let first = Browser::sign_in(&stage, &account).await;
    let again = in_mode(&first.cookies_alone(), "cookie")
        .post(LOGIN, &super::by_password(&account))
        .await;
    let second = Browser::of(&stage, again.expect(StatusCode::OK));
    assert_ne!(second.session().await, first.session().await);
    assert_ne!(second.refresh_token, first.refresh_token);
    assert_ne!(second.csrf_token, first.csrf_token);
    first.renewed(&stage).await;
    second.renewed(&stage).await;
}
