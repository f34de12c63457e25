//! How often an address may try.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::json;
use tenantry::configuration::RateLimits;
use tenantry_tests::{app::Options, client::Answer, passkey::encoded};

use super::{Holder, LOGIN, login_options, phone};
use crate::mfa::{LOGIN as PASSWORD_LOGIN, Stage, expect_session, expect_unauthorized};

#[track_caller]
fn expect_limited(answer: &Answer) {
    answer.expect_error(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED");
    let details = &answer.json()["error"]["details"];
    assert_eq!(
        (&details["scope"], &details["limit"]),
        (&json!("ip"), &json!(100)),
        "{}",
        answer.text
    );
}

#[tokio::test]
async fn an_address_tries_a_hundred_passkeys_and_passwords_in_a_quarter_of_an_hour() {
    let stage = Stage::with(Options {
        rate_limits: RateLimits::On,
        ..Options::default()
    })
    .await;
    let mut ann = Holder::new(&stage, "Ann").await;
    let mut stranger = phone();
    stranger.create(&json!({
        "rp": { "id": "tenantry.test", "name": "Tenantry" },
        "user": { "id": encoded(&[7; 16]), "name": "nobody@example.com", "displayName": "Nobody" },
        "challenge": encoded(&[7; 32]),
        "pubKeyCredParams": [{ "type": "public-key", "alg": -7 }],
        "timeout": 300_000,
        "attestation": "none",
    }));
    let wrong = stranger.get(&login_options(&stage).await);
    for _ in 0..50 {
        expect_unauthorized(&stage.anybody().post(LOGIN, &wrong).await);
    }
    stage.app.clock.advance(TimeDelta::minutes(14));
    let right = ann.answer(&stage).await;
    // Each at an account of its own, which has a limit, too.
    let guess = |number: usize| json!({ "email": format!("user{number}@example.com"), "password": "a wrong guess" });
    for number in 0..50 {
        expect_unauthorized(&stage.anybody().post(PASSWORD_LOGIN, &guess(number)).await);
    }
    for refused in [&right, &wrong, &json!({})] {
        expect_limited(&stage.anybody().post(LOGIN, refused).await);
    }
    expect_limited(&stage.anybody().post(PASSWORD_LOGIN, &guess(50)).await);
    // To be asked is no attempt.
    login_options(&stage).await;
    assert_eq!(stage.sessions(&ann.account).await, 1);
    // What was refused was not looked at: the same answer is good once there is room for it.
    stage.app.clock.advance(TimeDelta::minutes(1));
    expect_session(&stage.anybody().post(LOGIN, &right).await);
    expect_unauthorized(&stage.anybody().post(PASSWORD_LOGIN, &guess(51)).await);
}
