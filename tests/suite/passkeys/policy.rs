//! Organizations that demand a second factor let in who used a passkey.

use reqwest::StatusCode;
use serde_json::json;
use tenantry_tests::{
    app::Options,
    client::{Account, Answer, Client, text},
};

use super::{Holder, LOGIN, OPTIONS, by_passkey, by_password, creation_options, login_options, phone, register};
use crate::mfa::{
    REFRESH, Stage, disable, expect_session, expect_stale, expect_unauthorized, freshen, post_nothing, reauthenticate,
    showing,
};

/// A stage where nobody is granted time to set a factor up.
async fn demanding() -> Stage {
    Stage::with(Options {
        mfa_grace_days: 0,
        ..Options::default()
    })
    .await
}

/// Somebody's organization, by the path of what every member of it is told.
async fn founded(account: &Account) -> String {
    let organization = account
        .client
        .post("/api/v1/organizations", &json!({ "name": "Acme" }))
        .await;
    let id = text(&organization.expect(StatusCode::CREATED).data()["id"]);
    format!("/api/v1/organizations/{id}/context")
}

async fn expect_in(client: &Client, context: &str) {
    client.get(context).await.expect(StatusCode::OK);
}

async fn expect_out(client: &Client, context: &str) {
    let answer: Answer = client.get(context).await;
    answer.expect_error(StatusCode::FORBIDDEN, "MFA_REQUIRED");
}

#[tokio::test]
async fn a_passkey_that_was_used_lets_in() {
    let stage = demanding().await;
    let account = stage.newcomer("Ann").await;
    let context = founded(&account).await;
    let other = by_password(&stage, &account).await;
    expect_out(&account.client, &context).await;

    // Where the first was registered, and by signing in with it.
    let mut ann = Holder::with(account, phone()).await;
    expect_in(ann.client(), &context).await;
    let answer = ann.answer(&stage).await;
    let session = expect_session(&stage.anybody().post(LOGIN, &answer).await);
    let signed_in = stage.anybody().with_token(&text(&session["accessToken"]));
    expect_in(&signed_in, &context).await;
    let refresh = json!({ "refreshToken": session["refreshToken"] });
    let renewed = expect_session(&stage.anybody().post(REFRESH, &refresh).await);
    expect_in(&stage.anybody().with_token(&text(&renewed["accessToken"])), &context).await;

    // The password alone is as little as before, until the passkey is shown.
    expect_out(&other, &context).await;
    freshen(&other).await;
    expect_out(&other, &context).await;
    ann.device.behaviour.other_key = true;
    let wrong = ann.answer(&stage).await;
    expect_unauthorized(&reauthenticate(&other, &by_passkey(&wrong)).await);
    expect_out(&other, &context).await;
    ann.device.behaviour.other_key = false;
    let answer = ann.answer(&stage).await;
    let again = reauthenticate(&other, &by_passkey(&answer)).await;
    again.expect(StatusCode::OK);
    expect_in(&other, &context).await;

    let third = by_password(&stage, &ann.account).await;
    expect_out(&third, &context).await;
    let code = showing(&ann.recovery_codes[0]);
    reauthenticate(&third, &code).await.expect(StatusCode::OK);
    expect_in(&third, &context).await;
}

#[tokio::test]
async fn a_passkey_less_closes_all_sessions_but_this_one() {
    let stage = demanding().await;
    let account = stage.newcomer("Ann").await;
    let context = founded(&account).await;
    let mut ann = Holder::with(account, phone()).await;
    let mut spare = phone();
    let second = register(ann.client(), &mut spare, None).await;
    let second = text(&second.expect(StatusCode::CREATED).data()["id"]);
    let (here, there) = (ann.sign_in(&stage).await, ann.sign_in(&stage).await);
    expect_in(&there, &context).await;
    let gone = here.delete(&format!("{}/{second}", super::PASSKEYS)).await;
    gone.expect(StatusCode::NO_CONTENT);
    expect_in(&here, &context).await;
    for closed in [&there, ann.client()] {
        expect_out(closed, &context).await;
        expect_stale(&closed.delete(&ann.path()).await);
    }
    let answer = ann.answer(&stage).await;
    let again = reauthenticate(&there, &by_passkey(&answer)).await;
    again.expect(StatusCode::OK);
    expect_in(&there, &context).await;

    // The last of all closes this one, too.
    here.delete(&ann.path()).await.expect(StatusCode::NO_CONTENT);
    for closed in [&here, &there, ann.client()] {
        expect_out(closed, &context).await;
    }
    // Anew, it was used where it was registered.
    register(&here, &mut phone(), None).await.expect(StatusCode::CREATED);
    expect_in(&here, &context).await;
    expect_out(&there, &context).await;
}

/// What opens this session is left: the app was used in it, and a passkey can be used in the others.
#[tokio::test]
async fn an_app_less_closes_all_sessions_but_this_one_where_there_are_passkeys() {
    let stage = demanding().await;
    let account = stage.newcomer("Ann").await;
    let context = founded(&account).await;
    let ann = stage.equipped(account).await;
    let mut device = phone();
    register(ann.client(), &mut device, None)
        .await
        .expect(StatusCode::CREATED);
    let by_code = stage.sign_in(&ann).await;
    let answer = device.get(&login_options(&stage).await);
    let session = expect_session(&stage.anybody().post(LOGIN, &answer).await);
    let by_key = stage.anybody().with_token(&text(&session["accessToken"]));
    for client in [ann.client(), &by_code, &by_key] {
        expect_in(client, &context).await;
    }
    let code = stage.next_code(&ann);
    disable(&by_code, &code).await.expect(StatusCode::NO_CONTENT);
    expect_in(&by_code, &context).await;
    creation_options(&by_code).await;
    for closed in [ann.client(), &by_key] {
        expect_out(closed, &context).await;
        expect_stale(&post_nothing(closed, OPTIONS).await);
    }
    // The password alone signs in, and lets nobody in.
    let by_password = by_password(&stage, &ann.account).await;
    expect_out(&by_password, &context).await;
    for client in [ann.client(), &by_password] {
        let answer = device.get(&login_options(&stage).await);
        let again = reauthenticate(client, &by_passkey(&answer)).await;
        again.expect(StatusCode::OK);
        expect_in(client, &context).await;
    }
}
