//! When tokens count: at the very edges, and by numbers that are none.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{Desk, FUTURE, NO_MOMENT, expect_expired, refusal};

const DAY: i64 = 24 * 60 * 60;

/// A desk whose clock is at the beginning of a second.
fn on_the_second() -> Desk {
    let desk = Desk::new();
    let into = desk.environment.now().timestamp_subsec_millis();
    desk.clock.advance(TimeDelta::milliseconds(1000 - i64::from(into)));
    desk
}

/// The claims of a token that was issued and ends so many seconds from now.
fn lasting(desk: &Desk, issued: i64, ends: i64) -> Value {
    let mut claims = desk.claims();
    claims["iat"] = json!(desk.now() + issued);
    claims["exp"] = json!(desk.now() + ends);
    claims
}

#[tokio::test]
async fn a_minute_more_is_none_too_many() {
    let desk = on_the_second();
    for (issued, ends) in [(0, 1), (0, -59), (-300, -59), (60, 300), (60, 60), (0, 1 - DAY)] {
        let judged = desk.judge(&lasting(&desk, issued, ends)).await;
        assert_eq!(judged.is_ok(), ends > -60, "{issued} {ends}: {judged:?}");
    }
    expect_expired(desk.judge(&lasting(&desk, -300, -60)).await);
    assert_eq!(refusal(desk.judge(&lasting(&desk, 61, 300)).await), FUTURE);
    // To the millisecond.
    let ending = desk.key.token(&lasting(&desk, 0, 0));
    desk.clock.advance(TimeDelta::milliseconds(59_999));
    desk.verify(&ending).await.unwrap();
    desk.clock.advance(TimeDelta::milliseconds(1));
    expect_expired(desk.verify(&ending).await);
    let early = desk.key.token(&lasting(&desk, 61, 600));
    assert_eq!(refusal(desk.verify(&early).await), FUTURE);
    desk.clock.advance(TimeDelta::milliseconds(999));
    assert_eq!(refusal(desk.verify(&early).await), FUTURE);
    desk.clock.advance(TimeDelta::milliseconds(1));
    desk.verify(&early).await.unwrap();
}

#[tokio::test]
async fn a_token_counts_from_when_it_says() {
    let desk = on_the_second();
    for (from, counts) in [(-1, true), (0, true), (60, true), (61, false), (DAY, false)] {
        let judged = desk.judge_but("nbf", json!(desk.now() + from)).await;
        if counts {
            judged.unwrap();
        } else {
            assert_eq!(refusal(judged), FUTURE, "{from}");
        }
    }
}

/// What ended its session is known for a day.
#[tokio::test]
async fn a_token_counts_for_a_day_whatever_it_says() {
    let desk = on_the_second();
    desk.judge(&lasting(&desk, 1 - DAY, 10 * DAY)).await.unwrap();
    expect_expired(desk.judge(&lasting(&desk, -DAY, 10 * DAY)).await);
    expect_expired(desk.judge(&lasting(&desk, -2 * DAY, 10 * DAY)).await);
    let forever = desk.key.token(&lasting(&desk, 0, 100 * 365 * DAY));
    desk.clock.advance(TimeDelta::milliseconds(DAY * 1000 - 1));
    desk.verify(&forever).await.unwrap();
    desk.clock.advance(TimeDelta::milliseconds(1));
    expect_expired(desk.verify(&forever).await);
}

#[tokio::test]
async fn a_token_says_when_it_was_issued_and_ends() {
    let desk = Desk::new();
    let judged = desk.judge_but("exp", Value::Null).await;
    assert_eq!(refusal(judged), "the token does not end");
    let judged = desk.judge_but("iat", Value::Null).await;
    assert_eq!(refusal(judged), "the token does not say when it was issued");
    // A null that is there is nothing that is said.
    for (claim, why) in [
        ("exp", "the token does not end"),
        ("iat", "the token does not say when it was issued"),
    ] {
        let mut claims = desk.claims();
        claims[claim] = Value::Null;
        assert_eq!(refusal(desk.judge(&claims).await), why);
    }
    let mut claims = desk.claims();
    claims["nbf"] = Value::Null;
    desk.judge(&claims).await.unwrap();
}

#[tokio::test]
async fn a_fraction_of_a_second_is_left_out() {
    let desk = on_the_second();
    let now = f64::from(u32::try_from(desk.now()).unwrap());
    let token = desk.judge_but("iat", json!(now - 0.25)).await.unwrap();
    assert_eq!(token.issued_at.timestamp(), desk.now() - 1);
    let token = desk.judge_but("iat", json!(now + 0.75)).await.unwrap();
    assert_eq!(token.issued_at.timestamp(), desk.now());
    // A second that is over is not lengthened by it, and one that has not come is not there earlier.
    expect_expired(desk.judge_but("exp", json!(now - 59.001 - 1.0)).await);
    desk.judge_but("exp", json!(now - 59.0)).await.unwrap();
    assert_eq!(refusal(desk.judge_but("iat", json!(now + 61.5)).await), FUTURE);
    desk.judge_but("iat", json!(now + 60.5)).await.unwrap();
    // The same number, as some write it.
    desk.judge_but("exp", json!(now + 300.0)).await.unwrap();
}

#[tokio::test]
async fn what_is_no_moment_is_refused() {
    let desk = Desk::new();
    for claim in ["exp", "iat", "nbf", "auth_time"] {
        for nonsense in [
            json!(-1),
            json!(-0.5),
            json!(i64::MIN),
            json!(i64::MAX),
            json!(u64::MAX),
            json!(1e18),
            json!(1e300),
            json!(-1e300),
            json!(253_402_300_800_i64),
            json!("tomorrow"),
            json!(desk.now().to_string()),
            json!(true),
        ] {
            let judged = desk.judge_but(claim, nonsense.clone()).await;
            assert_eq!(refusal(judged), NO_MOMENT, "{claim}: {nonsense}");
        }
        desk.judge_but(claim, json!([desk.now()])).await.unwrap_err();
    }
    // The last that there is, for which there is still a minute more.
    desk.judge_but("exp", json!(253_402_300_799_i64)).await.unwrap();
    // The first one is long over.
    expect_expired(desk.judge_but("exp", json!(0)).await);
    expect_expired(desk.judge_but("iat", json!(0)).await);
}

#[tokio::test]
async fn a_proof_is_as_old_as_it_is_said_to_be_and_no_younger_than_the_token() {
    let desk = on_the_second();
    let now = desk.now();
    for (issued, proven, counts) in [
        (now, now - 30, now - 30),
        (now, now - DAY * 100, now - DAY * 100),
        (now, now, now),
        // Of the future it would be new at every use.
        (now, now + 30, now),
        (now, now + DAY * 365, now),
        (now - 600, now + DAY * 365, now - 600),
        (now - 600, now, now - 600),
        (now + 60, now + 60, now),
    ] {
        let mut claims = desk.claims_but("auth_time", json!(proven));
        claims["iat"] = json!(issued);
        let token = desk.judge(&claims).await.unwrap();
        let told = token.authenticated_at.map(|at| at.timestamp());
        assert_eq!(told, Some(counts), "{issued} {proven}");
    }
    let token = desk.judge_but("auth_time", Value::Null).await.unwrap();
    assert_eq!(token.authenticated_at, None);
}
