//! How often an address may try.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::json;
use tenantry::configuration::RateLimits;
use tenantry_tests::client::Answer;

use super::{APP, EXCHANGE, Lobby, WORK, ann};
use crate::mfa::{expect_session, expect_unauthorized};

#[track_caller]
fn expect_limited(answer: &Answer, limit: u32) {
    answer.expect_error(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED");
    let details = &answer.json()["error"]["details"];
    assert_eq!(
        (&details["scope"], &details["limit"]),
        (&json!("ip"), &json!(limit)),
        "{}",
        answer.text
    );
    assert_eq!(answer.header("location"), None);
}

async fn limited() -> Lobby {
    Lobby::with(|options| options.rate_limits = RateLimits::On).await
}

#[tokio::test]
async fn an_address_tries_a_hundred_codes_in_a_quarter_of_an_hour() {
    let lobby = limited().await;
    let wrong = json!({ "code": format!("tno_{}", "A".repeat(43)) });
    for _ in 0..100 {
        expect_unauthorized(&lobby.anybody().post(EXCHANGE, &wrong).await);
    }
    for refused in [&wrong, &json!({})] {
        expect_limited(&lobby.anybody().post(EXCHANGE, refused).await, 100);
    }
    lobby.stage.app.clock.advance(TimeDelta::minutes(15));
    expect_session(&lobby.enter(&ann()).await);
}

#[tokio::test]
async fn an_address_comes_back_three_hundred_times_in_a_quarter_of_an_hour() {
    let lobby = limited().await;
    let path = "/api/v1/auth/oidc/work/callback?code=x&state=x";
    for _ in 0..300 {
        let answer = lobby.anybody().get(path).await;
        answer.expect_error(StatusCode::BAD_REQUEST, "MALFORMED_REQUEST");
    }
    expect_limited(&lobby.anybody().get(path).await, 300);
    lobby.stage.app.clock.advance(TimeDelta::minutes(15));
    lobby.provider.signs_in(&ann());
    lobby.browser().walk(WORK, &[("redirectUri", APP)]).await.code();
}

/// It tells whether an address has an account, and mails it: what a provider has seen to be somebody's does neither.
#[tokio::test]
async fn an_address_comes_with_thirty_unproven_addresses_an_hour() {
    let lobby = limited().await;
    let unproven = |number: u32| {
        ann()
            .with("sub", format!("stranger-{number}"))
            .with("email", format!("stranger-{number}@example.com"))
            .with("email_verified", false)
    };
    for number in 0..30 {
        if number == 20 {
            // Others of its limits are not what this is about.
            lobby.stage.app.clock.advance(TimeDelta::minutes(15));
        }
        expect_session(&lobby.enter(&unproven(number)).await);
    }
    expect_limited(&lobby.enter(&unproven(30)).await, 30);
    expect_session(&lobby.enter(&unproven(0)).await);
    expect_session(&lobby.enter(&ann()).await);
}
