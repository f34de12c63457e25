//! Guessing codes: how often one may, and what becomes of it.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::json;
use tenantry_tests::client::PASSWORD;

use super::{
    LOCK, LOGIN, MFA, MOST_WRONG, NO_RECOVERY_CODE, Person, Stage, VERIFY, begin, begun, confirm, count, disable,
    expect_incorrect, expect_locked, expect_session, expect_unauthorized, freshen, post_at_once, proof, reauthenticate,
    replace_codes, showing,
};

/// Shows so many wrong codes, one after the other, at the second step of a sign-in.
async fn guess(stage: &Stage, person: &Person, times: usize) {
    let token = stage.mfa_token(person).await;
    for _ in 0..times {
        expect_unauthorized(&stage.verify(&token, &stage.wrong_code(person)).await);
    }
}

/// Panics where a right code of any kind does anything, for so many seconds more.
async fn expect_all_locked(stage: &Stage, person: &Person, seconds: i64) {
    let token = stage.mfa_token(person).await;
    for code in [
        &stage.code(person),
        &person.recovery_codes[0],
        &stage.wrong_code(person),
    ] {
        expect_locked(&stage.verify(&token, code).await, seconds);
        expect_locked(&disable(person.client(), code).await, seconds);
        expect_locked(&replace_codes(person.client(), code).await, seconds);
        expect_locked(&reauthenticate(person.client(), &showing(code)).await, seconds);
    }
}

#[tokio::test]
async fn ten_wrong_codes_lock_wherever_they_are_shown() {
    let (stage, ann) = Stage::with_ann().await;
    let mails = stage.mails_to(&ann.account).await;
    let token = stage.mfa_token(&ann).await;
    let wrong = stage.wrong_code(&ann);
    expect_unauthorized(&stage.verify(&token, &wrong).await);
    expect_unauthorized(&stage.verify(&token, NO_RECOVERY_CODE).await);
    expect_unauthorized(&stage.verify(&token, "").await);
    for code in [wrong.as_str(), NO_RECOVERY_CODE] {
        expect_incorrect(&disable(ann.client(), code).await);
        expect_incorrect(&replace_codes(ann.client(), code).await);
        expect_unauthorized(&reauthenticate(ann.client(), &showing(code)).await);
    }
    assert_eq!(stage.events("user.mfa_failed").await, 9);
    assert_eq!(stage.events("user.mfa_locked").await, 0);
    // The tenth, in a sign-in that was begun anew.
    guess(&stage, &ann, 1).await;
    assert_eq!(stage.events("user.mfa_locked").await, 1);
    expect_all_locked(&stage, &ann, 900).await;
    assert_eq!(stage.mails_to(&ann.account).await, mails + 1);
    assert_eq!(stage.events("user.mfa_locked").await, 1);
    assert_eq!(super::factors(ann.client()).await["recoveryCodesLeft"], 10);
}

#[tokio::test]
async fn nobody_else_is_locked_and_whoever_is_in_works_on() {
    let (stage, ann) = Stage::with_ann().await;
    let bob = stage.person("Bob").await;
    let device = super::trusted_devices::trust(&stage, &ann).await;
    guess(&stage, &ann, MOST_WRONG).await;
    ann.client().get(MFA).await.expect(StatusCode::OK);
    freshen(ann.client()).await;
    // A stranger who knows the password keeps nobody from the devices that they trust.
    let body = json!({ "email": ann.account.email, "password": PASSWORD, "trustedDeviceToken": device });
    expect_session(&stage.anybody().post(LOGIN, &body).await);
    stage.sign_in(&bob).await;
    // Neither the password nor a device is a code.
    stage.app.clock.advance(TimeDelta::seconds(30));
    expect_all_locked(&stage, &ann, 840).await;
    // Whose lock it is cannot be known without a token.
    expect_unauthorized(&stage.verify("tnm_x", &stage.code(&ann)).await);
}

#[tokio::test]
async fn a_right_code_sets_the_count_back_and_nothing_else_does() {
    let (stage, ann) = Stage::with_ann().await;
    let device = super::trusted_devices::trust(&stage, &ann).await;
    let token = stage.mfa_token(&ann).await;
    guess(&stage, &ann, MOST_WRONG - 1).await;
    expect_session(&stage.verify(&token, &stage.next_code(&ann)).await);
    guess(&stage, &ann, MOST_WRONG - 1).await;
    expect_session(&stage.verify(&token, &ann.recovery_codes[0]).await);
    guess(&stage, &ann, MOST_WRONG - 1).await;
    reauthenticate(ann.client(), &showing(&stage.next_code(&ann)))
        .await
        .expect(StatusCode::OK);
    guess(&stage, &ann, MOST_WRONG - 1).await;
    let replaced = replace_codes(ann.client(), &stage.next_code(&ann)).await;
    replaced.expect(StatusCode::OK);

    guess(&stage, &ann, MOST_WRONG - 1).await;
    freshen(ann.client()).await;
    let body = json!({ "email": ann.account.email, "password": PASSWORD, "trustedDeviceToken": device });
    expect_session(&stage.anybody().post(LOGIN, &body).await);
    // Nor does time alone.
    stage.app.clock.advance(LOCK * 2);
    guess(&stage, &ann, 1).await;
    let token = stage.mfa_token(&ann).await;
    expect_locked(&stage.verify(&token, &stage.code(&ann)).await, 900);
}

#[tokio::test]
async fn a_lock_ends_whatever_is_tried_meanwhile_and_the_next_is_longer() {
    let (stage, ann) = Stage::with_ann().await;
    let mails = stage.mails_to(&ann.account).await;
    guess(&stage, &ann, MOST_WRONG).await;
    stage.app.clock.advance(LOCK - TimeDelta::seconds(1));
    let token = stage.mfa_token(&ann).await;
    for _ in 0..2 * MOST_WRONG {
        expect_locked(&stage.verify(&token, &stage.wrong_code(&ann)).await, 1);
    }
    let code = stage.code(&ann);
    expect_locked(&stage.verify(&token, &code).await, 1);
    stage.app.clock.advance(TimeDelta::seconds(1));
    // What was refused was not used up, and ten more may be wrong.
    guess(&stage, &ann, MOST_WRONG - 1).await;
    expect_session(&stage.verify(&token, &code).await);
    assert_eq!(stage.mails_to(&ann.account).await, mails + 1);

    // Each lock is told.
    guess(&stage, &ann, MOST_WRONG).await;
    expect_locked(&stage.verify(&token, &stage.next_code(&ann)).await, 870);
    stage.app.clock.advance(LOCK - TimeDelta::seconds(30));
    // The next one lasts twice as long.
    guess(&stage, &ann, MOST_WRONG).await;
    let token = stage.mfa_token(&ann).await;
    expect_locked(&stage.verify(&token, &stage.code(&ann)).await, 1800);
    assert_eq!(stage.mails_to(&ann.account).await, mails + 3);
    assert_eq!(stage.events("user.mfa_locked").await, 3);
}

#[tokio::test]
async fn of_many_guesses_at_once_ten_are_looked_at() {
    let (stage, ann) = Stage::with_ann().await;
    let mails = stage.mails_to(&ann.account).await;
    let token = stage.mfa_token(&ann).await;
    let anybody = stage.anybody();
    let body = proof(&token, &stage.wrong_code(&ann));
    let answers = post_at_once((0..30).map(|_| (&anybody, VERIFY, body.clone()))).await;
    assert_eq!(count(&answers, StatusCode::UNAUTHORIZED), MOST_WRONG);
    assert_eq!(count(&answers, StatusCode::TOO_MANY_REQUESTS), 20);
    expect_all_locked(&stage, &ann, 900).await;
    assert_eq!(stage.mails_to(&ann.account).await, mails + 1);
    assert_eq!(stage.events("user.mfa_locked").await, 1);
}

#[tokio::test]
async fn what_is_no_guess_is_not_counted() {
    let (stage, ann) = Stage::with_ann().await;
    let token = stage.mfa_token(&ann).await;
    guess(&stage, &ann, MOST_WRONG - 1).await;
    for _ in 0..MOST_WRONG {
        let unfit = stage.anybody().post(VERIFY, &json!({ "mfaToken": token })).await;
        unfit.expect_refused(&["/code"]);
        disable(ann.client(), &"1".repeat(1001))
            .await
            .expect_refused(&["/code"]);
        let neither = reauthenticate(ann.client(), &json!({})).await;
        neither.expect_error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
        expect_unauthorized(&reauthenticate(ann.client(), &json!({ "password": "a wrong guess" })).await);
        expect_unauthorized(&stage.verify("tnm_x", NO_RECOVERY_CODE).await);
    }
    assert_eq!(stage.events("user.mfa_failed").await, 9);
    expect_session(&stage.verify(&token, &stage.code(&ann)).await);
}

#[tokio::test]
async fn setting_up_is_no_way_to_guess_either() {
    let stage = Stage::new().await;
    let ann = stage.newcomer("Ann").await;
    let mails = stage.mails_to(&ann).await;
    let first = begun(&ann.client).await;
    for _ in 0..4 {
        expect_incorrect(&confirm(&ann.client, &first.wrong_code(stage.now())).await);
    }
    // To begin anew is no right code.
    let second = begun(&ann.client).await;
    for _ in 0..6 {
        expect_incorrect(&confirm(&ann.client, &second.wrong_code(stage.now())).await);
    }
    expect_locked(&confirm(&ann.client, &second.code(stage.now())).await, 900);
    assert_eq!(stage.mails_to(&ann).await, mails + 1);
    // Signing in takes no code yet, and so is as before.
    expect_session(&stage.login(&ann).await);
    begin(&ann.client).await.expect(StatusCode::OK);
    expect_locked(&confirm(&ann.client, &second.code(stage.now())).await, 900);
    stage.app.clock.advance(LOCK);
    freshen(&ann.client).await;
    let third = begun(&ann.client).await;
    confirm(&ann.client, &third.code(stage.now()))
        .await
        .expect(StatusCode::OK);
}
