//! Claims as providers really send them, which is not always as the standard has them.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::identity_provider::Person;

use super::{APP, Lobby, ann};
use crate::mfa::ME;

/// Where a provider tells what it knows: in the ID token, or in userinfo alone.
const IN_USERINFO: [bool; 2] = [false, true];

/// Somebody whom nobody else is, of whom this is known besides.
fn known(subject: &str, claim: &str, value: Value) -> Person {
    Person::new(subject, &format!("user-{subject}@example.com")).with(claim, value)
}

/// What an account is like that is made of somebody.
async fn me(lobby: &Lobby, person: &Person) -> Value {
    let account = lobby.come_in(person).await;
    account.client.get(ME).await.expect(StatusCode::OK).data()
}

/// OpenID Connect Core 1.0, section 5.1, has a number of seconds there; Auth0 sends a text.
#[tokio::test]
async fn a_time_may_be_a_text() {
    let lobby = Lobby::new().await;
    for in_userinfo in IN_USERINFO {
        lobby.provider.behave(|told| told.tells_in_userinfo = in_userinfo);
        for (number, updated_at) in [
            json!("2026-01-31T09:30:00.000Z"),
            json!("2026-01-31T09:30:00+01:00"),
            json!(1_769_851_800),
        ]
        .into_iter()
        .enumerate()
        {
            let person = known(&format!("{number}-{in_userinfo}"), "updated_at", updated_at);
            let me = me(&lobby, &person).await;
            assert_eq!(me["email"], person.claim("email"));
            assert_eq!((&me["name"], &me["emailVerified"]), (&json!("Ann Lee"), &json!(true)));
        }
    }
}

/// The same section has a truth value there; Cognito sends a text.
#[tokio::test]
async fn whether_an_address_is_verified_may_be_a_text() {
    let lobby = Lobby::new().await;
    for in_userinfo in IN_USERINFO {
        lobby.provider.behave(|told| told.tells_in_userinfo = in_userinfo);
        for (told, verified) in [("true", true), ("false", false)] {
            let person = known(&format!("{told}-{in_userinfo}"), "email_verified", json!(told));
            let me = me(&lobby, &person).await;
            assert_eq!(me["emailVerified"], verified, "{told}, {in_userinfo}");
            // Who is to prove the address is asked to by a mail, and nobody else.
            let mails = lobby.stage.app.mails().await;
            let asked = mails.iter().any(|mail| me["email"] == mail.to);
            assert_eq!(asked, !verified, "{told}, {in_userinfo}");
        }
    }
}

/// A text that is none of both proves nothing.
#[tokio::test]
async fn an_address_is_verified_by_no_other_text() {
    let lobby = Lobby::new().await;
    for in_userinfo in IN_USERINFO {
        lobby.provider.behave(|told| told.tells_in_userinfo = in_userinfo);
        for told in ["", "true ", "yes", "1"] {
            let person = ann().with("email_verified", told);
            let returned = lobby.walk(&person, &[("redirectUri", APP)]).await;
            assert_eq!(returned.error(), "server_error", "{told}, {in_userinfo}");
        }
    }
    assert_eq!(lobby.stage.database.count("users").await, 0);
}
