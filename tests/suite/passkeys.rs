//! Passkeys: keys on people's devices that sign in by themselves, and are a second factor at once.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test should stop where it fails"
)]

mod challenges;
mod counting;
mod domains;
mod false_answers;
mod freshness;
mod hostile;
mod limits;
mod losing;
mod managing;
mod policy;
mod recovery_codes;
mod registering;
mod signing_in;
mod with_other_factors;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::{
    client::{Account, Answer, Client, text},
    passkey::{Authenticator, Behaviour},
};

use crate::mfa::{Stage, codes_of, expect_session, post_nothing};

const PASSKEYS: &str = "/api/v1/auth/passkeys";
const OPTIONS: &str = "/api/v1/auth/passkeys/options";
const LOGIN: &str = "/api/v1/auth/passkeys/login";
const LOGIN_OPTIONS: &str = "/api/v1/auth/passkeys/login/options";

/// The origin of the public URL of tests.
const ORIGIN: &str = "http://tenantry.test";

/// Somebody who has a passkey and no other factor, and registered it in the first of their sessions.
struct Holder {
    account: Account,
    device: Authenticator,
    /// The id of the passkey.
    id: String,
    recovery_codes: Vec<String>,
}

impl Holder {
    /// Somebody new on a stage, whose phone holds a key.
    async fn new(stage: &Stage, name: &str) -> Self {
        Self::with(stage.newcomer(name).await, phone()).await
    }

    async fn with(account: Account, mut device: Authenticator) -> Self {
        let registered = register(&account.client, &mut device, None).await;
        let data = registered.expect(StatusCode::CREATED).data();
        Self {
            account,
            device,
            id: text(&data["id"]),
            recovery_codes: codes_of(&registered),
        }
    }

    fn client(&self) -> &Client {
        &self.account.client
    }

    fn path(&self) -> String {
        format!("{PASSKEYS}/{}", self.id)
    }

    /// An answer of the device to a challenge that was never put before.
    async fn answer(&mut self, stage: &Stage) -> Value {
        self.device.get(&login_options(stage).await)
    }

    /// Another session, by the passkey.
    async fn sign_in(&mut self, stage: &Stage) -> Client {
        let answer = self.answer(stage).await;
        let session = expect_session(&stage.anybody().post(LOGIN, &answer).await);
        stage.anybody().with_token(&text(&session["accessToken"]))
    }
}

fn phone() -> Authenticator {
    Authenticator::new(ORIGIN)
}

/// What asks a device for a key.
async fn creation_options(client: &Client) -> Value {
    let answer = post_nothing(client, OPTIONS).await;
    answer.expect(StatusCode::OK).data()
}

/// What asks a device to prove whose it is.
async fn login_options(stage: &Stage) -> Value {
    let answer = post_nothing(&stage.anybody(), LOGIN_OPTIONS).await;
    answer.expect(StatusCode::OK).data()
}

/// Registers a key that a device makes now.
async fn register(client: &Client, device: &mut Authenticator, name: Option<&str>) -> Answer {
    let mut body = device.create(&creation_options(client).await);
    if let Some(name) = name {
        body["name"] = name.into();
    }
    client.post(PASSKEYS, &body).await
}

/// The passkeys of whoever calls, newest first.
async fn listed(client: &Client) -> Vec<Value> {
    let list = client.get(PASSKEYS).await;
    list.expect(StatusCode::OK).data().as_array().unwrap().clone()
}

/// The body that proves by a device once more who one is.
fn by_passkey(answer: &Value) -> Value {
    json!({ "passkey": answer })
}

/// A session of who is asked for their password alone.
async fn by_password(stage: &Stage, account: &Account) -> Client {
    let session = expect_session(&stage.login(account).await);
    stage.anybody().with_token(&text(&session["accessToken"]))
}

/// How many events there are of a type about a passkey.
async fn events_of(stage: &Stage, kind: &str, passkey: &str) -> i64 {
    let events =
        format!("user_events where type = '{kind}' and resource_type = 'passkey' and resource_id = '{passkey}'");
    stage.database.count(&events).await
}

/// Panics where a registration was not refused for what the device answered.
#[track_caller]
fn expect_incorrect(answer: &Answer) {
    answer.expect_error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    assert_eq!(
        answer.refused_fields(),
        [("/response".to_owned(), "incorrect".to_owned())],
        "{}",
        answer.text
    );
}

#[track_caller]
fn expect_conflict(answer: &Answer, reason: &str) {
    answer.expect_error(StatusCode::CONFLICT, "CONFLICT");
    assert_eq!(answer.reason(), reason, "{}", answer.text);
}

#[track_caller]
fn expect_unknown(answer: &Answer) {
    answer.expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
}

/// All that an answer tells, but for what is another at each.
fn told(answer: &Answer) -> (StatusCode, Value, Vec<Option<String>>) {
    let mut json = answer.json();
    json["error"]["traceId"] = Value::Null;
    let headers = ["www-authenticate", "cache-control", "set-cookie"];
    let headers = headers.map(|name| answer.header(name).map(str::to_owned));
    (answer.status, json, headers.to_vec())
}

/// What a device or the page around it does otherwise than it should.
type Lie = (&'static str, fn(&mut Behaviour));

/// What is wrong with whatever a device is asked for.
const LIES: [Lie; 15] = [
    ("another origin", |told| {
        told.origin = Some("http://evil.test".to_owned());
    }),
    ("an origin below", |told| {
        told.origin = Some("http://www.tenantry.test".to_owned());
    }),
    ("an origin that begins alike", |told| {
        told.origin = Some("http://tenantry.test.evil.test".to_owned());
    }),
    ("an origin that ends alike", |told| {
        told.origin = Some("http://eviltenantry.test".to_owned());
    }),
    ("another scheme", |told| {
        told.origin = Some("https://tenantry.test".to_owned());
    }),
    ("another port", |told| {
        told.origin = Some("http://tenantry.test:8080".to_owned());
    }),
    ("a page inside of another's", |told| told.cross_origin = true),
    ("another relying party", |told| {
        told.rp_id = Some("evil.test".to_owned());
    }),
    ("a relying party below", |told| {
        told.rp_id = Some("www.tenantry.test".to_owned());
    }),
    ("a challenge that nobody put", |told| told.challenge = Some(vec![7; 32])),
    ("no challenge", |told| told.challenge = Some(Vec::new())),
    ("another type", |told| told.kind = Some("payment.get")),
    ("nobody there", |told| told.present = false),
    ("nobody verified", |told| told.verified = false),
    ("backed up without being able to", |told| told.backup_eligible = false),
];
