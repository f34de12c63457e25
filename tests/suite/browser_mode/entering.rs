//! How a session comes into cookie mode, and how it does not.

use chrono::TimeDelta;
use reqwest::{Method, StatusCode, header::HeaderValue};
use serde_json::{Value, json};
use tenantry_tests::{
    app::Options,
    client::{Answer, Client, PASSWORD, text},
    passkey::Authenticator,
};

use super::{
    Browser, CSRF_COOKIE, LEEWAY, REFRESH_COOKIE, TRANSPORT, by_password, expect_body_mode, expect_no_cookie, in_mode,
    names_set,
};
use crate::mfa::{LOGIN, ME, REFRESH, Stage, VERIFY, expect_mfa_required, names, post_nothing};

const REGISTER: &str = "/api/v1/auth/register";
const PASSKEYS: &str = "/api/v1/auth/passkeys";
const PASSKEY_OPTIONS: &str = "/api/v1/auth/passkeys/options";
const PASSKEY_LOGIN: &str = "/api/v1/auth/passkeys/login";
const PASSKEY_LOGIN_OPTIONS: &str = "/api/v1/auth/passkeys/login/options";

/// The origin of the public URL of tests.
const ORIGIN: &str = "http://tenantry.test";

const BOTH: [&str; 2] = [CSRF_COOKIE, REFRESH_COOKIE];

fn new_account(email: &str) -> Value {
    json!({ "email": email, "password": PASSWORD, "name": "Ann", "organizationName": "Acme" })
}

fn second_step(token: &str, code: &str) -> Value {
    json!({ "mfaToken": token, "code": code })
}

/// A device with a key of somebody who has just signed in.
async fn device_of(client: &Client) -> Authenticator {
    let mut device = Authenticator::new(ORIGIN);
    let options = post_nothing(client, PASSKEY_OPTIONS).await;
    let created = device.create(&options.expect(StatusCode::OK).data());
    client.post(PASSKEYS, &created).await.expect(StatusCode::CREATED);
    device
}

/// An answer of a device to a challenge that was never put before.
async fn shown_by(device: &mut Authenticator, stage: &Stage) -> Value {
    let options = post_nothing(&stage.anybody(), PASSKEY_LOGIN_OPTIONS).await;
    device.get(&options.expect(StatusCode::OK).data())
}

#[tokio::test]
async fn whoever_makes_an_account_may_have_its_refresh_token_as_a_cookie() {
    let stage = Stage::new().await;
    let browser = in_mode(&stage.anybody(), "cookie");
    let answer = browser.post(REGISTER, &new_account("ann@example.com")).await;
    answer.expect(StatusCode::CREATED);
    assert_eq!(answer.header("location"), Some(ME));
    let ann = Browser::of(&stage, &answer);
    assert_eq!(names_set(&answer), BOTH);
    let data = answer.data();
    assert_eq!(data["user"]["email"], "ann@example.com");
    assert_eq!(
        (&data["expiresIn"], &data["refreshExpiresIn"]),
        (&json!(3600), &json!(7 * 24 * 3600))
    );
    assert_eq!(data["trustedDeviceToken"], Value::Null);
    ann.expect_signed_in().await;
    ann.renewed(&stage).await.expect_signed_in().await;
    let organizations = ann.bearer().get("/api/v1/organizations").await;
    assert_eq!(organizations.json()["meta"]["total"], 1);

    // Whoever comes to no session gets no cookie.
    let taken = browser.post(REGISTER, &new_account("ann@example.com")).await;
    taken.expect_error(StatusCode::CONFLICT, "CONFLICT");
    expect_no_cookie(&taken);
}

#[tokio::test]
async fn whoever_signs_in_may_have_the_refresh_token_as_a_cookie() {
    let stage = Stage::new().await;
    let account = stage.newcomer("Ann").await;
    let browser = in_mode(&stage.anybody(), "cookie");
    let answer = browser.post(LOGIN, &by_password(&account)).await;
    let ann = Browser::of(&stage, answer.expect(StatusCode::OK));
    assert_eq!(names_set(&answer), BOTH);
    assert_eq!(ann.user_id, account.user_id);
    ann.expect_signed_in().await;
    ann.renewed(&stage).await.expect_signed_in().await;

    let wrong = json!({ "email": account.email, "password": "a wrong guess" });
    let wrong = browser.post(LOGIN, &wrong).await;
    wrong.expect_error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED");
    expect_no_cookie(&wrong);
}

#[tokio::test]
async fn a_sign_in_that_wants_a_second_step_sets_no_cookie_and_the_second_step_asks_for_the_mode_itself() {
    let (stage, ann) = Stage::with_ann().await;
    let browser = in_mode(&stage.anybody(), "cookie");
    let begun = browser.post(LOGIN, &by_password(&ann.account)).await;
    let token = expect_mfa_required(&begun);
    assert_eq!(names(&begun.data()), ["expiresIn", "methods", "mfaToken", "status"]);
    expect_no_cookie(&begun);
    // Which mode the first step was asked for in says nothing.
    let done = stage
        .anybody()
        .post(VERIFY, &second_step(&token, &stage.next_code(&ann)))
        .await;
    expect_body_mode(&done);

    let token = stage.mfa_token(&ann).await;
    let wrong = browser
        .post(VERIFY, &second_step(&token, &stage.wrong_code(&ann)))
        .await;
    wrong.expect_error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED");
    expect_no_cookie(&wrong);
    let done = browser.post(VERIFY, &second_step(&token, &stage.next_code(&ann))).await;
    let session = Browser::of(&stage, done.expect(StatusCode::OK));
    assert_eq!(names_set(&done), BOTH);
    assert_eq!(session.user_id, ann.account.user_id);
    session.expect_signed_in().await;
    session.renewed(&stage).await.expect_signed_in().await;
}

#[tokio::test]
async fn a_device_is_trusted_in_cookie_mode_as_in_the_other() {
    let (stage, ann) = Stage::with_ann().await;
    let browser = in_mode(&stage.anybody(), "cookie");
    let token = stage.mfa_token(&ann).await;
    let mut body = second_step(&token, &stage.next_code(&ann));
    body["trustDevice"] = true.into();
    let done = browser.post(VERIFY, &body).await;
    let session = Browser::of(&stage, done.expect(StatusCode::OK));
    assert_eq!(names_set(&done), [CSRF_COOKIE, REFRESH_COOKIE, "tenantry-device"]);
    let device = text(&done.data()["trustedDeviceToken"]);
    // A browser sends all that it has.
    let cookies = format!("{}; tenantry-device={device}", session.cookies());
    let again = browser
        .with_header("cookie", &cookies)
        .post(LOGIN, &by_password(&ann.account))
        .await;
    let second = Browser::of(&stage, again.expect(StatusCode::OK));
    assert_eq!(names_set(&again), BOTH);
    assert_ne!(second.csrf_token, session.csrf_token);
    session.expect_signed_in().await;
}

#[tokio::test]
async fn whoever_signs_in_by_a_passkey_may_have_the_refresh_token_as_a_cookie() {
    let stage = Stage::new().await;
    let account = stage.newcomer("Ann").await;
    let mut device = device_of(&account.client).await;
    let browser = in_mode(&stage.anybody(), "cookie");
    let shown = shown_by(&mut device, &stage).await;
    let answer = browser.post(PASSKEY_LOGIN, &shown).await;
    let ann = Browser::of(&stage, answer.expect(StatusCode::OK));
    assert_eq!(names_set(&answer), BOTH);
    assert_eq!(ann.user_id, account.user_id);
    ann.expect_signed_in().await;
    ann.renewed(&stage).await.expect_signed_in().await;

    let again = browser.post(PASSKEY_LOGIN, &shown).await;
    again.expect_error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED");
    expect_no_cookie(&again);
}

#[tokio::test]
async fn whoever_asks_for_no_cookie_gets_none() {
    let stage = Stage::new().await;
    let ann = stage.person("Ann").await;
    let bob = stage.newcomer("Bob").await;
    let mut device = device_of(&bob.client).await;
    let clients = [stage.anybody(), in_mode(&stage.anybody(), "body")];
    for (index, client) in clients.iter().enumerate() {
        let made = client
            .post(REGISTER, &new_account(&format!("carl{index}@example.com")))
            .await;
        let session = expect_body_mode(made.expect(StatusCode::CREATED));
        let refresh = json!({ "refreshToken": session["refreshToken"] });
        expect_body_mode(&client.post(REFRESH, &refresh).await);
        expect_body_mode(&client.post(LOGIN, &by_password(&bob)).await);
        let token = stage.mfa_token(&ann).await;
        let code = stage.next_code(&ann);
        expect_body_mode(&client.post(VERIFY, &second_step(&token, &code)).await);
        let shown = shown_by(&mut device, &stage).await;
        expect_body_mode(&client.post(PASSKEY_LOGIN, &shown).await);
    }
}

/// Browsers take such cookies from `localhost` too, where there is no TLS; everywhere else there is.
#[tokio::test]
async fn the_cookies_are_the_same_however_the_service_is_reached() {
    for public_url in ["http://localhost:8080", "https://app.tenantry.test"] {
        let stage = Stage::with(Options {
            public_url: Some(public_url.to_owned()),
            ..Options::default()
        })
        .await;
        let browser = in_mode(&stage.anybody(), "cookie");
        let answer = browser.post(REGISTER, &new_account("ann@example.com")).await;
        let ann = Browser::of(&stage, answer.expect(StatusCode::CREATED));
        assert_eq!(names_set(&answer), BOTH, "{public_url}");
        ann.renewed(&stage).await;
    }
}

#[track_caller]
fn expect_malformed(answer: &Answer, what: &str) {
    answer.expect_error(StatusCode::BAD_REQUEST, "MALFORMED_REQUEST");
    assert_eq!(
        answer.json()["error"]["details"]["location"],
        "header.X-Token-Transport",
        "{what}"
    );
    expect_no_cookie(answer);
}

#[tokio::test]
async fn a_mode_that_there_is_not_is_refused_before_anything_happens() {
    let stage = Stage::new().await;
    let ann = stage.person("Ann").await;
    let bob = stage.newcomer("Bob").await;
    let mut device = device_of(&bob.client).await;
    let shown = shown_by(&mut device, &stage).await;
    let token = stage.mfa_token(&ann).await;
    let code = stage.next_code(&ann);
    let by_cookie = Browser::sign_in(&stage, &bob).await;
    let users = stage.database.count("users").await;
    let before = super::traces(&stage).await;

    let anybody = stage.anybody();
    let requests = [
        (&anybody, REGISTER, new_account("carl@example.com")),
        (&anybody, LOGIN, by_password(&bob)),
        (&anybody, VERIFY, second_step(&token, &code)),
        (&anybody, PASSKEY_LOGIN, shown),
        (&anybody, REFRESH, json!({ "refreshToken": bob.refresh_token })),
        (&by_cookie.page(), REFRESH, json!({})),
    ];
    for (client, path, body) in &requests {
        for value in [
            "",
            "Cookie",
            "COOKIE",
            "Body",
            "cookies",
            "cookie,body",
            "cookie, cookie",
            "cookie;",
            "\"cookie\"",
            "header",
            "null",
            "\u{e9}",
        ] {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            let what = format!("{path} {value:?}");
            let request = client.request(Method::POST, path).header(TRANSPORT, value).json(body);
            expect_malformed(&client.send(request).await, &what);
        }
        for twice in [["cookie", "cookie"], ["cookie", "body"], ["body", "body"]] {
            let request = client.request(Method::POST, path).json(body);
            let request = request.header(TRANSPORT, twice[0]).header(TRANSPORT, twice[1]);
            expect_malformed(&client.send(request).await, &format!("{path} {twice:?}"));
        }
    }
    assert_eq!(stage.database.count("users").await, users);
    assert_eq!(super::traces(&stage).await, before);

    // All that was shown is as good as before.
    stage.app.clock.advance(LEEWAY + TimeDelta::seconds(1));
    for (client, path, body) in &requests {
        let answer = client.post(path, body).await;
        assert!(answer.status.is_success(), "{path}: {}", answer.text);
    }
    by_cookie.expect_signed_in().await;
}
