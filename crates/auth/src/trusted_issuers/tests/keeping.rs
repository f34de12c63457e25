//! For how long keys are known, how often they are asked for, and what counts of an issuer that is away.

use chrono::TimeDelta;

use super::{
    Desk, NO_KEY, Published, WRONG_SIGNATURE, expect_unavailable, refusal,
    signing::{Kind, SigningKey},
};

const PAUSE: TimeDelta = TimeDelta::seconds(10);
const KNOWN_FOR: TimeDelta = TimeDelta::hours(1);
const TRUSTED_FOR: TimeDelta = TimeDelta::hours(24);
const MOMENT: TimeDelta = TimeDelta::milliseconds(1);

/// Keys of these names.
fn keys<const N: usize>(names: [&str; N]) -> [SigningKey; N] {
    names.map(|name| SigningKey::new(name, Kind::Ed25519))
}

#[tokio::test]
async fn keys_are_asked_for_when_they_are_needed_and_known_for_an_hour() {
    let desk = Desk::new();
    assert_eq!(desk.asked(), 0);
    for _ in 0..3 {
        desk.verify(&desk.token()).await.unwrap();
    }
    assert_eq!(desk.asked(), 1);
    desk.clock.advance(KNOWN_FOR - MOMENT);
    desk.verify(&desk.token()).await.unwrap();
    assert_eq!(desk.asked(), 1);
    desk.clock.advance(MOMENT);
    desk.verify(&desk.token()).await.unwrap();
    assert_eq!(desk.asked(), 2);
}

#[tokio::test]
async fn who_comes_at_once_asks_once() {
    let desk = Desk::new();
    let token = desk.token();
    let judged = tokio::join!(
        desk.verify(&token),
        desk.verify(&token),
        desk.verify(&token),
        desk.verify(&token)
    );
    for judged in [judged.0, judged.1, judged.2, judged.3] {
        judged.unwrap();
    }
    assert_eq!(desk.asked(), 1);
    // The same where nobody is there: the others are not told anything else.
    let away = Desk::new();
    away.web.publish(Published::Nobody);
    let judged = tokio::join!(away.verify(&token), away.verify(&token), away.verify(&token));
    for judged in [judged.0, judged.1, judged.2] {
        expect_unavailable(judged);
    }
    assert_eq!(away.asked(), 1);
}

#[tokio::test]
async fn a_key_that_nobody_knows_is_asked_for_once_in_ten_seconds() {
    let desk = Desk::new();
    let strangers = keys(["a", "b", "c", "d", "e"]);
    desk.verify(&desk.token()).await.unwrap();
    // The issuer has just said which keys it has.
    for stranger in &strangers {
        assert_eq!(refusal(desk.verify(&stranger.token(&desk.claims())).await), NO_KEY);
    }
    assert_eq!(desk.asked(), 1);
    for round in 2..5 {
        desk.clock.advance(PAUSE - MOMENT);
        for stranger in &strangers {
            assert_eq!(refusal(desk.verify(&stranger.token(&desk.claims())).await), NO_KEY);
        }
        assert_eq!(desk.asked(), round - 1);
        desk.clock.advance(MOMENT);
        for stranger in &strangers {
            assert_eq!(refusal(desk.verify(&stranger.token(&desk.claims())).await), NO_KEY);
            desk.verify(&desk.token()).await.unwrap();
        }
        assert_eq!(desk.asked(), round);
    }
}

#[tokio::test]
async fn a_key_that_is_new_counts_once_it_may_be_asked_for() {
    let desk = Desk::new();
    let [next] = keys(["next"]);
    desk.verify(&desk.token()).await.unwrap();
    desk.web.publish(Published::Keys(vec![desk.key.jwk(), next.jwk()]));
    let token = next.token(&desk.claims());
    assert_eq!(refusal(desk.verify(&token).await), NO_KEY);
    desk.clock.advance(PAUSE);
    desk.verify(&token).await.unwrap();
    // Whatever was signed by the one before it, while that is published.
    desk.verify(&desk.token()).await.unwrap();
    assert_eq!(desk.asked(), 2);
}

/// A key that was stolen is withdrawn by its owner.
#[tokio::test]
async fn a_key_that_is_published_no_more_counts_for_an_hour_at_most() {
    let desk = Desk::new();
    let [next] = keys(["next"]);
    desk.verify(&desk.token()).await.unwrap();
    desk.web.publish(Published::Keys(vec![next.jwk()]));
    desk.clock.advance(KNOWN_FOR - MOMENT);
    desk.verify(&desk.token()).await.unwrap();
    desk.clock.advance(MOMENT);
    assert_eq!(refusal(desk.verify(&desk.token()).await), NO_KEY);
    desk.verify(&next.token(&desk.claims())).await.unwrap();
    assert_eq!(desk.asked(), 2);

    // At once where somebody brought a newer one.
    let desk = Desk::new();
    desk.verify(&desk.token()).await.unwrap();
    desk.web.publish(Published::Keys(vec![next.jwk()]));
    desk.clock.advance(PAUSE);
    desk.verify(&next.token(&desk.claims())).await.unwrap();
    assert_eq!(refusal(desk.verify(&desk.token()).await), NO_KEY);
}

/// Another key by the same name is another key.
#[tokio::test]
async fn a_name_that_is_another_keys_by_now_is_that_ones() {
    let desk = Desk::new();
    desk.verify(&desk.token()).await.unwrap();
    let [next] = keys(["first"]);
    desk.web.publish(Published::Keys(vec![next.jwk()]));
    desk.clock.advance(KNOWN_FOR);
    assert_eq!(refusal(desk.verify(&desk.token()).await), WRONG_SIGNATURE);
    desk.verify(&next.token(&desk.claims())).await.unwrap();
}

#[tokio::test]
async fn an_issuer_that_is_away_is_trusted_by_the_keys_of_a_day() {
    for fault in [
        Published::Nobody,
        Published::Status(500),
        Published::Text("no keys".to_owned()),
        Published::Redirect,
    ] {
        let desk = Desk::new();
        let [stranger] = keys(["stranger"]);
        desk.verify(&desk.token()).await.unwrap();
        desk.web.publish(fault);
        desk.clock.advance(KNOWN_FOR);
        for _ in 0..3 {
            desk.verify(&desk.token()).await.unwrap();
        }
        // It is asked again, but not by everybody.
        assert_eq!(desk.asked(), 2);
        desk.clock.advance(PAUSE);
        desk.verify(&desk.token()).await.unwrap();
        assert_eq!(desk.asked(), 3);
        // Of a key that it did not have then, nobody can say anything.
        desk.clock.advance(PAUSE);
        expect_unavailable(desk.verify(&stranger.token(&desk.claims())).await);
        desk.verify(&desk.token()).await.unwrap();

        desk.clock.advance(TRUSTED_FOR - KNOWN_FOR - PAUSE * 2 - MOMENT);
        desk.verify(&desk.token()).await.unwrap();
        desk.clock.advance(MOMENT);
        expect_unavailable(desk.verify(&desk.token()).await);
        // And it comes back.
        desk.web.publish(Published::Keys(vec![desk.key.jwk()]));
        expect_unavailable(desk.verify(&desk.token()).await);
        desk.clock.advance(PAUSE);
        desk.verify(&desk.token()).await.unwrap();
    }
}

#[tokio::test]
async fn an_issuer_that_was_never_there_is_asked_once_in_ten_seconds() {
    let desk = Desk::new();
    desk.web.publish(Published::Nobody);
    for _ in 0..3 {
        expect_unavailable(desk.verify(&desk.token()).await);
    }
    assert_eq!(desk.asked(), 1);
    desk.clock.advance(PAUSE - MOMENT);
    desk.web.publish(Published::Keys(vec![desk.key.jwk()]));
    expect_unavailable(desk.verify(&desk.token()).await);
    desk.clock.advance(MOMENT);
    desk.verify(&desk.token()).await.unwrap();
    assert_eq!(desk.asked(), 2);
}

/// Nobody waits for longer than the issuer is given, and whoever is known is not kept waiting by who is not.
#[tokio::test(start_paused = true)]
async fn an_issuer_that_says_nothing_is_away() {
    let desk = Desk::new();
    let [stranger] = keys(["stranger"]);
    desk.web.publish(Published::Silence);
    expect_unavailable(desk.verify(&desk.token()).await);

    let desk = Desk::new();
    desk.verify(&desk.token()).await.unwrap();
    desk.web.publish(Published::Silence);
    desk.clock.advance(PAUSE);
    let unknown = stranger.token(&desk.claims());
    let known = desk.token();
    let begun = tokio::time::Instant::now();
    let waited_for = async {
        while desk.asked() < 2 {
            tokio::task::yield_now().await;
        }
        desk.verify(&known).await.unwrap();
        begun.elapsed()
    };
    let (unknown, waited) = tokio::join!(desk.verify(&unknown), waited_for);
    expect_unavailable(unknown);
    assert!(waited.is_zero(), "{waited:?}");
    // It is given eight seconds, by a clock that goes no further than it must.
    assert_eq!(begun.elapsed().as_secs(), 8);
}

/// That it once had others is no reason to call a key none of its own.
#[tokio::test]
async fn a_key_that_nobody_knows_is_not_refused_while_the_issuer_is_away() {
    let desk = Desk::new();
    let [stranger] = keys(["stranger"]);
    desk.verify(&desk.token()).await.unwrap();
    desk.web.publish(Published::Nobody);
    desk.clock.advance(PAUSE);
    let unknown = stranger.token(&desk.claims());
    expect_unavailable(desk.verify(&unknown).await);
    desk.clock.advance(PAUSE - MOMENT);
    expect_unavailable(desk.verify(&unknown).await);
    desk.verify(&desk.token()).await.unwrap();
    assert_eq!(desk.asked(), 2);
    // It says so itself.
    desk.web.publish(Published::Keys(vec![desk.key.jwk()]));
    desk.clock.advance(MOMENT);
    assert_eq!(refusal(desk.verify(&unknown).await), NO_KEY);
    assert_eq!(desk.asked(), 3);
}

/// Only whoever asks a slow issuer waits for it, where the keys of the last day will do.
#[tokio::test(start_paused = true)]
async fn a_key_that_is_asked_for_anew_is_used_meanwhile() {
    let desk = Desk::new();
    desk.verify(&desk.token()).await.unwrap();
    desk.web.publish(Published::Silence);
    desk.clock.advance(KNOWN_FOR);
    let token = desk.token();
    let begun = tokio::time::Instant::now();
    let meanwhile = async {
        while desk.asked() < 2 {
            tokio::task::yield_now().await;
        }
        desk.verify(&token).await.unwrap();
        begun.elapsed()
    };
    let (first, waited) = tokio::join!(desk.verify(&token), meanwhile);
    first.unwrap();
    assert!(waited.is_zero(), "{waited:?}");
    assert!(!begun.elapsed().is_zero());
    assert_eq!(desk.asked(), 2);
}

/// Keys from before the clock was set back are as doubtful as those that are too old.
#[tokio::test]
async fn a_clock_that_goes_back_keeps_no_key_alive() {
    let desk = Desk::new();
    desk.verify(&desk.token()).await.unwrap();
    desk.clock.advance(-KNOWN_FOR);
    desk.verify(&desk.token()).await.unwrap();
    assert_eq!(desk.asked(), 2);
    desk.web.publish(Published::Nobody);
    desk.clock.advance(-TRUSTED_FOR);
    expect_unavailable(desk.verify(&desk.token()).await);
}
