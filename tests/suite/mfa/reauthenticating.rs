//! Proving again who one is: what asks for it, and how long it is good for.

use chrono::TimeDelta;
use reqwest::{Method, RequestBuilder, StatusCode, header::CONTENT_TYPE};
use serde_json::{Value, json};
use tenantry::configuration::RateLimits;
use tenantry_tests::{
    app::Options,
    client::{Account, Answer, Client, PASSWORD, text},
};

use super::{
    CONFIRM, FRESH, ME, RECOVERY_CODES, REFRESH, Stage, TOTP, begin, codes_of, confirm, disable, expect_incorrect,
    expect_session, expect_stale, expect_unauthorized, factors, freshen, names, reauthenticate, replace_codes, showing,
    time,
};

/// Every operation that asks for it, by method and path.
const GUARDED: [(Method, &str); 4] = [
    (Method::POST, TOTP),
    (Method::POST, CONFIRM),
    (Method::DELETE, TOTP),
    (Method::POST, RECOVERY_CODES),
];

/// Those of them that are about a second factor that is there.
const OF_A_FACTOR: [(Method, &str); 2] = [(Method::DELETE, TOTP), (Method::POST, RECOVERY_CODES)];

/// The client of another session of who has no second factor.
async fn another_session(stage: &Stage, account: &Account) -> Client {
    let session = expect_session(&stage.login(account).await);
    stage.anybody().with_token(&text(&session["accessToken"]))
}

fn with_body(request: RequestBuilder, media_type: &str, body: Vec<u8>) -> RequestBuilder {
    request.header(CONTENT_TYPE, media_type).body(body)
}

/// Panics where an answer refuses a proof, or would have a client renew its token, which is good.
#[track_caller]
fn expect_no_proof(answer: &Answer) {
    expect_unauthorized(answer);
    let challenge = answer.header("www-authenticate").unwrap();
    assert!(
        challenge.starts_with("Bearer") && !challenge.contains("error"),
        "{challenge}"
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn a_sign_in_is_fresh_for_ten_minutes() {
    let stage = Stage::new().await;
    let ann = stage.newcomer("Ann").await;
    stage.app.clock.advance(FRESH - TimeDelta::seconds(1));
    begin(&ann.client).await.expect(StatusCode::OK);
    let later = another_session(&stage, &ann).await;
    stage.app.clock.advance(TimeDelta::seconds(1));
    expect_stale(&begin(&ann.client).await);
    stage.app.clock.advance(TimeDelta::seconds(1));
    expect_stale(&begin(&ann.client).await);
    // Each session for itself.
    begin(&later).await.expect(StatusCode::OK);
    ann.client.get(ME).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn what_is_guarded_is_refused_before_anything_is_looked_at() {
    let stage = Stage::new().await;
    let ann = stage.person("Ann").await;
    let bob = stage.newcomer("Bob").await;
    let carl = stage.newcomer("Carl").await;
    begin(&carl.client).await.expect(StatusCode::OK);
    stage.app.clock.advance(FRESH);
    let code = stage.code(&ann);
    // With a second factor, without one, and in the middle.
    for (client, has_none) in [(ann.client(), false), (&bob.client, true), (&carl.client, true)] {
        for (method, path) in GUARDED {
            let request = || client.request(method.clone(), path);
            for request in [
                request(),
                request().json(&showing(&code)),
                request().json(&showing("")),
                request().json(&json!({ "nobody": "knows" })),
                with_body(request(), "application/json", b"{\"code\": ".to_vec()),
                with_body(request(), "text/plain", b"{}".to_vec()),
                with_body(request(), "application/json", vec![b' '; 1024 * 1024 + 1]),
            ] {
                let answer = client.send(request).await;
                if has_none && OF_A_FACTOR.contains(&(method.clone(), path)) {
                    // What is not there comes before who may.
                    answer.expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
                } else {
                    expect_stale(&answer);
                }
            }
        }
    }
    assert_eq!(stage.events("user.mfa_failed").await, 0);
    // No token comes before that.
    for (method, path) in GUARDED {
        let request = stage.anybody().request(method, path).json(&showing(&code));
        expect_unauthorized(&stage.anybody().send(request).await);
    }
    // What is not guarded goes on, and no code was used up.
    factors(ann.client()).await;
    ann.client().get(super::TRUSTED_DEVICES).await.expect(StatusCode::OK);
    ann.client()
        .delete(super::TRUSTED_DEVICES)
        .await
        .expect(StatusCode::NO_CONTENT);
    freshen(ann.client()).await;
    replace_codes(ann.client(), &code).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn each_operation_goes_on_once_it_was_proven() {
    let stage = Stage::new().await;
    let ann = stage.newcomer("Ann").await;
    stage.app.clock.advance(FRESH);
    expect_stale(&begin(&ann.client).await);
    freshen(&ann.client).await;
    let begun = begin(&ann.client).await;
    let url = text(&begun.expect(StatusCode::OK).data()["otpauthUrl"]);
    let authenticator = tenantry_tests::authenticator::Authenticator::from_url(&url);

    stage.app.clock.advance(FRESH);
    let code = authenticator.code(stage.now());
    expect_stale(&confirm(&ann.client, &code).await);
    freshen(&ann.client).await;
    confirm(&ann.client, &code).await.expect(StatusCode::OK);

    stage.app.clock.advance(FRESH);
    let code = authenticator.code(stage.now());
    expect_stale(&replace_codes(&ann.client, &code).await);
    freshen(&ann.client).await;
    replace_codes(&ann.client, &code).await.expect(StatusCode::OK);

    stage.app.clock.advance(FRESH);
    let code = authenticator.code(stage.now());
    expect_stale(&disable(&ann.client, &code).await);
    freshen(&ann.client).await;
    disable(&ann.client, &code).await.expect(StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn to_refresh_proves_nothing() {
    let stage = Stage::new().await;
    let ann = stage.newcomer("Ann").await;
    stage.app.clock.advance(FRESH - TimeDelta::seconds(1));
    let refresh = json!({ "refreshToken": ann.refresh_token });
    let renewed = stage.anybody().post(REFRESH, &refresh).await;
    let renewed = renewed.expect(StatusCode::OK).data();
    let client = stage.anybody().with_token(&text(&renewed["accessToken"]));
    begin(&client).await.expect(StatusCode::OK);
    stage.app.clock.advance(TimeDelta::seconds(1));
    expect_stale(&begin(&client).await);

    // A proof is good for the session, whichever of its tokens came with it, and lasts beyond the next refresh.
    freshen(&ann.client).await;
    begin(&client).await.expect(StatusCode::OK);
    let refresh = json!({ "refreshToken": renewed["refreshToken"] });
    let renewed = stage.anybody().post(REFRESH, &refresh).await;
    let renewed = renewed.expect(StatusCode::OK).data();
    let client = stage.anybody().with_token(&text(&renewed["accessToken"]));
    begin(&client).await.expect(StatusCode::OK);
    stage.app.clock.advance(FRESH);
    expect_stale(&begin(&client).await);
}

#[tokio::test]
async fn a_proof_is_told_and_good_for_one_session_alone() {
    let stage = Stage::new().await;
    let ann = stage.newcomer("Ann").await;
    let other = another_session(&stage, &ann).await;
    stage.app.clock.advance(FRESH * 2);
    expect_stale(&begin(&ann.client).await);
    expect_stale(&begin(&other).await);
    let answer = reauthenticate(&ann.client, &json!({ "password": PASSWORD })).await;
    let data = answer.expect(StatusCode::OK).data();
    assert_eq!(names(&data), ["authTime"]);
    assert_eq!(time(&data["authTime"]), stage.now());
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(stage.events("session.reauthenticated").await, 1);
    // At once, though it was just found to be too old.
    begin(&ann.client).await.expect(StatusCode::OK);
    expect_stale(&begin(&other).await);
    stage.app.clock.advance(FRESH - TimeDelta::seconds(1));
    begin(&ann.client).await.expect(StatusCode::OK);
    stage.app.clock.advance(TimeDelta::seconds(1));
    expect_stale(&begin(&ann.client).await);
}

#[tokio::test]
async fn a_second_factor_proves_it_too_and_is_used_up() {
    let (stage, ann) = Stage::with_ann().await;
    stage.app.clock.advance(FRESH);
    let code = stage.code(&ann);
    expect_stale(&disable(ann.client(), &code).await);
    let answer = reauthenticate(ann.client(), &showing(&code)).await;
    assert_eq!(time(&answer.expect(StatusCode::OK).data()["authTime"]), stage.now());
    expect_no_proof(&reauthenticate(ann.client(), &showing(&code)).await);
    expect_incorrect(&replace_codes(ann.client(), &code).await);
    let token = stage.mfa_token(&ann).await;
    expect_unauthorized(&stage.verify(&token, &code).await);

    stage.app.clock.advance(FRESH);
    let recovery = showing(&ann.recovery_codes[0]);
    reauthenticate(ann.client(), &recovery).await.expect(StatusCode::OK);
    expect_no_proof(&reauthenticate(ann.client(), &recovery).await);
    assert_eq!(factors(ann.client()).await["recoveryCodesLeft"], 9);
    let replaced = replace_codes(ann.client(), &stage.code(&ann)).await;
    assert_eq!(codes_of(replaced.expect(StatusCode::OK)).len(), 10);
}

#[tokio::test]
async fn what_proves_nothing_leaves_everything_as_it_is() {
    let (stage, ann) = Stage::with_ann().await;
    let bob = stage.person("Bob").await;
    let carl = stage.newcomer("Carl").await;
    stage.app.clock.advance(FRESH);
    for body in [
        json!({ "password": "a wrong guess" }),
        json!({ "password": "" }),
        json!({ "password": PASSWORD.to_uppercase() }),
        json!({ "password": stage.code(&ann) }),
        json!({ "code": PASSWORD }),
        json!({ "code": stage.wrong_code(&ann) }),
        json!({ "code": stage.code(&bob) }),
        json!({ "code": bob.recovery_codes[0] }),
        json!({ "code": "" }),
    ] {
        expect_no_proof(&reauthenticate(ann.client(), &body).await);
        expect_stale(&begin(ann.client()).await);
    }
    // Who has no second factor has no code, whatever is shown.
    for code in ["", "123456", &ann.recovery_codes[0]] {
        expect_no_proof(&reauthenticate(&carl.client, &showing(code)).await);
    }
    assert_eq!(stage.events("session.reauthenticated").await, 0);
    expect_unauthorized(&reauthenticate(&stage.anybody(), &json!({ "password": PASSWORD })).await);
    ann.client().get(ME).await.expect(StatusCode::OK);
    let code = showing(&stage.code(&ann));
    reauthenticate(ann.client(), &code).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn one_proof_is_shown_and_no_more() {
    let (stage, ann) = Stage::with_ann().await;
    let code = stage.code(&ann);
    let long = "1".repeat(1001);
    for body in [
        json!({}),
        json!([]),
        json!({ "password": PASSWORD, "code": code }),
        json!({ "password": null, "code": null }),
        json!({ "password": 5 }),
        json!({ "code": 123_456 }),
        json!({ "password": PASSWORD, "remember": true }),
        json!({ "password": long }),
        json!({ "code": long }),
    ] {
        let answer = reauthenticate(ann.client(), &body).await;
        answer.expect_error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
        assert!(!answer.text.contains(PASSWORD), "{}", answer.text);
    }
    for (name, body) in [
        ("/password", json!({ "password": long })),
        ("/code", json!({ "code": long })),
    ] {
        let answer = reauthenticate(ann.client(), &body).await;
        assert_eq!(answer.refused_fields(), [(name.to_owned(), "length".to_owned())]);
    }
    let unknown = reauthenticate(ann.client(), &json!({ "password": PASSWORD, "remember": true })).await;
    unknown.expect_refused(&["/remember"]);
    let client = ann.client();
    let form = with_body(
        client.request(Method::POST, super::REAUTHENTICATE),
        "text/plain",
        b"{}".to_vec(),
    );
    client
        .send(form)
        .await
        .expect_error(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE");
    // The code that was shown beside a password was not looked at.
    reauthenticate(client, &showing(&code)).await.expect(StatusCode::OK);
    assert_eq!(stage.events("session.reauthenticated").await, 1);
    assert_eq!(stage.events("user.mfa_failed").await, 0);
}

#[tokio::test]
async fn a_stolen_token_guesses_passwords_seldom() {
    let stage = Stage::with(Options {
        rate_limits: RateLimits::On,
        ..Options::default()
    })
    .await;
    let ann = stage.newcomer("Ann").await;
    let bob = stage.newcomer("Bob").await;
    let (wrong, right) = (json!({ "password": "a wrong guess" }), json!({ "password": PASSWORD }));
    for _ in 0..20 {
        expect_no_proof(&reauthenticate(&ann.client, &wrong).await);
    }
    let refused = reauthenticate(&ann.client, &right).await;
    refused.expect_error(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED");
    let details: Value = refused.json()["error"]["details"].clone();
    assert_eq!((&details["scope"], &details["limit"]), (&json!("user"), &json!(20)));
    // In another session, too.
    let other = another_session(&stage, &ann).await;
    reauthenticate(&other, &right)
        .await
        .expect_error(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED");
    freshen(&bob.client).await;
    stage.app.clock.advance(TimeDelta::minutes(15));
    // Who knows it may show it more often than others may guess.
    for _ in 0..25 {
        freshen(&ann.client).await;
    }
}
