//! How often somebody asks, and how often an address is asked for.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::json;
use tenantry::configuration::RateLimits;
use tenantry_tests::{
    app::Options,
    client::{Answer, text},
};

use super::{WANTED, ask, mails_to, under_way};
use crate::mfa::{Stage, expect_session};

/// A stage on which limits hold.
async fn limited() -> Stage {
    let options = Options {
        rate_limits: RateLimits::On,
        ..Options::default()
    };
    Stage::with(options).await
}

#[track_caller]
fn expect_limited(answer: &Answer) {
    answer.expect_error(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED");
    let details = &answer.json()["error"]["details"];
    assert_eq!(
        (&details["scope"], &details["limit"]),
        (&json!("user"), &json!(5)),
        "{}",
        answer.text
    );
}

#[tokio::test]
async fn somebody_asks_five_times_an_hour() {
    let stage = limited().await;
    let ann = stage.newcomer("Ann").await;
    let bob = stage.newcomer("Bob").await;
    let wanted = |number: usize| format!("ann{number}@example.org");
    for number in 1..=5 {
        let asked = ask(&ann.client, &wanted(number)).await;
        asked.expect(StatusCode::ACCEPTED);
    }
    let fifth = under_way(&ann.client).await.unwrap();
    assert_eq!(fifth["email"], wanted(5));
    expect_limited(&ask(&ann.client, &wanted(6)).await);
    // What is refused takes the place of nothing, and is mailed to nobody.
    assert_eq!(under_way(&ann.client).await, Some(fifth));
    assert_eq!(mails_to(&stage, &wanted(6)).await.len(), 0);
    ask(&bob.client, WANTED).await.expect(StatusCode::ACCEPTED);

    stage.app.clock.advance(TimeDelta::hours(1));
    let session = expect_session(&stage.login(&ann).await);
    let ann = stage.anybody().with_token(&text(&session["accessToken"]));
    ask(&ann, &wanted(6)).await.expect(StatusCode::ACCEPTED);
}

#[tokio::test]
async fn an_address_is_asked_for_five_times_an_hour_whoever_wants_it() {
    let stage = limited().await;
    let spellings = [WANTED, "Ann.New@example.org", "ANN.NEW@EXAMPLE.ORG"];
    for spelling in spellings.iter().cycle().take(5) {
        let somebody = stage.newcomer("Somebody").await;
        ask(&somebody.client, spelling).await.expect(StatusCode::ACCEPTED);
    }
    let last = stage.newcomer("Last").await;
    for spelling in spellings {
        expect_limited(&ask(&last.client, spelling).await);
    }
    assert_eq!(mails_to(&stage, WANTED).await.len(), 5);
    assert_eq!(under_way(&last.client).await, None);
    // It is the address that is not asked for any more.
    let other = ask(&last.client, "last@example.org").await;
    other.expect(StatusCode::ACCEPTED);
}
