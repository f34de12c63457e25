//! Who may link and unlink: who signed in lately, and used a factor where they have one.

use chrono::TimeDelta;
use reqwest::{Method, StatusCode};
use serde_json::json;
use tenantry_tests::client::{Client, text};

use super::{IDENTITIES, LINK, expect_unknown, link, link_body, linked, listed};
use crate::{
    mfa::{FRESH, expect_session, expect_stale, freshen, reauthenticate, showing},
    oidc::{Lobby, ann, bob},
};

/// What a session that is not fresh may not do, whatever it sends.
async fn expect_all_stale(client: &Client, path: &str) {
    let request = || client.request(Method::POST, LINK);
    expect_stale(&client.send(request()).await);
    for body in [json!({}), json!(["nonsense"]), json!({ "nobody": "knows" })] {
        expect_stale(&client.send(request().json(&body)).await);
    }
    let cut_off = request().header("content-type", "application/json").body("{\"code\": ");
    expect_stale(&client.send(cut_off).await);
    expect_stale(&client.delete(path).await);
    // What is not there comes before who may.
    expect_unknown(
        &client
            .delete(&format!("{IDENTITIES}/01890a5d-ac96-774b-bcce-b302099a8057"))
            .await,
    );
    // What is not guarded goes on.
    assert_eq!(listed(client).await.len(), 1);
    client.get(path).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn a_sign_in_is_fresh_for_ten_minutes() {
    let lobby = Lobby::new().await;
    let carl = lobby.stage.newcomer("Carl").await;
    lobby.stage.app.clock.advance(FRESH - TimeDelta::seconds(1));
    let path = linked(&lobby, &carl.client, &ann()).await;
    lobby.stage.app.clock.advance(TimeDelta::seconds(1));
    let body = link_body(&lobby, &bob()).await;
    expect_all_stale(&carl.client, &path).await;
    expect_stale(&carl.client.post(LINK, &body).await);
    freshen(&carl.client).await;
    // The code was not looked at.
    carl.client.post(LINK, &body).await.expect(StatusCode::CREATED);
    carl.client.delete(&path).await.expect(StatusCode::NO_CONTENT);
}

/// Somebody without a password proves who they are where they are known.
#[tokio::test]
async fn a_sign_in_through_the_provider_is_fresh_too() {
    let lobby = Lobby::new().await;
    let account = lobby.come_in(&ann()).await;
    let path = linked(&lobby, &account.client, &bob()).await;
    lobby.stage.app.clock.advance(FRESH);
    expect_stale(&account.client.delete(&path).await);
    let again = lobby.come_in(&ann()).await;
    again.client.delete(&path).await.expect(StatusCode::NO_CONTENT);
}

/// Whoever knows the password alone makes no way in that lasts.
#[tokio::test]
async fn who_has_a_factor_has_used_it() {
    let lobby = Lobby::new().await;
    let account = lobby.stage.newcomer("Carl").await;
    let before = expect_session(&lobby.stage.login(&account).await);
    let before = lobby.anybody().with_token(&text(&before["accessToken"]));
    let path = linked(&lobby, &account.client, &ann()).await;
    let carl = lobby.stage.equipped(account).await;
    expect_all_stale(&before, &path).await;
    freshen(&before).await;
    expect_all_stale(&before, &path).await;
    let code = lobby.stage.next_code(&carl);
    let again = reauthenticate(&before, &showing(&code)).await;
    again.expect(StatusCode::OK);
    link(&lobby, &before, &bob()).await.expect(StatusCode::CREATED);
    before.delete(&path).await.expect(StatusCode::NO_CONTENT);
}
