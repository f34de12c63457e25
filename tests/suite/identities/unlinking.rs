//! Unlinking.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::Value;

use super::{events_of, expect_unknown, link, linked, listed, mails_to};
use crate::{
    mfa::expect_session,
    oidc::{Lobby, ann, bob, expect_conflict},
};

#[tokio::test]
async fn what_is_unlinked_signs_nobody_in() {
    let lobby = Lobby::new().await;
    let carl = lobby.stage.newcomer("Carl").await;
    let path = linked(&lobby, &carl.client, &ann()).await;
    let mails = mails_to(&lobby, &carl.email).await.len();
    let gone = carl.client.delete(&path).await;
    assert_eq!(gone.expect(StatusCode::NO_CONTENT).text, "");
    assert_eq!(listed(&carl.client).await, [] as [Value; 0]);
    assert_eq!(events_of(&lobby, "identity.unlinked", &path).await, 1);
    let told = mails_to(&lobby, &carl.email).await;
    assert_eq!(told.len(), mails + 1);
    assert_ne!(told[0].subject, told[1].subject);
    for answer in [carl.client.get(&path).await, carl.client.delete(&path).await] {
        expect_unknown(&answer);
    }
    // Whoever comes with it is somebody new.
    let session = expect_session(&lobby.enter(&ann()).await);
    assert_ne!(session["user"]["id"], carl.user_id);
}

#[tokio::test]
async fn a_code_from_before_signs_nobody_in_who_was_unlinked() {
    let lobby = Lobby::new().await;
    let carl = lobby.stage.newcomer("Carl").await;
    let same_address = bob().with("email", carl.email.as_str());
    let mut codes = Vec::new();
    for person in [&ann(), &same_address] {
        let path = linked(&lobby, &carl.client, person).await;
        codes.push(lobby.code(person).await);
        carl.client.delete(&path).await.expect(StatusCode::NO_CONTENT);
    }
    let sessions = lobby.stage.sessions(&carl).await;
    // Whose address is free is somebody new.
    let session = expect_session(&lobby.exchange(&codes[0]).await);
    assert_ne!(session["user"]["id"], carl.user_id);
    expect_conflict(&lobby.exchange(&codes[1]).await, "identity_not_linked");
    assert_eq!(lobby.stage.sessions(&carl).await, sessions);
}

#[tokio::test]
async fn what_is_unlinked_may_be_linked_by_anybody() {
    let lobby = Lobby::new().await;
    let carl = lobby.stage.newcomer("Carl").await;
    let dora = lobby.stage.newcomer("Dora").await;
    let path = linked(&lobby, &carl.client, &ann()).await;
    carl.client.delete(&path).await.expect(StatusCode::NO_CONTENT);
    link(&lobby, &dora.client, &ann()).await.expect(StatusCode::CREATED);
    let session = expect_session(&lobby.enter(&ann()).await);
    assert_eq!(session["user"]["id"], dora.user_id);
}

#[tokio::test]
async fn what_was_shown_before_is_not_what_is_unlinked_now() {
    let lobby = Lobby::new().await;
    let carl = lobby.stage.newcomer("Carl").await;
    let path = linked(&lobby, &carl.client, &bob()).await;
    let tag = carl.client.get(&path).await.header("etag").unwrap().to_owned();
    lobby.stage.app.clock.advance(TimeDelta::seconds(1));
    expect_session(&lobby.enter(&bob()).await);
    let stale = carl.client.with_header("if-match", &tag).delete(&path).await;
    stale.expect_error(StatusCode::PRECONDITION_FAILED, "PRECONDITION_FAILED");
    let tag = carl.client.get(&path).await.header("etag").unwrap().to_owned();
    let gone = carl.client.with_header("if-match", &tag).delete(&path).await;
    gone.expect(StatusCode::NO_CONTENT);
}
