//! Codes, and the sessions that they are exchanged for.

use chrono::TimeDelta;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tenantry_tests::{
    client::{PASSWORD, text},
    identity_provider::Pkce,
};

use super::{APP, EXCHANGE, Lobby, ann, bob, told, with_verifier};
use crate::mfa::{LOGIN, ME, REFRESH, expect_session, expect_unauthorized, names};

/// How long a code can be exchanged.
const LIFE: TimeDelta = TimeDelta::seconds(60);

#[tokio::test]
async fn a_code_is_exchanged_for_what_a_password_gives() {
    let lobby = Lobby::new().await;
    let carl = lobby.stage.newcomer("Carl").await;
    let login = json!({ "email": carl.email, "password": PASSWORD });
    let by_password = expect_session(&lobby.anybody().post(LOGIN, &login).await);
    let answer = lobby.enter(&ann()).await;
    let session = expect_session(&answer);
    assert_eq!(names(&session), names(&by_password));
    assert_eq!(names(&session["user"]), names(&by_password["user"]));
    for name in [
        "expiresIn",
        "refreshExpiresIn",
        "tokenType",
        "csrfToken",
        "trustedDeviceToken",
    ] {
        assert_eq!(session[name], by_password[name], "{name}");
    }
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(!answer.headers.contains_key("set-cookie"));
    let client = lobby.anybody().with_token(&text(&session["accessToken"]));
    assert_eq!(client.get(ME).await.expect(StatusCode::OK).data(), session["user"]);
    let refresh = json!({ "refreshToken": session["refreshToken"] });
    expect_session(&lobby.anybody().post(REFRESH, &refresh).await);
    assert_eq!(lobby.provider.complaints(), [] as [String; 0]);
}

#[tokio::test]
async fn the_refresh_token_may_be_a_cookie() {
    let lobby = Lobby::new().await;
    let code = lobby.code(&ann()).await;
    let body = json!({ "code": code });
    let refused = lobby.anybody().with_header("x-token-transport", "pigeon");
    let refused = refused.post(EXCHANGE, &body).await;
    refused.expect_error(StatusCode::BAD_REQUEST, "MALFORMED_REQUEST");
    // The code was not looked at.
    let browser = lobby.anybody().with_header("x-token-transport", "cookie");
    let answer = browser.post(EXCHANGE, &body).await;
    let session = expect_session(&answer);
    assert_eq!(session["refreshToken"], Value::Null);
    assert!(session["csrfToken"].is_string());
    let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
    let set = |name: &str| cookies.iter().any(|cookie| cookie.to_str().unwrap().starts_with(name));
    assert!(
        set("__Host-tenantry-refresh=tnr_") && set("__Host-tenantry-csrf="),
        "{cookies:?}"
    );
}

#[tokio::test]
async fn a_code_can_be_exchanged_for_a_minute() {
    let lobby = Lobby::new().await;
    for (after, fits) in [(LIFE - TimeDelta::seconds(1), true), (LIFE, false)] {
        let code = lobby.code(&ann()).await;
        lobby.stage.app.clock.advance(after);
        let answer = lobby.exchange(&code).await;
        if fits {
            expect_session(&answer);
        } else {
            expect_unauthorized(&answer);
        }
    }
}

#[tokio::test]
async fn a_code_is_good_once() {
    let lobby = Lobby::new().await;
    let code = lobby.code(&ann()).await;
    expect_session(&lobby.exchange(&code).await);
    for _ in 0..2 {
        expect_unauthorized(&lobby.exchange(&code).await);
    }
    lobby.stage.app.clock.advance(LIFE * 2);
    expect_unauthorized(&lobby.exchange(&code).await);
    assert_eq!(lobby.stage.database.count("sessions").await, 1);
    assert_eq!(lobby.stage.database.count("users").await, 1);
}

/// Whoever sees a code on its way to an app has not its verifier.
#[tokio::test]
async fn a_code_for_a_challenge_needs_its_verifier() {
    let lobby = Lobby::new().await;
    let (own, other) = (Pkce::new(), Pkce::new());
    let verifiers = [
        Value::Null,
        json!(other.verifier),
        // To show the challenge proves nothing.
        json!(own.challenge),
        json!(own.verifier[1..]),
        json!(format!("{}A", own.verifier)),
        json!(own.verifier.to_uppercase()),
    ];
    for verifier in verifiers {
        let code = lobby.code_for(&ann(), &own).await;
        let wrong = json!({ "code": code, "codeVerifier": verifier });
        let refused = lobby.anybody().post(EXCHANGE, &wrong).await;
        assert_ne!(refused.status, StatusCode::OK, "{verifier}");
        assert!(!refused.text.contains("accessToken"), "{verifier}: {}", refused.text);
    }
    let code = lobby.code_for(&ann(), &own).await;
    expect_unauthorized(&lobby.exchange(&code).await);
    let code = lobby.code_for(&ann(), &own).await;
    let wrong = lobby.anybody().post(EXCHANGE, &with_verifier(&code, &other)).await;
    expect_unauthorized(&wrong);
    assert_eq!(lobby.stage.database.count("users").await, 0);

    let code = lobby.code_for(&ann(), &own).await;
    expect_session(&lobby.anybody().post(EXCHANGE, &with_verifier(&code, &own)).await);
}

/// Somebody who takes the challenge out of an app's request gets a code that the app does not take.
#[tokio::test]
async fn a_code_without_a_challenge_is_refused_to_who_has_a_verifier() {
    let lobby = Lobby::new().await;
    let code = lobby.code(&ann()).await;
    let body = with_verifier(&code, &Pkce::new());
    expect_unauthorized(&lobby.anybody().post(EXCHANGE, &body).await);
    assert_eq!(lobby.stage.database.count("sessions").await, 0);
}

#[tokio::test]
async fn what_is_no_code_is_told_from_no_other() {
    let lobby = Lobby::new().await;
    let (first, second) = (lobby.code(&ann()).await, lobby.code(&bob()).await);
    let used = lobby.code(&bob()).await;
    expect_session(&lobby.exchange(&used).await);
    let refused = told(&lobby.exchange(&used).await);
    assert_eq!(refused.0, StatusCode::UNAUTHORIZED);
    let half = first.len() / 2;
    let middle = if first.as_bytes()[half] == b'A' { "B" } else { "A" };
    let joined = format!("{}{}", &first[..half], &second[second.len().min(half)..]);
    for nonsense in [
        "tno_",
        "x",
        &first[4..],
        &first[..first.len() - 1],
        &format!("{first}A"),
        &format!("{first}="),
        &format!(" {first}"),
        &format!("{}{middle}{}", &first[..half], &first[half + 1..]),
        &joined,
        &first.replace("tno_", "tnr_"),
        &first.replace("tno_", "tnl_"),
        &format!("tno_{}", "A".repeat(43)),
    ] {
        let answer = lobby.exchange(nonsense).await;
        expect_unauthorized(&answer);
        assert_eq!(told(&answer), refused, "{nonsense}");
    }
    // Each of the two is as good as before.
    for code in [first, second] {
        expect_session(&lobby.exchange(&code).await);
    }
}

#[tokio::test]
async fn what_is_no_request_is_refused_before_the_code_is_looked_at() {
    let lobby = Lobby::new().await;
    let code = lobby.code(&ann()).await;
    let anybody = lobby.anybody();
    anybody.post(EXCHANGE, &json!({})).await.expect_refused(&["/code"]);
    let typo = json!({ "code": code, "verifier": "x" });
    anybody.post(EXCHANGE, &typo).await.expect_refused(&["/verifier"]);
    let types = json!({ "code": 1, "codeVerifier": [], "trustedDeviceToken": {} });
    let refused = anybody.post(EXCHANGE, &types).await;
    refused.expect_refused(&["/code", "/codeVerifier", "/trustedDeviceToken"]);
    let cut_off = anybody.request(Method::POST, EXCHANGE);
    let cut_off = cut_off.header("content-type", "application/json").body("{\"code\": ");
    anybody.send(cut_off).await.expect(StatusCode::BAD_REQUEST);
    expect_session(&lobby.exchange(&code).await);
}

/// What an app gave a code for is in the query of its own page, and so in logs: a code is of no use at another server.
#[tokio::test]
async fn a_code_is_good_where_it_was_made_alone() {
    let lobby = Lobby::new().await;
    let elsewhere = Lobby::with(|options| options.keys = tenantry_tests::app::other_keyring()).await;
    let code = elsewhere.walk(&ann(), &[("redirectUri", APP)]).await.code();
    expect_unauthorized(&lobby.exchange(&code).await);
    expect_session(&elsewhere.exchange(&code).await);
}
