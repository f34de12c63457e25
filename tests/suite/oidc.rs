//! Signing in through providers: OpenID Connect, and what GitHub has instead.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test should stop where it fails"
)]

mod authorizing;
mod browsers;
mod claims;
mod exchanging;
mod faults;
mod github;
mod hostile;
mod key_rotation;
mod lies;
mod limits;
mod private;
mod providers;
mod provisioning;
mod returning;
mod second_step;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::{
    app::Options,
    client::{Account, Answer, Client, text},
    identity_provider::{Browser, IdentityProvider, Person, Pkce, Returned},
};

use crate::mfa::{Stage, expect_session};

pub(crate) const PROVIDERS: &str = "/api/v1/auth/oidc/providers";
pub(crate) const EXCHANGE: &str = "/api/v1/auth/oidc/exchange";
pub(crate) const CONFIRM: &str = "/api/v1/auth/oidc/confirm";

/// What the provider is called in the configuration.
pub(crate) const WORK: &str = "work";

/// Where sign-ins return to.
pub(crate) const APP: &str = "https://app.example.com/signed-in";
const APP_WITH_QUERY: &str = "https://app.example.com/signed-in?from=provider&step=2";
const NATIVE_APP: &str = "com.example.app:/signed-in";
const LOCAL_APP: &str = "http://127.0.0.1:5173/signed-in";

/// A stage whose people may come in through a provider.
pub(crate) struct Lobby {
    pub(crate) stage: Stage,
    pub(crate) provider: IdentityProvider,
}

impl Lobby {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// The same with options.
    pub(crate) async fn with(change: impl FnOnce(&mut Options)) -> Self {
        Self::beside(IdentityProvider::start().await, change).await
    }

    /// A stage beside a provider that is there already.
    pub(crate) async fn beside(provider: IdentityProvider, change: impl FnOnce(&mut Options)) -> Self {
        let mut options = Options {
            identity_providers: provider.configured(WORK),
            redirect_uris: [APP, APP_WITH_QUERY, NATIVE_APP, LOCAL_APP].map(str::to_owned).into(),
            ..Options::default()
        };
        change(&mut options);
        let stage = Stage::with(options).await;
        provider.follow(&stage.app.clock);
        Self { stage, provider }
    }

    pub(crate) fn anybody(&self) -> Client {
        self.stage.anybody()
    }

    pub(crate) fn browser(&self) -> Browser {
        Browser::new(&self.stage.app)
    }

    /// Walks all the way in a browser of its own.
    pub(crate) async fn walk(&self, person: &Person, query: &[(&str, &str)]) -> Returned {
        self.provider.signs_in(person);
        self.browser().walk(WORK, query).await
    }

    /// A code that whoever holds it can use.
    pub(crate) async fn code(&self, person: &Person) -> String {
        let returned = self.walk(person, &[("redirectUri", APP)]).await;
        self.code_of(&returned)
    }

    /// A code that needs a verifier.
    pub(crate) async fn code_for(&self, person: &Person, pkce: &Pkce) -> String {
        let query = [("redirectUri", APP), ("codeChallenge", pkce.challenge.as_str())];
        let returned = self.walk(person, &query).await;
        self.code_of(&returned)
    }

    /// A code, or what the provider refused on the way to it.
    #[track_caller]
    fn code_of(&self, returned: &Returned) -> String {
        assert_eq!(returned.parameter("error"), None, "{:?}", self.provider.complaints());
        returned.code()
    }

    pub(crate) async fn exchange(&self, code: &str) -> Answer {
        self.anybody().post(EXCHANGE, &json!({ "code": code })).await
    }

    /// Signs somebody in as far as it goes.
    pub(crate) async fn enter(&self, person: &Person) -> Answer {
        let code = self.code(person).await;
        self.exchange(&code).await
    }

    /// Signs somebody in, whose account is made where they have none.
    pub(crate) async fn come_in(&self, person: &Person) -> Account {
        let session = expect_session(&self.enter(person).await);
        Account {
            client: self.anybody().with_token(&text(&session["accessToken"])),
            user_id: text(&session["user"]["id"]),
            email: text(&session["user"]["email"]),
            refresh_token: text(&session["refreshToken"]),
        }
    }
}

/// Somebody whom the provider knows.
pub(crate) fn ann() -> Person {
    Person::new("4711", "ann@example.com")
}

/// Somebody else.
pub(crate) fn bob() -> Person {
    Person::new("4712", "bob@example.com").with("name", "Bob")
}

/// The body that uses a code and its verifier.
pub(crate) fn with_verifier(code: &str, pkce: &Pkce) -> Value {
    json!({ "code": code, "codeVerifier": pkce.verifier })
}

#[track_caller]
pub(crate) fn expect_conflict(answer: &Answer, reason: &str) {
    answer.expect_error(StatusCode::CONFLICT, "CONFLICT");
    assert_eq!(answer.reason(), reason, "{}", answer.text);
}

/// All that an answer tells, but for what is another at each.
pub(crate) fn told(answer: &Answer) -> (StatusCode, Value) {
    let mut json = answer.json();
    json["error"]["traceId"] = Value::Null;
    (answer.status, json)
}

/// Panics where a request was not refused for a parameter, or sends a browser anywhere.
#[track_caller]
fn expect_malformed(answer: &Answer, parameter: &str) {
    answer.expect_error(StatusCode::BAD_REQUEST, "MALFORMED_REQUEST");
    assert_eq!(
        answer.json()["error"]["details"]["location"],
        format!("query.{parameter}"),
        "{}",
        answer.text
    );
    assert_eq!(answer.header("location"), None);
}
