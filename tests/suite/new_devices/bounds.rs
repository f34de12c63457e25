//! How often somebody is told, and how many devices are kept in mind.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::json;
use tenantry::configuration::RateLimits;
use tenantry_tests::{app::Options, client::PASSWORD};

use super::{CHROME, FIREFOX, Watched, on};
use crate::mfa::{LOGIN, ME, Stage, count, post_at_once};

/// How often at once is tried: what goes wrong does so by chance.
const ROUNDS: usize = 5;

/// How many devices there are at most.
const MOST: i64 = 50;

#[tokio::test]
async fn somebody_is_told_five_times_an_hour() {
    let options = Options {
        rate_limits: RateLimits::On,
        ..Options::default()
    };
    let stage = Stage::with(options).await;
    let ann = Watched::newcomer(&stage, "Ann").await;
    let bob = Watched::newcomer(&stage, "Bob").await;
    let tool = |number: usize| on(&stage, &format!("tool-{number}/1.0"));
    for number in 1..=7 {
        // Whoever signs in does so all the same.
        ann.sign_in(&tool(number)).await;
        assert_eq!(ann.mails(&stage).await.len(), number.min(5), "{number}");
    }
    bob.sign_in(&tool(1)).await;
    assert_eq!(bob.mails(&stage).await.len(), 1);

    stage.app.clock.advance(TimeDelta::hours(1));
    // What was not told is known since.
    ann.sign_in(&tool(7)).await;
    assert_eq!(ann.mails(&stage).await.len(), 5);
    ann.sign_in(&tool(8)).await;
    assert_eq!(ann.mails(&stage).await.len(), 6);
}

#[tokio::test]
async fn fifty_devices_are_kept_in_mind_those_that_were_seen_last() {
    let stage = Stage::new().await;
    let ann = Watched::newcomer(&stage, "Ann").await;
    let bob = Watched::newcomer(&stage, "Bob").await;
    // With the one that she registered on, as many as there may be; the higher the number, the longer ago.
    let plant = format!(
        "insert into known_devices (user_id, device, network, last_seen_at, created_at)
         select '{}', 'tool-' || number, '127.0.0.0/16', now() - number * interval '1 hour', now() - interval '90 days'
         from generate_series(1, 49) number",
        ann.account.user_id
    );
    stage.database.owner(plant).await;
    assert_eq!(ann.known(&stage).await, MOST);
    // What is seen again was seen last.
    ann.sign_in(&on(&stage, "tool-49/1.0")).await;
    assert_eq!(ann.mails(&stage).await.len(), 0);
    for (mails, agent) in [
        (1, FIREFOX),
        // Both are new, each in the place of one.
        (2, CHROME),
        (2, FIREFOX),
        (2, "tool-49/1.0"),
        (2, "tool-46/1.0"),
        // Those that went are strangers.
        (3, "tool-48/1.0"),
        (4, "tool-47/1.0"),
        (4, "tool-1/1.0"),
        (4, "tool-46/1.0"),
    ] {
        ann.sign_in(&on(&stage, agent)).await;
        assert_eq!(ann.mails(&stage).await.len(), mails, "{agent}");
        assert_eq!(ann.known(&stage).await, MOST, "{agent}");
    }
    assert_eq!(bob.known(&stage).await, 1);
}

#[tokio::test]
async fn a_new_device_that_signs_in_many_times_at_once_is_told_once() {
    let stage = Stage::new().await;
    let ann = Watched::newcomer(&stage, "Ann").await;
    let login = json!({ "email": ann.account.email, "password": PASSWORD });
    for round in 1..=ROUNDS {
        let device = on(&stage, &format!("tool-{round}/1.0"));
        let answers = post_at_once((0..4).map(|_| (&device, LOGIN, login.clone()))).await;
        assert_eq!(count(&answers, StatusCode::OK), 4, "{answers:?}");
        assert_eq!(ann.mails(&stage).await.len(), round);
    }
}

#[tokio::test]
async fn what_is_known_of_somebody_goes_with_them() {
    let stage = Stage::new().await;
    let ann = Watched::newcomer(&stage, "Ann").await;
    ann.sign_in(&on(&stage, FIREFOX)).await;
    assert_eq!(ann.known(&stage).await, 2);
    ann.account.client.delete(ME).await.expect(StatusCode::NO_CONTENT);
    assert_eq!(stage.database.count("known_devices").await, 0);
    // A mail that was still to go out does not.
    assert_eq!(ann.mails(&stage).await.len(), 0);
}
