//! Linking by a mail, where somebody comes whose address has an account.

use chrono::TimeDelta;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tenantry::configuration::RateLimits;
use tenantry_tests::{
    client::{Account, Answer},
    identity_provider::Person,
};

use super::{confirmation, events_of, link, linked, listed, mails_to, path_of};
use crate::{
    mfa::{RESET, expect_session, names},
    oidc::{CONFIRM, Lobby, expect_conflict, told},
};

const LIFE: TimeDelta = TimeDelta::hours(1);

/// Somebody at the provider who has the address of an account.
fn same_address(account: &Account) -> Person {
    Person::new("4711", &account.email)
}

async fn confirm(lobby: &Lobby, token: &str) -> Answer {
    lobby.anybody().post(CONFIRM, &json!({ "token": token })).await
}

#[track_caller]
fn expect_gone(answer: &Answer) {
    answer.expect_error(StatusCode::GONE, "GONE");
    assert_eq!(answer.json()["error"]["details"], Value::Null);
}

/// A lobby with somebody, and the secret of the mail that asks them to confirm.
async fn asked() -> (Lobby, Account, String) {
    let lobby = Lobby::new().await;
    let carl = lobby.stage.newcomer("Carl").await;
    expect_conflict(&lobby.enter(&same_address(&carl)).await, "identity_not_linked");
    let token = confirmation(&lobby, &carl.email).await;
    (lobby, carl, token)
}

#[tokio::test]
async fn whoever_reads_the_mails_of_the_address_links_by_one() {
    let lobby = Lobby::new().await;
    let carl = lobby.stage.newcomer("Carl").await;
    let code = lobby.code(&same_address(&carl)).await;
    expect_conflict(&lobby.exchange(&code).await, "identity_not_linked");
    let token = confirmation(&lobby, &carl.email).await;
    assert_eq!(lobby.stage.database.count("identities").await, 0);

    let answer = confirm(&lobby, &token).await;
    let data = answer.expect(StatusCode::OK).data();
    assert_eq!(
        names(&data),
        ["createdAt", "email", "id", "lastUsedAt", "provider", "updatedAt"]
    );
    assert_eq!(
        (&data["provider"], &data["email"]),
        (&json!("work"), &json!(carl.email))
    );
    assert_eq!(listed(&carl.client).await, std::slice::from_ref(&data));
    assert_eq!(events_of(&lobby, "identity.linked", &path_of(&data)).await, 1);
    // It signs nobody in by itself: the code does, which was not used up.
    let session = expect_session(&lobby.exchange(&code).await);
    assert_eq!(session["user"]["id"], carl.user_id);
    let session = expect_session(&lobby.enter(&same_address(&carl)).await);
    assert_eq!(session["user"]["id"], carl.user_id);
}

#[tokio::test]
async fn a_link_is_good_once() {
    let (lobby, carl, token) = asked().await;
    confirm(&lobby, &token).await.expect(StatusCode::OK);
    expect_gone(&confirm(&lobby, &token).await);
    // Not even where it was taken back.
    let path = path_of(&listed(&carl.client).await[0]);
    carl.client.delete(&path).await.expect(StatusCode::NO_CONTENT);
    expect_gone(&confirm(&lobby, &token).await);
    assert_eq!(lobby.stage.database.count("identities").await, 0);
}

#[tokio::test]
async fn a_link_is_good_for_an_hour() {
    let (lobby, carl, token) = asked().await;
    lobby.stage.app.clock.advance(LIFE - TimeDelta::seconds(1));
    expect_conflict(
        &lobby.enter(&Person::new("4712", &carl.email)).await,
        "identity_not_linked",
    );
    let other = confirmation(&lobby, &carl.email).await;
    assert_ne!(other, token);
    confirm(&lobby, &token).await.expect(StatusCode::OK);

    let (lobby, _, token) = asked().await;
    lobby.stage.app.clock.advance(LIFE);
    expect_gone(&confirm(&lobby, &token).await);
    assert_eq!(lobby.stage.database.count("identities").await, 0);
}

#[tokio::test]
async fn what_is_no_link_links_nothing() {
    let (lobby, carl, token) = asked().await;
    let reset = lobby.stage.forgotten(&carl).await;
    let edited = format!(
        "{}{}",
        &token[..token.len() - 1],
        if token.ends_with('A') { "B" } else { "A" }
    );
    for nonsense in ["", "tnl_", "x", &edited, &token[1..], &reset, "tnl_\u{e9}"] {
        expect_gone(&confirm(&lobby, nonsense).await);
    }
    // Nor is it good for anything else.
    let body = json!({ "token": token, "password": "another phrase, just as long" });
    expect_gone(&lobby.anybody().post(RESET, &body).await);
    let verify = json!({ "token": token });
    expect_gone(&lobby.anybody().post("/api/v1/auth/email/verify", &verify).await);
    lobby
        .anybody()
        .post(CONFIRM, &json!({}))
        .await
        .expect_refused(&["/token"]);
    // What reads links in mails in advance follows them, and sends nothing.
    let request = lobby
        .anybody()
        .request(Method::GET, &format!("{CONFIRM}?token={token}"));
    let answer = lobby.anybody().send(request).await;
    assert!(answer.status.is_client_error(), "{}", answer.text);
    assert_eq!(lobby.stage.database.count("identities").await, 0);
    confirm(&lobby, &token).await.expect(StatusCode::OK);
}

/// Whoever had the address then is perhaps not who has it now.
#[tokio::test]
async fn a_link_to_an_address_that_was_changed_is_gone() {
    let (lobby, carl, token) = asked().await;
    let change = format!(
        "update users set email = 'new@example.com', email_canonical = 'new@example.com' where id = '{}'",
        carl.user_id
    );
    lobby.stage.database.superuser(change).await;
    expect_gone(&confirm(&lobby, &token).await);
    assert_eq!(lobby.stage.database.count("identities").await, 0);
}

#[tokio::test]
async fn what_was_linked_elsewhere_meanwhile_is_taken() {
    let (lobby, carl, token) = asked().await;
    let dora = lobby.stage.newcomer("Dora").await;
    linked(&lobby, &dora.client, &same_address(&carl)).await;
    expect_conflict(&confirm(&lobby, &token).await, "identity_taken");
    assert_eq!(listed(&carl.client).await, [] as [Value; 0]);
    let session = expect_session(&lobby.enter(&same_address(&carl)).await);
    assert_eq!(session["user"]["id"], dora.user_id);
}

#[tokio::test]
async fn nobody_has_more_than_twenty() {
    let (lobby, carl, token) = asked().await;
    for number in 0..20 {
        let person = Person::new(&format!("s{number}"), "other@example.com");
        link(&lobby, &carl.client, &person).await.expect(StatusCode::CREATED);
    }
    expect_conflict(&confirm(&lobby, &token).await, "too_many_identities");
}

/// Whoever makes an account for the address of another waits for them in vain, and so does a provider that asks nobody.
#[tokio::test]
async fn an_address_that_either_side_has_not_verified_is_mailed_nothing() {
    let lobby = Lobby::new().await;
    let proven = lobby.stage.newcomer("Carl").await;
    let squatted = lobby.anybody().register("Squatter", None).await;
    for (account, person) in [
        (&proven, same_address(&proven).with("email_verified", false)),
        (&proven, same_address(&proven).without("email_verified")),
        (&squatted, same_address(&squatted)),
        (&squatted, same_address(&squatted).with("email_verified", false)),
    ] {
        let mails = mails_to(&lobby, &account.email).await.len();
        expect_conflict(&lobby.enter(&person).await, "identity_not_linked");
        assert_eq!(mails_to(&lobby, &account.email).await.len(), mails, "{person:?}");
    }
    assert_eq!(lobby.stage.database.count("identities").await, 0);
}

/// Whether there is such an account is told to the address alone.
#[tokio::test]
async fn the_answer_is_the_same_whether_a_mail_goes_out() {
    let lobby = Lobby::new().await;
    let proven = lobby.stage.newcomer("Carl").await;
    let unproven = lobby.anybody().register("Dora", None).await;
    let mut answers = Vec::new();
    for (number, account) in [&proven, &unproven].into_iter().enumerate() {
        let answer = lobby.enter(&Person::new(&format!("s{number}"), &account.email)).await;
        assert!(!answer.text.contains(&account.email), "{}", answer.text);
        answers.push(told(&answer));
    }
    assert_eq!(answers[0], answers[1]);
}

/// Nobody fills the mailbox of another, and whoever tries is not told that no mail goes out any more.
#[tokio::test]
async fn an_address_is_mailed_five_times_an_hour() {
    let lobby = Lobby::with(|options| options.rate_limits = RateLimits::On).await;
    let carl = lobby.stage.newcomer("Carl").await;
    let dora = lobby.stage.newcomer("Dora").await;
    let before = mails_to(&lobby, &carl.email).await.len();
    let first = lobby.enter(&same_address(&carl)).await;
    expect_conflict(&first, "identity_not_linked");
    for mails in 2..=5 {
        // Whoever they say that they are, and however they write the address.
        let person = Person::new(&format!("s{mails}"), &carl.email.to_uppercase());
        assert_eq!(told(&lobby.enter(&person).await), told(&first));
        assert_eq!(mails_to(&lobby, &carl.email).await.len(), before + mails);
    }
    for _ in 0..2 {
        assert_eq!(told(&lobby.enter(&same_address(&carl)).await), told(&first));
        assert_eq!(mails_to(&lobby, &carl.email).await.len(), before + 5);
    }
    // Those of others are not held back.
    let others = mails_to(&lobby, &dora.email).await.len();
    assert_eq!(told(&lobby.enter(&same_address(&dora)).await), told(&first));
    assert_eq!(mails_to(&lobby, &dora.email).await.len(), others + 1);

    lobby.stage.app.clock.advance(LIFE);
    assert_eq!(told(&lobby.enter(&same_address(&carl)).await), told(&first));
    assert_eq!(mails_to(&lobby, &carl.email).await.len(), before + 6);
}
