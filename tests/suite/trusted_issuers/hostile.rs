//! Tokens that are not good: whatever is wrong with them, nobody comes in and nothing is made.

use std::time::Duration;

use chrono::TimeDelta;
use reqwest::{Method, StatusCode};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tenantry_auth::access_tokens::AccessTokens;
use tenantry_domain::ids::{SessionId, UserId};
use tenantry_tests::{
    app::{PUBLIC_URL, TestApp, keyring, other_keyring},
    client::text,
    passkey::decoded,
    token_issuer::{AUDIENCE, LIFE, Signer, TokenIssuer},
};

use super::{Border, EXPIRED, INVALID, NO_ADDRESS, SESSIONS, ann, expect_refused};
use crate::{
    identities::IDENTITIES,
    mfa::{ME, MFA, REAUTHENTICATE, TOTP},
};

const MINUTE: i64 = 60;
const DAY: i64 = 24 * 60 * MINUTE;

/// Claims of which nobody who is honest says any; a null is one that is left out.
fn lies(now: i64) -> Vec<(&'static str, Value)> {
    vec![
        ("iss", json!("https://elsewhere.example/")),
        ("iss", json!(PUBLIC_URL)),
        ("iss", json!([])),
        ("iss", Value::Null),
        ("aud", json!("somebody")),
        ("aud", json!(["somebody", "somebody-else"])),
        ("aud", json!([])),
        ("aud", json!(PUBLIC_URL)),
        ("aud", Value::Null),
        ("sub", json!(4711)),
        ("sub", json!("")),
        ("sub", Value::Null),
        ("exp", json!("tomorrow")),
        ("exp", json!(u64::MAX)),
        ("exp", json!(-1)),
        ("exp", Value::Null),
        ("iat", json!(now + MINUTE + 1)),
        ("iat", json!("now")),
        ("iat", Value::Null),
        ("nbf", json!(now + MINUTE + 1)),
        ("nbf", json!("now")),
    ]
}

#[tokio::test]
async fn nobody_comes_in_by_a_lie() {
    let border = Border::new().await;
    for (claim, value) in lies(border.stage.now().timestamp()) {
        let token = border.issuer.token_but(&ann(), &[(claim, value.clone())]);
        let answer = border.show(&token).await;
        assert_eq!(
            answer.header("www-authenticate"),
            Some(INVALID),
            "{claim} {value}: {}",
            answer.text
        );
        expect_refused(&answer, INVALID);
    }
    let claims = border.issuer.claims(&ann());
    for signer in [
        Signer::Nobody,
        Signer::PublicKey,
        Signer::ClientSecret,
        Signer::Impostor,
        Signer::Stranger,
        Signer::StrangerWithAddress,
        Signer::StrangerWithKey,
    ] {
        let answer = border.show(&border.issuer.signed(signer, &claims)).await;
        assert_eq!(answer.header("www-authenticate"), Some(INVALID), "{signer:?}");
        expect_refused(&answer, INVALID);
    }
    for (member, value) in [
        ("alg", json!("none")),
        ("alg", json!("HS256")),
        ("alg", json!("ES384")),
        ("alg", json!("RS256")),
        ("alg", Value::Null),
        ("kid", json!("another")),
        ("kid", json!("../../etc/passwd")),
        ("kid", Value::Null),
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("typ", json!("id+jwt")),
        ("typ", json!("logout+jwt")),
    ] {
        let answer = border
            .show(&border.issuer.headed(&[(member, value.clone())], &claims))
            .await;
        assert_eq!(answer.header("www-authenticate"), Some(INVALID), "{member} {value}");
        expect_refused(&answer, INVALID);
    }
    let good = border.issuer.token(&ann());
    let [header, payload, signature] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
    for mangled in [
        format!("{header}.{payload}."),
        format!("{header}.{payload}"),
        format!("{header}..{signature}"),
        format!("{good}.x"),
        format!("{good}x"),
        format!("{header}.{payload}x.{signature}"),
    ] {
        expect_refused(&border.show(&mangled).await, INVALID);
    }
    assert_eq!(border.issuer.times_asked_elsewhere(), 0);
    assert_eq!(border.stored().await, [0; 4]);
    border.show(&good).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn what_is_over_is_told_as_such() {
    let border = Border::new().await;
    let now = border.stage.now().timestamp();
    for claims in [
        vec![("exp", json!(now - MINUTE))],
        vec![("exp", json!(now - DAY)), ("iat", json!(now - DAY - MINUTE))],
        // Whatever it says of its end, a day is the most.
        vec![("exp", json!(now + DAY)), ("iat", json!(now - DAY))],
    ] {
        expect_refused(&border.show(&border.issuer.token_but(&ann(), &claims)).await, EXPIRED);
    }
    assert_eq!(border.stored().await, [0; 4]);
    let token = border.issuer.token(&ann());
    border.show(&token).await.expect(StatusCode::OK);
    border.stage.app.clock.advance(LIFE + TimeDelta::seconds(58));
    border.show(&token).await.expect(StatusCode::OK);
    border.stage.app.clock.advance(TimeDelta::seconds(2));
    expect_refused(&border.show(&token).await, EXPIRED);
}

#[tokio::test]
async fn a_minute_more_or_less_is_no_lie() {
    let border = Border::new().await;
    let now = border.stage.now().timestamp();
    for (claim, value) in [
        ("iat", json!(now + MINUTE)),
        ("nbf", json!(now + MINUTE)),
        ("exp", json!(now - MINUTE + 2)),
        ("iat", json!(now - DAY + 2)),
        ("aud", json!(["somebody", AUDIENCE])),
        ("azp", json!("somebody")),
        ("jti", json!("1")),
    ] {
        let token = border.issuer.token_but(&ann(), &[(claim, value.clone())]);
        let answer = border.show(&token).await;
        assert_eq!(answer.status, StatusCode::OK, "{claim} {value}: {}", answer.text);
    }
    for typ in [json!("at+jwt"), json!("application/at+jwt"), json!("jwt"), Value::Null] {
        let token = border.issuer.headed(&[("typ", typ)], &border.issuer.claims(&ann()));
        border.show(&token).await.expect(StatusCode::OK);
    }
    assert_eq!(border.stored().await[..3], [1, 1, 1]);
}

#[tokio::test]
async fn who_a_token_was_issued_to_counts_where_it_is_configured() {
    let border = Border::with(|_, settings| {
        settings.audiences.clear();
        settings.authorized_parties = vec!["https://app.example.com".to_owned()];
    })
    .await;
    for party in [json!("https://evil.example"), json!([]), Value::Null] {
        let token = border.issuer.token_but(&ann(), &[("azp", party), ("aud", Value::Null)]);
        expect_refused(&border.show(&token).await, INVALID);
    }
    let good = [("azp", json!("https://app.example.com")), ("aud", Value::Null)];
    let answer = border.show(&border.issuer.token_but(&ann(), &good)).await;
    answer.expect(StatusCode::OK);
}

/// What anybody may put into a request, the server's own tokens stay what they are, and no other passes for one.
#[tokio::test]
async fn our_own_tokens_and_theirs_are_not_mistaken_for_each_other() {
    let border = Border::new().await;
    let carl = border.stage.newcomer("Carl").await;
    border.come_in(&ann()).await;
    carl.client.get(ME).await.expect(StatusCode::OK);
    let stored = border.stored().await;
    let environment = border.stage.app.clock.environment();
    let session = text(&carl.client.get(SESSIONS).await.data()[0]["id"]);
    let (user, session): (UserId, SessionId) = (carl.user_id.parse().unwrap(), session.parse().unwrap());
    let by = |keys, issuer: &str, audience: &str| {
        let life = Duration::from_secs(300);
        let tokens = AccessTokens::new(keys, issuer.to_owned(), audience.to_owned(), life);
        let issued = tokens.issue(user, session, &environment).unwrap();
        issued.token.expose_secret().to_owned()
    };
    let issuer = border.issuer.issuer();
    border
        .show(&by(keyring(), PUBLIC_URL, PUBLIC_URL))
        .await
        .expect(StatusCode::OK);
    for forged in [
        by(keyring(), &issuer, PUBLIC_URL),
        by(keyring(), &issuer, AUDIENCE),
        by(other_keyring(), &issuer, AUDIENCE),
        by(other_keyring(), PUBLIC_URL, PUBLIC_URL),
    ] {
        expect_refused(&border.show(&forged).await, INVALID);
    }

    // A token of the issuer's that names our key, or us.
    let own = carl.client.token().unwrap().split('.').next().unwrap().to_owned();
    let own: Value = serde_json::from_slice(&decoded(&own)).unwrap();
    let claims = border.issuer.claims(&ann());
    let mut as_ours = claims.clone();
    for (name, value) in [
        ("iss", json!(PUBLIC_URL)),
        ("aud", json!(PUBLIC_URL)),
        ("sub", json!(carl.user_id)),
        ("sid", json!(session.to_string())),
        ("jti", json!(user.to_string())),
    ] {
        as_ours[name] = value;
    }
    for claims in [&claims, &as_ours] {
        for header in [
            vec![("kid", own["kid"].clone())],
            vec![("kid", own["kid"].clone()), ("alg", own["alg"].clone())],
        ] {
            expect_refused(&border.show(&border.issuer.headed(&header, claims)).await, INVALID);
        }
    }
    expect_refused(&border.show(&border.issuer.headed(&[], &as_ours)).await, INVALID);
    assert_eq!(border.stored().await, stored);
}

/// Whom one issuer knows is nobody to the other.
#[tokio::test]
async fn an_issuer_says_nothing_for_another() {
    let other = TokenIssuer::start().await;
    let settings = other.settings("other");
    let border = Border::with(|options, _| options.trusted_issuers = vec![settings]).await;
    other.follow(&border.stage.app.clock);
    border.come_in(&ann()).await;
    let stored = border.stored().await;
    let mut claims = other.claims(&ann());
    claims["iss"] = json!(border.issuer.issuer());
    let kid = border.issuer.keys()["keys"][0]["kid"].clone();
    for token in [
        other.signed(Signer::Own, &claims),
        other.headed(&[("kid", kid.clone())], &claims),
        border.issuer.signed(Signer::Own, &other.claims(&ann())),
        border.issuer.signed(Signer::Impostor, &other.claims(&ann())),
    ] {
        expect_refused(&border.show(&token).await, INVALID);
    }
    assert_eq!(border.stored().await, stored);
    // A server that trusts neither takes the tokens of neither.
    let closed = TestApp::start(&border.stage.database).await;
    let answer = closed.client().with_token(&border.issuer.token(&ann())).get(ME).await;
    expect_refused(&answer, INVALID);
}

/// Wherever a token is shown, the same is said of it, before anything else.
#[tokio::test]
async fn a_token_is_refused_alike_everywhere() {
    let border = Border::new().await;
    let issuer = &border.issuer;
    let wrong = issuer.token_but(&ann(), &[("aud", json!("somebody"))]);
    let over = issuer.token_but(&ann(), &[("exp", json!(border.stage.now().timestamp() - DAY))]);
    let unaddressed = issuer.token(&ann().without("email"));
    for (token, challenge) in [(&wrong, INVALID), (&over, EXPIRED), (&unaddressed, NO_ADDRESS)] {
        let client = border.bearing(token);
        for (method, path) in [
            (Method::GET, ME),
            (Method::PATCH, ME),
            (Method::DELETE, ME),
            (Method::GET, SESSIONS),
            (Method::DELETE, SESSIONS),
            (Method::GET, IDENTITIES),
            (Method::GET, MFA),
            (Method::POST, TOTP),
            (Method::POST, REAUTHENTICATE),
            (Method::GET, "/api/v1/organizations"),
            (Method::POST, "/api/v1/organizations"),
            (Method::GET, "/api/v1/organizations/acme/projects"),
        ] {
            let answer = client.send(client.request(method.clone(), path)).await;
            assert_eq!(answer.header("www-authenticate"), Some(challenge), "{method} {path}");
            expect_refused(&answer, challenge);
        }
    }
    assert_eq!(border.stored().await, [0; 4]);
}
