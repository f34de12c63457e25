//! What others make of our addresses: open redirects, states that are forged, codes that were somebody's.

use reqwest::{Method, StatusCode};
use serde_json::json;
use tenantry_tests::{
    app::{Options, PUBLIC_URL, TestApp, other_keyring},
    identity_provider::{Browser, Endpoint, IdentityProvider, Pkce, Returned},
};
use url::Url;

use super::{APP, EXCHANGE, Lobby, WORK, ann, bob, expect_malformed, with_verifier};
use crate::mfa::{expect_session, expect_unauthorized};

/// A parameter of a URL.
fn parameter(url: &str, name: &str) -> String {
    let url: Url = url.parse().unwrap();
    let found = url.query_pairs().find(|(told, _)| told == name);
    found.unwrap().1.into_owned()
}

/// The same URL with another value of a parameter, or without it.
fn with_parameter(url: &str, name: &str, value: Option<&str>) -> String {
    let mut url: Url = url.parse().unwrap();
    let pairs: Vec<_> = url
        .query_pairs()
        .into_owned()
        .filter(|(told, _)| told != name)
        .collect();
    let mut query = url.query_pairs_mut();
    query.clear().extend_pairs(pairs);
    if let Some(value) = value {
        query.append_pair(name, value);
    }
    drop(query);
    url.into()
}

#[tokio::test]
async fn nobody_is_sent_to_a_place_that_is_not_configured() {
    let lobby = Lobby::new().await;
    for look_alike in [
        "https://evil.example.com/signed-in",
        "https://app.example.com",
        "https://app.example.com/",
        "https://app.example.com/signed-in/",
        "https://app.example.com/signed-in?",
        "https://app.example.com/signed-in?next=https://evil.example.com",
        "https://app.example.com/signed-in#",
        "https://app.example.com/signed-in#x",
        "https://app.example.com/signed-in/../evil",
        "https://app.example.com/./signed-in",
        "https://app.example.com//signed-in",
        "https://app.example.com/signed-i%6E",
        "https://app.example.com/SIGNED-IN",
        "https://app.example.com:443/signed-in",
        "https://app.example.com:8443/signed-in",
        "https://app.example.com./signed-in",
        "https://app.example.com.evil.test/signed-in",
        "https://app.example.com@evil.test/signed-in",
        "https://evil.test\\@app.example.com/signed-in",
        "https://evil@app.example.com/signed-in",
        "https://sub.app.example.com/signed-in",
        "https://evilapp.example.com/signed-in",
        "https://APP.example.com/signed-in",
        "HTTPS://app.example.com/signed-in",
        "http://app.example.com/signed-in",
        "//app.example.com/signed-in",
        "/signed-in",
        "signed-in",
        " https://app.example.com/signed-in",
        "https://app.example.com/signed-in ",
        "https://app.example.com/signed-in\n",
        "https://app.example.com/signed-in\r\nset-cookie: a=b",
        "https://app.example.com/signed-in\0",
        "https://app.example.com/signed-in?step=2&from=provider",
        "https://\u{430}pp.example.com/signed-in",
        "http://localhost:5173/signed-in",
        "http://127.0.0.1:5174/signed-in",
        "http://127.0.0.1/signed-in",
        "com.example.app://signed-in",
        "com.example.app:/signed-in/x",
        "com.example.app2:/signed-in",
        "javascript:alert(1)",
        "data:text/html,x",
        "*",
    ] {
        let mut browser = lobby.browser();
        let answer = browser
            .authorize(WORK, &[("redirectUri", look_alike), ("state", "x")])
            .await;
        expect_malformed(&answer, "redirectUri");
        assert!(!answer.headers.contains_key("location"), "{look_alike}");
    }
    // One that is and one that is not.
    for twice in [[APP, "https://evil.test/"], ["https://evil.test/", APP], [APP, APP]] {
        let query = twice.map(|uri| ("redirectUri", uri));
        let answer = lobby.browser().authorize(WORK, &query).await;
        answer.expect(StatusCode::BAD_REQUEST);
    }
    assert_eq!(lobby.provider.times_asked(Endpoint::Metadata), 0);
}

#[tokio::test]
async fn a_state_that_is_not_ours_sends_nobody_anywhere() {
    let lobby = Lobby::new().await;
    lobby.provider.signs_in(&ann());
    let mut browser = lobby.browser();
    let callback = browser.reach_callback(WORK, &[("redirectUri", APP)]).await;
    let state = parameter(&callback, "state");
    let other = browser.reach_callback(WORK, &[("redirectUri", APP)]).await;
    let other = parameter(&other, "state");
    let half = state.len() / 2;
    let mut forged = vec![
        String::new(),
        "x".to_owned(),
        "a.b.c".to_owned(),
        "%00".to_owned(),
        state.to_lowercase(),
        state[1..].to_owned(),
        state[..state.len() - 1].to_owned(),
        format!("{state}A"),
        format!("{state}="),
        format!("{}{}", &state[..half], &other[other.len() - half..]),
        "A".repeat(state.len()),
        "A".repeat(5000),
    ];
    // Each of some letters of it.
    for place in (0..state.len() - 2).step_by(7) {
        let letter = if state.as_bytes()[place] == b'A' { "B" } else { "A" };
        forged.push(format!("{}{letter}{}", &state[..place], &state[place + 1..]));
    }
    for forged in forged {
        assert_ne!(forged, state);
        let tampered = with_parameter(&callback, "state", Some(&forged));
        let answer = browser.return_to(&tampered).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{forged}: {}", answer.text);
        assert_eq!(answer.header("location"), None, "{forged}");
        let refused = with_parameter(&with_parameter(&tampered, "code", None), "error", Some("access_denied"));
        expect_malformed(&browser.return_to(&refused).await, "state");
    }
    expect_malformed(
        &browser.return_to(&with_parameter(&callback, "state", None)).await,
        "state",
    );
    assert_eq!(lobby.provider.times_asked(Endpoint::Token), 0);
    Returned::of(&browser.return_to(&callback).await).code();
}

#[tokio::test]
async fn a_state_of_one_provider_is_none_of_another() {
    let provider = IdentityProvider::start().await;
    let both = format!("{}{}", provider.configured(WORK), provider.configured("home"));
    let lobby = Lobby::beside(provider, |options| options.identity_providers = both).await;
    lobby.provider.signs_in(&ann());
    let mut browser = lobby.browser();
    let callback = browser.reach_callback(WORK, &[("redirectUri", APP)]).await;
    let elsewhere = callback.replace("/work/", "/home/");
    assert_ne!(elsewhere, callback);
    expect_malformed(&browser.return_to(&elsewhere).await, "state");
    let unknown = browser.return_to(&callback.replace("/work/", "/nobody/")).await;
    unknown.expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
    assert_eq!(lobby.provider.times_asked(Endpoint::Token), 0);
    Returned::of(&browser.return_to(&callback).await).code();
}

#[tokio::test]
async fn a_state_of_another_server_is_none_of_ours() {
    let lobby = Lobby::new().await;
    let database = &lobby.stage.database;
    let options = Options {
        identity_providers: lobby.provider.configured(WORK),
        redirect_uris: vec![APP.to_owned()],
        keys: other_keyring(),
        ..Options::default()
    };
    let other = TestApp::with(database, options).await;
    lobby.provider.signs_in(&ann());
    let mut browser = Browser::new(&other);
    let callback = browser.reach_callback(WORK, &[("redirectUri", APP)]).await;
    let mut here = lobby.browser();
    here.authorize(WORK, &[("redirectUri", APP)]).await;
    here.cookies.extend(browser.cookies.clone());
    expect_malformed(&here.return_to(&callback).await, "state");
}

/// What one app asked for is of no use to another that gets hold of it.
#[tokio::test]
async fn a_code_for_the_challenge_of_another_app_is_refused() {
    let lobby = Lobby::new().await;
    let (victim, attacker) = (Pkce::new(), Pkce::new());
    let stolen = lobby.code_for(&ann(), &victim).await;
    let own = lobby.code_for(&bob(), &attacker).await;
    for body in [
        with_verifier(&stolen, &attacker),
        with_verifier(&own, &victim),
        json!({ "code": stolen }),
        json!({ "code": stolen, "codeVerifier": null }),
    ] {
        expect_unauthorized(&lobby.anybody().post(EXCHANGE, &body).await);
    }
    assert_eq!(lobby.stage.database.count("users").await, 0);
}

/// A link that somebody else has made begins nothing by a method that changes things, and answers no other.
#[tokio::test]
async fn only_navigations_go_the_way_of_browsers() {
    let lobby = Lobby::new().await;
    lobby.provider.signs_in(&ann());
    let mut browser = lobby.browser();
    let callback = browser.reach_callback(WORK, &[("redirectUri", APP)]).await;
    let path = callback.strip_prefix(PUBLIC_URL).unwrap();
    for method in [Method::POST, Method::PUT, Method::DELETE] {
        let request = lobby.anybody().request(method, path);
        let answer = lobby.anybody().send(request).await;
        answer.expect(StatusCode::METHOD_NOT_ALLOWED);
    }
    let returned = Returned::of(&browser.return_to(&callback).await);
    expect_session(&lobby.exchange(&returned.code()).await);
}

/// Whoever reads what a browser is sent with learns nothing that lets them in.
#[tokio::test]
async fn secrets_are_in_no_url() {
    let lobby = Lobby::new().await;
    lobby.provider.signs_in(&ann());
    let mut browser = lobby.browser();
    let answer = browser.authorize(WORK, &[("redirectUri", APP)]).await;
    let callback = browser.sign_in_at_provider(&answer).await;
    let cookie = browser.cookies["tenantry-sign-in"].clone();
    let back = browser.return_to(&callback).await;
    let urls = [
        answer.header("location").unwrap(),
        callback.as_str(),
        back.header("location").unwrap(),
    ];
    for url in urls {
        for secret in [&cookie, &lobby.provider.client_secret()] {
            assert!(!url.contains(secret.as_str()), "{url}");
        }
        assert!(!url.contains("ann@") && !url.contains("ann%40"), "{url}");
    }
}
