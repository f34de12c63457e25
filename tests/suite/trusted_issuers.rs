//! Access tokens of other issuers, which an operator trusts.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test should stop where it fails"
)]

mod at_once;
mod first_sight;
mod hostile;
mod keys;
mod linking;
mod sessions;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_auth::trusted_issuers::IssuerSettings;
use tenantry_integrations::mail::Kept;
use tenantry_tests::{
    app::{Options, TestApp},
    client::{Account, Answer, Client, text},
    token_issuer::{Person, TokenIssuer},
};

use crate::mfa::{ME, Stage};

const SESSIONS: &str = "/api/v1/auth/sessions";

/// What the issuer is called in the configuration.
const CLOUD: &str = "cloud";

/// What a client is told by which to renew its token, where the token is not good.
const INVALID: &str =
    r#"Bearer realm="tenantry", error="invalid_token", error_description="The access token is not valid""#;
const EXPIRED: &str =
    r#"Bearer realm="tenantry", error="invalid_token", error_description="The access token has expired""#;
const NO_ADDRESS: &str = concat!(
    r#"Bearer realm="tenantry", error="invalid_token", "#,
    r#"error_description="The access token names no e-mail address, which an account needs""#
);
const NOBODY: &str = concat!(
    r#"Bearer realm="tenantry", error="invalid_token", "#,
    r#"error_description="The access token is of nobody who has an account here""#
);

/// A stage whose people may come with the tokens of an issuer.
struct Border {
    stage: Stage,
    issuer: TokenIssuer,
}

impl Border {
    async fn new() -> Self {
        Self::with(|_, _| {}).await
    }

    /// The same with options, and with what is configured of the issuer.
    async fn with(change: impl FnOnce(&mut Options, &mut IssuerSettings)) -> Self {
        let issuer = TokenIssuer::start().await;
        let mut settings = issuer.settings(CLOUD);
        let mut options = Options::default();
        change(&mut options, &mut settings);
        options.trusted_issuers.push(settings);
        let stage = Stage::with(options).await;
        issuer.follow(&stage.app.clock);
        Self { stage, issuer }
    }

    /// Another application over the same database, whose clock shows the same.
    async fn beside(&self) -> TestApp {
        let options = Options {
            trusted_issuers: vec![self.issuer.settings(CLOUD)],
            ..Options::default()
        };
        let app = TestApp::with(&self.stage.database, options).await;
        app.clock.stop();
        app.clock.advance(self.stage.now() - app.clock.environment().now());
        app
    }

    /// Who shows a token.
    fn bearing(&self, token: &str) -> Client {
        self.stage.anybody().with_token(token)
    }

    /// Who shows a good token of somebody that is issued now.
    fn client(&self, person: &Person) -> Client {
        self.bearing(&self.issuer.token(person))
    }

    /// What somebody is told of themselves who shows a token.
    async fn show(&self, token: &str) -> Answer {
        self.bearing(token).get(ME).await
    }

    /// Somebody who shows a good token, whose account is made where they have none.
    async fn come_in(&self, person: &Person) -> Account {
        let client = self.client(person);
        let me = client.get(ME).await;
        let me = me.expect(StatusCode::OK).data();
        Account {
            client,
            user_id: text(&me["id"]),
            email: text(&me["email"]),
            refresh_token: String::new(),
        }
    }

    /// How many users, identities, sessions and events there are.
    async fn stored(&self) -> [i64; 4] {
        let mut counts = [0; 4];
        for (count, table) in counts
            .iter_mut()
            .zip(["users", "identities", "sessions", "user_events"])
        {
            *count = self.stage.database.count(table).await;
        }
        counts
    }

    /// The mails to an address, newest first.
    async fn mails_to(&self, email: &str) -> Vec<Kept> {
        let mut mails = self.stage.app.mails().await;
        mails.retain(|mail| mail.to == email);
        mails
    }
}

/// Somebody whom the issuer knows, in a session of its.
fn ann() -> Person {
    Person::new("4711", "ann@example.com").with("sid", "first")
}

/// Somebody else.
fn bob() -> Person {
    Person::new("4712", "bob@example.com")
        .with("name", "Bob")
        .with("sid", "bob")
}

/// Somebody who proves just now to the issuer who they are.
fn proving(border: &Border, person: Person) -> Person {
    person.with("auth_time", border.stage.now().timestamp())
}

/// Panics where a token was not refused in these words.
#[track_caller]
fn expect_refused(answer: &Answer, challenge: &str) {
    answer.expect_error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED");
    assert_eq!(answer.header("www-authenticate"), Some(challenge), "{}", answer.text);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.json()["error"]["details"], Value::Null);
}

/// The sessions of whoever calls, newest first.
async fn listed(client: &Client) -> Vec<Value> {
    let list = client.get(SESSIONS).await;
    list.expect(StatusCode::OK).data().as_array().unwrap().clone()
}

/// The path of the session that a client calls with.
async fn current(client: &Client) -> String {
    let sessions = listed(client).await;
    let mut current = sessions.iter().filter(|session| session["current"] == true);
    let path = format!("{SESSIONS}/{}", text(&current.next().expect("a current session")["id"]));
    assert_eq!(current.next(), None);
    path
}

/// Founds an organization, and gives its id.
async fn found(client: &Client, name: &str) -> String {
    let founded = client.post("/api/v1/organizations", &json!({ "name": name })).await;
    text(&founded.expect(StatusCode::CREATED).data()["id"])
}
