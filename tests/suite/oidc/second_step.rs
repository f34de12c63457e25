//! People with an authenticator app, who are asked for it however they come.

use reqwest::StatusCode;
use serde_json::json;
use tenantry_tests::client::text;

use super::{EXCHANGE, Lobby, ann, bob};
use crate::{
    identities::{IDENTITIES, link},
    mfa::{
        LOGIN, ME, OTHER, Person as Equipped, RESET, VERIFY, expect_mfa_required, expect_session, expect_unauthorized,
        names,
    },
};

/// Somebody with an app, who is linked to Ann at the provider.
async fn equipped(lobby: &Lobby) -> Equipped {
    let account = lobby.stage.newcomer("Ann").await;
    link(lobby, &account.client, &ann()).await.expect(StatusCode::CREATED);
    lobby.stage.equipped(account).await
}

#[tokio::test]
async fn who_has_an_app_is_asked_for_its_code() {
    let lobby = Lobby::new().await;
    let person = equipped(&lobby).await;
    let sessions = lobby.stage.sessions(&person.account).await;
    let code = lobby.code(&ann()).await;
    let answer = lobby.exchange(&code).await;
    let token = expect_mfa_required(&answer);
    assert_eq!(names(&answer.data()), ["expiresIn", "methods", "mfaToken", "status"]);
    assert_eq!(lobby.stage.sessions(&person.account).await, sessions);
    expect_unauthorized(&lobby.anybody().with_token(&token).get(ME).await);
    // The first step is done once.
    expect_unauthorized(&lobby.exchange(&code).await);
    let wrong = lobby.stage.verify(&token, &lobby.stage.wrong_code(&person)).await;
    expect_unauthorized(&wrong);
    let right = lobby.stage.next_code(&person);
    let session = expect_session(&lobby.stage.verify(&token, &right).await);
    assert_eq!(session["user"]["id"], person.account.user_id);
    assert_eq!(lobby.stage.sessions(&person.account).await, sessions + 1);
}

#[tokio::test]
async fn a_trusted_device_is_not_asked() {
    let lobby = Lobby::new().await;
    let person = equipped(&lobby).await;
    let token = expect_mfa_required(&lobby.enter(&ann()).await);
    let trusting = json!({
        "mfaToken": token,
        "code": lobby.stage.next_code(&person),
        "trustDevice": true,
    });
    let session = expect_session(&lobby.anybody().post(VERIFY, &trusting).await);
    let device = text(&session["trustedDeviceToken"]);

    let code = lobby.code(&ann()).await;
    let body = json!({ "code": code, "trustedDeviceToken": device });
    let session = expect_session(&lobby.anybody().post(EXCHANGE, &body).await);
    assert_eq!(session["user"]["id"], person.account.user_id);
    // One that is nobody's is no reason to refuse anything.
    let code = lobby.code(&ann()).await;
    let body = json!({ "code": code, "trustedDeviceToken": format!("{device}A") });
    expect_mfa_required(&lobby.anybody().post(EXCHANGE, &body).await);
}

/// What somebody trusts for themselves says nothing of others.
#[tokio::test]
async fn the_trusted_device_of_another_is_none() {
    let lobby = Lobby::new().await;
    equipped(&lobby).await;
    let carl = lobby.stage.newcomer("Carl").await;
    let carl = lobby.stage.equipped(carl).await;
    let token = lobby.stage.mfa_token(&carl).await;
    let trusting = json!({ "mfaToken": token, "code": lobby.stage.next_code(&carl), "trustDevice": true });
    let session = expect_session(&lobby.anybody().post(VERIFY, &trusting).await);
    let code = lobby.code(&ann()).await;
    let body = json!({ "code": code, "trustedDeviceToken": session["trustedDeviceToken"] });
    expect_mfa_required(&lobby.anybody().post(EXCHANGE, &body).await);
}

/// What was the first step is one no longer.
#[tokio::test]
async fn a_second_step_ends_with_the_identity_that_was_the_first() {
    let lobby = Lobby::new().await;
    let person = equipped(&lobby).await;
    let client = person.client();
    link(&lobby, client, &bob()).await.expect(StatusCode::CREATED);
    let by_ann = expect_mfa_required(&lobby.enter(&ann()).await);
    let by_bob = expect_mfa_required(&lobby.enter(&bob()).await);
    let linked = client.get(IDENTITIES).await.data();
    let mut linked = linked.as_array().unwrap().iter();
    let of_ann = linked.find(|identity| identity["email"] == "ann@example.com").unwrap();
    let path = format!("{IDENTITIES}/{}", text(&of_ann["id"]));
    client.delete(&path).await.expect(StatusCode::NO_CONTENT);
    let code = lobby.stage.next_code(&person);
    expect_unauthorized(&lobby.stage.verify(&by_ann, &code).await);
    // What was linked anew is another.
    link(&lobby, client, &ann()).await.expect(StatusCode::CREATED);
    expect_unauthorized(&lobby.stage.verify(&by_ann, &code).await);
    // The code was not used up, and the other first step is as good as before.
    let session = expect_session(&lobby.stage.verify(&by_bob, &code).await);
    assert_eq!(session["user"]["id"], person.account.user_id);
}

/// Whoever linked themselves to the account of another, and is half in when its owner comes, stays out.
#[tokio::test]
async fn a_second_step_ends_with_a_reset_that_takes_the_identity() {
    let lobby = Lobby::new().await;
    let person = equipped(&lobby).await;
    let token = expect_mfa_required(&lobby.enter(&ann()).await);
    let reset = lobby.stage.forgotten(&person.account).await;
    let body = json!({ "token": reset, "password": OTHER });
    lobby.anybody().post(RESET, &body).await.expect(StatusCode::OK);
    assert_eq!(lobby.stage.database.count("identities").await, 0);
    let sessions = lobby.stage.sessions(&person.account).await;
    let code = lobby.stage.next_code(&person);
    expect_unauthorized(&lobby.stage.verify(&token, &code).await);
    assert_eq!(lobby.stage.sessions(&person.account).await, sessions);
    // It was the token that was no good.
    let login = json!({ "email": person.account.email, "password": OTHER });
    let token = expect_mfa_required(&lobby.anybody().post(LOGIN, &login).await);
    expect_session(&lobby.stage.verify(&token, &code).await);
}
