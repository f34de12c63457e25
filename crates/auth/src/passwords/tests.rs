#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

use std::{num::NonZeroUsize, sync::Arc};

use secrecy::SecretString;
use tokio::time::Instant;

use super::{MAX_WAIT, MAX_WAITING, PasswordCost, PasswordError, PasswordHasher, Verdict};
use crate::test_environment::test_environment;

fn hasher(cost: PasswordCost, concurrency: usize) -> PasswordHasher {
    PasswordHasher::new(cost, NonZeroUsize::new(concurrency).unwrap(), test_environment(1).0)
}

fn secret(text: &str) -> SecretString {
    SecretString::from(text)
}

#[tokio::test]
async fn the_password_and_no_other_is_right() {
    let hasher = hasher(PasswordCost::MINIMAL, 2);
    let stored = hasher.hash(secret("marmalade glacier")).await.unwrap();
    assert!(stored.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{stored}");
    let right = hasher.verify(secret("marmalade glacier"), Some(&stored)).await.unwrap();
    assert_eq!(right, Verdict::Right { rehash: false });
    for wrong in ["marmalade glacieR", "marmalade glacier ", "marmalade glacie", ""] {
        assert_eq!(
            hasher.verify(secret(wrong), Some(&stored)).await.unwrap(),
            Verdict::Wrong,
            "{wrong:?}"
        );
    }
}

#[tokio::test]
async fn every_hash_has_a_salt_of_its_own() {
    let hasher = hasher(PasswordCost::MINIMAL, 2);
    let one = hasher.hash(secret("marmalade glacier")).await.unwrap();
    let other = hasher.hash(secret("marmalade glacier")).await.unwrap();
    assert_ne!(one, other);
}

#[tokio::test]
async fn nothing_of_a_long_password_is_cut_off() {
    let hasher = hasher(PasswordCost::MINIMAL, 2);
    let long = "é".repeat(100_000);
    let stored = hasher.hash(secret(&format!("{long}a"))).await.unwrap();
    assert_eq!(
        hasher.verify(secret(&format!("{long}b")), Some(&stored)).await.unwrap(),
        Verdict::Wrong
    );
    let right = hasher.verify(secret(&format!("{long}a")), Some(&stored)).await.unwrap();
    assert_eq!(right, Verdict::Right { rehash: false });
}

#[tokio::test]
async fn nobody_is_as_wrong_as_a_wrong_password() {
    let hasher = hasher(PasswordCost::MINIMAL, 2);
    assert_eq!(
        hasher.verify(secret("marmalade glacier"), None).await.unwrap(),
        Verdict::Wrong
    );
}

#[tokio::test]
async fn the_recommended_cost_is_owasps_and_another_one_asks_to_be_hashed_anew() {
    let recommended = hasher(PasswordCost::RECOMMENDED, 1);
    let current = recommended.hash(secret("marmalade glacier")).await.unwrap();
    assert!(current.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{current}");

    let old = hasher(PasswordCost::MINIMAL, 1)
        .hash(secret("marmalade glacier"))
        .await
        .unwrap();
    let verdict = recommended
        .verify(secret("marmalade glacier"), Some(&old))
        .await
        .unwrap();
    assert_eq!(verdict, Verdict::Right { rehash: true });
}

#[tokio::test]
async fn an_older_variant_is_checked_and_asks_to_be_hashed_anew() {
    // The reference implementation's test vector for argon2i, version 19: t=2, m=256 KiB, p=1, "password", "somesalt".
    let stored = "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8";
    let hasher = hasher(PasswordCost::MINIMAL, 1);
    let verdict = hasher.verify(secret("password"), Some(stored)).await.unwrap();
    assert_eq!(verdict, Verdict::Right { rehash: true });
    assert_eq!(
        hasher.verify(secret("passwore"), Some(stored)).await.unwrap(),
        Verdict::Wrong
    );
}

#[tokio::test]
async fn a_stored_text_that_is_no_hash_is_an_error_and_not_a_wrong_password() {
    let hasher = hasher(PasswordCost::MINIMAL, 1);
    for stored in [
        "",
        "marmalade glacier",
        "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW",
        "$argon2id$v=19$m=8,t=1,p=1",
        "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ",
        "$argon2id$v=19$m=4294967295,t=1,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8",
        "$argon2id$v=19$m=8,t=4000000000,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8",
    ] {
        let outcome = hasher.verify(secret("marmalade glacier"), Some(stored)).await;
        assert!(
            matches!(outcome, Err(PasswordError::StoredHash)),
            "{stored:?}: {outcome:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn waiting_for_a_turn_ends() {
    let hasher = hasher(PasswordCost::MINIMAL, 1);
    let turn = hasher.turns.acquire().await.unwrap();
    let started = Instant::now();
    let outcome = hasher.hash(secret("marmalade glacier")).await;
    assert!(matches!(outcome, Err(PasswordError::Busy)), "{outcome:?}");
    assert!(started.elapsed() >= MAX_WAIT);

    drop(turn);
    assert!(
        hasher.hash(secret("marmalade glacier")).await.is_ok(),
        "the place was given back"
    );
}

#[tokio::test(start_paused = true)]
async fn the_queue_has_an_end() {
    let hasher = Arc::new(hasher(PasswordCost::MINIMAL, 1));
    let turn = hasher.turns.acquire().await.unwrap();
    let served_by_the_test = hasher.places.acquire().await.unwrap();
    let waiting: Vec<_> = (0..MAX_WAITING)
        .map(|_| {
            let hasher = Arc::clone(&hasher);
            tokio::spawn(async move { hasher.verify(secret("marmalade glacier"), None).await })
        })
        .collect();
    while hasher.places.available_permits() > 0 {
        tokio::task::yield_now().await;
    }

    let started = Instant::now();
    let outcome = hasher.hash(secret("marmalade glacier")).await;
    assert!(matches!(outcome, Err(PasswordError::Busy)), "{outcome:?}");
    assert_eq!(started.elapsed(), std::time::Duration::ZERO, "refused without waiting");

    drop((turn, served_by_the_test));
    for waiter in waiting {
        assert_eq!(
            waiter.await.unwrap().unwrap(),
            Verdict::Wrong,
            "whoever had a place is served"
        );
    }
}

#[tokio::test]
async fn a_caller_that_goes_away_keeps_its_turn_until_the_work_is_done() {
    let hasher = Arc::new(hasher(PasswordCost::MINIMAL, 1));
    let (started, has_started) = tokio::sync::oneshot::channel();
    let (finish, may_finish) = std::sync::mpsc::channel::<()>();
    let caller = tokio::spawn({
        let hasher = Arc::clone(&hasher);
        async move {
            hasher
                .in_turn(move || {
                    started.send(()).unwrap();
                    may_finish.recv().unwrap();
                })
                .await
        }
    });
    has_started.await.unwrap();
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    assert_eq!(hasher.turns.available_permits(), 0);

    finish.send(()).unwrap();
    assert!(
        hasher.hash(secret("marmalade glacier")).await.is_ok(),
        "the next one gets the turn"
    );
}
