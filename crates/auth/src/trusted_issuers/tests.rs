#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

mod claiming;
mod keeping;
mod keys;
mod signing;
mod times;
mod whom;

use std::{
    future,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::{Value, json};
use tenantry_domain::environment::Environment;

use self::signing::{Kind, SigningKey};
use super::{ALGORITHMS, ClaimNames, ExternalToken, IssuerError, IssuerSettings, TrustedIssuer};
use crate::{
    http_client::{Answer, HttpClient, HttpError, Request, Response},
    test_environment::{TestClock, test_environment},
};

const ISSUER: &str = "https://issuer.example/";
const JWKS: &str = "https://issuer.example/.well-known/jwks.json";
const AUDIENCE: &str = "https://api.example.com";

/// What is had where the keys are.
#[derive(Clone)]
enum Published {
    Keys(Vec<Value>),
    Text(String),
    Status(u16),
    Redirect,
    /// Nobody answers.
    Nobody,
    /// Somebody listens, and says nothing.
    Silence,
}

/// Answers with what is published, and counts who asks.
struct Web {
    published: Mutex<Published>,
    asked: AtomicUsize,
}

impl Web {
    fn publish(&self, published: Published) {
        *self.published.lock().unwrap() = published;
    }
}

impl HttpClient for Web {
    fn send(&self, request: Request) -> Answer<'_> {
        assert_eq!(
            (request.method(), request.uri().to_string().as_str()),
            (&http::Method::GET, JWKS)
        );
        self.asked.fetch_add(1, Ordering::SeqCst);
        let published = self.published.lock().unwrap().clone();
        Box::pin(async move {
            // Whoever comes at once is here before there is an answer.
            tokio::task::yield_now().await;
            let (status, body) = match published {
                Published::Keys(keys) => (200, json!({ "keys": keys }).to_string()),
                Published::Text(text) => (200, text),
                Published::Status(status) => (status, json!({ "keys": [] }).to_string()),
                Published::Redirect => (302, String::new()),
                Published::Nobody => return Err(HttpError("nobody is there".into())),
                Published::Silence => return future::pending().await,
            };
            let mut answer = Response::new(body.into_bytes());
            *answer.status_mut() = http::StatusCode::from_u16(status).unwrap();
            Ok(answer)
        })
    }
}

/// An issuer that is trusted, and its key.
struct Desk {
    issuer: TrustedIssuer,
    web: Web,
    key: SigningKey,
    environment: Environment,
    clock: TestClock,
}

impl Desk {
    fn new() -> Self {
        Self::with(Kind::Ed25519, |_| {})
    }

    /// The same whose settings are changed, and whose key is of another kind.
    fn with(kind: Kind, change: impl FnOnce(&mut IssuerSettings)) -> Self {
        let mut settings = IssuerSettings {
            key: "work".to_owned(),
            name: "Work".to_owned(),
            issuer: ISSUER.to_owned(),
            audiences: vec![AUDIENCE.to_owned()],
            authorized_parties: Vec::new(),
            jwks_url: JWKS.to_owned(),
            algorithms: ALGORITHMS.map(|(_, algorithm)| algorithm).to_vec(),
            trusts_email: false,
            claims: ClaimNames::default(),
        };
        change(&mut settings);
        let (environment, clock) = test_environment(7);
        let key = SigningKey::new("first", kind);
        let web = Web {
            published: Mutex::new(Published::Keys(vec![key.jwk()])),
            asked: AtomicUsize::new(0),
        };
        Self {
            issuer: TrustedIssuer::new(settings),
            web,
            key,
            environment,
            clock,
        }
    }

    /// The present second.
    fn now(&self) -> i64 {
        self.environment.now().timestamp()
    }

    /// What a good token says.
    fn claims(&self) -> Value {
        let now = self.now();
        json!({ "iss": ISSUER, "aud": AUDIENCE, "sub": "4711", "iat": now, "exp": now + 300 })
    }

    /// The same but for one claim; a null is left out.
    fn claims_but(&self, name: &str, value: Value) -> Value {
        let mut claims = self.claims();
        let members = claims.as_object_mut().unwrap();
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.to_owned(), value);
        }
        claims
    }

    fn token(&self) -> String {
        self.key.token(&self.claims())
    }

    async fn verify(&self, token: &str) -> Result<ExternalToken, IssuerError> {
        self.issuer.verify(token, &self.web, &self.environment).await
    }

    /// What a token says that is signed by the issuer's key.
    async fn judge(&self, claims: &Value) -> Result<ExternalToken, IssuerError> {
        self.verify(&self.key.token(claims)).await
    }

    /// The same of a good token but for one claim.
    async fn judge_but(&self, name: &str, value: Value) -> Result<ExternalToken, IssuerError> {
        self.judge(&self.claims_but(name, value)).await
    }

    /// How often the keys were asked for.
    fn asked(&self) -> usize {
        self.web.asked.load(Ordering::SeqCst)
    }
}

/// Why a token was refused.
#[track_caller]
fn refusal(judged: Result<ExternalToken, IssuerError>) -> String {
    match judged {
        Err(IssuerError::Refused(why)) => why.to_owned(),
        other => panic!("not refused: {other:?}"),
    }
}

#[track_caller]
fn expect_expired(judged: Result<ExternalToken, IssuerError>) {
    match judged {
        Err(IssuerError::Expired) => {}
        other => panic!("not expired: {other:?}"),
    }
}

#[track_caller]
fn expect_unavailable(judged: Result<ExternalToken, IssuerError>) {
    match judged {
        Err(IssuerError::Unavailable(_)) => {}
        other => panic!("not unavailable: {other:?}"),
    }
}

const NONE: &str = "the token is none";
const NO_KEY: &str = "the token is signed by no key of the issuer's";
const WRONG_SIGNATURE: &str = "the signature of the token is wrong";
const OTHER_ALGORITHM: &str = "the token is signed by an algorithm that does not count";
const OTHER_KIND: &str = "the token is of another kind";
const OTHER_ISSUER: &str = "the token is of another issuer";
const SOMEBODY_ELSE: &str = "the token is for somebody else";
const NO_MOMENT: &str = "the token names a moment that is none";
const FUTURE: &str = "the token is of the future";
const NO_SUBJECT: &str = "the subject is none that can be kept";

#[tokio::test]
async fn a_token_of_each_algorithm_tells_whom_it_means() {
    for kind in Kind::ALL {
        let desk = Desk::with(kind, |_| {});
        let token = desk.verify(&desk.token()).await.unwrap();
        assert_eq!(token.identity.provider, "work", "{kind:?}");
        assert_eq!(token.identity.issuer, ISSUER, "{kind:?}");
        assert_eq!(token.identity.subject, "4711", "{kind:?}");
        assert_eq!(token.issued_at.timestamp(), desk.now(), "{kind:?}");
        assert_eq!(token.authenticated_at, None, "{kind:?}");
        assert_eq!(desk.asked(), 1, "{kind:?}");
        // Only where it is configured.
        let picky = Desk::with(kind, |settings| {
            settings.algorithms.retain(|algorithm| *algorithm != kind.algorithm());
        });
        assert_eq!(refusal(picky.verify(&picky.token()).await), OTHER_ALGORITHM, "{kind:?}");
        assert_eq!(picky.asked(), 0, "{kind:?}");
    }
}

#[tokio::test]
async fn nobody_signs_but_the_issuer() {
    let desk = Desk::with(Kind::Rs256, |_| {});
    let claims = desk.claims();
    let header = desk.key.header();
    let but = |name: &str, value: Value| {
        let mut header = header.clone();
        header[name] = value;
        header
    };
    let impostor = SigningKey::new("first", Kind::Rs256);
    let by_public_key = |algorithm: &str| {
        let told = signing::told(&but("alg", json!(algorithm)), &claims);
        signing::by_secret(&told, &desk.key.public_bytes())
    };
    let cut = |token: &str| token.rsplit_once('.').unwrap().0.to_owned();
    for (what, token, why) in [
        (
            "none",
            format!("{}.", signing::told(&but("alg", json!("none")), &claims)),
            NONE,
        ),
        (
            "none in capitals",
            format!("{}.", signing::told(&but("alg", json!("NONE")), &claims)),
            NONE,
        ),
        ("HS256 by the public key", by_public_key("HS256"), OTHER_ALGORITHM),
        ("HS512 by the public key", by_public_key("HS512"), OTHER_ALGORITHM),
        ("no signature", format!("{}.", cut(&desk.token())), WRONG_SIGNATURE),
        ("two parts", cut(&desk.token()), NONE),
        ("four parts", format!("{}.x", desk.token()), NONE),
        ("another key", impostor.token(&claims), WRONG_SIGNATURE),
        (
            "a key that it brings",
            impostor.signed(&but("jwk", impostor.jwk()), &claims),
            WRONG_SIGNATURE,
        ),
        (
            "a key that is elsewhere",
            impostor.signed(&but("jku", json!("https://elsewhere.example/keys")), &claims),
            WRONG_SIGNATURE,
        ),
        (
            "another algorithm of the key's",
            desk.key.signed(&but("alg", json!("PS256")), &claims),
            NO_KEY,
        ),
        (
            "another kind of key",
            desk.key.signed(&but("alg", json!("ES256")), &claims),
            NO_KEY,
        ),
        (
            "no key",
            desk.key.signed(&but("kid", Value::Null), &claims),
            "the token names no key",
        ),
        (
            "a key that is a number",
            desk.key.signed(&but("kid", json!(1)), &claims),
            NONE,
        ),
        (
            "extensions",
            desk.key.signed(&but("crit", json!(["exp"])), &claims),
            "the token needs extensions to be understood",
        ),
        (
            "no extension that is one",
            desk.key.signed(&but("crit", json!([])), &claims),
            "the token needs extensions to be understood",
        ),
        (
            "extensions that are none",
            desk.key.signed(&but("crit", json!("exp")), &claims),
            NONE,
        ),
        ("no claims", desk.key.token(&json!(["4711"])), NONE),
        ("nothing", String::new(), NONE),
        ("dots", "..".to_owned(), NONE),
    ] {
        assert_eq!(refusal(desk.verify(&token).await), why, "{what}");
    }
    desk.verify(&desk.token()).await.unwrap();
}

#[tokio::test]
async fn a_token_that_was_changed_is_none() {
    for kind in [Kind::Ed25519, Kind::Es256, Kind::Rs256] {
        let desk = Desk::with(kind, |_| {});
        let token = desk.token();
        let [header, _, signature] = token.split('.').collect::<Vec<_>>().try_into().unwrap();
        let other = signing::told(&desk.key.header(), &desk.claims_but("sub", json!("4712")));
        let claims = other.split('.').nth(1).unwrap();
        let changed = format!("{header}.{claims}.{signature}");
        assert_eq!(refusal(desk.verify(&changed).await), WRONG_SIGNATURE, "{kind:?}");
        desk.verify(&token).await.unwrap();
    }
}

#[tokio::test]
async fn only_access_tokens_and_plain_ones_are_taken() {
    let desk = Desk::new();
    let typed = |typ: Value| {
        let mut header = desk.key.header();
        header["typ"] = typ;
        desk.key.signed(&header, &desk.claims())
    };
    for typ in [
        "JWT",
        "jwt",
        "at+jwt",
        "AT+JWT",
        "application/at+jwt",
        "application/jwt",
    ] {
        desk.verify(&typed(json!(typ))).await.unwrap();
    }
    desk.verify(&typed(Value::Null)).await.unwrap();
    for typ in [
        "",
        "id+jwt",
        "logout+jwt",
        "dpop+jwt",
        "secevent+jwt",
        "JOSE",
        "text/at+jwt",
        "at+jwt ",
    ] {
        assert_eq!(refusal(desk.verify(&typed(json!(typ))).await), OTHER_KIND, "{typ}");
    }
    assert_eq!(refusal(desk.verify(&typed(json!(7))).await), NONE);
}

#[tokio::test]
async fn a_token_that_is_too_long_is_not_looked_at() {
    let desk = Desk::new();
    let padded = |length: usize| desk.key.token(&desk.claims_but("more", json!("x".repeat(length))));
    let spare = super::MAX_BYTES - padded(0).len();
    // Of three bytes come four letters.
    let longest = padded(spare / 4 * 3 - 3);
    assert!(
        longest.len() <= super::MAX_BYTES && longest.len() + 16 > super::MAX_BYTES,
        "{}",
        longest.len()
    );
    desk.verify(&longest).await.unwrap();
    let asked = desk.asked();
    let too_long = padded(spare / 4 * 3 + 6);
    assert!(too_long.len() > super::MAX_BYTES, "{}", too_long.len());
    assert_eq!(refusal(desk.verify(&too_long).await), "the token is too long");
    assert_eq!(super::claimed_issuer(&too_long), None);
    assert_eq!(desk.asked(), asked);
}
