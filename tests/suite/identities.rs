//! What providers know people by: linked, listed and unlinked by who is signed in, or linked by a mail.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test should stop where it fails"
)]

mod at_once;
mod confirming;
mod freshness;
mod isolation;
mod linking;
mod listing;
mod losing;
mod operators;
mod unlinking;
mod ways_in;

use reqwest::StatusCode;
use serde_json::Value;
use tenantry_integrations::mail::Kept;
use tenantry_tests::{
    client::{Answer, Client, text},
    identity_provider::{Person, Pkce},
};

use crate::oidc::{Lobby, with_verifier};

pub(crate) const IDENTITIES: &str = "/api/v1/auth/identities";

/// Where somebody links what the provider knows them by.
const LINK: &str = "/api/v1/auth/identities/work";

/// Links somebody at the provider to whoever calls.
pub(crate) async fn link(lobby: &Lobby, client: &Client, person: &Person) -> Answer {
    let body = link_body(lobby, person).await;
    client.post(LINK, &body).await
}

/// What links somebody at the provider.
async fn link_body(lobby: &Lobby, person: &Person) -> Value {
    let pkce = Pkce::new();
    let code = lobby.code_for(person, &pkce).await;
    with_verifier(&code, &pkce)
}

/// The same, and gives the path of what is linked.
async fn linked(lobby: &Lobby, client: &Client, person: &Person) -> String {
    let answer = link(lobby, client, person).await;
    path_of(&answer.expect(StatusCode::CREATED).data())
}

/// The path of an identity.
fn path_of(identity: &Value) -> String {
    format!("{IDENTITIES}/{}", text(&identity["id"]))
}

/// The identities of whoever calls, newest first.
async fn listed(client: &Client) -> Vec<Value> {
    let list = client.get(IDENTITIES).await;
    list.expect(StatusCode::OK).data().as_array().unwrap().clone()
}

/// The mails to an address, newest first.
async fn mails_to(lobby: &Lobby, email: &str) -> Vec<Kept> {
    let mut mails = lobby.stage.app.mails().await;
    mails.retain(|mail| mail.to == email);
    mails
}

/// The secret of the newest mail by which an address is asked to confirm.
async fn confirmation(lobby: &Lobby, email: &str) -> String {
    let mails = mails_to(lobby, email).await;
    let start = "http://tenantry.test/confirm-identity?token=";
    let mut links = mails
        .iter()
        .flat_map(|mail| mail.text.lines())
        .filter_map(|line| line.strip_prefix(start));
    let secret = links.next().expect("a link").to_owned();
    assert!(secret.starts_with("tnl_"), "{secret}");
    secret
}

/// How many events there are of a type about an identity.
async fn events_of(lobby: &Lobby, kind: &str, path: &str) -> i64 {
    let id = path.rsplit('/').next().unwrap();
    let events = format!("user_events where type = '{kind}' and resource_type = 'identity' and resource_id = '{id}'");
    lobby.stage.database.count(&events).await
}

#[track_caller]
fn expect_unknown(answer: &Answer) {
    answer.expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
}

/// Panics where a code was not found wrong.
#[track_caller]
fn expect_incorrect(answer: &Answer) {
    answer.expect_error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    assert_eq!(
        answer.refused_fields(),
        [("/code".to_owned(), "incorrect".to_owned())],
        "{}",
        answer.text
    );
}
