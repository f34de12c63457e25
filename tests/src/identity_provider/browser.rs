//! A browser that somebody signs in with, step by step or all at once.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use reqwest::StatusCode;
use url::Url;

use crate::{
    app::{PUBLIC_URL, TestApp},
    client::{Answer, Client},
    passkey::{encoded, random},
};

/// What an application makes so that nobody else can use its code (RFC 7636).
#[derive(Debug, Clone)]
pub struct Pkce {
    /// What it keeps.
    pub verifier: String,
    /// What it shows.
    pub challenge: String,
}

impl Pkce {
    /// One that nobody guesses.
    #[must_use]
    pub fn new() -> Self {
        let verifier = encoded(&random(32));
        let challenge = Self::challenge_of(&verifier);
        Self { verifier, challenge }
    }

    /// The challenge of a verifier, by S256.
    #[must_use]
    pub fn challenge_of(verifier: &str) -> String {
        encoded(digest(&SHA256, verifier.as_bytes()).as_ref())
    }
}

impl Default for Pkce {
    fn default() -> Self {
        Self::new()
    }
}

/// Where an application gets its user back, and with what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Returned {
    /// The whole of it.
    pub location: String,
    /// What is in its query.
    pub parameters: BTreeMap<String, String>,
}

impl Returned {
    /// What an answer sends a browser back with. Panics where it sends it nowhere.
    #[track_caller]
    #[must_use]
    pub fn of(answer: &Answer) -> Self {
        let location = location(answer);
        let url: Url = location.parse().unwrap_or_else(|error| panic!("{error}: {location}"));
        let mut parameters = BTreeMap::new();
        for (name, value) in url.query_pairs() {
            let before = parameters.insert(name.clone().into_owned(), value.into_owned());
            assert!(before.is_none(), "{name} comes twice: {location}");
        }
        Self { location, parameters }
    }

    /// A parameter that may be absent.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    /// What can be exchanged for a session. Panics where it went wrong.
    #[track_caller]
    pub fn code(&self) -> String {
        assert_eq!(self.parameter("error"), None, "{self:?}");
        self.parameter("code").expect("a code").to_owned()
    }

    /// What went wrong. Panics where nothing did.
    #[track_caller]
    pub fn error(&self) -> String {
        assert_eq!(self.parameter("code"), None, "{self:?}");
        self.parameter("error").expect("an error").to_owned()
    }
}

/// A browser with its cookies, which sends those of the application to nobody else.
#[derive(Debug, Clone)]
pub struct Browser {
    app: Client,
    elsewhere: Client,
    /// The cookies that the application has set, by their names.
    pub cookies: BTreeMap<String, String>,
}

impl Browser {
    /// A new one, which finds the public URL where the application really is.
    #[must_use]
    pub fn new(app: &TestApp) -> Self {
        Self {
            app: app.client(),
            elsewhere: Client::new(String::new()),
            cookies: BTreeMap::new(),
        }
    }

    /// Opens a path of the application, and takes the cookies that it sets.
    pub async fn open(&mut self, path: &str) -> Answer {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let answer = if cookies.is_empty() {
            self.app.get(path).await
        } else {
            self.app.with_header("cookie", &cookies.join("; ")).get(path).await
        };
        for cookie in answer.headers.get_all("set-cookie") {
            let cookie = cookie.to_str().expect("text");
            let mut parts = cookie.split("; ");
            let (name, value) = parts
                .next()
                .and_then(|pair| pair.split_once('='))
                .expect("a name and a value");
            if parts.any(|attribute| attribute == "Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    /// Begins to sign in through a provider: the first step.
    pub async fn authorize(&mut self, provider: &str, query: &[(&str, &str)]) -> Answer {
        self.open(&authorize_path(provider, query)).await
    }

    /// Follows an answer to the provider, and gives where that sends one: the second step.
    pub async fn sign_in_at_provider(&self, answer: &Answer) -> String {
        location(&self.elsewhere.get(&location(answer)).await)
    }

    /// Goes back to the application, whose public URL the provider knows: the third step.
    pub async fn return_to(&mut self, callback: &str) -> Answer {
        let path = callback
            .strip_prefix(PUBLIC_URL)
            .expect("a callback of the application");
        self.open(path).await
    }

    /// The first two steps: gives the callback that was not yet followed.
    pub async fn reach_callback(&mut self, provider: &str, query: &[(&str, &str)]) -> String {
        let answer = self.authorize(provider, query).await;
        self.sign_in_at_provider(&answer).await
    }

    /// All steps, or the first alone where it leads back at once.
    pub async fn walk(&mut self, provider: &str, query: &[(&str, &str)]) -> Returned {
        let answer = self.authorize(provider, query).await;
        let back = query.iter().find(|(name, _)| *name == "redirectUri");
        if back.is_some_and(|(_, uri)| location(&answer).starts_with(uri)) {
            return Returned::of(&answer);
        }
        let callback = self.sign_in_at_provider(&answer).await;
        Returned::of(&self.return_to(&callback).await)
    }
}

/// The path by which a browser begins to sign in.
#[must_use]
pub fn authorize_path(provider: &str, query: &[(&str, &str)]) -> String {
    let mut encoded = url::form_urlencoded::Serializer::new(String::new());
    encoded.extend_pairs(query);
    format!("/api/v1/auth/oidc/{provider}/authorize?{}", encoded.finish())
}

/// Where an answer sends a browser.
#[track_caller]
fn location(answer: &Answer) -> String {
    answer.expect(StatusCode::FOUND);
    answer.header("location").expect("a location").to_owned()
}
