//! How a browser is sent to a provider.

use std::collections::BTreeSet;

use reqwest::StatusCode;
use tenantry_tests::{
    client::Answer,
    identity_provider::{Endpoint, Fault, IdentityProvider, Pkce, Returned, authorize_path},
};
use url::Url;

use super::{APP, APP_WITH_QUERY, Lobby, NATIVE_APP, WORK, ann, expect_malformed};
use crate::mfa::Stage;

const COOKIE: &str = "tenantry-sign-in";

/// The attributes of the one cookie that an answer sets, sorted.
#[track_caller]
fn attributes(answer: &Answer, name: &str) -> Vec<String> {
    let mut set = answer.headers.get_all("set-cookie").iter();
    let cookie = set.next().expect("a cookie").to_str().unwrap();
    assert_eq!(set.next(), None);
    let mut parts = cookie.split("; ").map(str::to_owned);
    let pair = parts.next().unwrap();
    let (told, value) = pair.split_once('=').unwrap();
    assert_eq!(told, name);
    // At least 128 bits, in whatever letters.
    assert!(value.len() >= 22, "{value}");
    let mut attributes: Vec<_> = parts.collect();
    attributes.sort();
    attributes
}

#[tokio::test]
async fn it_is_sent_with_all_that_a_provider_is_to_know_and_nothing_else() {
    let lobby = Lobby::new().await;
    lobby.provider.signs_in(&ann());
    let pkce = Pkce::new();
    let mut seen: [BTreeSet<String>; 3] = Default::default();
    for _ in 0..2 {
        let query = [
            ("redirectUri", APP),
            ("state", "what the app keeps"),
            ("codeChallenge", pkce.challenge.as_str()),
            ("loginHint", "ann+work@example.com"),
        ];
        let mut browser = lobby.browser();
        let answer = browser.authorize(WORK, &query).await;
        assert_eq!(
            answer.expect(StatusCode::FOUND).header("cache-control"),
            Some("no-store")
        );
        assert_eq!(
            attributes(&answer, COOKIE),
            ["HttpOnly", "Max-Age=600", "Path=/", "SameSite=Lax"]
        );
        let location = answer.header("location").unwrap();
        let endpoint = format!("{}/authorize?", lobby.provider.issuer());
        assert!(location.starts_with(&endpoint), "{location}");
        browser.sign_in_at_provider(&answer).await;

        let told = lobby.provider.authorization();
        let names: Vec<&str> = told.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "client_id",
                "code_challenge",
                "code_challenge_method",
                "login_hint",
                "nonce",
                "redirect_uri",
                "response_type",
                "scope",
                "state",
            ]
        );
        assert_eq!(told["response_type"], "code");
        assert_eq!(told["client_id"], lobby.provider.client_id());
        assert_eq!(
            told["redirect_uri"],
            "http://tenantry.test/api/v1/auth/oidc/work/callback"
        );
        let scopes: BTreeSet<&str> = told["scope"].split(' ').collect();
        assert_eq!(scopes, BTreeSet::from(["email", "openid", "profile"]));
        assert_eq!(told["code_challenge_method"], "S256");
        assert_eq!(told["login_hint"], "ann+work@example.com");
        // The app's own secrets are between it and the server.
        assert_ne!(told["code_challenge"], pkce.challenge);
        for hidden in [pkce.challenge.as_str(), "what the app keeps", "app.example.com"] {
            assert!(!told["state"].contains(hidden), "{told:?}");
        }
        for (seen, name) in seen.iter_mut().zip(["state", "nonce", "code_challenge"]) {
            assert!(seen.insert(told[name].clone()), "{name} comes again: {told:?}");
        }
    }
    assert_eq!(lobby.provider.complaints(), [] as [String; 0]);
}

#[tokio::test]
async fn a_hint_is_passed_on_only_where_there_is_one() {
    let lobby = Lobby::new().await;
    lobby.walk(&ann(), &[("redirectUri", APP)]).await.code();
    assert!(!lobby.provider.authorization().contains_key("login_hint"));
}

#[tokio::test]
async fn the_scopes_are_those_that_are_configured() {
    let provider = IdentityProvider::start().await;
    let configured = provider.configured(WORK) + "scopes = [\"openid\", \"email\"]\n";
    let lobby = Lobby::beside(provider, |options| options.identity_providers = configured).await;
    lobby.walk(&ann(), &[("redirectUri", APP)]).await.code();
    assert_eq!(lobby.provider.authorization()["scope"], "openid email");
}

#[tokio::test]
async fn a_browser_keeps_what_it_is_known_by() {
    let lobby = Lobby::new().await;
    let mut browser = lobby.browser();
    browser.authorize(WORK, &[("redirectUri", APP)]).await;
    let first = browser.cookies[COOKIE].clone();
    browser.authorize(WORK, &[("redirectUri", NATIVE_APP)]).await;
    assert_eq!(browser.cookies[COOKIE], first);
    // Not what it can never have got from here.
    for odd in ["", "x", "%00", &"x".repeat(4000)] {
        browser.cookies.insert(COOKIE.to_owned(), odd.to_owned());
        let answer = browser.authorize(WORK, &[("redirectUri", APP)]).await;
        attributes(answer.expect(StatusCode::FOUND), COOKIE);
        assert_ne!(browser.cookies[COOKIE], odd);
    }
    let mut other = lobby.browser();
    other.authorize(WORK, &[("redirectUri", APP)]).await;
    assert_ne!(other.cookies[COOKIE], first);
}

#[tokio::test]
async fn over_tls_the_cookie_is_for_this_host_alone() {
    let lobby = Lobby::with(|options| options.public_url = Some("https://app.tenantry.test".to_owned())).await;
    let answer = lobby.browser().authorize(WORK, &[("redirectUri", APP)]).await;
    assert_eq!(
        attributes(answer.expect(StatusCode::FOUND), "__Host-tenantry-sign-in"),
        ["HttpOnly", "Max-Age=600", "Path=/", "SameSite=Lax", "Secure"]
    );
    let location: Url = answer.header("location").unwrap().parse().unwrap();
    let (_, callback) = location.query_pairs().find(|(name, _)| name == "redirect_uri").unwrap();
    assert_eq!(callback, "https://app.tenantry.test/api/v1/auth/oidc/work/callback");
}

#[tokio::test]
async fn what_is_no_request_is_refused_before_anything_happens() {
    let lobby = Lobby::new().await;
    let challenge = Pkce::new().challenge;
    let with_padding = format!("{}=", &challenge[1..]);
    let with_plus = format!("{}+", &challenge[1..]);
    for (parameter, value) in [
        ("state", String::new()),
        ("state", "x".repeat(501)),
        ("codeChallenge", String::new()),
        ("codeChallenge", challenge[1..].to_owned()),
        ("codeChallenge", format!("{challenge}A")),
        ("codeChallenge", with_padding),
        ("codeChallenge", with_plus),
        ("loginHint", "x".repeat(255)),
        ("redirect_uri", APP.to_owned()),
        ("scope", "openid admin".to_owned()),
        ("prompt", "none".to_owned()),
    ] {
        let query = [("redirectUri", APP), (parameter, value.as_str())];
        let refused = lobby.browser().authorize(WORK, &query).await;
        refused.expect_error(StatusCode::BAD_REQUEST, "MALFORMED_REQUEST");
        assert_eq!(refused.header("location"), None, "{parameter}: {value}");
    }
    for without in [&[][..], &[("state", "x")], &[("redirectUri", "")]] {
        expect_malformed(&lobby.browser().authorize(WORK, without).await, "redirectUri");
    }
    assert_eq!(lobby.provider.times_asked(Endpoint::Metadata), 0);

    let (longest_state, longest_hint) = ("x".repeat(500), "x".repeat(254));
    let query = [
        ("redirectUri", APP),
        ("state", longest_state.as_str()),
        ("loginHint", longest_hint.as_str()),
    ];
    let returned = lobby.walk(&ann(), &query).await;
    assert_eq!(returned.parameter("state"), Some(longest_state.as_str()));
}

/// Panics where a browser is not sent back because the provider cannot be used now.
#[track_caller]
fn expect_away(answer: &Answer, to: &str) {
    let returned = Returned::of(answer);
    assert!(returned.location.starts_with(to), "{returned:?}");
    assert_eq!(returned.error(), "temporarily_unavailable");
    assert_eq!(returned.parameter("state"), Some("kept"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn a_provider_that_is_away_sends_back_who_asks() {
    let mut lobby = Lobby::new().await;
    lobby.provider.stop().await;
    for to in [APP, APP_WITH_QUERY, NATIVE_APP] {
        let answer = lobby
            .browser()
            .authorize(WORK, &[("redirectUri", to), ("state", "kept")])
            .await;
        expect_away(&answer, to);
    }
    // Whoever has a password comes in as ever.
    let carl = lobby.stage.newcomer("Carl").await;
    lobby.stage.login(&carl).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn metadata_that_are_none_send_back_who_asks() {
    let lobby = Lobby::new().await;
    let query = [("redirectUri", APP), ("state", "kept")];
    for fault in [
        Fault::Status(404),
        Fault::Status(500),
        Fault::Garbage,
        Fault::Huge,
        Fault::Endless,
        Fault::Redirect,
    ] {
        lobby.provider.behave(|told| {
            told.faults.insert(Endpoint::Metadata, fault);
        });
        let answer = lobby.browser().authorize(WORK, &query).await;
        expect_away(&answer, APP);
        lobby.stage.app.clock.advance(chrono::TimeDelta::minutes(1));
    }
    // Nobody was followed to another place.
    assert_eq!(lobby.provider.times_asked(Endpoint::Elsewhere), 0);
    lobby.provider.behave_well();
    lobby.walk(&ann(), &query).await.code();
}

#[tokio::test]
async fn metadata_of_another_send_back_who_asks() {
    let lobby = Lobby::new().await;
    let query = [("redirectUri", APP), ("state", "kept")];
    let issuer = lobby.provider.issuer();
    for other in [
        "https://accounts.example.com".to_owned(),
        format!("{issuer}/"),
        format!("{issuer}/realms/staff"),
        issuer.replace("127.0.0.1", "localhost"),
        issuer.replace("http:", "https:"),
        String::new(),
    ] {
        lobby
            .provider
            .behave(|told| told.metadata = vec![("issuer", other.as_str().into())]);
        let answer = lobby.browser().authorize(WORK, &query).await;
        expect_away(&answer, APP);
        lobby.stage.app.clock.advance(chrono::TimeDelta::minutes(1));
    }
    for missing in ["issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"] {
        lobby
            .provider
            .behave(|told| told.metadata = vec![(missing, serde_json::Value::Null)]);
        let returned = lobby.walk(&ann(), &query).await;
        assert_eq!(returned.error(), "temporarily_unavailable", "{missing}");
        lobby.stage.app.clock.advance(chrono::TimeDelta::hours(2));
    }
    lobby.provider.behave_well();
    lobby.walk(&ann(), &query).await.code();
}

/// An issuer may have a path, and end in a slash.
#[tokio::test]
async fn an_issuer_is_taken_as_it_is_written() {
    for path in ["/realms/staff", "/"] {
        let provider = IdentityProvider::start_at(path).await;
        let lobby = Lobby::beside(provider, |_| {}).await;
        lobby.come_in(&ann()).await;
        assert_eq!(lobby.provider.complaints(), [] as [String; 0]);
    }
}

/// Nothing but a configured provider is asked for anything.
#[tokio::test]
async fn only_a_get_begins() {
    let stage = Stage::new().await;
    let path = authorize_path(WORK, &[("redirectUri", APP)]);
    let request = stage.anybody().request(reqwest::Method::POST, &path);
    let answer = stage.anybody().send(request).await;
    answer.expect(StatusCode::METHOD_NOT_ALLOWED);
}
