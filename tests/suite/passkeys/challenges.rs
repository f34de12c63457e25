//! What is answered: for whom it is good, for what, for how long, and how often.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::Value;
use tenantry_tests::{
    app::{Options, TestApp, other_keyring},
    client::Client,
    passkey::{Authenticator, decoded, encoded},
};

use super::{
    Holder, LOGIN, LOGIN_OPTIONS, PASSKEYS, by_passkey, by_password, creation_options, events_of, expect_incorrect,
    login_options, phone, register,
};
use crate::mfa::{Stage, expect_session, expect_unauthorized, freshen, post_nothing, reauthenticate};

/// How long a challenge can be answered.
const LIFE: TimeDelta = TimeDelta::minutes(5);

/// Registers what a device answers to a challenge that was put elsewhere.
async fn expect_refused(client: &Client, challenge: &Value) {
    let mut options = creation_options(client).await;
    options["challenge"] = challenge.clone();
    let body = phone().create(&options);
    expect_incorrect(&client.post(PASSKEYS, &body).await);
}

/// Has a device answer a challenge that was put elsewhere.
async fn answered(stage: &Stage, device: &mut Authenticator, challenge: &Value) -> Value {
    let mut options = login_options(stage).await;
    options["challenge"] = challenge.clone();
    device.get(&options)
}

#[tokio::test]
async fn a_challenge_can_be_answered_for_five_minutes() {
    let stage = Stage::new().await;
    let mut ann = Holder::new(&stage, "Ann").await;
    for (after, fits) in [(LIFE - TimeDelta::seconds(1), true), (LIFE, false)] {
        let first = ann.answer(&stage).await;
        let second = by_passkey(&ann.answer(&stage).await);
        let own = ann.sign_in(&stage).await;
        let body = phone().create(&creation_options(&own).await);
        stage.app.clock.advance(after);
        let signed_in = stage.anybody().post(LOGIN, &first).await;
        let again = reauthenticate(&own, &second).await;
        let registered = own.post(PASSKEYS, &body).await;
        if fits {
            expect_session(&signed_in);
            again.expect(StatusCode::OK);
            registered.expect(StatusCode::CREATED);
        } else {
            expect_unauthorized(&signed_in);
            expect_unauthorized(&again);
            expect_incorrect(&registered);
        }
    }
}

#[tokio::test]
async fn an_answer_to_a_challenge_is_good_once() {
    let stage = Stage::new().await;
    let mut ann = Holder::new(&stage, "Ann").await;
    let options = login_options(&stage).await;
    let answer = ann.device.get(&options);
    let sessions = stage.sessions(&ann.account).await;
    expect_session(&stage.anybody().post(LOGIN, &answer).await);
    // The same, and another to the same challenge.
    for replayed in [answer.clone(), ann.device.get(&options)] {
        expect_unauthorized(&stage.anybody().post(LOGIN, &replayed).await);
        expect_unauthorized(&reauthenticate(ann.client(), &by_passkey(&replayed)).await);
    }
    stage.app.clock.advance(LIFE * 2);
    expect_unauthorized(&stage.anybody().post(LOGIN, &answer).await);
    assert_eq!(stage.sessions(&ann.account).await, sessions + 1);

    let answer = ann.answer(&stage).await;
    let again = reauthenticate(ann.client(), &by_passkey(&answer)).await;
    again.expect(StatusCode::OK);
    expect_unauthorized(&stage.anybody().post(LOGIN, &answer).await);
    expect_unauthorized(&reauthenticate(ann.client(), &by_passkey(&answer)).await);
}

#[tokio::test]
async fn a_challenge_registers_one_key() {
    let stage = Stage::new().await;
    let ann = stage.newcomer("Ann").await;
    let options = creation_options(&ann.client).await;
    let (first, second) = (phone().create(&options), phone().create(&options));
    ann.client.post(PASSKEYS, &first).await.expect(StatusCode::CREATED);
    expect_incorrect(&ann.client.post(PASSKEYS, &second).await);
    // What was answered comes before what is known already.
    expect_incorrect(&ann.client.post(PASSKEYS, &first).await);
    assert_eq!(stage.database.count("passkeys").await, 1);
}

/// Nobody tries one answer after another.
#[tokio::test]
async fn a_wrong_answer_uses_the_challenge_up() {
    let stage = Stage::new().await;
    let mut ann = Holder::new(&stage, "Ann").await;
    let options = login_options(&stage).await;
    let mut forger = ann.device.clone();
    forger.behaviour.other_key = true;
    let (right, wrong) = (ann.device.get(&options), forger.get(&options));
    expect_unauthorized(&stage.anybody().post(LOGIN, &wrong).await);
    assert_eq!(events_of(&stage, "user.passkey_failed", &ann.id).await, 1);
    // From now on it is answered by nothing, and nobody is told of more.
    for late in [&right, &wrong, &forger.get(&options)] {
        expect_unauthorized(&stage.anybody().post(LOGIN, late).await);
        expect_unauthorized(&reauthenticate(ann.client(), &by_passkey(late)).await);
    }
    assert_eq!(events_of(&stage, "user.passkey_failed", &ann.id).await, 1);
    assert_eq!(stage.sessions(&ann.account).await, 1);
    ann.sign_in(&stage).await;
}

/// What was answered is known for as long as it could be answered again, and not for longer.
#[tokio::test]
async fn what_cannot_be_answered_any_more_is_forgotten_at_the_next_use() {
    let stage = Stage::new().await;
    let mut ann = Holder::new(&stage, "Ann").await;
    let known = format!("answered_challenges where user_id = '{}'", ann.account.user_id);
    // That of the registration is the first.
    ann.sign_in(&stage).await;
    ann.sign_in(&stage).await;
    assert_eq!(stage.database.count(&known).await, 3);
    stage.app.clock.advance(LIFE - TimeDelta::seconds(1));
    ann.sign_in(&stage).await;
    assert_eq!(stage.database.count(&known).await, 4);
    stage.app.clock.advance(TimeDelta::seconds(1));
    ann.sign_in(&stage).await;
    assert_eq!(stage.database.count(&known).await, 2);
    // A registration is a use, too.
    stage.app.clock.advance(LIFE);
    assert_eq!(stage.database.count(&known).await, 2);
    freshen(ann.client()).await;
    let registered = register(ann.client(), &mut phone(), None).await;
    registered.expect(StatusCode::CREATED);
    assert_eq!(stage.database.count(&known).await, 1);
}

#[tokio::test]
async fn what_is_asked_for_a_registration_is_asked_for_no_sign_in() {
    let stage = Stage::new().await;
    let mut ann = Holder::new(&stage, "Ann").await;
    let challenge = creation_options(ann.client()).await["challenge"].take();
    let answer = answered(&stage, &mut ann.device, &challenge).await;
    expect_unauthorized(&stage.anybody().post(LOGIN, &answer).await);
    expect_unauthorized(&reauthenticate(ann.client(), &by_passkey(&answer)).await);
    let challenge = login_options(&stage).await["challenge"].take();
    expect_refused(ann.client(), &challenge).await;
    assert_eq!(stage.database.count("passkeys").await, 1);
}

#[tokio::test]
async fn what_one_session_is_asked_is_answered_in_no_other() {
    let stage = Stage::new().await;
    let ann = stage.newcomer("Ann").await;
    let bob = stage.newcomer("Bob").await;
    let other = by_password(&stage, &ann).await;
    let options = creation_options(&ann.client).await;
    expect_refused(&bob.client, &options["challenge"]).await;
    expect_refused(&other, &options["challenge"]).await;
    // With the answer as it is, too.
    let body = phone().create(&options);
    for client in [&bob.client, &other] {
        expect_incorrect(&client.post(PASSKEYS, &body).await);
    }
    ann.client.post(PASSKEYS, &body).await.expect(StatusCode::CREATED);
    assert_eq!(stage.database.count("passkeys").await, 1);
}

#[tokio::test]
async fn a_forged_challenge_is_none() {
    let stage = Stage::new().await;
    let mut ann = Holder::new(&stage, "Ann").await;
    let elsewhere = Options {
        keys: other_keyring(),
        ..Options::default()
    };
    let elsewhere = TestApp::with(&stage.database, elsewhere).await;
    let foreign = post_nothing(&elsewhere.client(), LOGIN_OPTIONS).await;
    let foreign = foreign.expect(StatusCode::OK).data()["challenge"].take();
    let answer = answered(&stage, &mut ann.device, &foreign).await;
    expect_unauthorized(&stage.anybody().post(LOGIN, &answer).await);

    let (own, other) = (login_options(&stage).await, login_options(&stage).await);
    let own = decoded(own["challenge"].as_str().unwrap());
    let other = decoded(other["challenge"].as_str().unwrap());
    let mut forged: Vec<Vec<u8>> = (0..own.len())
        .map(|index| {
            let mut forged = own.clone();
            forged[index] ^= 1;
            forged
        })
        .collect();
    let half = own.len() / 2;
    forged.push([&own[..half], &other[half..]].concat());
    forged.push([&other[..half], &own[half..]].concat());
    forged.push([&own[..], &[0]].concat());
    // A browser would refuse shorter ones.
    forged.push(own[..own.len().max(17) - 1].to_vec());
    for forged in forged {
        let answer = answered(&stage, &mut ann.device, &encoded(&forged).into()).await;
        expect_unauthorized(&stage.anybody().post(LOGIN, &answer).await);
    }
    // None of them has used it up.
    let answer = answered(&stage, &mut ann.device, &encoded(&own).into()).await;
    expect_session(&stage.anybody().post(LOGIN, &answer).await);
}
