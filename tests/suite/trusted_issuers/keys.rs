//! The keys of an issuer: asked for when they are needed, changed while tokens are out, and not to be had.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::json;
use tenantry_tests::{
    client::Answer,
    token_issuer::{Algorithm, Fault, Signer},
};

use super::{Border, INVALID, ann, bob, expect_refused};
use crate::{binary::process::eventually, mfa::ME};

/// How often keys may be asked for because one is not known.
const PAUSE: TimeDelta = TimeDelta::seconds(10);

/// For how long keys are known, and for how long they count of an issuer that is away.
const KEPT: TimeDelta = TimeDelta::hours(1);
const TRUSTED: TimeDelta = TimeDelta::hours(24);

#[track_caller]
fn expect_unavailable(answer: &Answer) {
    answer.expect_error(StatusCode::SERVICE_UNAVAILABLE, "SERVICE_UNAVAILABLE");
    assert!(answer.header("retry-after").is_some());
    // The token may be good, and no client is told to renew it.
    assert_eq!(answer.header("www-authenticate"), None);
}

#[tokio::test]
async fn keys_are_known_for_an_hour() {
    let border = Border::new().await;
    assert_eq!(border.issuer.times_asked(), 0);
    for _ in 0..3 {
        border.come_in(&ann()).await;
    }
    assert_eq!(border.issuer.times_asked(), 1);
    border.stage.app.clock.advance(KEPT - TimeDelta::seconds(1));
    border.come_in(&ann()).await;
    assert_eq!(border.issuer.times_asked(), 1);
    border.stage.app.clock.advance(TimeDelta::seconds(2));
    border.come_in(&ann()).await;
    assert_eq!(border.issuer.times_asked(), 2);
}

#[tokio::test]
async fn keys_are_changed_while_tokens_are_out() {
    let border = Border::new().await;
    let account = border.come_in(&ann()).await;
    for algorithm in [Algorithm::Rs256, Algorithm::Es256, Algorithm::Rs256] {
        border.stage.app.clock.advance(PAUSE);
        let before = border.issuer.token(&ann());
        border.issuer.rotate(algorithm);
        // The old one counts until the new one is heard of.
        border.show(&before).await.expect(StatusCode::OK);
        let asked = border.issuer.times_asked();
        assert_eq!(border.come_in(&ann()).await.user_id, account.user_id);
        assert_eq!(border.issuer.times_asked(), asked + 1);
        border.stage.app.clock.advance(TimeDelta::seconds(2));
        expect_refused(&border.show(&before).await, INVALID);
    }
    // An issuer that publishes both for a while has nobody turned away.
    let mut both = border.issuer.keys();
    let before = border.issuer.token(&ann());
    border.issuer.rotate(Algorithm::Es256);
    let newer = border.issuer.keys()["keys"][0].clone();
    both["keys"].as_array_mut().unwrap().push(newer);
    border.issuer.publish(both);
    border.stage.app.clock.advance(PAUSE);
    border.come_in(&ann()).await;
    border.stage.app.clock.advance(TimeDelta::seconds(2));
    border.show(&before).await.expect(StatusCode::OK);
}

/// Whoever names any key has the issuer asked no more often for that.
#[tokio::test]
async fn keys_that_nobody_knows_are_asked_for_once_in_a_while() {
    let border = Border::new().await;
    border.come_in(&ann()).await;
    for round in 1..=3 {
        border.stage.app.clock.advance(PAUSE);
        let claims = border.issuer.claims(&ann());
        let running: Vec<_> = (0..20)
            .map(|number| {
                let kid = json!(format!("key-{round}-{number}"));
                let client = border.bearing(&border.issuer.headed(&[("kid", kid)], &claims));
                tokio::spawn(async move { client.get(ME).await })
            })
            .collect();
        for one in running {
            expect_refused(&one.await.unwrap(), INVALID);
        }
        assert_eq!(border.issuer.times_asked(), 1 + round);
        // Those who are honest are kept from nothing by it.
        border.come_in(&ann()).await;
        expect_refused(
            &border.show(&border.issuer.signed(Signer::Stranger, &claims)).await,
            INVALID,
        );
        assert_eq!(border.issuer.times_asked(), 1 + round);
    }
    // And a new key is known once it may be asked for.
    border.issuer.rotate(Algorithm::Rs256);
    expect_refused(&border.show(&border.issuer.token(&ann())).await, INVALID);
    border.stage.app.clock.advance(PAUSE);
    border.come_in(&ann()).await;
}

#[tokio::test]
async fn whom_an_issuer_knows_that_was_never_there_is_not_known() {
    for fault in [
        Fault::Away,
        Fault::Status(500),
        Fault::Status(404),
        Fault::Huge,
        Fault::Endless,
        Fault::Garbage,
        Fault::Redirect,
    ] {
        let border = Border::new().await;
        border.issuer.fail(fault);
        let token = border.issuer.token(&ann());
        for _ in 0..3 {
            expect_unavailable(&border.show(&token).await);
        }
        assert_eq!(border.issuer.times_asked(), 1, "{fault:?}");
        assert_eq!(border.issuer.times_asked_elsewhere(), 0, "{fault:?}");
        assert_eq!(border.stored().await, [0; 4], "{fault:?}");
        // The server's own tokens are no matter of theirs.
        let carl = border.stage.newcomer("Carl").await;
        carl.client.get(ME).await.expect(StatusCode::OK);
        border.issuer.recover();
        border.stage.app.clock.advance(PAUSE);
        border.show(&token).await.expect(StatusCode::OK);
    }
}

#[tokio::test]
async fn an_issuer_that_is_away_is_trusted_by_the_keys_of_a_day() {
    let border = Border::new().await;
    let account = border.come_in(&ann()).await;
    border.issuer.fail(Fault::Away);
    for later in [KEPT, TRUSTED - KEPT - TimeDelta::seconds(1)] {
        border.stage.app.clock.advance(later);
        let asked = border.issuer.times_asked();
        for _ in 0..3 {
            assert_eq!(border.come_in(&ann()).await.user_id, account.user_id);
        }
        assert_eq!(border.issuer.times_asked(), asked + 1);
    }
    // Somebody new, too: the keys are as good for them.
    border.come_in(&bob()).await;
    border.stage.app.clock.advance(TimeDelta::seconds(1));
    expect_unavailable(&border.show(&border.issuer.token(&ann())).await);
    border.issuer.recover();
    border.stage.app.clock.advance(PAUSE);
    border.come_in(&ann()).await;
}

/// Whoever names a key that nobody knows waits for an issuer that says nothing, and nobody else does.
#[tokio::test]
async fn an_issuer_that_says_nothing_holds_up_only_who_needs_it() {
    let border = Border::new().await;
    border.come_in(&ann()).await;
    border.stage.app.clock.advance(PAUSE);
    border.issuer.fail(Fault::Silent);
    let asked = border.issuer.times_asked();
    let stranger = border.bearing(&border.issuer.signed(Signer::Stranger, &border.issuer.claims(&ann())));
    let waiting = tokio::spawn(async move { stranger.get(ME).await });
    eventually("the issuer to be asked", async || {
        (border.issuer.times_asked() > asked).then_some(())
    })
    .await;
    border.come_in(&ann()).await;
    border.come_in(&bob()).await;
    assert!(!waiting.is_finished());
    expect_unavailable(&waiting.await.unwrap());
    assert_eq!(border.issuer.times_asked(), asked + 1);
}
