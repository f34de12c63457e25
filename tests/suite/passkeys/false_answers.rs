//! What is no proof: each answer is wrong in one way, and is told from no other.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::passkey::{cose_key, decoded, encoded, random};

use super::{
    Holder, LIES, LOGIN, Lie, PASSKEYS, by_passkey, creation_options, events_of, expect_incorrect, listed, phone, told,
};
use crate::mfa::{FRESH, LOGIN as PASSWORD_LOGIN, Stage, expect_session, reauthenticate};

/// What is wrong with the answers of a device that is asked for a key, beside the [`LIES`].
const LIES_AT_REGISTRATION: [Lie; 6] = [
    ("the type of a sign-in", |told| told.kind = Some("webauthn.get")),
    ("an algorithm that was not asked for", |told| told.algorithm = -36),
    // ES384, whose keys are on P-384: this one could sign nobody in.
    ("the algorithm of another curve", |told| told.algorithm = -35),
    ("a point that is on no curve", |told| {
        told.cose_key = Some(cose_key(-7, &[1; 32], &[2; 32]));
    }),
    ("an attestation of no known format", |told| told.format = "homemade"),
    ("an attestation that attests nothing", |told| told.format = "packed"),
];

/// The same at a sign-in.
const LIES_AT_SIGN_IN: [Lie; 3] = [
    ("the type of a registration", |told| told.kind = Some("webauthn.create")),
    ("another key", |told| told.other_key = true),
    ("a key that is synced no longer", |told| {
        (told.backup_eligible, told.backed_up) = (false, false);
    }),
];

/// What is changed in an answer after it was signed.
fn changed(answer: &Value, other: &Value) -> Vec<(&'static str, Value)> {
    let with = |change: fn(&mut Value, &Value)| {
        let mut changed = answer.clone();
        change(&mut changed, other);
        changed
    };
    vec![
        (
            "a handle that nobody has",
            with(|body, _| body["response"]["userHandle"] = encoded(&[9; 16]).into()),
        ),
        (
            "a handle of another length",
            with(|body, _| body["response"]["userHandle"] = encoded(&[9; 64]).into()),
        ),
        (
            "the handle of another",
            with(|body, other| body["response"]["userHandle"] = other["response"]["userHandle"].clone()),
        ),
        (
            "a key that nobody has",
            with(|body, _| {
                body["id"] = encoded(&[5; 32]).into();
                body["rawId"] = encoded(&[5; 32]).into();
            }),
        ),
        (
            "the key of another",
            with(|body, other| {
                body["id"] = other["id"].clone();
                body["rawId"] = other["rawId"].clone();
            }),
        ),
        (
            "the key and the handle of another",
            with(|body, other| {
                body["id"] = other["id"].clone();
                body["rawId"] = other["rawId"].clone();
                body["response"]["userHandle"] = other["response"]["userHandle"].clone();
            }),
        ),
        (
            "the signature of another",
            with(|body, other| body["response"]["signature"] = other["response"]["signature"].clone()),
        ),
        (
            "what was signed by another",
            with(|body, other| body["response"]["clientDataJSON"] = other["response"]["clientDataJSON"].clone()),
        ),
        (
            "a signature of nothing",
            with(|body, _| body["response"]["signature"] = encoded(&[0; 70]).into()),
        ),
    ]
}

#[tokio::test]
async fn a_key_is_registered_by_no_wrong_answer() {
    let stage = Stage::new().await;
    let ann = stage.newcomer("Ann").await;
    for (lie, tell) in LIES.into_iter().chain(LIES_AT_REGISTRATION) {
        let mut device = phone();
        tell(&mut device.behaviour);
        let body = device.create(&creation_options(&ann.client).await);
        let answer = ann.client.post(PASSKEYS, &body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{lie}: {}", answer.text);
        expect_incorrect(&answer);
        // The access token is as good as before, and no client is told to renew it.
        assert_eq!(answer.header("www-authenticate"), None, "{lie}");
    }
    assert_eq!(stage.database.count("passkeys").await, 0);
    assert_eq!(stage.database.count("recovery_codes").await, 0);
    assert_eq!(stage.events("user.passkey_added").await, 0);
    Holder::with(ann, phone()).await;
}

#[tokio::test]
async fn a_wrong_answer_signs_in_like_a_wrong_password() {
    let stage = Stage::new().await;
    let mut ann = Holder::new(&stage, "Ann").await;
    let mut bob = Holder::new(&stage, "Bob").await;
    let sessions = stage.sessions(&ann.account).await;
    let wrong = json!({ "email": ann.account.email, "password": "a wrong guess" });
    let wrong = stage.anybody().post(PASSWORD_LOGIN, &wrong).await;
    wrong.expect_error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED");
    assert!(!wrong.header("www-authenticate").unwrap().contains("error"));
    for (lie, tell) in LIES.into_iter().chain(LIES_AT_SIGN_IN) {
        let honest = ann.device.behaviour.clone();
        tell(&mut ann.device.behaviour);
        let answer = ann.answer(&stage).await;
        ann.device.behaviour = honest;
        let refused = stage.anybody().post(LOGIN, &answer).await;
        assert_eq!(told(&refused), told(&wrong), "{lie}");
    }
    let (answer, other) = (ann.answer(&stage).await, bob.answer(&stage).await);
    for (lie, body) in changed(&answer, &other) {
        let refused = stage.anybody().post(LOGIN, &body).await;
        assert_eq!(told(&refused), told(&wrong), "{lie}");
    }
    assert_eq!(stage.sessions(&ann.account).await, sessions);
    assert_eq!(listed(ann.client()).await[0]["lastUsedAt"], Value::Null);
    assert_eq!(events_of(&stage, "user.passkey_suspected", &ann.id).await, 0);
    // Nobody is locked out by them.
    ann.sign_in(&stage).await;
    bob.sign_in(&stage).await;
}

#[tokio::test]
async fn a_wrong_answer_proves_nothing_to_who_is_signed_in() {
    let stage = Stage::new().await;
    let mut ann = Holder::new(&stage, "Ann").await;
    let mut bob = Holder::new(&stage, "Bob").await;
    stage.app.clock.advance(FRESH);
    let wrong = reauthenticate(ann.client(), &json!({ "password": "a wrong guess" })).await;
    wrong.expect_error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED");
    for (lie, tell) in LIES.into_iter().chain(LIES_AT_SIGN_IN) {
        let honest = ann.device.behaviour.clone();
        tell(&mut ann.device.behaviour);
        let answer = ann.answer(&stage).await;
        ann.device.behaviour = honest;
        let refused = reauthenticate(ann.client(), &by_passkey(&answer)).await;
        assert_eq!(told(&refused), told(&wrong), "{lie}");
    }
    let (answer, other) = (ann.answer(&stage).await, bob.answer(&stage).await);
    for (lie, body) in changed(&answer, &other) {
        let refused = reauthenticate(ann.client(), &by_passkey(&body)).await;
        assert_eq!(told(&refused), told(&wrong), "{lie}");
    }
    // What is right for another is wrong here.
    let other = bob.answer(&stage).await;
    let refused = reauthenticate(ann.client(), &by_passkey(&other)).await;
    assert_eq!(told(&refused), told(&wrong));
    assert_eq!(stage.events("session.reauthenticated").await, 0);
    let answer = ann.answer(&stage).await;
    let again = reauthenticate(ann.client(), &by_passkey(&answer)).await;
    again.expect(StatusCode::OK);
}

#[tokio::test]
async fn a_wrong_answer_of_a_known_passkey_is_written_down() {
    let stage = Stage::new().await;
    let mut ann = Holder::new(&stage, "Ann").await;
    ann.device.behaviour.other_key = true;
    let answer = ann.answer(&stage).await;
    stage
        .anybody()
        .post(LOGIN, &answer)
        .await
        .expect(StatusCode::UNAUTHORIZED);
    assert_eq!(events_of(&stage, "user.passkey_failed", &ann.id).await, 1);
    let answer = ann.answer(&stage).await;
    let again = reauthenticate(ann.client(), &by_passkey(&answer)).await;
    again.expect(StatusCode::UNAUTHORIZED);
    assert_eq!(events_of(&stage, "user.passkey_failed", &ann.id).await, 2);
    // Of one that nobody has there is nothing to be written.
    let mut answer = ann.answer(&stage).await;
    let unknown = encoded(&random(32));
    (answer["id"], answer["rawId"]) = (unknown.clone().into(), unknown.into());
    stage
        .anybody()
        .post(LOGIN, &answer)
        .await
        .expect(StatusCode::UNAUTHORIZED);
    assert_eq!(stage.events("user.passkey_failed").await, 2);
}

/// Whoever changes a bit of what was signed, or of the signature, has proven nothing.
#[tokio::test]
async fn a_bit_of_any_byte_that_is_changed_proves_nothing() {
    let stage = Stage::new().await;
    let mut ann = Holder::new(&stage, "Ann").await;
    let anybody = stage.anybody();
    for member in ["authenticatorData", "signature", "clientDataJSON"] {
        let whole = ann.answer(&stage).await;
        let length = decoded(whole["response"][member].as_str().unwrap()).len();
        for index in 0..length {
            let mut answer = ann.answer(&stage).await;
            let mut bytes = decoded(answer["response"][member].as_str().unwrap());
            // Signatures are not all of one length.
            let Some(byte) = bytes.get_mut(index) else { continue };
            *byte ^= 1 << (index % 8);
            answer["response"][member] = encoded(&bytes).into();
            let refused = anybody.post(LOGIN, &answer).await;
            // Even where what was signed is no JSON any more.
            let what = format!("{member} {index}: {}", refused.text);
            assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{what}");
            assert_eq!(refused.code(), "UNAUTHORIZED", "{what}");
        }
    }
    assert_eq!(stage.sessions(&ann.account).await, 1);
    let answer = ann.answer(&stage).await;
    expect_session(&anybody.post(LOGIN, &answer).await);
}
