//! A provider that tests believe is tested itself: what it refuses, and that its signatures are good.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

use super::{Algorithm, Endpoint, Fault, IdentityProvider, Person, Pkce, Signer};
use crate::{
    client::{Answer, Client, text},
    passkey::decoded,
};

const CALLBACK: &str = "http://tenantry.test/api/v1/auth/oidc/work/callback";
const NONCE: &str = "a nonce that nobody guesses";

async fn provider() -> IdentityProvider {
    let provider = IdentityProvider::start().await;
    provider.register("work");
    provider.signs_in(&Person::new("4711", "ann@example.com"));
    provider
}

fn client(provider: &IdentityProvider) -> Client {
    Client::new(provider.issuer())
}

fn encoded_pairs(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}

/// Sends a browser there, with one parameter otherwise.
async fn authorize(provider: &IdentityProvider, pkce: &Pkce, other: (&str, &str)) -> Answer {
    let id = provider.client_id();
    let mut pairs = vec![
        ("response_type", "code"),
        ("client_id", id.as_str()),
        ("redirect_uri", CALLBACK),
        ("scope", "openid email"),
        ("state", "the state"),
        ("nonce", NONCE),
        ("code_challenge", pkce.challenge.as_str()),
        ("code_challenge_method", "S256"),
    ];
    for pair in &mut pairs {
        if pair.0 == other.0 {
            pair.1 = other.1;
        }
    }
    client(provider)
        .get(&format!("/authorize?{}", encoded_pairs(&pairs)))
        .await
}

async fn code(provider: &IdentityProvider, pkce: &Pkce) -> String {
    let answer = authorize(provider, pkce, ("", "")).await;
    let location: Url = answer
        .expect(StatusCode::FOUND)
        .header("location")
        .unwrap()
        .parse()
        .unwrap();
    let mut pairs = location.query_pairs();
    pairs.find(|(name, _)| name == "code").unwrap().1.into_owned()
}

/// Gives a code for tokens, with one parameter otherwise.
async fn redeem(provider: &IdentityProvider, code: &str, pkce: &Pkce, other: (&str, &str)) -> Answer {
    let (id, secret) = (provider.client_id(), provider.client_secret());
    let mut pairs = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("client_id", id.as_str()),
        ("client_secret", secret.as_str()),
        ("code_verifier", pkce.verifier.as_str()),
    ];
    for pair in &mut pairs {
        if pair.0 == other.0 {
            pair.1 = other.1;
        }
    }
    let client = client(provider);
    let request = client
        .request(Method::POST, "/token")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(encoded_pairs(&pairs));
    client.send(request).await
}

fn part(token: &str, index: usize) -> Value {
    serde_json::from_slice(&decoded(token.split('.').nth(index).unwrap())).unwrap()
}

#[tokio::test]
async fn its_tokens_are_signed_by_the_key_that_it_announces() {
    let provider = provider().await;
    for algorithm in [Algorithm::Es256, Algorithm::Rs256] {
        provider.rotate(algorithm);
        let pkce = Pkce::new();
        let code = code(&provider, &pkce).await;
        let answer = redeem(&provider, &code, &pkce, ("", "")).await;
        let token = text(&answer.expect(StatusCode::OK).json()["id_token"]);
        let (told, signature) = token.rsplit_once('.').unwrap();
        let keys = client(&provider).get("/keys").await.json();
        let key = &keys["keys"][0];
        assert_eq!(part(&token, 0)["kid"], key["kid"]);
        let member = |name: &str| decoded(&text(&key[name]));
        let (told, signature) = (told.as_bytes(), decoded(signature));
        let verified = match algorithm {
            Algorithm::Es256 => {
                let point = [vec![4], member("x"), member("y")].concat();
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(told, &signature)
            }
            Algorithm::Rs256 => RsaPublicKeyComponents {
                n: member("n"),
                e: member("e"),
            }
            .verify(&RSA_PKCS1_2048_8192_SHA256, told, &signature),
        };
        verified.unwrap_or_else(|error| panic!("{algorithm:?}: {error}"));
        let claims = part(&token, 1);
        assert_eq!(claims["iss"], provider.issuer());
        assert_eq!(claims["aud"], provider.client_id());
        assert_eq!((&claims["sub"], &claims["nonce"]), (&json!("4711"), &json!(NONCE)));
    }
    assert_eq!(provider.complaints(), [] as [String; 0]);
}

#[tokio::test]
async fn it_refuses_what_a_client_does_wrong() {
    let provider = provider().await;
    let pkce = Pkce::new();
    for other in [
        ("response_type", "token"),
        ("client_id", "somebody"),
        ("redirect_uri", "http://tenantry.test/api/v1/auth/oidc/home/callback"),
        ("scope", "email"),
        ("state", ""),
        ("nonce", "short"),
        ("code_challenge", "short"),
        ("code_challenge_method", "plain"),
    ] {
        let refused = authorize(&provider, &pkce, other).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{other:?}");
    }
    let verifier = Pkce::new().verifier;
    for other in [
        ("grant_type", "password"),
        ("code", "another"),
        ("redirect_uri", "http://tenantry.test/"),
        ("client_id", "somebody"),
        ("client_secret", "a guess"),
        ("code_verifier", verifier.as_str()),
    ] {
        let code = code(&provider, &pkce).await;
        let refused = redeem(&provider, &code, &pkce, other).await;
        assert!(refused.status.is_client_error(), "{other:?}: {}", refused.text);
    }
    assert_eq!(provider.complaints().len(), 14);
    // A code is good once.
    let code = code(&provider, &pkce).await;
    redeem(&provider, &code, &pkce, ("", "")).await.expect(StatusCode::OK);
    let again = redeem(&provider, &code, &pkce, ("", "")).await;
    again.expect(StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn it_lies_where_it_is_told_to() {
    let provider = provider().await;
    provider.behave(|told| {
        told.signer = Signer::Nobody;
        told.id_token = vec![("nonce", Value::Null), ("aud", json!("somebody"))];
        told.faults.insert(Endpoint::Keys, Fault::Huge);
        told.faults.insert(Endpoint::UserInfo, Fault::Status(500));
    });
    let pkce = Pkce::new();
    let code = code(&provider, &pkce).await;
    let answer = redeem(&provider, &code, &pkce, ("", "")).await;
    let token = text(&answer.expect(StatusCode::OK).json()["id_token"]);
    assert!(token.ends_with('.'), "{token}");
    assert_eq!(part(&token, 0)["alg"], "none");
    let claims = part(&token, 1);
    assert_eq!((&claims["nonce"], &claims["aud"]), (&Value::Null, &json!("somebody")));
    let keys = client(&provider).get("/keys").await;
    assert!(keys.text.len() > 1024 * 1024);
    assert!(keys.json()["keys"].is_array());
    let info = client(&provider).get("/userinfo").await;
    info.expect(StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(provider.times_asked(Endpoint::UserInfo), 1);
}
