//! Tokens of people whose address has an account already, and of those who are linked to one, or no more.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry::configuration::{RateLimits, Registration};
use tenantry_tests::{
    app::{Options, TestApp},
    client::{Account, text},
    identity_provider::IdentityProvider,
    scene::{Place, Scene},
    token_issuer::{Person, TokenIssuer},
};

use super::{Border, CLOUD, INVALID, NOBODY, ann, current, expect_refused, found, listed, proving};
use crate::{
    identities::IDENTITIES,
    mfa::{ME, expect_stale, freshen},
    oidc::{CONFIRM, Lobby, WORK},
};

const SECOND: TimeDelta = TimeDelta::seconds(1);

/// Somebody whom the issuer knows by the address of an account.
fn same_address(account: &Account) -> Person {
    Person::new("4711", &account.email).with("sid", "first")
}

/// The secret of the newest mail by which an address is asked to confirm.
async fn confirmation(border: &Border, email: &str) -> String {
    let mails = border.mails_to(email).await;
    let start = "http://tenantry.test/confirm-identity?token=";
    let mut links = mails
        .iter()
        .flat_map(|mail| mail.text.lines())
        .filter_map(|line| line.strip_prefix(start));
    links.next().expect("a link").to_owned()
}

/// Links whom the issuer knows by the address of an account, as its owner does; gives the path of the identity.
async fn link(border: &Border, account: &Account) -> String {
    expect_refused(&border.show(&border.issuer.token(&same_address(account))).await, NOBODY);
    let confirm = json!({ "token": confirmation(border, &account.email).await });
    let confirmed = border.stage.anybody().post(CONFIRM, &confirm).await;
    let identity = confirmed.expect(StatusCode::OK).data();
    assert_eq!(
        (&identity["provider"], &identity["email"]),
        (&json!(CLOUD), &json!(account.email))
    );
    format!("{IDENTITIES}/{}", text(&identity["id"]))
}

#[tokio::test]
async fn the_owner_of_an_address_links_by_a_mail_and_has_what_is_theirs() {
    let border = Border::new().await;
    let carl = border.stage.newcomer("Carl").await;
    let organization = found(&carl.client, "Acme").await;
    let mails = border.mails_to(&carl.email).await.len();
    let token = border.issuer.token(&same_address(&carl));
    let stored = border.stored().await;
    expect_refused(&border.show(&token).await, NOBODY);
    assert_eq!(border.stored().await[..3], stored[..3]);
    assert_eq!(border.mails_to(&carl.email).await.len(), mails + 1);

    let confirm = json!({ "token": confirmation(&border, &carl.email).await });
    let confirmed = border.stage.anybody().post(CONFIRM, &confirm).await;
    confirmed.expect(StatusCode::OK);
    // The very token that was refused is good now.
    let client = border.bearing(&token);
    assert_eq!(client.get(ME).await.data()["id"], carl.user_id.as_str());
    let path = format!("/api/v1/organizations/{organization}");
    client.get(&path).await.expect(StatusCode::OK);
    let renamed = client.patch(&path, &json!({ "name": "Acme Inc." })).await;
    renamed.expect(StatusCode::OK);
    assert_eq!(listed(&carl.client).await.len(), 2);
    assert_eq!(border.stage.database.count("users").await, 1);
}

#[tokio::test]
async fn what_somebody_holds_is_what_their_token_holds() {
    let issuer = TokenIssuer::start().await;
    let scene = Scene::with(Options {
        trusted_issuers: vec![issuer.settings(CLOUD)],
        ..Options::default()
    })
    .await;
    issuer.follow(&scene.app.clock);
    let token = issuer.token(&ann());
    let client = scene.app.client().with_token(&token);
    let user_id = text(&client.get(ME).await.expect(StatusCode::OK).data()["id"]);
    let projects = scene.projects();
    client
        .get(&projects)
        .await
        .expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
    let account = Account {
        client: client.clone(),
        user_id,
        email: "ann@example.com".to_owned(),
        refresh_token: String::new(),
    };
    scene.join(&account, &[("viewer", Place::Organization)]).await;
    // What was known of it is not known for longer than a second.
    scene.app.clock.advance(SECOND);
    client.get(&projects).await.expect(StatusCode::OK);
    let refused = client.post(&projects, &json!({ "name": "Apollo" })).await;
    refused.expect_error(StatusCode::FORBIDDEN, "FORBIDDEN");
}

/// Whoever makes an account for the address of another waits for them in vain, and so does an issuer that asks nobody.
#[tokio::test]
async fn an_address_that_either_side_has_not_verified_is_mailed_nothing() {
    let border = Border::new().await;
    let proven = border.stage.newcomer("Carl").await;
    let squatted = border.stage.anybody().register("Squatter", None).await;
    for (account, person) in [
        (&proven, same_address(&proven).with("email_verified", false)),
        (&proven, same_address(&proven).without("email_verified")),
        (
            &proven,
            same_address(&proven)
                .with("email", proven.email.to_uppercase())
                .with("email_verified", false),
        ),
        (&squatted, same_address(&squatted)),
        (&squatted, same_address(&squatted).with("email_verified", false)),
    ] {
        let mails = border.mails_to(&account.email).await.len();
        expect_refused(&border.show(&border.issuer.token(&person)).await, NOBODY);
        assert_eq!(border.mails_to(&account.email).await.len(), mails, "{person:?}");
        // Whoever was just refused is not looked at.
        border.stage.app.clock.advance(SECOND);
    }
    assert_eq!(border.stored().await[..2], [2, 0]);
}

#[tokio::test]
async fn an_address_is_mailed_five_times_an_hour() {
    let border = Border::with(|options, _| options.rate_limits = RateLimits::On).await;
    let carl = border.stage.newcomer("Carl").await;
    let before = border.mails_to(&carl.email).await.len();
    for mails in [1, 2, 3, 4, 5, 5, 5] {
        let token = border.issuer.token(&same_address(&carl));
        expect_refused(&border.show(&token).await, NOBODY);
        assert_eq!(border.mails_to(&carl.email).await.len(), before + mails);
        // Whoever was just refused is not looked at.
        border.stage.app.clock.advance(SECOND);
    }
    border.stage.app.clock.advance(TimeDelta::hours(1));
    expect_refused(&border.show(&border.issuer.token(&same_address(&carl))).await, NOBODY);
    assert_eq!(border.mails_to(&carl.email).await.len(), before + 6);
}

#[tokio::test]
async fn an_account_is_linked_where_nobody_makes_one() {
    let border = Border::with(|options, _| options.registration = Registration::Private).await;
    // The account is from before the server was closed.
    let open = TestApp::start(&border.stage.database).await;
    let carl = open.client().register("Carl", None).await;
    let prove = "update users set email_verified_at = now() where email_canonical";
    let prove = format!("{prove} = '{}'", carl.email);
    border.stage.database.superuser(prove).await;
    link(&border, &carl).await;
    let account = border.come_in(&same_address(&carl)).await;
    assert_eq!(account.user_id, carl.user_id);
    assert_eq!(border.stage.database.count("users").await, 1);
}

#[tokio::test]
async fn what_is_unlinked_is_nobodys_until_it_is_linked_again() {
    let border = Border::new().await;
    let carl = border.stage.newcomer("Carl").await;
    let path = link(&border, &carl).await;
    let token = border.issuer.token(&same_address(&carl));
    border.show(&token).await.expect(StatusCode::OK);
    carl.client.delete(&path).await.expect(StatusCode::NO_CONTENT);
    let stored = border.stored().await;
    expect_refused(&border.show(&token).await, NOBODY);
    border.stage.app.clock.advance(SECOND * 2);
    for token in [token, border.issuer.token(&same_address(&carl))] {
        expect_refused(&border.show(&token).await, NOBODY);
    }
    assert_eq!(border.stored().await[..2], stored[..2]);
    // Their own sessions go on.
    carl.client.get(ME).await.expect(StatusCode::OK);
    link(&border, &carl).await;
    let account = border.come_in(&same_address(&carl)).await;
    assert_eq!(account.user_id, carl.user_id);
}

#[tokio::test]
async fn sessions_of_what_is_unlinked_are_listed_no_more() {
    let border = Border::new().await;
    let carl = border.stage.newcomer("Carl").await;
    let path = link(&border, &carl).await;
    for sid in ["first", "second"] {
        let account = border.come_in(&same_address(&carl).with("sid", sid)).await;
        assert_eq!(account.user_id, carl.user_id);
    }
    assert_eq!(listed(&carl.client).await.len(), 3);
    carl.client.delete(&path).await.expect(StatusCode::NO_CONTENT);
    let sessions = listed(&carl.client).await;
    assert_eq!((sessions.len(), &sessions[0]["current"]), (1, &json!(true)));
}

/// Whoever links anew brings back nothing that was ended.
#[tokio::test]
async fn what_was_revoked_stays_so_when_it_is_linked_again() {
    let border = Border::new().await;
    let carl = border.stage.newcomer("Carl").await;
    let identity = link(&border, &carl).await;
    let revoked = border.issuer.token(&same_address(&carl));
    let session = current(&border.bearing(&revoked)).await;
    carl.client.delete(&session).await.expect(StatusCode::NO_CONTENT);
    expect_refused(&border.show(&revoked).await, INVALID);
    carl.client.delete(&identity).await.expect(StatusCode::NO_CONTENT);
    border.stage.app.clock.advance(SECOND);
    link(&border, &carl).await;
    expect_refused(&border.show(&revoked).await, INVALID);
    let account = border.come_in(&same_address(&carl)).await;
    assert_eq!(account.user_id, carl.user_id);
    border.stage.app.clock.advance(SECOND);
    expect_refused(&border.show(&revoked).await, INVALID);
    account.client.get(ME).await.expect(StatusCode::OK);
}

/// Nobody but the identity says whose a token is, and that has gone.
#[tokio::test]
async fn who_is_unlinked_and_has_an_address_of_their_own_is_somebody_new() {
    let border = Border::new().await;
    let carl = border.stage.newcomer("Carl").await;
    let path = link(&border, &carl).await;
    let moved = same_address(&carl).with("email", "carl@elsewhere.example");
    assert_eq!(border.come_in(&moved).await.user_id, carl.user_id);
    carl.client.delete(&path).await.expect(StatusCode::NO_CONTENT);
    let account = border.come_in(&moved).await;
    assert_ne!(account.user_id, carl.user_id);
    assert_eq!(account.email, "carl@elsewhere.example");
    assert_eq!(border.stored().await[..2], [2, 1]);
    assert_eq!(carl.client.get(IDENTITIES).await.data(), json!([]));
}

/// The only way in is taken away by nobody.
#[tokio::test]
async fn who_has_nothing_else_keeps_what_they_are_known_by() {
    let border = Border::new().await;
    let account = border.come_in(&proving(&border, ann())).await;
    let identity = account.client.get(IDENTITIES).await.data()[0].clone();
    let path = format!("{IDENTITIES}/{}", text(&identity["id"]));
    let kept = account.client.delete(&path).await;
    kept.expect_error(StatusCode::CONFLICT, "CONFLICT");
    assert_eq!(kept.reason(), "last_sign_in_method");
    border.show(&border.issuer.token(&ann())).await.expect(StatusCode::OK);
    // Nor by somebody who does not prove who they are.
    let carl = border.stage.newcomer("Carl").await;
    let person = same_address(&carl).with("sub", "4713");
    expect_refused(&border.show(&border.issuer.token(&person)).await, NOBODY);
    let confirm = json!({ "token": confirmation(&border, &carl.email).await });
    let confirmed = border.stage.anybody().post(CONFIRM, &confirm).await;
    let path = format!("{IDENTITIES}/{}", text(&confirmed.expect(StatusCode::OK).data()["id"]));
    let client = border.client(&person);
    expect_stale(&client.delete(&path).await);
    freshen(&client).await;
    client.delete(&path).await.expect(StatusCode::NO_CONTENT);
    expect_refused(&client.get(ME).await, NOBODY);
}

#[tokio::test]
async fn who_has_deleted_their_account_gets_another() {
    let border = Border::new().await;
    let token = border.issuer.token(&proving(&border, ann()));
    let client = border.bearing(&token);
    let first = client.get(ME).await.expect(StatusCode::OK).data();
    client.delete(ME).await.expect(StatusCode::NO_CONTENT);
    assert_eq!(border.stored().await[..3], [0, 0, 0]);
    let second = client.get(ME).await.expect(StatusCode::OK).data();
    assert_ne!(second["id"], first["id"]);
    assert_eq!(second["currentOrganizationId"], Value::Null);
    assert_eq!(border.stored().await[..3], [1, 1, 1]);
}

/// An issuer that people sign in through, too, knows each of them once.
#[tokio::test]
async fn who_signs_in_through_the_issuer_is_whom_its_tokens_mean() {
    let provider = IdentityProvider::start().await;
    let issuer = TokenIssuer::start().await;
    let mut settings = issuer.settings(WORK);
    settings.issuer = provider.issuer();
    let lobby = Lobby::beside(provider, |options| options.trusted_issuers = vec![settings]).await;
    issuer.follow(&lobby.stage.app.clock);
    let account = lobby.come_in(&ann()).await;
    let token = issuer.token_but(&ann(), &[("iss", json!(lobby.provider.issuer()))]);
    let client = lobby.anybody().with_token(&token);
    assert_eq!(client.get(ME).await.data()["id"], account.user_id.as_str());
    assert_eq!(client.get(IDENTITIES).await.data().as_array().unwrap().len(), 1);
    assert_eq!(listed(&client).await.len(), 2);
    assert_eq!(lobby.stage.database.count("users").await, 1);
}
