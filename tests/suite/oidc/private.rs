//! Servers on which nobody makes an account of their own accord.

use reqwest::StatusCode;
use tenantry::configuration::Registration;
use tenantry_tests::{app::TestApp, identity_provider::Person};

use super::{Lobby, ann, expect_conflict, told};
use crate::{identities::link, mfa::expect_session};

async fn private() -> Lobby {
    Lobby::with(|options| options.registration = Registration::Private).await
}

/// Somebody whom an operator has let in.
async fn insert_user(lobby: &Lobby, email: &str) {
    let insert = format!(
        "insert into users (id, email, email_canonical, email_verified_at, name, preferences, mfa_enabled, created_at,
                            updated_at)
         values (gen_random_uuid(), '{email}', '{email}', now(), 'Ann', '{{}}', false, now(), now())"
    );
    lobby.stage.database.superuser(insert).await;
}

#[tokio::test]
async fn nobody_gets_an_account() {
    let lobby = private().await;
    expect_conflict(&lobby.enter(&ann()).await, "identity_not_linked");
    assert_eq!(lobby.stage.database.count("users").await, 0);
    assert_eq!(lobby.stage.database.count("identities").await, 0);
    assert_eq!(lobby.stage.app.mails().await.len(), 0);
}

/// Who has an account here is told by no answer.
#[tokio::test]
async fn it_is_not_told_whose_address_is_known() {
    let lobby = private().await;
    insert_user(&lobby, "known@example.com").await;
    let known = lobby.enter(&Person::new("1", "known@example.com")).await;
    let unknown = lobby.enter(&Person::new("2", "unknown@example.com")).await;
    expect_conflict(&known, "identity_not_linked");
    assert_eq!(told(&known), told(&unknown));
    let mails = lobby.stage.app.mails().await;
    let to: Vec<&str> = mails.iter().map(|mail| mail.to.as_str()).collect();
    assert_eq!(to, ["known@example.com"]);
}

#[tokio::test]
async fn who_is_linked_comes_in() {
    let lobby = private().await;
    // The account is from before the server was closed.
    let open = TestApp::start(&lobby.stage.database).await;
    let carl = open.client().register("Carl", None).await;
    let client = lobby.anybody().with_token(carl.client.token().unwrap());
    link(&lobby, &client, &ann()).await.expect(StatusCode::CREATED);
    let session = expect_session(&lobby.enter(&ann()).await);
    assert_eq!(session["user"]["id"], carl.user_id);
}
