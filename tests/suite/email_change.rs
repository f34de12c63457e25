//! Another address in place of one's own: both are asked, each by a link that is mailed there.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test should stop where it fails"
)]

mod at_once;
mod confirming;
mod limits;
mod mails;
mod refusals;

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_integrations::mail::Kept;
use tenantry_tests::{
    app::PUBLIC_URL,
    client::{Account, Answer, Client, PASSWORD, text},
    passkey::Authenticator,
};

use crate::mfa::{LOGIN, ME, Stage, post_nothing};

const CHANGE: &str = "/api/v1/auth/email/change";
const CONFIRM: &str = "/api/v1/auth/email/change/confirm";
const REGISTER: &str = "/api/v1/auth/register";

/// The page that the links lead to.
const PAGE: &str = "confirm-email-change";

/// How long there is to confirm.
const LIFE: TimeDelta = TimeDelta::hours(24);

/// The two who are asked.
const CURRENT: &str = "current_address";
const NEW: &str = "new_address";

/// An address that nobody has.
const WANTED: &str = "ann.new@example.org";

/// A change that somebody has asked for, and what was mailed for it.
struct Asked {
    /// The address that is wanted.
    email: String,
    /// The secret that was mailed to the present address.
    approval: String,
    /// The secret that was mailed to the one that is wanted.
    proof: String,
}

impl Asked {
    /// Asks for another address, as somebody whose present one is proven.
    async fn by(stage: &Stage, account: &Account, email: &str) -> Self {
        ask(&account.client, email).await.expect(StatusCode::ACCEPTED);
        Self {
            email: email.to_owned(),
            approval: secret(stage, &account.email, PAGE).await,
            proof: secret(stage, email, PAGE).await,
        }
    }

    /// Follows both links.
    async fn confirmed(&self, stage: &Stage) {
        expect_pending(&confirm(stage, &self.approval).await, &self.email, NEW);
        expect_changed(&confirm(stage, &self.proof).await, &self.email);
    }

    /// Panics where one of the links is good.
    async fn expect_gone(&self, stage: &Stage) {
        for secret in [&self.approval, &self.proof] {
            expect_gone(&confirm(stage, secret).await);
        }
    }
}

/// Asks for another address.
async fn ask(client: &Client, email: &str) -> Answer {
    client.post(CHANGE, &json!({ "email": email })).await
}

/// Follows a link.
async fn confirm(stage: &Stage, secret: &str) -> Answer {
    stage.anybody().post(CONFIRM, &json!({ "token": secret })).await
}

/// The change of whoever calls that is under way.
async fn under_way(client: &Client) -> Option<Value> {
    let answer = client.get(CHANGE).await;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    if answer.status == StatusCode::OK {
        return Some(answer.data());
    }
    answer.expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
    None
}

/// The address of whoever calls, and whether it is proven.
async fn address(client: &Client) -> (String, bool) {
    let me = client.get(ME).await.expect(StatusCode::OK).data();
    (text(&me["email"]), me["emailVerified"].as_bool().unwrap())
}

/// Whether an address and the password of every test account sign in.
async fn signs_in(stage: &Stage, email: &str) -> bool {
    let login = json!({ "email": email, "password": PASSWORD });
    let answer = stage.anybody().post(LOGIN, &login).await;
    if answer.status == StatusCode::OK {
        return true;
    }
    answer.expect_error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED");
    false
}

/// The same person by another address.
fn moved(account: &Account, email: &str) -> Account {
    Account {
        email: email.to_owned(),
        ..account.clone()
    }
}

/// The mails to an address, newest first.
async fn mails_to(stage: &Stage, email: &str) -> Vec<Kept> {
    let mut mails = stage.app.mails().await;
    mails.retain(|mail| mail.to.eq_ignore_ascii_case(email));
    mails
}

/// The secrets in the mails to an address that lead to a page, newest first.
async fn secrets(stage: &Stage, email: &str, page: &str) -> Vec<String> {
    let start = format!("{PUBLIC_URL}/{page}?token=");
    let mails = mails_to(stage, email).await;
    mails
        .iter()
        .filter_map(|mail| mail.text.lines().find_map(|line| line.strip_prefix(&start)))
        .map(str::to_owned)
        .collect()
}

/// The newest of them.
async fn secret(stage: &Stage, email: &str, page: &str) -> String {
    let secrets = secrets(stage, email, page).await;
    let secret = secrets.first().expect("a mail with a link");
    assert!(secret.starts_with("tnl_"), "{secret}");
    secret.clone()
}

/// How many events of a type somebody has.
async fn events_of(stage: &Stage, account: &Account, kind: &str) -> i64 {
    let events = format!("user_events where type = '{kind}' and user_id = '{}'", account.user_id);
    stage.database.count(&events).await
}

/// A phone that holds a passkey of whoever calls from now on.
pub(crate) async fn phone_of(client: &Client) -> Authenticator {
    let mut phone = Authenticator::new(PUBLIC_URL);
    let options = post_nothing(client, "/api/v1/auth/passkeys/options").await;
    let made = phone.create(&options.expect(StatusCode::OK).data());
    let registered = client.post("/api/v1/auth/passkeys", &made).await;
    registered.expect(StatusCode::CREATED);
    phone
}

/// Signs in by the passkey of a phone.
pub(crate) async fn enter_by(phone: &mut Authenticator, client: &Client) -> Answer {
    let options = post_nothing(client, "/api/v1/auth/passkeys/login/options").await;
    let answer = phone.get(&options.expect(StatusCode::OK).data());
    client.post("/api/v1/auth/passkeys/login", &answer).await
}

/// Panics where a link did not confirm one address of two, the other of which is this.
#[track_caller]
fn expect_pending(answer: &Answer, email: &str, awaited: &str) {
    assert_eq!(
        answer.expect(StatusCode::OK).data(),
        json!({ "status": "pending", "email": email, "awaits": [awaited] })
    );
}

/// Panics where a link was not the last that was waited for.
#[track_caller]
fn expect_changed(answer: &Answer, email: &str) {
    assert_eq!(
        answer.expect(StatusCode::OK).data(),
        json!({ "status": "changed", "email": email, "awaits": [] })
    );
}

#[track_caller]
fn expect_gone(answer: &Answer) {
    answer.expect_error(StatusCode::GONE, "GONE");
    assert_eq!(answer.json()["error"]["details"], Value::Null);
}
