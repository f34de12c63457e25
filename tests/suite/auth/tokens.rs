//! Access tokens: what is in them, who can verify them, and which are refused.

use std::collections::BTreeSet;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::{
    app::{Options, TestApp, other_keyring},
    client::{Answer, text},
    database::TestDatabase,
};

use super::{ME, SESSIONS, names, refresh};

const JWKS: &str = "/.well-known/jwks.json";

fn decoded(part: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// Whether a key of a key set (RFC 7517, 7518, 8037) made the signature.
fn verifies(key: &Value, signed: &str, signature: &[u8]) -> bool {
    let bytes = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap();
    match key["kty"].as_str().unwrap() {
        "OKP" => UnparsedPublicKey::new(&ED25519, bytes("x"))
            .verify(signed.as_bytes(), signature)
            .is_ok(),
        "EC" => {
            let point = [vec![4], bytes("x"), bytes("y")].concat();
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                .verify(signed.as_bytes(), signature)
                .is_ok()
        }
        other => panic!("a key of type {other}"),
    }
}

#[track_caller]
fn expect_invalid_token(answer: &Answer) {
    answer.expect_error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED");
    let challenge = answer.header("www-authenticate").unwrap();
    assert!(
        challenge.starts_with("Bearer ") && challenge.contains("error=\"invalid_token\""),
        "{challenge}"
    );
}

#[tokio::test]
async fn anyone_can_verify_a_token_and_it_tells_little() {
    let database = TestDatabase::new().await;
    let app = TestApp::start(&database).await;
    let ann = app.client().register("Ann", Some("Acme")).await;
    let token = ann.client.token().unwrap().to_owned();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let (header, claims) = signed.split_once('.').unwrap();
    let (header, claims) = (decoded(header), decoded(claims));

    let set = app.client().get(JWKS).await;
    set.expect(StatusCode::OK);
    let set = set.json();
    let keys = set["keys"].as_array().unwrap();
    let key = keys
        .iter()
        .find(|key| key["kid"] == header["kid"])
        .expect("the key of the token");
    let private: BTreeSet<_> = ["d", "p", "q", "dp", "dq", "qi", "k"].into_iter().collect();
    for key in keys {
        assert!(names(key).iter().all(|name| !private.contains(name)), "{key}");
    }
    assert!(
        ["EdDSA", "ES256"].contains(&header["alg"].as_str().unwrap()),
        "{header}"
    );
    assert_eq!(key["alg"], header["alg"]);
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    assert!(verifies(key, signed, &signature));
    assert!(!verifies(key, &signed[1..], &signature));

    assert_eq!(names(&claims), ["aud", "exp", "iat", "iss", "jti", "sid", "sub"]);
    assert_eq!(claims["sub"], ann.user_id.as_str());
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 3600);
    assert_eq!(claims["sid"], ann.client.get(SESSIONS).await.data()[0]["id"]);
    let renewed = refresh(&app.client(), &ann.refresh_token).await.data();
    let renewed = decoded(text(&renewed["accessToken"]).split('.').nth(1).unwrap());
    assert_ne!(renewed["jti"], claims["jti"]);
    for same in ["iss", "aud", "sub", "sid"] {
        assert_eq!(renewed[same], claims[same]);
    }
}

#[tokio::test]
async fn a_token_lives_an_hour() {
    let database = TestDatabase::new().await;
    let app = TestApp::start(&database).await;
    app.clock.stop();
    let ann = app.client().register("Ann", None).await;
    app.clock.advance(TimeDelta::seconds(3598));
    ann.client.get(ME).await.expect(StatusCode::OK);
    app.clock.advance(TimeDelta::seconds(2));
    expect_invalid_token(&ann.client.get(ME).await);
    // The session outlives it.
    refresh(&app.client(), &ann.refresh_token).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn no_other_token_is_taken() {
    let database = TestDatabase::new().await;
    let app = TestApp::start(&database).await;
    let ann = app.client().register("Ann", None).await;
    let bob = app.client().register("Bob", None).await;
    let token = ann.client.token().unwrap().to_owned();
    let [header, claims, signature] = token.split('.').collect::<Vec<_>>().try_into().unwrap();
    let changed = |part: &str, name: &str, value: Value| {
        let mut part = decoded(part);
        part[name] = value;
        encoded(&part)
    };
    let unsigned = changed(header, "alg", json!("none"));
    let symmetric = changed(header, "alg", json!("HS256"));
    let other_key = changed(header, "kid", json!("../../etc/passwd"));
    let as_bob = changed(claims, "sub", json!(bob.user_id));
    let longer = changed(claims, "exp", json!(4_102_444_800_u64));
    let others = bob.client.token().unwrap().rsplit('.').next().unwrap();
    for forged in [
        format!("{unsigned}.{claims}."),
        format!("{unsigned}.{claims}.{signature}"),
        format!("{symmetric}.{claims}.{signature}"),
        format!("{other_key}.{claims}.{signature}"),
        format!("{header}.{as_bob}.{signature}"),
        format!("{header}.{longer}.{signature}"),
        format!("{header}.{claims}.{others}"),
        format!("{header}.{claims}."),
        format!("{header}.{claims}"),
        format!("{token}.x"),
        ann.refresh_token.clone(),
        "x".to_owned(),
        "x".repeat(5000),
    ] {
        expect_invalid_token(&ann.client.with_token(&forged).get(ME).await);
    }

    // Another installation's keys are not ours, whoever its users are.
    let elsewhere = Options {
        keys: other_keyring(),
        ..Options::default()
    };
    let elsewhere = TestApp::with(&database, elsewhere).await;
    expect_invalid_token(&elsewhere.client().with_token(&token).get(ME).await);

    let bare = ann.client.anonymous().get(ME).await;
    bare.expect_error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED");
    let challenge = bare.header("www-authenticate").unwrap();
    // RFC 6750, section 3.1: who shows nothing is told of no error.
    assert!(
        challenge.starts_with("Bearer") && !challenge.contains("error"),
        "{challenge}"
    );
    for header in ["Basic YW5uOnB3", "Bearer", &token, "Bearer\t", ""] {
        let answer = ann
            .client
            .anonymous()
            .with_header("authorization", header)
            .get(ME)
            .await;
        answer.expect_error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED");
    }
    let lower = format!("bearer {token}");
    ann.client
        .anonymous()
        .with_header("authorization", &lower)
        .get(ME)
        .await
        .expect(StatusCode::OK);
}
