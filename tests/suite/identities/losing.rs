//! Identities that were never the owner's: what a reset and the end of an account make of them.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::client::{Account, PASSWORD, text};

use super::{events_of, link, linked, listed, path_of};
use crate::{
    mfa::{LOGIN, ME, OTHER, RESET, expect_session, expect_unauthorized},
    oidc::{Lobby, ann, bob, expect_conflict},
};

/// For how long an identity may be one that somebody else has linked.
const WEEK: TimeDelta = TimeDelta::days(7);

/// Has somebody choose another password by a link.
async fn reset(lobby: &Lobby, account: &Account) {
    let token = lobby.stage.forgotten(account).await;
    let body = json!({ "token": token, "password": OTHER });
    lobby.anybody().post(RESET, &body).await.expect(StatusCode::OK);
}

/// Whether a password signs somebody in; gives their identities.
async fn identities_by_password(lobby: &Lobby, account: &Account) -> Vec<Value> {
    let login = json!({ "email": account.email, "password": OTHER });
    let session = expect_session(&lobby.anybody().post(LOGIN, &login).await);
    assert_eq!(session["user"]["id"], account.user_id);
    listed(&lobby.anybody().with_token(&text(&session["accessToken"]))).await
}

/// Whoever makes an account for the address of another, and links themselves, does not get in again.
#[tokio::test]
async fn the_owner_of_an_address_gets_an_account_back_without_the_identities_of_others() {
    let lobby = Lobby::new().await;
    let squatter = lobby.anybody().register("Squatter", None).await;
    let path = linked(&lobby, &squatter.client, &ann()).await;
    // However long they waited.
    lobby.stage.app.clock.advance(WEEK * 2);
    reset(&lobby, &squatter).await;
    assert_eq!(events_of(&lobby, "identity.unlinked", &path).await, 1);
    assert_eq!(identities_by_password(&lobby, &squatter).await, [] as [Value; 0]);
    let session = expect_session(&lobby.enter(&ann()).await);
    assert_ne!(session["user"]["id"], squatter.user_id);
}

#[tokio::test]
async fn a_reset_takes_those_of_the_last_week_away() {
    let lobby = Lobby::new().await;
    let carl = lobby.stage.newcomer("Carl").await;
    // The proof is from before: both are the database's times.
    let proven = (lobby.stage.now() - TimeDelta::seconds(1)).to_rfc3339();
    let prove = format!(
        "update users set email_verified_at = '{proven}' where id = '{}'",
        carl.user_id
    );
    lobby.stage.database.superuser(prove).await;
    let kept = linked(&lobby, &carl.client, &ann()).await;
    lobby.stage.app.clock.advance(TimeDelta::seconds(2));
    let doubtful = linked(&lobby, &carl.client, &bob()).await;
    lobby.stage.app.clock.advance(WEEK - TimeDelta::seconds(1));
    reset(&lobby, &carl).await;
    assert_eq!(events_of(&lobby, "identity.unlinked", &doubtful).await, 1);
    assert_eq!(lobby.stage.events("identity.unlinked").await, 1);
    let left = identities_by_password(&lobby, &carl).await;
    assert_eq!(left.iter().map(path_of).collect::<Vec<_>>(), [kept]);
    let session = expect_session(&lobby.enter(&ann()).await);
    assert_eq!(session["user"]["id"], carl.user_id);
    let session = expect_session(&lobby.enter(&bob()).await);
    assert_ne!(session["user"]["id"], carl.user_id);
}

/// Whoever linked themselves has a code in the hand when the owner of the address comes: it is one of nobody by now.
#[tokio::test]
async fn a_code_from_before_a_reset_signs_nobody_in() {
    let lobby = Lobby::new().await;
    let squatter = lobby.anybody().register("Squatter", None).await;
    let (same_address, other_address) = (ann().with("email", squatter.email.as_str()), bob());
    let mut codes = Vec::new();
    for person in [&same_address, &other_address] {
        linked(&lobby, &squatter.client, person).await;
        codes.push(lobby.code(person).await);
    }
    reset(&lobby, &squatter).await;
    let sessions = lobby.stage.sessions(&squatter).await;
    expect_conflict(&lobby.exchange(&codes[0]).await, "identity_not_linked");
    // Whose address is free is somebody new, as whoever comes with it now.
    let session = expect_session(&lobby.exchange(&codes[1]).await);
    assert_ne!(session["user"]["id"], squatter.user_id);
    assert_eq!(lobby.stage.sessions(&squatter).await, sessions);
}

#[tokio::test]
async fn who_has_no_password_gets_one_by_a_reset() {
    let lobby = Lobby::new().await;
    let account = lobby.come_in(&ann()).await;
    lobby.stage.app.clock.advance(WEEK + TimeDelta::seconds(1));
    let login = json!({ "email": account.email, "password": OTHER });
    expect_unauthorized(&lobby.anybody().post(LOGIN, &login).await);
    reset(&lobby, &account).await;
    assert_eq!(identities_by_password(&lobby, &account).await.len(), 1);
    let login = json!({ "email": account.email, "password": PASSWORD });
    expect_unauthorized(&lobby.anybody().post(LOGIN, &login).await);
    let session = expect_session(&lobby.enter(&ann()).await);
    assert_eq!(session["user"]["id"], account.user_id);
}

/// An account that was made lately goes to whoever reads its mails, and the provider with it.
#[tokio::test]
async fn a_new_account_goes_to_who_reads_its_mails() {
    let lobby = Lobby::new().await;
    let account = lobby.come_in(&ann()).await;
    lobby.stage.app.clock.advance(TimeDelta::days(1));
    reset(&lobby, &account).await;
    assert_eq!(identities_by_password(&lobby, &account).await, [] as [Value; 0]);
    expect_conflict(&lobby.enter(&ann()).await, "identity_not_linked");
}

#[tokio::test]
async fn an_account_takes_its_identities_along() {
    let lobby = Lobby::new().await;
    let account = lobby.come_in(&ann()).await;
    let code = lobby.code(&ann()).await;
    account.client.delete(ME).await.expect(StatusCode::NO_CONTENT);
    for table in ["identities", "pending_identities", "users"] {
        assert_eq!(lobby.stage.database.count(table).await, 0, "{table}");
    }
    // Whoever comes now is somebody new.
    let session = expect_session(&lobby.exchange(&code).await);
    assert_ne!(session["user"]["id"], account.user_id);
    // And where an account of others goes, anybody may link what was its.
    let carl = lobby.stage.newcomer("Carl").await;
    linked(&lobby, &carl.client, &bob()).await;
    carl.client.delete(ME).await.expect(StatusCode::NO_CONTENT);
    let dora = lobby.stage.newcomer("Dora").await;
    link(&lobby, &dora.client, &bob()).await.expect(StatusCode::CREATED);
}

/// What waits for a mailed link goes along, too.
#[tokio::test]
async fn an_account_takes_what_waits_for_a_link_along() {
    let lobby = Lobby::new().await;
    let carl = lobby.stage.newcomer("Carl").await;
    let person = ann().with("email", carl.email.as_str());
    expect_conflict(&lobby.enter(&person).await, "identity_not_linked");
    assert_eq!(lobby.stage.database.count("pending_identities").await, 1);
    carl.client.delete(ME).await.expect(StatusCode::NO_CONTENT);
    assert_eq!(lobby.stage.database.count("pending_identities").await, 0);
    let session = expect_session(&lobby.enter(&person).await);
    assert_ne!(session["user"]["id"], carl.user_id);
}
