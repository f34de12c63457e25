//! Sessions of browsers: the refresh token is a cookie that no script can read, and counts only beside a token that a
//! page of another origin cannot know.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test should stop where it fails"
)]

mod cookies;
mod cross_origin;
mod document;
mod entering;
mod leaving;
mod refreshing;

use std::collections::BTreeMap;

use chrono::TimeDelta;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tenantry_tests::client::{Account, Answer, Client, PASSWORD, text};

use crate::mfa::{LOGIN, ME, REFRESH, Stage, expect_unauthorized, names, post_nothing};

const LOGOUT: &str = "/api/v1/auth/logout";
const SESSIONS: &str = "/api/v1/auth/sessions";

/// The header that says how refresh tokens travel.
const TRANSPORT: &str = "x-token-transport";
const CSRF_HEADER: &str = "x-csrf-token";
const REFRESH_COOKIE: &str = "__Host-tenantry-refresh";
const CSRF_COOKIE: &str = "__Host-tenantry-csrf";

/// A used token that comes back later than this is a stolen one.
const LEEWAY: TimeDelta = TimeDelta::seconds(10);

/// The fields of a session, in either mode.
const FIELDS: [&str; 9] = [
    "accessToken",
    "csrfToken",
    "expiresIn",
    "refreshExpiresIn",
    "refreshToken",
    "status",
    "tokenType",
    "trustedDeviceToken",
    "user",
];

/// What a browser keeps of a session, as its last answer left it.
#[derive(Debug, Clone)]
struct Browser {
    anybody: Client,
    /// What the refresh cookie holds.
    refresh_token: String,
    csrf_token: String,
    access_token: String,
    user_id: String,
}

impl Browser {
    /// Takes what an answer in cookie mode sets; panics where it is none.
    #[track_caller]
    fn of(stage: &Stage, answer: &Answer) -> Self {
        assert!(answer.status.is_success(), "{} {}", answer.status, answer.text);
        let data = answer.data();
        assert_eq!(names(&data), FIELDS);
        assert_eq!(data["status"], "authenticated");
        assert_eq!(data["tokenType"], "Bearer");
        assert_eq!(data["refreshToken"], Value::Null);
        assert_eq!(answer.header("cache-control"), Some("no-store"));

        let cookies = cookies_set(answer);
        let lives = format!("Max-Age={}", data["refreshExpiresIn"]);
        let (refresh_token, attributes) = &cookies[REFRESH_COOKIE];
        assert_eq!(
            attributes[..],
            ["HttpOnly", lives.as_str(), "Path=/", "SameSite=Strict", "Secure"]
        );
        assert!(
            refresh_token.starts_with("tnr_") && refresh_token.len() >= 32,
            "{refresh_token}"
        );
        let (csrf_token, attributes) = &cookies[CSRF_COOKIE];
        assert_eq!(attributes[..], [lives.as_str(), "Path=/", "SameSite=Strict", "Secure"]);
        assert_eq!(data["csrfToken"], csrf_token.as_str());
        // At least 128 bits, in whatever letters.
        assert!(csrf_token.len() >= 22, "{csrf_token}");
        expect_no_refresh_token(answer, refresh_token);
        Self {
            anybody: stage.anybody(),
            refresh_token: refresh_token.clone(),
            csrf_token: csrf_token.clone(),
            access_token: text(&data["accessToken"]),
            user_id: text(&data["user"]["id"]),
        }
    }

    /// Signs somebody in.
    async fn sign_in(stage: &Stage, account: &Account) -> Self {
        let answer = in_mode(&stage.anybody(), "cookie")
            .post(LOGIN, &by_password(account))
            .await;
        Self::of(stage, answer.expect(StatusCode::OK))
    }

    /// The header of its cookies.
    fn cookies(&self) -> String {
        format!(
            "{REFRESH_COOKIE}={}; {CSRF_COOKIE}={}",
            self.refresh_token, self.csrf_token
        )
    }

    /// What goes by itself with whatever calls from it.
    fn cookies_alone(&self) -> Client {
        self.anybody.with_header("cookie", &self.cookies())
    }

    /// A page that knows a CSRF token.
    fn page_with(&self, csrf_token: &str) -> Client {
        self.cookies_alone().with_header(CSRF_HEADER, csrf_token)
    }

    /// A page of ours.
    fn page(&self) -> Client {
        self.page_with(&self.csrf_token)
    }

    /// A caller by the access token, without cookies.
    fn bearer(&self) -> Client {
        self.anybody.with_token(&self.access_token)
    }

    async fn refresh(&self) -> Answer {
        post_nothing(&self.page(), REFRESH).await
    }

    /// The browser as a refresh leaves it, which must be of the same session.
    async fn renewed(&self, stage: &Stage) -> Self {
        self.succeeded_by(stage, &self.refresh().await)
    }

    #[track_caller]
    fn succeeded_by(&self, stage: &Stage, answer: &Answer) -> Self {
        let next = Self::of(stage, answer.expect(StatusCode::OK));
        assert_ne!(next.refresh_token, self.refresh_token);
        assert_ne!(next.access_token, self.access_token);
        assert_eq!(next.csrf_token, self.csrf_token);
        assert_eq!(next.user_id, self.user_id);
        expect_no_refresh_token(answer, &self.refresh_token);
        next
    }

    /// The id of its session.
    async fn session(&self) -> String {
        let sessions = self.bearer().get(SESSIONS).await;
        let sessions = sessions.expect(StatusCode::OK).data();
        let mut current = sessions.as_array().unwrap().iter().filter(|one| one["current"] == true);
        text(&current.next().unwrap()["id"])
    }

    async fn expect_signed_in(&self) {
        let me = self.bearer().get(ME).await;
        assert_eq!(me.expect(StatusCode::OK).data()["id"], self.user_id.as_str());
    }

    /// Panics where anything of it still lets in.
    async fn expect_signed_out(&self) {
        expect_unauthorized(&self.bearer().get(ME).await);
        expect_unauthorized(&self.refresh().await);
    }
}

/// A client that asks for a mode.
fn in_mode(client: &Client, mode: &str) -> Client {
    client.with_header(TRANSPORT, mode)
}

fn by_password(account: &Account) -> Value {
    json!({ "email": account.email, "password": PASSWORD })
}

/// Every way to say that the token is in the cookie.
fn without_token(client: &Client, path: &str) -> [RequestBuilder; 4] {
    let request = || client.request(Method::POST, path);
    [
        request(),
        request().json(&json!({})),
        request().json(&json!({ "refreshToken": null })),
        request().header("content-type", "application/json"),
    ]
}

/// The cookies that an answer sets: what each holds, and its attributes, sorted.
#[track_caller]
fn cookies_set(answer: &Answer) -> BTreeMap<String, (String, Vec<String>)> {
    let mut cookies = BTreeMap::new();
    for cookie in answer.headers.get_all("set-cookie") {
        let mut parts = cookie.to_str().unwrap().split("; ").map(str::to_owned);
        let pair = parts.next().unwrap();
        let (name, value) = pair.split_once('=').unwrap();
        let mut attributes: Vec<_> = parts.collect();
        attributes.sort();
        let before = cookies.insert(name.to_owned(), (value.to_owned(), attributes));
        assert!(before.is_none(), "{name} is set twice");
    }
    cookies
}

/// The names of the cookies that an answer sets, sorted.
#[track_caller]
fn names_set(answer: &Answer) -> Vec<String> {
    cookies_set(answer).into_keys().collect()
}

#[track_caller]
fn expect_no_cookie(answer: &Answer) {
    assert!(!answer.headers.contains_key("set-cookie"), "{:?}", answer.headers);
}

/// Panics where a body tells a refresh token, or any at all.
#[track_caller]
fn expect_no_refresh_token(answer: &Answer, token: &str) {
    assert!(!answer.text.contains("tnr_"), "{}", answer.text);
    assert!(
        !answer.text.contains(token.trim_start_matches("tnr_")),
        "{}",
        answer.text
    );
}

/// Panics where an answer is not a session as it is in body mode.
#[track_caller]
fn expect_body_mode(answer: &Answer) -> Value {
    assert!(answer.status.is_success(), "{} {}", answer.status, answer.text);
    let data = answer.data();
    assert_eq!(names(&data), FIELDS);
    assert!(text(&data["refreshToken"]).starts_with("tnr_"));
    assert_eq!(data["csrfToken"], Value::Null);
    expect_no_cookie(answer);
    data
}

/// Panics where an answer does not refuse a request without the right CSRF token.
#[track_caller]
fn expect_forbidden(answer: &Answer) {
    answer.expect_error(StatusCode::FORBIDDEN, "FORBIDDEN");
    assert_eq!(answer.json()["error"]["details"], json!({ "requiredPermission": null }));
    expect_no_cookie(answer);
}

/// Panics where an answer does not tell that there is no token at all.
#[track_caller]
fn expect_no_token_found(answer: &Answer) {
    answer.expect_refused(&["/refreshToken"]);
    assert_eq!(
        answer.refused_fields(),
        [("/refreshToken".to_owned(), "required".to_owned())]
    );
}

/// Panics where an answer does not have a browser forget both cookies: it takes a cookie of such a name only with these
/// attributes (RFC 6265bis, section 4.1.3.2).
#[track_caller]
fn expect_cleared(answer: &Answer) {
    answer.expect(StatusCode::NO_CONTENT);
    assert_eq!(answer.text, "");
    let cookies = cookies_set(answer);
    assert_eq!(cookies.keys().collect::<Vec<_>>(), [CSRF_COOKIE, REFRESH_COOKIE]);
    for (name, (value, attributes)) in cookies {
        assert_eq!(value, "", "{name}");
        for needed in ["Max-Age=0", "Path=/", "Secure"] {
            assert!(attributes.contains(&needed.to_owned()), "{name}: {attributes:?}");
        }
        assert!(
            !attributes.iter().any(|one| one.starts_with("Domain")),
            "{name}: {attributes:?}"
        );
    }
}

/// All that is told of what became of sessions and their tokens.
async fn traces(stage: &Stage) -> [i64; 4] {
    let count = |from| stage.database.count(from);
    [
        count("user_events").await,
        count("sessions").await,
        count("sessions where revoked_at is not null").await,
        count("refresh_tokens").await,
    ]
}
