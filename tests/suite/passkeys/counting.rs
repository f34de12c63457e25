//! Keys that count their uses: one that counts no further has perhaps been copied.

use reqwest::StatusCode;
use tenantry_tests::passkey::Authenticator;

use super::{Holder, LOGIN, ORIGIN, by_passkey, events_of, login_options, phone};
use crate::mfa::{REAUTHENTICATE, Stage, count, expect_session, expect_unauthorized, post_at_once, reauthenticate};

#[tokio::test]
async fn a_copy_that_counts_no_further_is_refused_and_told_of() {
    let stage = Stage::new().await;
    let account = stage.newcomer("Ann").await;
    let mut ann = Holder::with(account, Authenticator::security_key(ORIGIN)).await;
    let mails = stage.mails_to(&ann.account).await;
    let mut copy = ann.device.clone();
    ann.sign_in(&stage).await;
    ann.sign_in(&stage).await;
    assert_eq!(events_of(&stage, "user.passkey_suspected", &ann.id).await, 0);
    let sessions = stage.sessions(&ann.account).await;
    // Behind what was counted before, and then level with it.
    for seen in 1..=2 {
        let answer = copy.get(&login_options(&stage).await);
        expect_unauthorized(&stage.anybody().post(LOGIN, &answer).await);
        assert_eq!(events_of(&stage, "user.passkey_suspected", &ann.id).await, seen);
    }
    assert_eq!(stage.mails_to(&ann.account).await, mails + 2);
    let sent = stage.app.mails().await;
    let newest = sent.iter().find(|mail| mail.to == ann.account.email).unwrap();
    assert!(newest.text.contains("Passkey"), "{}", newest.text);
    // Whether somebody is signed in or not.
    copy.behaviour.counts_by = 0;
    let answer = copy.get(&login_options(&stage).await);
    expect_unauthorized(&reauthenticate(ann.client(), &by_passkey(&answer)).await);
    assert_eq!(events_of(&stage, "user.passkey_suspected", &ann.id).await, 3);
    // One that counts nothing any more is as suspicious.
    copy.passkeys[0].counter = 0;
    let answer = copy.get(&login_options(&stage).await);
    expect_unauthorized(&stage.anybody().post(LOGIN, &answer).await);
    assert_eq!(events_of(&stage, "user.passkey_suspected", &ann.id).await, 4);
    assert_eq!(stage.sessions(&ann.account).await, sessions);
    // Its owner goes on.
    ann.sign_in(&stage).await;
}

#[tokio::test]
async fn a_key_that_counts_nothing_is_not_suspicious() {
    let stage = Stage::new().await;
    let mut ann = Holder::with(stage.newcomer("Ann").await, phone()).await;
    for _ in 0..3 {
        ann.sign_in(&stage).await;
    }
    assert_eq!(stage.events("user.passkey_suspected").await, 0);
    // One that begins to count is none either, until it stops.
    ann.device.behaviour.counts_by = 1;
    ann.sign_in(&stage).await;
    ann.device.behaviour.counts_by = 0;
    let answer = ann.answer(&stage).await;
    expect_unauthorized(&stage.anybody().post(LOGIN, &answer).await);
    assert_eq!(stage.events("user.passkey_suspected").await, 1);
}

/// Nobody makes others afraid of their passkeys who does not hold them.
#[tokio::test]
async fn a_counter_that_was_not_signed_is_no_suspicion() {
    let stage = Stage::new().await;
    let account = stage.newcomer("Ann").await;
    let mut ann = Holder::with(account, Authenticator::security_key(ORIGIN)).await;
    ann.sign_in(&stage).await;
    let mails = stage.mails_to(&ann.account).await;
    let mut forger = ann.device.clone();
    forger.behaviour.other_key = true;
    forger.behaviour.counts_by = 0;
    let answer = forger.get(&login_options(&stage).await);
    expect_unauthorized(&stage.anybody().post(LOGIN, &answer).await);
    assert_eq!(stage.events("user.passkey_suspected").await, 0);
    assert_eq!(stage.mails_to(&ann.account).await, mails);
}

#[tokio::test]
async fn two_answers_at_once_count_one_after_the_other() {
    let stage = Stage::new().await;
    let account = stage.newcomer("Ann").await;
    let mut ann = Holder::with(account, Authenticator::security_key(ORIGIN)).await;
    let mut copy = ann.device.clone();
    let first = ann.answer(&stage).await;
    let second = copy.get(&login_options(&stage).await);
    let anybody = stage.anybody();
    let answers = post_at_once([(&anybody, LOGIN, first), (&anybody, LOGIN, second)]).await;
    assert_eq!(count(&answers, StatusCode::OK), 1);
    assert_eq!(count(&answers, StatusCode::UNAUTHORIZED), 1);
    assert_eq!(events_of(&stage, "user.passkey_suspected", &ann.id).await, 1);
    let session = answers.iter().find(|answer| answer.status == StatusCode::OK);
    expect_session(session.unwrap());
}

/// A request that is sent again, as browsers and proxies do, makes nobody afraid of a copy.
#[tokio::test]
async fn an_answer_that_comes_twice_is_no_copy() {
    let stage = Stage::new().await;
    let account = stage.newcomer("Ann").await;
    let mut ann = Holder::with(account, Authenticator::security_key(ORIGIN)).await;
    let mails = stage.mails_to(&ann.account).await;
    let (anybody, client) = (stage.anybody(), ann.client().clone());
    for (client, path) in [(&anybody, LOGIN), (&client, REAUTHENTICATE)] {
        let body = |answer| match path {
            LOGIN => answer,
            _ => by_passkey(&answer),
        };
        let shown = body(ann.answer(&stage).await);
        client.post(path, &shown).await.expect(StatusCode::OK);
        for _ in 0..2 {
            expect_unauthorized(&client.post(path, &shown).await);
        }
        let shown = body(ann.answer(&stage).await);
        let answers = post_at_once([(client, path, shown.clone()), (client, path, shown)]).await;
        assert_eq!(count(&answers, StatusCode::OK), 1, "{path}");
        assert_eq!(count(&answers, StatusCode::UNAUTHORIZED), 1, "{path}");
    }
    // Nor is one that was shown for something else.
    let answer = ann.answer(&stage).await;
    expect_session(&anybody.post(LOGIN, &answer).await);
    expect_unauthorized(&reauthenticate(&client, &by_passkey(&answer)).await);
    for kind in ["user.passkey_suspected", "user.passkey_failed"] {
        assert_eq!(stage.events(kind).await, 0, "{kind}");
    }
    assert_eq!(stage.mails_to(&ann.account).await, mails);
    ann.sign_in(&stage).await;
}
