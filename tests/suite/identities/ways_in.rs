//! The last way into an account, which nobody takes away.

use reqwest::StatusCode;
use serde_json::json;
use tenantry_tests::{
    app::{Options, TestApp},
    client::{Client, text},
    identity_provider::{Browser, IdentityProvider, Person, Pkce},
    passkey::Authenticator,
};

use super::{IDENTITIES, linked, listed, path_of};
use crate::{
    mfa::{ME, OTHER, RESET, expect_session, expect_unauthorized, post_nothing},
    oidc::{APP, EXCHANGE, Lobby, ann, bob, expect_conflict},
};

const PASSKEYS: &str = "/api/v1/auth/passkeys";

/// Registers a passkey, and gives its path.
async fn passkey(client: &Client) -> String {
    let options = post_nothing(client, "/api/v1/auth/passkeys/options").await;
    let made = Authenticator::new("http://tenantry.test").create(&options.expect(StatusCode::OK).data());
    let registered = client.post(PASSKEYS, &made).await;
    format!(
        "{PASSKEYS}/{}",
        text(&registered.expect(StatusCode::CREATED).data()["id"])
    )
}

/// The path of the one identity of whoever calls.
async fn own(client: &Client) -> String {
    path_of(&listed(client).await[0])
}

/// Another application over the same database and with the same keys, whose clock shows the same.
async fn beside(lobby: &Lobby, options: Options) -> TestApp {
    let app = TestApp::with(&lobby.stage.database, options).await;
    app.clock.stop();
    app.clock.advance(lobby.stage.now() - app.clock.environment().now());
    app
}

#[tokio::test]
async fn who_has_nothing_else_keeps_it() {
    let lobby = Lobby::new().await;
    let account = lobby.come_in(&ann()).await;
    let path = own(&account.client).await;
    expect_conflict(&account.client.delete(&path).await, "last_sign_in_method");
    assert_eq!(listed(&account.client).await.len(), 1);
    assert_eq!(lobby.stage.events("identity.unlinked").await, 0);
    lobby.come_in(&ann()).await;
}

#[tokio::test]
async fn another_identity_is_a_way_in() {
    let lobby = Lobby::new().await;
    let account = lobby.come_in(&ann()).await;
    let first = own(&account.client).await;
    let second = linked(&lobby, &account.client, &bob()).await;
    account.client.delete(&first).await.expect(StatusCode::NO_CONTENT);
    expect_conflict(&account.client.delete(&second).await, "last_sign_in_method");
    let session = expect_session(&lobby.enter(&bob()).await);
    assert_eq!(session["user"]["id"], account.user_id);
}

#[tokio::test]
async fn a_passkey_is_a_way_in_and_so_is_an_identity_beside_it() {
    let lobby = Lobby::new().await;
    let account = lobby.come_in(&ann()).await;
    let path = own(&account.client).await;
    let first = passkey(&account.client).await;
    // The passkey goes while there is an identity.
    account.client.delete(&first).await.expect(StatusCode::NO_CONTENT);
    let second = passkey(&account.client).await;
    account.client.delete(&path).await.expect(StatusCode::NO_CONTENT);
    expect_conflict(&account.client.delete(&second).await, "last_sign_in_method");
    let third = passkey(&account.client).await;
    account.client.delete(&second).await.expect(StatusCode::NO_CONTENT);
    expect_conflict(&account.client.delete(&third).await, "last_sign_in_method");
}

#[tokio::test]
async fn a_password_is_a_way_in() {
    let lobby = Lobby::new().await;
    let carl = lobby.stage.newcomer("Carl").await;
    let path = linked(&lobby, &carl.client, &ann()).await;
    carl.client.delete(&path).await.expect(StatusCode::NO_CONTENT);
    let passkey = passkey(&carl.client).await;
    carl.client.delete(&passkey).await.expect(StatusCode::NO_CONTENT);

    // One that was chosen by a mail, too.
    let account = lobby.come_in(&bob()).await;
    lobby.stage.app.clock.advance(chrono::TimeDelta::days(8));
    let token = lobby.stage.forgotten(&account).await;
    let reset = json!({ "token": token, "password": OTHER });
    lobby.anybody().post(RESET, &reset).await.expect(StatusCode::OK);
    let session = expect_session(&lobby.enter(&bob()).await);
    let client = lobby.anybody().with_token(&text(&session["accessToken"]));
    client.delete(&own(&client).await).await.expect(StatusCode::NO_CONTENT);
    assert_eq!(client.get(ME).await.data()["id"], account.user_id);
}

/// What nobody signs in through any more is no way in.
#[tokio::test]
async fn an_identity_of_a_provider_that_is_gone_is_none() {
    let lobby = Lobby::new().await;
    let account = lobby.come_in(&ann()).await;
    let gone = own(&account.client).await;

    let other = IdentityProvider::start().await;
    let options = Options {
        identity_providers: other.configured("home"),
        redirect_uris: vec![APP.to_owned()],
        ..Options::default()
    };
    let app = beside(&lobby, options).await;
    // Neither is any other of that provider.
    linked(&lobby, &account.client, &bob()).await;
    let client = app.client().with_token(account.client.token().unwrap());
    let pkce = Pkce::new();
    other.follow(&app.clock);
    other.signs_in(&Person::new("1", "ann@example.com"));
    let query = [("redirectUri", APP), ("codeChallenge", pkce.challenge.as_str())];
    let code = Browser::new(&app).walk("home", &query).await.code();
    let body = json!({ "code": code, "codeVerifier": pkce.verifier });
    let kept = client.post(&format!("{IDENTITIES}/home"), &body).await;
    let kept = path_of(&kept.expect(StatusCode::CREATED).data());
    expect_conflict(&client.delete(&kept).await, "last_sign_in_method");
    client.delete(&gone).await.expect(StatusCode::NO_CONTENT);
    expect_conflict(&client.delete(&kept).await, "last_sign_in_method");
}

/// Whoever takes a provider out of the configuration does not wait until the last code of it has ended.
#[tokio::test]
async fn a_provider_that_is_gone_lets_nobody_in() {
    let lobby = Lobby::new().await;
    let account = lobby.come_in(&ann()).await;
    let identity = own(&account.client).await;
    let codes = [lobby.code(&ann()).await, lobby.code(&bob()).await];
    let app = beside(&lobby, Options::default()).await;
    for code in &codes {
        let body = json!({ "code": code });
        expect_unauthorized(&app.client().post(EXCHANGE, &body).await);
    }
    assert_eq!(lobby.stage.database.count("users").await, 1);

    // What it knew people by is shown as before, and is no way in.
    let client = app.client().with_token(account.client.token().unwrap());
    assert_eq!(own(&client).await, identity);
    expect_conflict(&client.delete(&identity).await, "last_sign_in_method");
    let passkey = passkey(&account.client).await;
    expect_conflict(&client.delete(&passkey).await, "last_sign_in_method");
    client.delete(&identity).await.expect(StatusCode::NO_CONTENT);
    expect_conflict(&client.delete(&passkey).await, "last_sign_in_method");

    // It was the configuration that the codes were refused for.
    expect_session(&lobby.exchange(&codes[1]).await);
}
