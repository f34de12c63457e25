#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

use std::{fs, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tempfile::TempDir;
use tenantry_domain::{
    environment::Environment,
    ids::{SessionId, UserId},
};

use super::{AccessTokens, MAX_BYTES, TokenError};
use crate::{
    keys::Keyring,
    test_environment::{TestClock, test_environment},
};

const ISSUER: &str = "https://tenantry.example";
const AUDIENCE: &str = "tenantry-api";
const LIFE: Duration = Duration::from_secs(3600);

struct Desk {
    tokens: AccessTokens,
    keyring: Arc<Keyring>,
    environment: Environment,
    clock: TestClock,
    user: UserId,
    session: SessionId,
}

impl Desk {
    fn new(keyring: Keyring) -> Self {
        let keyring = Arc::new(keyring);
        let (environment, clock) = test_environment(7);
        let tokens = AccessTokens::new(Arc::clone(&keyring), ISSUER.to_owned(), AUDIENCE.to_owned(), LIFE);
        let (user, session) = (UserId::new(&environment), SessionId::new(&environment));
        Self {
            tokens,
            keyring,
            environment,
            clock,
            user,
            session,
        }
    }

    fn ed25519() -> Self {
        Self::new(Keyring::generate_in_memory(&test_environment(1).0).unwrap())
    }

    fn p256() -> Self {
        use aws_lc_rs::{
            rand::SystemRandom,
            signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
        };
        use base64::engine::general_purpose::STANDARD;
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
        let dir = TempDir::new().unwrap();
        let pem = format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            STANDARD.encode(document.as_ref())
        );
        fs::write(dir.path().join("key.pem"), pem).unwrap();
        Self::new(Keyring::load(dir.path(), test_environment(1).0.now()).unwrap())
    }

    fn issue(&self) -> String {
        let issued = self.tokens.issue(self.user, self.session, &self.environment).unwrap();
        issued.token.expose_secret().to_owned()
    }

    fn verify(&self, token: &str) -> Result<super::AccessClaims, TokenError> {
        self.tokens.verify(token, self.environment.now())
    }

    fn claims(&self) -> Value {
        part(&self.issue(), 1)
    }

    /// A token that the real key signed, with whatever claims.
    fn signed(&self, claims: &Value) -> String {
        encode(&self.header(), claims, self.keyring.signer().encoding()).unwrap()
    }

    fn header(&self) -> Header {
        let mut header = Header::new(self.keyring.signer().algorithm());
        header.kid = Some(self.keyring.signer().jwk().kid.clone());
        header
    }
}

fn part(token: &str, index: usize) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(index).unwrap()).unwrap()).unwrap()
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

#[test]
fn a_token_says_what_was_put_in() {
    for desk in [Desk::ed25519(), Desk::p256()] {
        let issued = desk.tokens.issue(desk.user, desk.session, &desk.environment).unwrap();
        assert_eq!(issued.expires_in, LIFE);
        let claims = desk.verify(issued.token.expose_secret()).unwrap();
        assert_eq!((claims.user, claims.session), (desk.user, desk.session));
        assert_eq!(claims.issued_at.timestamp(), desk.environment.now().timestamp());
        assert_eq!(claims.expires_at - claims.issued_at, TimeDelta::hours(1));
        assert!(!format!("{issued:?}").contains(issued.token.expose_secret()));
    }
}

#[test]
fn a_token_has_exactly_the_published_claims() {
    for (desk, algorithm) in [(Desk::ed25519(), "EdDSA"), (Desk::p256(), "ES256")] {
        let token = desk.issue();
        let claims = part(&token, 1);
        let names: Vec<&String> = claims.as_object().unwrap().keys().collect();
        assert_eq!(names, ["aud", "exp", "iat", "iss", "jti", "sid", "sub"]);
        assert_eq!((&claims["iss"], &claims["aud"]), (&json!(ISSUER), &json!(AUDIENCE)));
        assert_eq!(
            (&claims["sub"], &claims["sid"]),
            (&json!(desk.user), &json!(desk.session))
        );
        let kid = desk.keyring.signer().jwk().kid.clone();
        assert_eq!(part(&token, 0), json!({"typ": "JWT", "alg": algorithm, "kid": kid}));
    }
}

#[test]
fn every_token_has_an_id_of_its_own() {
    let desk = Desk::ed25519();
    assert_ne!(
        desk.verify(&desk.issue()).unwrap().token_id,
        desk.verify(&desk.issue()).unwrap().token_id
    );
}

#[test]
fn a_token_ends_to_the_second() {
    let desk = Desk::ed25519();
    let token = desk.issue();
    let expires_at = desk.verify(&token).unwrap().expires_at;
    let verify = |now| desk.tokens.verify(&token, now);
    assert!(verify(expires_at - TimeDelta::milliseconds(1)).is_ok());
    assert_eq!(verify(expires_at), Err(TokenError::Expired));
    desk.clock.advance(TimeDelta::days(400));
    assert_eq!(desk.verify(&token), Err(TokenError::Expired));
}

#[test]
fn a_token_of_the_future_is_refused_beyond_the_skew_of_clocks() {
    let desk = Desk::ed25519();
    let token = desk.issue();
    let issued_at = desk.verify(&token).unwrap().issued_at;
    let verify = |now| desk.tokens.verify(&token, now);
    assert!(verify(issued_at - TimeDelta::seconds(60)).is_ok());
    assert_eq!(
        verify(issued_at - TimeDelta::seconds(60) - TimeDelta::milliseconds(1)),
        Err(TokenError::IssuedInFuture)
    );
}

#[test]
fn another_issuers_and_another_audiences_token_is_refused() {
    let desk = Desk::ed25519();
    for (issuer, audience) in [("https://other.example", AUDIENCE), (ISSUER, "other-api"), ("", "")] {
        let other = AccessTokens::new(Arc::clone(&desk.keyring), issuer.to_owned(), audience.to_owned(), LIFE);
        let token = other.issue(desk.user, desk.session, &desk.environment).unwrap();
        assert_eq!(
            desk.verify(token.token.expose_secret()),
            Err(TokenError::WrongAudienceOrIssuer)
        );
    }
}

#[test]
fn an_unknown_key_is_refused() {
    let desk = Desk::ed25519();
    let stranger = Desk::new(Keyring::generate_in_memory(&test_environment(2).0).unwrap());
    assert_eq!(desk.verify(&stranger.issue()), Err(TokenError::UnknownKey));

    let mut nameless = desk.header();
    nameless.kid = None;
    let token = encode(&nameless, &desk.claims(), desk.keyring.signer().encoding()).unwrap();
    assert_eq!(desk.verify(&token), Err(TokenError::UnknownKey));
}

#[test]
fn a_signature_by_another_key_under_our_key_id_is_refused() {
    let desk = Desk::ed25519();
    let stranger = Keyring::generate_in_memory(&test_environment(2).0).unwrap();
    let token = encode(&desk.header(), &desk.claims(), stranger.signer().encoding()).unwrap();
    assert_eq!(desk.verify(&token), Err(TokenError::BadSignature));
}

#[test]
fn an_edited_token_is_refused() {
    for desk in [Desk::ed25519(), Desk::p256()] {
        let token = desk.issue();
        let parts: Vec<&str> = token.split('.').collect();
        let mut claims = desk.claims();
        claims["sub"] = json!(UserId::new(&desk.environment));
        let edited = [parts[0], &encoded(&claims), parts[2]].join(".");
        assert_eq!(desk.verify(&edited), Err(TokenError::BadSignature));
        let other_signature = [parts[0], parts[1], desk.issue().split('.').nth(2).unwrap()].join(".");
        assert_eq!(desk.verify(&other_signature), Err(TokenError::BadSignature));
    }
}

#[test]
fn the_token_does_not_choose_the_algorithm() {
    for desk in [Desk::ed25519(), Desk::p256()] {
        let key = desk.keyring.signer().jwk().clone();
        let claims = desk.claims();
        let public_key = URL_SAFE_NO_PAD.decode(&key.x).unwrap();

        // The public key as the secret of an HMAC.
        for secret in [
            public_key.as_slice(),
            key.x.as_bytes(),
            desk.keyring.signer().decoding().try_get_as_bytes().unwrap(),
        ] {
            let mut header = Header::new(Algorithm::HS256);
            header.kid = Some(key.kid.clone());
            let token = encode(&header, &claims, &EncodingKey::from_secret(secret)).unwrap();
            assert_eq!(desk.verify(&token), Err(TokenError::WrongAlgorithm));
        }

        let signature = desk.issue().split('.').nth(2).unwrap().to_owned();
        let with_algorithm = |algorithm: &str, signature: &str| {
            let header = encoded(&json!({"typ": "JWT", "alg": algorithm, "kid": key.kid}));
            desk.verify(&[&header, &encoded(&claims), signature].join("."))
        };
        for none in ["none", "None", "NONE", ""] {
            assert_eq!(with_algorithm(none, ""), Err(TokenError::Malformed), "{none}");
            assert_eq!(with_algorithm(none, &signature), Err(TokenError::Malformed), "{none}");
        }
        for other in ["EdDSA", "ES256", "ES384", "RS256", "PS256", "HS512"]
            .iter()
            .filter(|name| **name != key.alg)
        {
            assert_eq!(
                with_algorithm(other, &signature),
                Err(TokenError::WrongAlgorithm),
                "{other}"
            );
        }
        assert_eq!(with_algorithm(key.alg, ""), Err(TokenError::BadSignature));
    }
}

#[test]
fn keys_that_a_token_brings_along_are_not_used() {
    let desk = Desk::ed25519();
    let stranger = Keyring::generate_in_memory(&test_environment(2).0).unwrap();
    let signer = stranger.signer();
    let key = signer.jwk();
    let header = json!({
        "typ": "JWT", "alg": "EdDSA", "kid": key.kid,
        "jwk": {"kty": key.kty, "crv": key.crv, "x": key.x}, "jku": "https://stranger.example/jwks.json",
    });
    let message = [encoded(&header), encoded(&desk.claims())].join(".");
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), signer.encoding(), Algorithm::EdDSA).unwrap();
    assert_eq!(
        desk.verify(&format!("{message}.{signature}")),
        Err(TokenError::UnknownKey)
    );
}

#[test]
fn extensions_that_must_be_understood_are_refused() {
    let desk = Desk::ed25519();
    let mut header = desk.header();
    header.crit = Some(vec!["b64".to_owned()]);
    let token = encode(&header, &desk.claims(), desk.keyring.signer().encoding()).unwrap();
    assert_eq!(desk.verify(&token), Err(TokenError::Malformed));
}

#[test]
fn a_missing_or_misshapen_claim_is_refused_though_signed() {
    let desk = Desk::ed25519();
    assert!(desk.verify(&desk.signed(&desk.claims())).is_ok());
    for name in ["iss", "sub", "aud", "exp", "iat", "jti", "sid"] {
        for value in [
            None,
            Some(json!(null)),
            Some(json!({})),
            Some(json!(["x"])),
            Some(json!(true)),
        ] {
            let mut claims = desk.claims();
            match value.clone() {
                Some(value) => claims[name] = value,
                None => drop(claims.as_object_mut().unwrap().remove(name)),
            }
            assert_eq!(
                desk.verify(&desk.signed(&claims)),
                Err(TokenError::Malformed),
                "{name} {value:?}"
            );
        }
    }
    for (name, value) in [
        ("exp", json!(i64::MAX)),
        ("iat", json!(i64::MIN)),
        ("exp", json!(1e30)),
        ("sub", json!("x")),
    ] {
        let mut claims = desk.claims();
        claims[name] = value;
        assert_eq!(desk.verify(&desk.signed(&claims)), Err(TokenError::Malformed), "{name}");
    }
}

#[test]
fn what_is_no_token_is_refused() {
    let desk = Desk::ed25519();
    let token = desk.issue();
    for text in [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        "a.b.c".to_owned(),
        "{}.{}.{}".to_owned(),
        "\0".to_owned(),
        "é.é.é".to_owned(),
        token.split('.').take(2).collect::<Vec<_>>().join("."),
        format!("{token}.x"),
        format!("{token}="),
        format!(" {token}"),
        format!("{}.x.x", URL_SAFE_NO_PAD.encode("[".repeat(2000))),
    ] {
        assert_eq!(desk.verify(&text), Err(TokenError::Malformed), "{text:.60}");
    }
}

#[test]
fn a_token_beyond_the_greatest_length_is_not_looked_at() {
    let desk = Desk::ed25519();
    let padded = |length: usize| {
        let mut claims = desk.claims();
        claims["padding"] = json!("");
        let missing = length - desk.signed(&claims).len();
        // Three bytes of claims are four of the token.
        claims["padding"] = json!("x".repeat(missing * 3 / 4));
        desk.signed(&claims)
    };
    let longest = padded(MAX_BYTES);
    assert!(longest.len() <= MAX_BYTES && desk.verify(&longest).is_ok());
    let longer = padded(MAX_BYTES + 4);
    assert!(longer.len() > MAX_BYTES);
    assert_eq!(desk.verify(&longer), Err(TokenError::Malformed));
}

#[test]
fn tokens_outlive_a_rotation_until_their_key_is_removed() {
    let dir = TempDir::new().unwrap();
    let (keys, other) = (dir.path().join("keys"), dir.path().join("other"));
    let before = Desk::new(Keyring::load_or_generate(&keys, &test_environment(1).0).unwrap());
    let old_token = before.issue();
    let now = before.environment.now();

    Keyring::load_or_generate(&other, &test_environment(2).0).unwrap();
    fs::copy(other.join("signing-key-0001.pem"), keys.join("signing-key-0002.pem")).unwrap();
    let overlap = Desk::new(Keyring::load(&keys, now).unwrap());
    let new_token = overlap.issue();
    assert!(overlap.verify(&old_token).is_ok());
    assert!(overlap.verify(&new_token).is_ok());
    assert_ne!(part(&old_token, 0)["kid"], part(&new_token, 0)["kid"]);

    fs::remove_file(keys.join("signing-key-0001.pem")).unwrap();
    let after = Desk::new(Keyring::load(&keys, now).unwrap());
    assert_eq!(after.verify(&old_token), Err(TokenError::UnknownKey));
    assert!(after.verify(&new_token).is_ok());
}

#[test]
fn a_life_without_end_is_an_error() {
    let desk = Desk::ed25519();
    let keyring = Arc::clone(&desk.keyring);
    let endless = AccessTokens::new(keyring, ISSUER.to_owned(), AUDIENCE.to_owned(), Duration::MAX);
    assert!(endless.issue(desk.user, desk.session, &desk.environment).is_err());
}
