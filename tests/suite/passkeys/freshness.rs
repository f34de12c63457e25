//! Who may change second factors: who signed in lately, and used one where they have any.

use chrono::TimeDelta;
use reqwest::{Method, StatusCode};
use serde_json::json;
use tenantry_tests::{
    client::{Client, PASSWORD, text},
    scene::Scene,
};

use super::{
    Holder, OPTIONS, PASSKEYS, by_passkey, by_password, creation_options, expect_unknown, listed, login_options, phone,
    register,
};
use crate::{
    hold::{Hold, held_up},
    mfa::{
        CONFIRM, FRESH, LOGIN, RECOVERY_CODES, REFRESH, Stage, TOTP, VERIFY, begin, codes_of, disable, expect_session,
        expect_stale, expect_unauthorized, freshen, post_nothing, reauthenticate, replace_codes, showing,
    },
};

/// What a session that is not fresh may not do, whatever it sends.
async fn expect_all_stale(client: &Client, passkey: &str) {
    let path = format!("{PASSKEYS}/{passkey}");
    for (method, path) in [
        (Method::POST, OPTIONS),
        (Method::POST, PASSKEYS),
        (Method::DELETE, path.as_str()),
        (Method::POST, TOTP),
        (Method::POST, CONFIRM),
        (Method::POST, RECOVERY_CODES),
    ] {
        let request = || client.request(method.clone(), path);
        expect_stale(&client.send(request()).await);
        if method == Method::POST && path != OPTIONS && path != TOTP {
            for body in [json!({}), showing("123456"), json!({ "nobody": "knows" })] {
                expect_stale(&client.send(request().json(&body)).await);
            }
            let cut_off = request().header("content-type", "application/json").body("{\"id\": ");
            expect_stale(&client.send(cut_off).await);
        }
    }
}

#[tokio::test]
async fn a_sign_in_is_fresh_for_ten_minutes() {
    let stage = Stage::new().await;
    let mut ann = Holder::new(&stage, "Ann").await;
    let bob = stage.newcomer("Bob").await;
    let body = phone().create(&creation_options(&bob.client).await);
    stage.app.clock.advance(FRESH - TimeDelta::seconds(1));
    creation_options(ann.client()).await;
    creation_options(&bob.client).await;
    stage.app.clock.advance(TimeDelta::seconds(1));
    expect_all_stale(ann.client(), &ann.id).await;
    expect_stale(&post_nothing(&bob.client, OPTIONS).await);
    expect_stale(&bob.client.post(PASSKEYS, &body).await);
    // What is not guarded goes on.
    assert_eq!(listed(ann.client()).await.len(), 1);
    let renamed = ann.client().patch(&ann.path(), &json!({ "name": "Renamed" })).await;
    renamed.expect(StatusCode::OK);

    // Who has no factor has none to use.
    freshen(&bob.client).await;
    creation_options(&bob.client).await;
    // Who has one has used it in this session, and shows nothing but who they are.
    freshen(ann.client()).await;
    creation_options(ann.client()).await;
    stage.app.clock.advance(FRESH);
    let answer = ann.answer(&stage).await;
    let again = reauthenticate(ann.client(), &by_passkey(&answer)).await;
    again.expect(StatusCode::OK);
    let gone = ann.client().delete(&ann.path()).await;
    gone.expect(StatusCode::NO_CONTENT);
}

/// Whoever knows the password alone takes no passkey away, and adds none of their own.
#[tokio::test]
async fn a_session_by_the_password_of_who_has_a_passkey_changes_no_factor() {
    let stage = Stage::new().await;
    let mut ann = Holder::new(&stage, "Ann").await;
    let thief = by_password(&stage, &ann.account).await;
    expect_all_stale(&thief, &ann.id).await;
    freshen(&thief).await;
    expect_all_stale(&thief, &ann.id).await;
    // Not by a code that is right, which is not looked at.
    expect_stale(&replace_codes(&thief, &ann.recovery_codes[0]).await);
    // What is not there comes before who may.
    expect_unknown(&disable(&thief, &ann.recovery_codes[0]).await);
    assert_eq!(stage.events("user.mfa_failed").await, 0);
    let refresh = expect_session(&stage.login(&ann.account).await)["refreshToken"].take();
    let renewed = expect_session(&stage.anybody().post(REFRESH, &json!({ "refreshToken": refresh })).await);
    let renewed = stage.anybody().with_token(renewed["accessToken"].as_str().unwrap());
    expect_all_stale(&renewed, &ann.id).await;
    assert_eq!(listed(ann.client()).await.len(), 1);

    // By the passkey it is somebody who may, and so it is by a recovery code.
    let answer = ann.answer(&stage).await;
    let again = reauthenticate(&thief, &by_passkey(&answer)).await;
    again.expect(StatusCode::OK);
    creation_options(&thief).await;
    let code = showing(&ann.recovery_codes[0]);
    reauthenticate(&renewed, &code).await.expect(StatusCode::OK);
    creation_options(&renewed).await;
    expect_unauthorized(&reauthenticate(&renewed, &code).await);
}

/// The same holds where the factor is an authenticator app.
#[tokio::test]
async fn a_session_from_before_the_app_changes_no_factor_until_it_was_used_there() {
    let stage = Stage::new().await;
    let account = stage.newcomer("Ann").await;
    let before = by_password(&stage, &account).await;
    let ann = stage.equipped(account).await;
    expect_stale(&post_nothing(&before, OPTIONS).await);
    expect_stale(&begin(&before).await);
    freshen(&before).await;
    expect_stale(&post_nothing(&before, OPTIONS).await);
    let code = stage.next_code(&ann);
    expect_stale(&disable(&before, &code).await);
    expect_stale(&replace_codes(&before, &code).await);
    expect_stale(&before.post(RECOVERY_CODES, &json!({})).await);
    // The code was not looked at.
    let again = reauthenticate(&before, &showing(&code)).await;
    again.expect(StatusCode::OK);
    register(&before, &mut phone(), None).await.expect(StatusCode::CREATED);
    creation_options(ann.client()).await;
}

/// A device that is trusted is asked for no code, and a thief who has it knows none.
#[tokio::test]
async fn a_session_on_a_trusted_device_changes_no_factor_until_it_was_used_there() {
    let stage = Stage::new().await;
    let account = stage.newcomer("Ann").await;
    let ann = stage.equipped(account).await;
    let token = stage.mfa_token(&ann).await;
    let trusting = json!({ "mfaToken": token, "code": stage.next_code(&ann), "trustDevice": true });
    let session = expect_session(&stage.anybody().post(VERIFY, &trusting).await);
    // Where it was shown, it was used.
    creation_options(&stage.anybody().with_token(&text(&session["accessToken"]))).await;

    stage.app.clock.advance(TimeDelta::minutes(1));
    let device = text(&session["trustedDeviceToken"]);
    let login = json!({ "email": ann.account.email, "password": PASSWORD, "trustedDeviceToken": device });
    let session = expect_session(&stage.anybody().post(LOGIN, &login).await);
    let trusted = stage.anybody().with_token(&text(&session["accessToken"]));
    let refresh = json!({ "refreshToken": session["refreshToken"] });
    let renewed = expect_session(&stage.anybody().post(REFRESH, &refresh).await);
    let renewed = stage.anybody().with_token(&text(&renewed["accessToken"]));
    let code = stage.next_code(&ann);
    for client in [&trusted, &renewed] {
        for _ in 0..2 {
            for path in [OPTIONS, PASSKEYS, TOTP, CONFIRM, RECOVERY_CODES] {
                expect_stale(&post_nothing(client, path).await);
            }
            expect_stale(&replace_codes(client, &code).await);
            expect_stale(&disable(client, &code).await);
            // The password alone is what the device was trusted with.
            freshen(client).await;
        }
    }
    assert_eq!(stage.events("user.mfa_failed").await, 0);
    // The code was not looked at.
    let again = reauthenticate(&trusted, &showing(&code)).await;
    again.expect(StatusCode::OK);
    register(&renewed, &mut phone(), None).await.expect(StatusCode::CREATED);
    let code = stage.next_code(&ann);
    replace_codes(&trusted, &code).await.expect(StatusCode::OK);
    let code = stage.next_code(&ann);
    disable(&trusted, &code).await.expect(StatusCode::NO_CONTENT);
}

/// By a passkey it is used there as well.
#[tokio::test]
async fn a_passkey_makes_a_session_on_a_trusted_device_one_that_may() {
    let stage = Stage::new().await;
    let account = stage.newcomer("Ann").await;
    let ann = stage.equipped(account).await;
    let mut device = phone();
    register(ann.client(), &mut device, None)
        .await
        .expect(StatusCode::CREATED);
    let token = stage.mfa_token(&ann).await;
    let trusting = json!({ "mfaToken": token, "code": stage.next_code(&ann), "trustDevice": true });
    let session = expect_session(&stage.anybody().post(VERIFY, &trusting).await);
    stage.app.clock.advance(TimeDelta::minutes(1));
    let shown = text(&session["trustedDeviceToken"]);
    let login = json!({ "email": ann.account.email, "password": PASSWORD, "trustedDeviceToken": shown });
    let session = expect_session(&stage.anybody().post(LOGIN, &login).await);
    let trusted = stage.anybody().with_token(&text(&session["accessToken"]));
    let passkey = text(&listed(&trusted).await[0]["id"]);
    let path = format!("{PASSKEYS}/{passkey}");
    expect_stale(&trusted.delete(&path).await);
    let answer = device.get(&login_options(&stage).await);
    let again = reauthenticate(&trusted, &by_passkey(&answer)).await;
    again.expect(StatusCode::OK);
    trusted.delete(&path).await.expect(StatusCode::NO_CONTENT);
}

/// Each of two who know the password alone finds no factor, and one of them adds the first.
#[tokio::test]
async fn of_two_sessions_that_register_a_first_passkey_at_once_one_does() {
    let scene = Scene::new().await;
    scene.app.clock.stop();
    let login = json!({ "email": scene.owner.email, "password": PASSWORD });
    let session = expect_session(&scene.app.client().post(LOGIN, &login).await);
    let other = scene.app.client().with_token(&text(&session["accessToken"]));
    let mut requests = Vec::new();
    for client in [scene.client().clone(), other] {
        let body = phone().create(&creation_options(&client).await);
        requests.push(async move { client.post(PASSKEYS, &body).await });
    }
    // Both are in the middle of it.
    let oneself = format!(
        "select from users where id = '{}' for no key update",
        scene.owner.user_id
    );
    let hold = Hold::begin(&scene, &oneself).await;
    let mut running = Vec::new();
    for (number, request) in (1..).zip(requests) {
        running.push(held_up(&scene, number, request).await);
    }
    hold.end().await;
    let mut answers = Vec::new();
    for one in running {
        answers.push(one.await.unwrap());
    }
    answers.sort_by_key(|answer| answer.status);
    assert_eq!(codes_of(answers[0].expect(StatusCode::CREATED)).len(), 10);
    expect_stale(&answers[1]);
    assert_eq!(scene.database.count("passkeys").await, 1);
    assert_eq!(scene.database.count("recovery_codes").await, 10);
    assert_eq!(
        scene.database.count("sessions where factor_used_at is not null").await,
        1
    );
}

/// The first factor of all was used where it was registered, and nowhere else.
#[tokio::test]
async fn who_registers_the_first_factor_has_used_it_there() {
    let stage = Stage::new().await;
    let account = stage.newcomer("Ann").await;
    let other = by_password(&stage, &account).await;
    creation_options(&other).await;
    let ann = Holder::with(account, phone()).await;
    creation_options(ann.client()).await;
    expect_all_stale(&other, &ann.id).await;
    let bob = Holder::new(&stage, "Bob").await;
    // Somebody else's is not there, however fresh one is.
    expect_unknown(&bob.client().delete(&ann.path()).await);
}
