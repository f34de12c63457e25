//! Linking by who is signed in.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::{
    client::text,
    identity_provider::{IdentityProvider, Person, Pkce},
};

use super::{
    IDENTITIES, LINK, events_of, expect_incorrect, expect_unknown, link, link_body, linked, listed, mails_to, path_of,
};
use crate::{
    mfa::{expect_session, expect_unauthorized, names, time},
    oidc::{APP, EXCHANGE, Lobby, WORK, ann, bob, expect_conflict, with_verifier},
};

#[tokio::test]
async fn what_is_linked_signs_in() {
    let lobby = Lobby::new().await;
    let carl = lobby.stage.newcomer("Carl").await;
    let mails = mails_to(&lobby, &carl.email).await.len();
    // Whatever address the provider knows.
    let answer = link(&lobby, &carl.client, &ann()).await;
    let data = answer.expect(StatusCode::CREATED).data();
    assert_eq!(
        names(&data),
        ["createdAt", "email", "id", "lastUsedAt", "provider", "updatedAt"]
    );
    assert_eq!(
        (&data["provider"], &data["email"]),
        (&json!(WORK), &json!("ann@example.com"))
    );
    assert_eq!(data["lastUsedAt"], Value::Null);
    assert_eq!(time(&data["createdAt"]), lobby.stage.now());
    assert_eq!(data["updatedAt"], data["createdAt"]);
    let path = path_of(&data);
    assert_eq!(answer.header("location"), Some(path.as_str()));
    assert_eq!(listed(&carl.client).await, std::slice::from_ref(&data));
    assert_eq!(events_of(&lobby, "identity.linked", &path).await, 1);
    let told = mails_to(&lobby, &carl.email).await;
    assert_eq!(told.len(), mails + 1);
    assert!(told[0].text.contains("ann@example.com"), "{}", told[0].text);

    lobby.stage.app.clock.advance(TimeDelta::minutes(1));
    let session = expect_session(&lobby.enter(&ann()).await);
    assert_eq!(session["user"]["id"], carl.user_id);
    assert_eq!(session["user"]["email"], carl.email);
    let used = &listed(&carl.client).await[0];
    assert_eq!(time(&used["lastUsedAt"]), lobby.stage.now());
    assert_eq!(used["updatedAt"], used["lastUsedAt"]);
    assert_eq!(used["createdAt"], data["createdAt"]);
    assert_eq!(lobby.stage.database.count("users").await, 1);
}

#[tokio::test]
async fn an_address_is_not_needed() {
    let lobby = Lobby::new().await;
    let carl = lobby.stage.newcomer("Carl").await;
    let answer = link(&lobby, &carl.client, &ann().without("email")).await;
    assert_eq!(answer.expect(StatusCode::CREATED).data()["email"], Value::Null);
    let session = expect_session(&lobby.enter(&ann().without("email")).await);
    assert_eq!(session["user"]["id"], carl.user_id);
}

#[tokio::test]
async fn who_has_not_proven_their_address_is_mailed_nothing() {
    let lobby = Lobby::new().await;
    let carl = lobby.anybody().register("Carl", None).await;
    let mails = mails_to(&lobby, &carl.email).await.len();
    linked(&lobby, &carl.client, &ann()).await;
    assert_eq!(mails_to(&lobby, &carl.email).await.len(), mails);
}

/// Somebody who slips a code of theirs into another's app would get into the account for good.
#[tokio::test]
async fn a_code_is_linked_only_by_who_began() {
    let lobby = Lobby::new().await;
    let carl = lobby.stage.newcomer("Carl").await;
    let client = &carl.client;
    let (own, other) = (Pkce::new(), Pkce::new());
    let without = lobby.code(&bob()).await;
    expect_incorrect(&client.post(LINK, &with_verifier(&without, &own)).await);
    let code = lobby.code_for(&bob(), &other).await;
    expect_incorrect(&client.post(LINK, &with_verifier(&code, &own)).await);
    let late = lobby.code_for(&ann(), &own).await;
    lobby.stage.app.clock.advance(TimeDelta::seconds(60));
    expect_incorrect(&client.post(LINK, &with_verifier(&late, &own)).await);
    for nonsense in ["tno_", "x", &format!("tno_{}", "A".repeat(43))] {
        expect_incorrect(&client.post(LINK, &with_verifier(nonsense, &own)).await);
    }
    for (body, fields) in [
        (json!({}), &["/code", "/codeVerifier"][..]),
        (json!({ "code": without }), &["/codeVerifier"][..]),
        (json!({ "codeVerifier": own.verifier }), &["/code"][..]),
        (
            json!({ "code": without, "codeVerifier": own.verifier, "redirectUri": APP }),
            &["/redirectUri"][..],
        ),
    ] {
        client.post(LINK, &body).await.expect_refused(fields);
    }
    assert_eq!(lobby.stage.database.count("identities").await, 0);
}

#[tokio::test]
async fn a_code_does_one_thing_once() {
    let lobby = Lobby::new().await;
    let carl = lobby.stage.newcomer("Carl").await;
    let body = link_body(&lobby, &ann()).await;
    carl.client.post(LINK, &body).await.expect(StatusCode::CREATED);
    expect_incorrect(&carl.client.post(LINK, &body).await);
    expect_unauthorized(&lobby.anybody().post(EXCHANGE, &body).await);
    // Nor does one that signed somebody in.
    let body = link_body(&lobby, &bob()).await;
    expect_session(&lobby.anybody().post(EXCHANGE, &body).await);
    let refused = carl.client.post(LINK, &body).await;
    assert!(refused.status.is_client_error(), "{}", refused.text);
    assert_eq!(listed(&carl.client).await.len(), 1);
}

#[tokio::test]
async fn a_code_of_one_provider_links_nothing_at_another() {
    let provider = IdentityProvider::start().await;
    let configured = format!("{}{}", provider.configured(WORK), provider.configured("home"));
    let lobby = Lobby::beside(provider, |options| options.identity_providers = configured).await;
    let carl = lobby.stage.newcomer("Carl").await;
    let body = link_body(&lobby, &ann()).await;
    let home = format!("{IDENTITIES}/home");
    expect_incorrect(&carl.client.post(&home, &body).await);
    for unknown in ["nobody", "WORK", "work2"] {
        expect_unknown(&carl.client.post(&format!("{IDENTITIES}/{unknown}"), &body).await);
    }
    // Wherever it was linked, it is the same identity.
    linked(&lobby, &carl.client, &ann()).await;
    lobby.provider.signs_in(&ann());
    let pkce = Pkce::new();
    let query = [("redirectUri", APP), ("codeChallenge", pkce.challenge.as_str())];
    let code = lobby.browser().walk("home", &query).await.code();
    let again = carl.client.post(&home, &with_verifier(&code, &pkce)).await;
    expect_conflict(&again, "identity_taken");
}

#[tokio::test]
async fn an_identity_is_of_one_account() {
    let lobby = Lobby::new().await;
    let carl = lobby.stage.newcomer("Carl").await;
    let dora = lobby.stage.newcomer("Dora").await;
    linked(&lobby, &carl.client, &ann()).await;
    for client in [&carl.client, &dora.client] {
        expect_conflict(&link(&lobby, client, &ann()).await, "identity_taken");
    }
    // One that made an account is that account's.
    lobby.come_in(&bob()).await;
    expect_conflict(&link(&lobby, &dora.client, &bob()).await, "identity_taken");
    assert_eq!(listed(&dora.client).await, [] as [Value; 0]);
    assert_eq!(lobby.stage.database.count("identities").await, 2);
}

#[tokio::test]
async fn nobody_has_more_than_twenty() {
    let lobby = Lobby::new().await;
    let carl = lobby.stage.newcomer("Carl").await;
    let numbered = |number: usize| Person::new(&format!("s{number}"), "ann@example.com");
    let mut last = String::new();
    for number in 0..20 {
        last = linked(&lobby, &carl.client, &numbered(number)).await;
    }
    expect_conflict(&link(&lobby, &carl.client, &numbered(20)).await, "too_many_identities");
    assert_eq!(lobby.stage.database.count("identities").await, 20);
    carl.client.delete(&last).await.expect(StatusCode::NO_CONTENT);
    linked(&lobby, &carl.client, &numbered(20)).await;
}

#[tokio::test]
async fn strangers_are_told_nothing() {
    let lobby = Lobby::new().await;
    let carl = lobby.stage.newcomer("Carl").await;
    let path = linked(&lobby, &carl.client, &ann()).await;
    let body = link_body(&lobby, &bob()).await;
    for client in [lobby.anybody(), lobby.anybody().with_token("x")] {
        for answer in [
            client.get(IDENTITIES).await,
            client.get(&path).await,
            client.delete(&path).await,
            client.post(LINK, &body).await,
            client.post(&format!("{IDENTITIES}/nobody"), &json!(["nonsense"])).await,
        ] {
            expect_unauthorized(&answer);
        }
    }
    let session = expect_session(&lobby.anybody().post(EXCHANGE, &body).await);
    assert_ne!(text(&session["user"]["id"]), carl.user_id);
}
