//! GitHub, which is no OpenID provider: who signed in is asked for, not signed.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::identity_provider::{Endpoint, Fault, IdentityProvider, Person};

use super::{APP, Lobby, PROVIDERS, WORK, ann, expect_conflict};
use crate::mfa::{ME, expect_session};

async fn lobby() -> Lobby {
    Lobby::beside(IdentityProvider::github().await, |_| {}).await
}

fn address(email: &str, primary: bool, verified: bool) -> Value {
    json!({ "email": email, "primary": primary, "verified": verified, "visibility": null })
}

/// Somebody with several addresses, of whom another is shown in public.
fn of_many_addresses(subject: &str, emails: &[Value]) -> Person {
    Person::new(subject, "unused@example.com")
        .with("public_email", "public@example.com")
        .with_emails(json!(emails))
}

#[tokio::test]
async fn somebody_new_gets_an_account_and_comes_back() {
    let lobby = lobby().await;
    let list = lobby.anybody().get(PROVIDERS).await;
    let told = json!([{
        "key": WORK,
        "name": "GitHub",
        "type": "github",
        "authorizeUrl": "/api/v1/auth/oidc/work/authorize",
    }]);
    assert_eq!(list.expect(StatusCode::OK).data(), told);

    let known = ann().with("picture", "https://avatars.example.com/u/4711");
    let account = lobby.come_in(&known).await;
    assert_eq!(lobby.provider.complaints(), [] as [String; 0]);
    let me = account.client.get(ME).await.data();
    assert_eq!(
        (&me["email"], &me["name"]),
        (&json!("ann@example.com"), &json!("Ann Lee"))
    );
    assert_eq!(me["emailVerified"], true);
    assert_eq!(me["avatarUrl"], "https://avatars.example.com/u/4711");
    assert_eq!(lobby.come_in(&known).await.user_id, account.user_id);
    let other = Person::new("47110", "other@example.com");
    assert_ne!(lobby.come_in(&other).await.user_id, account.user_id);
}

#[tokio::test]
async fn it_is_asked_for_what_it_has() {
    let lobby = lobby().await;
    lobby.walk(&ann(), &[("redirectUri", APP)]).await.code();
    let told = lobby.provider.authorization();
    assert!(!told.contains_key("nonce"), "{told:?}");
    let mut scopes: Vec<&str> = told["scope"].split(' ').collect();
    scopes.sort_unstable();
    assert_eq!(scopes, ["read:user", "user:email"]);
    assert_eq!(told["code_challenge_method"], "S256");
}

#[tokio::test]
async fn the_address_is_the_primary_one_or_else_one_that_is_verified() {
    let lobby = lobby().await;
    for (subject, emails, email) in [
        (
            "1",
            vec![
                address("a1@example.com", false, true),
                address("b1@example.com", true, true),
            ],
            "b1@example.com",
        ),
        (
            "2",
            vec![
                address("a2@example.com", true, false),
                address("b2@example.com", false, true),
            ],
            "b2@example.com",
        ),
        (
            "3",
            vec![
                address("a3@example.com", false, false),
                address("b3@example.com", true, false),
                address("c3@example.com", false, true),
            ],
            "c3@example.com",
        ),
    ] {
        let account = lobby.come_in(&of_many_addresses(subject, &emails)).await;
        assert_eq!(account.email, email);
        assert_eq!(account.client.get(ME).await.data()["emailVerified"], true);
    }
}

/// What is shown in public is whatever somebody typed there.
#[tokio::test]
async fn an_address_that_is_only_shown_in_public_is_none() {
    let lobby = lobby().await;
    for emails in [vec![], vec![address("a@example.com", true, false)]] {
        let answer = lobby.enter(&of_many_addresses("1", &emails)).await;
        expect_conflict(&answer, "email_missing");
    }
    assert_eq!(lobby.stage.database.count("users").await, 0);
}

#[tokio::test]
async fn what_is_out_of_order_is_told_as_such() {
    let lobby = lobby().await;
    for endpoint in [Endpoint::Token, Endpoint::UserInfo, Endpoint::Emails] {
        for (fault, error) in [
            (Fault::Status(500), "temporarily_unavailable"),
            (Fault::Huge, "temporarily_unavailable"),
            (Fault::Endless, "temporarily_unavailable"),
            (Fault::Status(401), "server_error"),
            (Fault::Garbage, "server_error"),
            (Fault::Redirect, "server_error"),
        ] {
            lobby.provider.behave(|told| {
                told.faults.insert(endpoint, fault);
            });
            let returned = lobby.walk(&ann(), &[("redirectUri", APP), ("state", "kept")]).await;
            assert_eq!(returned.error(), error, "{endpoint:?} {fault:?}");
            assert_eq!(returned.parameter("state"), Some("kept"));
            lobby.provider.behave_well();
        }
    }
    assert_eq!(lobby.provider.times_asked(Endpoint::Elsewhere), 0);
    expect_session(&lobby.enter(&ann()).await);
}

/// Its errors come with the status of what is right.
#[tokio::test]
async fn a_code_that_it_does_not_take_signs_nobody_in() {
    let lobby = lobby().await;
    lobby.provider.signs_in(&ann());
    let mut browser = lobby.browser();
    let callback = browser.reach_callback(WORK, &[("redirectUri", APP)]).await;
    browser.return_to(&callback).await.expect(StatusCode::FOUND);
    let again = browser.return_to(&callback).await;
    let told = again.expect(StatusCode::FOUND).header("location").unwrap();
    assert_eq!(told, format!("{APP}?error=server_error"));
    lobby.provider.behave(|told| told.refusal = Some("access_denied"));
    let refused = lobby.walk(&ann(), &[("redirectUri", APP)]).await;
    assert_eq!(refused.error(), "access_denied");
}
