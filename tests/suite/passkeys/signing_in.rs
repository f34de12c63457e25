//! Signing in by a passkey alone.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::{
    app::Options,
    client::text,
    passkey::{Authenticator, decoded},
};

use super::{
    Holder, LOGIN, LOGIN_OPTIONS, OPTIONS, PASSKEYS, by_passkey, by_password, creation_options, events_of,
    expect_incorrect, listed, login_options, register,
};
use crate::mfa::{
    FRESH, ME, REFRESH, Stage, begin, count, expect_session, expect_stale, expect_unauthorized, names, post_at_once,
    post_nothing, reauthenticate, time,
};

#[tokio::test]
async fn anybody_is_asked_for_any_key_of_theirs() {
    let stage = Stage::new().await;
    let answer = post_nothing(&stage.anybody(), LOGIN_OPTIONS).await;
    let mut options = answer.expect(StatusCode::OK).data();
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let challenge = text(&options["challenge"].take());
    assert!(decoded(&challenge).len() >= 16, "{challenge}");
    assert_eq!(
        options,
        json!({
            "challenge": null,
            "timeout": 300_000,
            "rpId": "tenantry.test",
            "allowCredentials": [],
            "userVerification": "required",
        })
    );
    assert_ne!(login_options(&stage).await["challenge"], challenge);
}

#[tokio::test]
async fn a_passkey_signs_in_in_one_step() {
    let stage = Stage::new().await;
    let mut ann = Holder::new(&stage, "Ann").await;
    let mut bob = Holder::new(&stage, "Bob").await;
    let sessions = stage.sessions(&ann.account).await;
    stage.app.clock.advance(TimeDelta::minutes(30));
    let answer = ann.answer(&stage).await;
    let signed_in = stage.anybody().post(LOGIN, &answer).await;
    let session = expect_session(&signed_in);
    assert_eq!(
        names(&session),
        [
            "accessToken",
            "csrfToken",
            "expiresIn",
            "refreshExpiresIn",
            "refreshToken",
            "status",
            "tokenType",
            "trustedDeviceToken",
            "user"
        ]
    );
    assert_eq!(session["trustedDeviceToken"], Value::Null);
    assert_eq!(session["user"]["id"], ann.account.user_id.as_str());
    assert_eq!(session["user"]["mfaEnabled"], false);
    assert_eq!(signed_in.header("cache-control"), Some("no-store"));
    assert_eq!(signed_in.header("set-cookie"), None);
    assert_eq!(stage.sessions(&ann.account).await, sessions + 1);
    let client = stage.anybody().with_token(&text(&session["accessToken"]));
    assert_eq!(
        client.get(ME).await.expect(StatusCode::OK).data()["email"],
        ann.account.email
    );
    let passkey = listed(&client).await.remove(0);
    assert_eq!(time(&passkey["lastUsedAt"]), stage.now());
    assert_eq!(listed(bob.client()).await[0]["lastUsedAt"], Value::Null);

    // Again and again, each person as themselves.
    ann.sign_in(&stage).await;
    let client = bob.sign_in(&stage).await;
    assert_eq!(client.get(ME).await.data()["email"], bob.account.email);
    assert_eq!(events_of(&stage, "user.passkey_failed", &ann.id).await, 0);
}

/// It is a factor that was used, which a new access token does not forget.
#[tokio::test]
async fn a_session_by_passkey_may_change_factors_and_so_may_it_once_renewed() {
    let stage = Stage::new().await;
    let mut ann = Holder::new(&stage, "Ann").await;
    stage.app.clock.advance(FRESH);
    let answer = ann.answer(&stage).await;
    let session = expect_session(&stage.anybody().post(LOGIN, &answer).await);
    let client = stage.anybody().with_token(&text(&session["accessToken"]));
    creation_options(&client).await;
    begin(&client).await.expect(StatusCode::OK);

    let refresh = json!({ "refreshToken": session["refreshToken"] });
    let renewed = expect_session(&stage.anybody().post(REFRESH, &refresh).await);
    let client = stage.anybody().with_token(&text(&renewed["accessToken"]));
    creation_options(&client).await;
    stage.app.clock.advance(FRESH);
    expect_stale(&post_nothing(&client, OPTIONS).await);
}

#[tokio::test]
async fn a_passkey_proves_once_more_who_one_is() {
    let stage = Stage::new().await;
    let mut ann = Holder::new(&stage, "Ann").await;
    let other = by_password(&stage, &ann.account).await;
    stage.app.clock.advance(FRESH);
    for client in [ann.account.client.clone(), other] {
        expect_stale(&post_nothing(&client, OPTIONS).await);
        let answer = ann.answer(&stage).await;
        let again = reauthenticate(&client, &by_passkey(&answer)).await;
        let data = again.expect(StatusCode::OK).data();
        assert_eq!(names(&data), ["authTime"]);
        assert_eq!(time(&data["authTime"]), stage.now());
        assert_eq!(again.header("cache-control"), Some("no-store"));
        creation_options(&client).await;
        assert_eq!(time(&listed(&client).await[0]["lastUsedAt"]), stage.now());
    }
    assert_eq!(stage.events("session.reauthenticated").await, 2);
    assert_eq!(stage.sessions(&ann.account).await, 2);
}

#[tokio::test]
async fn of_ten_who_show_an_answer_at_once_one_has_a_session() {
    let stage = Stage::new().await;
    let mut ann = Holder::new(&stage, "Ann").await;
    let sessions = stage.sessions(&ann.account).await;
    let answer = ann.answer(&stage).await;
    let anybody = stage.anybody();
    let answers = post_at_once((0..10).map(|_| (&anybody, LOGIN, answer.clone()))).await;
    assert_eq!(count(&answers, StatusCode::OK), 1);
    assert_eq!(count(&answers, StatusCode::UNAUTHORIZED), 9);
    assert_eq!(stage.sessions(&ann.account).await, sessions + 1);
}

#[tokio::test]
async fn an_answer_is_good_for_one_thing() {
    let stage = Stage::new().await;
    let mut ann = Holder::new(&stage, "Ann").await;
    let answer = ann.answer(&stage).await;
    let (anybody, again) = (stage.anybody(), by_passkey(&answer));
    let requests = (0..4).flat_map(|_| {
        [
            (&anybody, LOGIN, answer.clone()),
            (ann.client(), crate::mfa::REAUTHENTICATE, again.clone()),
        ]
    });
    let answers = post_at_once(requests).await;
    assert_eq!(count(&answers, StatusCode::OK), 1);
    assert_eq!(count(&answers, StatusCode::UNAUTHORIZED), 7);
}

/// A key that moves into a cloud is told as what it is now.
#[tokio::test]
async fn whether_a_passkey_is_synced_is_what_was_last_told() {
    let stage = Stage::new().await;
    let account = stage.newcomer("Ann").await;
    let mut device = super::phone();
    device.behaviour.backed_up = false;
    let mut ann = Holder::with(account, device).await;
    assert_eq!(listed(ann.client()).await[0]["synced"], false);
    ann.device.behaviour.backed_up = true;
    ann.sign_in(&stage).await;
    assert_eq!(listed(ann.client()).await[0]["synced"], true);
}

/// An application beside the API, below the same domain; others may call, and have no passkeys here.
#[tokio::test]
async fn pages_below_the_relying_party_that_may_call_may_ask_for_passkeys() {
    const APP: &str = "https://app.tenantry.test";
    const ELSEWHERE: &str = "https://elsewhere.test";
    let cors_origins = vec![APP.to_owned(), ELSEWHERE.to_owned()];
    let stage = Stage::with(Options {
        cors_origins,
        ..Options::default()
    })
    .await;
    let ann = stage.newcomer("Ann").await;
    let mut device = Authenticator::new(APP);
    let registered = register(&ann.client, &mut device, None).await;
    registered.expect(StatusCode::CREATED);
    let answer = device.get(&login_options(&stage).await);
    expect_session(&stage.anybody().post(LOGIN, &answer).await);

    device.behaviour.origin = Some(ELSEWHERE.to_owned());
    let answer = device.get(&login_options(&stage).await);
    expect_unauthorized(&stage.anybody().post(LOGIN, &answer).await);
    let mut elsewhere = Authenticator::new(APP);
    elsewhere.behaviour.origin = Some(ELSEWHERE.to_owned());
    let body = elsewhere.create(&creation_options(&ann.client).await);
    expect_incorrect(&ann.client.post(PASSKEYS, &body).await);
}
