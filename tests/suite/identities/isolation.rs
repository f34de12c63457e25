//! What one has linked is nobody else's business.

use reqwest::{Method, StatusCode};
use serde_json::Value;
use tenantry_tests::client::text;

use super::{IDENTITIES, expect_unknown, linked, listed};
use crate::{
    mfa::expect_session,
    oidc::{Lobby, ann, bob},
};

#[tokio::test]
async fn anothers_is_none() {
    let lobby = Lobby::new().await;
    let carl = lobby.stage.newcomer("Carl").await;
    let dora = lobby.stage.newcomer("Dora").await;
    let path = linked(&lobby, &carl.client, &ann()).await;
    let tag = carl.client.get(&path).await.header("etag").unwrap().to_owned();
    let unknown = format!("{IDENTITIES}/01890a5d-ac96-774b-bcce-b302099a8057");
    for path in [&path, &unknown] {
        for answer in [
            dora.client.get(path).await,
            dora.client.with_header("if-none-match", &tag).get(path).await,
            dora.client.delete(path).await,
            dora.client.with_header("if-match", &tag).delete(path).await,
            dora.client.with_header("if-match", "\"4711\"").delete(path).await,
        ] {
            expect_unknown(&answer);
        }
    }
    assert_eq!(listed(&dora.client).await, [] as [Value; 0]);
    let session = expect_session(&lobby.enter(&ann()).await);
    assert_eq!(session["user"]["id"], carl.user_id);
}

#[tokio::test]
async fn each_sees_their_own() {
    let lobby = Lobby::new().await;
    let mut seen = Vec::new();
    for person in [ann(), bob()] {
        let account = lobby.come_in(&person).await;
        let own = listed(&account.client).await;
        assert_eq!(own.len(), 1);
        assert_eq!(own[0]["email"], person.claim("email"));
        seen.push(text(&own[0]["id"]));
    }
    assert_ne!(seen[0], seen[1]);
}

/// The id of an identity is none of another thing, and the key of a provider is none of an identity.
#[tokio::test]
async fn what_is_no_id_finds_nothing() {
    let lobby = Lobby::new().await;
    let carl = lobby.stage.newcomer("Carl").await;
    linked(&lobby, &carl.client, &ann()).await;
    for id in [carl.user_id.as_str(), "work", "x", "4711"] {
        for method in [Method::GET, Method::DELETE] {
            let request = carl.client.request(method, &format!("{IDENTITIES}/{id}"));
            let answer = carl.client.send(request).await;
            assert!(
                [StatusCode::NOT_FOUND, StatusCode::BAD_REQUEST].contains(&answer.status),
                "{id}: {}",
                answer.text
            );
        }
    }
    assert_eq!(listed(&carl.client).await.len(), 1);
}
