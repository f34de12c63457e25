//! Accounts of people whom a provider vouches for, and who have none yet.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::{
    client::{PASSWORD, text},
    identity_provider::Person,
};

use super::{EXCHANGE, Lobby, ann, bob, expect_conflict};
use crate::mfa::{LOGIN, ME, expect_session, expect_unauthorized};

const IDENTITIES: &str = "/api/v1/auth/identities";

#[tokio::test]
async fn somebody_new_gets_an_account_as_the_provider_knows_them() {
    let lobby = Lobby::new().await;
    let known = ann()
        .with("picture", "https://pictures.example.com/ann.png")
        .with("locale", "de-AT");
    let account = lobby.come_in(&known).await;
    let me = account.client.get(ME).await.data();
    assert_eq!(me["email"], "ann@example.com");
    assert_eq!(me["emailVerified"], true);
    assert_eq!(me["name"], "Ann Lee");
    assert_eq!(me["avatarUrl"], "https://pictures.example.com/ann.png");
    assert_eq!(me["locale"], "de-AT");
    assert_eq!(me["mfaEnabled"], false);
    assert_eq!(me["currentOrganizationId"], Value::Null);
    assert_eq!(lobby.stage.events("user.registered").await, 1);
    // Registering signs in, as it does with a password: that is no event of its own.
    assert_eq!(lobby.stage.events("session.created").await, 0);
    assert_eq!(lobby.stage.events("identity.linked").await, 1);
    // What the provider has seen is asked for by no mail.
    assert_eq!(lobby.stage.mails_to(&account).await, 0);
    // There is no password that anybody could guess.
    for guess in ["", PASSWORD, "4711"] {
        let login = json!({ "email": account.email, "password": guess });
        let refused = lobby.anybody().post(LOGIN, &login).await;
        assert!(refused.status.is_client_error(), "{guess}: {}", refused.text);
    }
    assert_eq!(lobby.stage.database.count("credentials").await, 0);
    // Whether there is an account is told by no answer.
    let login = |email: &str| json!({ "email": email, "password": PASSWORD });
    expect_unauthorized(&lobby.anybody().post(LOGIN, &login("ann@example.com")).await);
    expect_unauthorized(&lobby.anybody().post(LOGIN, &login("nobody@example.com")).await);
}

#[tokio::test]
async fn somebody_known_comes_back_to_the_same_account() {
    let lobby = Lobby::new().await;
    let first = lobby.come_in(&ann()).await;
    // Whatever the provider knows by now: it is the same person, and the account is theirs.
    let married = ann().with("email", "ann.miller@example.com").with("name", "Ann Miller");
    let second = lobby.come_in(&married).await;
    assert_eq!(second.user_id, first.user_id);
    assert_eq!(second.email, "ann@example.com");
    assert_eq!(second.client.get(ME).await.data()["name"], "Ann Lee");
    let identities = second.client.get(IDENTITIES).await.data();
    assert_eq!(identities.as_array().unwrap().len(), 1);
    assert_eq!(identities[0]["email"], "ann.miller@example.com");
    // Without an address, too.
    let third = lobby.come_in(&ann().without("email")).await;
    assert_eq!(third.user_id, first.user_id);
    assert_eq!(lobby.stage.database.count("users").await, 1);
    assert_eq!(lobby.stage.events("user.registered").await, 1);
    assert_eq!(lobby.stage.events("session.created").await, 2);
}

/// An address may become somebody else's.
#[tokio::test]
async fn an_address_alone_is_nobody() {
    let lobby = Lobby::new().await;
    let first = lobby.come_in(&ann()).await;
    let successor = Person::new("9999", "ann@example.com");
    expect_conflict(&lobby.enter(&successor).await, "identity_not_linked");
    assert_eq!(lobby.stage.database.count("identities").await, 1);
    assert_eq!(lobby.come_in(&ann()).await.user_id, first.user_id);
    // Subjects are compared as they are.
    for subject in ["04711", "4711 ", "47110"] {
        let other = Person::new(subject, &format!("ann{}@example.com", subject.trim()));
        assert_ne!(lobby.come_in(&other).await.user_id, first.user_id, "{subject}");
    }
}

#[tokio::test]
async fn an_address_that_the_provider_has_not_seen_is_asked_for() {
    let lobby = Lobby::new().await;
    let unseen = [
        Person::new("1", "one@example.com").with("email_verified", false),
        Person::new("2", "two@example.com").without("email_verified"),
    ];
    for person in unseen {
        let account = lobby.come_in(&person).await;
        assert_eq!(account.client.get(ME).await.data()["emailVerified"], false);
        let mails = lobby.stage.app.mails().await;
        let to_them: Vec<_> = mails.iter().filter(|mail| mail.to == account.email).collect();
        assert_eq!(to_them.len(), 1);
        let start = "http://tenantry.test/verify-email?token=";
        let token = to_them[0]
            .text
            .lines()
            .find_map(|line| line.strip_prefix(start))
            .unwrap();
        let verify = json!({ "token": token });
        let proven = lobby.anybody().post("/api/v1/auth/email/verify", &verify).await;
        proven.expect(StatusCode::OK);
        assert_eq!(account.client.get(ME).await.data()["emailVerified"], true);
    }
}

#[tokio::test]
async fn a_name_is_made_one() {
    let lobby = Lobby::new().await;
    let long = "ä".repeat(300);
    for (number, (told, name)) in [
        (json!("Ann\u{0}\u{7}\n Lee"), "Ann Lee".to_owned()),
        (json!(long), "ä".repeat(255)),
        (json!(""), "user2".to_owned()),
        (Value::Null, "user3".to_owned()),
        (json!("\u{1}\u{2}"), "user4".to_owned()),
    ]
    .into_iter()
    .enumerate()
    {
        let person = Person::new(&format!("s{number}"), &format!("user{number}@example.com"));
        let person = if told.is_null() {
            person.without("name")
        } else {
            person.with("name", told)
        };
        let account = lobby.come_in(&person).await;
        assert_eq!(account.client.get(ME).await.data()["name"], name, "{number}");
    }
}

#[tokio::test]
async fn a_picture_that_is_not_of_https_is_none() {
    let lobby = Lobby::new().await;
    for (number, picture) in [
        "http://pictures.example.com/ann.png",
        "javascript:alert(1)",
        "data:image/png;base64,AAAA",
        "//pictures.example.com/ann.png",
        "ann.png",
        "",
    ]
    .into_iter()
    .enumerate()
    {
        let person = Person::new(&format!("s{number}"), &format!("user{number}@example.com")).with("picture", picture);
        let account = lobby.come_in(&person).await;
        assert_eq!(
            account.client.get(ME).await.data()["avatarUrl"],
            Value::Null,
            "{picture}"
        );
    }
}

#[tokio::test]
async fn what_the_token_lacks_is_asked_for() {
    let lobby = Lobby::new().await;
    lobby.provider.behave(|told| told.tells_in_userinfo = true);
    let known = ann()
        .with("picture", "https://pictures.example.com/ann.png")
        .with("locale", "fr");
    let me = lobby.come_in(&known).await.client.get(ME).await.data();
    assert_eq!(
        (&me["email"], &me["name"]),
        (&json!("ann@example.com"), &json!("Ann Lee"))
    );
    assert_eq!(me["emailVerified"], true);
    assert_eq!(
        (&me["avatarUrl"], &me["locale"]),
        (&json!("https://pictures.example.com/ann.png"), &json!("fr"))
    );
    // What the token tells is not asked for again: it is signed.
    lobby.provider.behave_well();
    lobby
        .provider
        .behave(|told| told.userinfo = vec![("email", json!("eve@example.com"))]);
    let account = lobby.come_in(&bob()).await;
    assert_eq!(account.email, "bob@example.com");
}

/// That of another address would be proof of nothing.
#[tokio::test]
async fn an_address_is_not_verified_by_what_is_said_of_another() {
    let lobby = Lobby::new().await;
    lobby.provider.behave(|told| {
        told.id_token = vec![("email_verified", Value::Null)];
        told.userinfo = vec![("email", json!("other@example.com")), ("email_verified", json!(true))];
    });
    let account = lobby.come_in(&ann()).await;
    assert_eq!(account.email, "ann@example.com");
    assert_eq!(account.client.get(ME).await.data()["emailVerified"], false);
}

#[tokio::test]
async fn nobody_gets_an_account_without_an_address() {
    let lobby = Lobby::new().await;
    let nameless = ann().without("email").without("email_verified");
    expect_conflict(&lobby.enter(&nameless).await, "email_missing");
    // Nor where the provider has no more to tell.
    lobby
        .provider
        .behave(|told| told.metadata = vec![("userinfo_endpoint", Value::Null)]);
    expect_conflict(&lobby.enter(&nameless).await, "email_missing");
    assert_eq!(lobby.stage.database.count("users").await, 0);
}

#[tokio::test]
async fn what_is_no_account_does_not_use_the_code_up() {
    let lobby = Lobby::new().await;
    let carl = lobby.stage.newcomer("Carl").await;
    let code = lobby.code(&Person::new("1", &carl.email)).await;
    for _ in 0..2 {
        expect_conflict(&lobby.exchange(&code).await, "identity_not_linked");
    }
    let code = lobby.code(&ann().without("email")).await;
    for _ in 0..2 {
        expect_conflict(&lobby.exchange(&code).await, "email_missing");
    }
}

#[tokio::test]
async fn an_address_is_taken_whatever_its_case() {
    let lobby = Lobby::new().await;
    let carl = lobby.stage.newcomer("Carl").await;
    let shouting = Person::new("1", &carl.email.to_uppercase());
    expect_conflict(&lobby.enter(&shouting).await, "identity_not_linked");
    assert_eq!(lobby.stage.database.count("users").await, 1);
    assert_eq!(lobby.stage.database.count("identities").await, 0);
}

/// A session of somebody who has no password is one like any other.
#[tokio::test]
async fn who_came_through_a_provider_may_found_and_leave() {
    let lobby = Lobby::new().await;
    let account = lobby.come_in(&ann()).await;
    let founded = account
        .client
        .post("/api/v1/organizations", &json!({ "name": "Acme" }))
        .await;
    founded.expect(StatusCode::CREATED);
    let logout = json!({ "refreshToken": account.refresh_token });
    let left = account.client.post("/api/v1/auth/logout", &logout).await;
    left.expect(StatusCode::NO_CONTENT);
    expect_unauthorized(&account.client.get(ME).await);
    let code = lobby.code(&ann()).await;
    let session = expect_session(&lobby.anybody().post(EXCHANGE, &json!({ "code": code })).await);
    assert_eq!(text(&session["user"]["id"]), account.user_id);
}
