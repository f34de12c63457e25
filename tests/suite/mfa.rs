//! Signing in in two steps: the second factor, the codes for the day on which it is lost, the devices on which it is
//! not asked for, and what only those may do who just proved who they are.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test should stop where it fails"
)]

mod locking;
mod policy;
mod reauthenticating;
mod recovery_codes;
mod setting_up;
mod signing_in;
mod support;
mod trusted_devices;

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use tenantry_tests::{
    app::{Options, TestApp},
    authenticator::{Authenticator, STEP},
    client::{Account, Answer, Client, PASSWORD, text},
    database::{TestDatabase, connect},
};

pub(crate) const LOGIN: &str = "/api/v1/auth/login";
pub(crate) const REFRESH: &str = "/api/v1/auth/refresh";
const PASSWORD_PATH: &str = "/api/v1/auth/password";
pub(crate) const FORGOT: &str = "/api/v1/auth/password/forgot";
pub(crate) const RESET: &str = "/api/v1/auth/password/reset";
pub(crate) const ME: &str = "/api/v1/me";
pub(crate) const MFA: &str = "/api/v1/auth/mfa";
pub(crate) const VERIFY: &str = "/api/v1/auth/mfa/verify";
pub(crate) const TOTP: &str = "/api/v1/auth/mfa/totp";
pub(crate) const CONFIRM: &str = "/api/v1/auth/mfa/totp/confirm";
pub(crate) const RECOVERY_CODES: &str = "/api/v1/auth/mfa/recovery-codes";
const TRUSTED_DEVICES: &str = "/api/v1/auth/trusted-devices";
pub(crate) const REAUTHENTICATE: &str = "/api/v1/auth/reauthenticate";

/// Another password than that of every test account.
pub(crate) const OTHER: &str = "vermilion otters juggle";

/// What looks like a recovery code, and is nobody's.
const NO_RECOVERY_CODE: &str = "zzzz-zzzz-zzzz-zzzz";

/// How many wrong codes in a row lock.
const MOST_WRONG: usize = 10;

/// How long a lock lasts.
const LOCK: TimeDelta = TimeDelta::minutes(15);

/// How long who proved who they are need not do so again.
pub(crate) const FRESH: TimeDelta = TimeDelta::minutes(10);

/// An application whose clock stands still at the beginning of a code's step.
pub(crate) struct Stage {
    pub(crate) database: TestDatabase,
    pub(crate) app: TestApp,
}

/// Somebody with a second factor, whose registration was the first of their sessions.
pub(crate) struct Person {
    pub(crate) account: Account,
    pub(crate) authenticator: Authenticator,
    pub(crate) recovery_codes: Vec<String>,
}

impl Person {
    pub(crate) fn client(&self) -> &Client {
        &self.account.client
    }
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::with(Options::default()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        let database = TestDatabase::new().await;
        let app = TestApp::with(&database, options).await;
        app.clock.stop();
        let stage = Self { database, app };
        let into_step = stage.now().timestamp_millis().rem_euclid(STEP.num_milliseconds());
        stage.app.clock.advance(STEP - TimeDelta::milliseconds(into_step));
        stage
    }

    /// A stage with somebody who has a second factor.
    pub(crate) async fn with_ann() -> (Self, Person) {
        let stage = Self::new().await;
        let ann = stage.person("Ann").await;
        (stage, ann)
    }

    pub(crate) fn anybody(&self) -> Client {
        self.app.client()
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.app.clock.environment().now()
    }

    /// Somebody without a second factor, whose address is proven.
    pub(crate) async fn newcomer(&self, name: &str) -> Account {
        let account = self.anybody().register(name, None).await;
        // The mail that asks for the proof goes out first, so that no test counts it by chance.
        self.app.mails().await;
        let prove = "update users set email_verified_at = now() where email_canonical";
        self.database.superuser(format!("{prove} = '{}'", account.email)).await;
        account
    }

    /// Somebody with a second factor; a code that was not used yet is due.
    pub(crate) async fn person(&self, name: &str) -> Person {
        let account = self.newcomer(name).await;
        let person = self.equipped(account).await;
        self.app.clock.advance(STEP);
        person
    }

    /// Gives somebody a second factor, by the present code.
    pub(crate) async fn equipped(&self, account: Account) -> Person {
        let authenticator = begun(&account.client).await;
        let confirmed = confirm(&account.client, &authenticator.code(self.now())).await;
        let recovery_codes = codes_of(confirmed.expect(StatusCode::OK));
        Person {
            account,
            authenticator,
            recovery_codes,
        }
    }

    /// The code that is shown now.
    pub(crate) fn code(&self, person: &Person) -> String {
        person.authenticator.code(self.now())
    }

    /// The next code, once it is shown.
    pub(crate) fn next_code(&self, person: &Person) -> String {
        self.app.clock.advance(STEP);
        self.code(person)
    }

    pub(crate) fn wrong_code(&self, person: &Person) -> String {
        person.authenticator.wrong_code(self.now())
    }

    /// The first step of signing in.
    pub(crate) async fn login(&self, account: &Account) -> Answer {
        let body = json!({ "email": account.email, "password": PASSWORD });
        self.anybody().post(LOGIN, &body).await
    }

    /// What the first step gives to who has a second factor.
    pub(crate) async fn mfa_token(&self, person: &Person) -> String {
        expect_mfa_required(&self.login(&person.account).await)
    }

    /// The second step.
    pub(crate) async fn verify(&self, token: &str, code: &str) -> Answer {
        self.anybody().post(VERIFY, &proof(token, code)).await
    }

    /// Both steps, by the next code.
    pub(crate) async fn sign_in(&self, person: &Person) -> Client {
        let token = self.mfa_token(person).await;
        let code = self.next_code(person);
        let session = self.verify(&token, &code).await;
        self.anybody()
            .with_token(&text(&session.expect(StatusCode::OK).data()["accessToken"]))
    }

    /// The secret of the newest mail by which somebody chooses another password.
    pub(crate) async fn forgotten(&self, account: &Account) -> String {
        let asked = self.anybody().post(FORGOT, &json!({ "email": account.email })).await;
        asked.expect(StatusCode::ACCEPTED);
        let mails = self.app.mails().await;
        let start = "http://tenantry.test/reset-password?token=";
        let links = mails
            .iter()
            .filter(|mail| mail.to == account.email)
            .flat_map(|mail| mail.text.lines());
        let mut secrets = links.filter_map(|line| line.strip_prefix(start));
        secrets.next().expect("a link").to_owned()
    }

    /// How many mails somebody was sent so far.
    pub(crate) async fn mails_to(&self, account: &Account) -> usize {
        let mails = self.app.mails().await;
        mails.iter().filter(|mail| mail.to == account.email).count()
    }

    /// How many events there are of a type.
    pub(crate) async fn events(&self, kind: &str) -> i64 {
        self.database.count(&format!("user_events where type = '{kind}'")).await
    }

    /// How many sessions somebody has ever had.
    pub(crate) async fn sessions(&self, account: &Account) -> i64 {
        let sessions = format!("sessions where user_id = '{}'", account.user_id);
        self.database.count(&sessions).await
    }

    /// All that is stored, as text, binary columns in hexadecimal digits.
    pub(crate) async fn all_that_is_stored(&self) -> String {
        let mut superuser = connect(self.database.superuser_url()).await;
        let tables: Vec<String> = sqlx::query_scalar(
            "select relname::text from pg_class
             where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')",
        )
        .fetch_all(&mut superuser)
        .await
        .unwrap();
        let mut all = String::new();
        for table in tables {
            let read = format!("select coalesce(string_agg(to_jsonb(t)::text, ' '), '') from {table} t");
            let rows: String = sqlx::query_scalar(AssertSqlSafe(read))
                .fetch_one(&mut superuser)
                .await
                .unwrap();
            all += &rows;
        }
        all
    }
}

/// A body of the second step.
fn proof(token: &str, code: &str) -> Value {
    json!({ "mfaToken": token, "code": code })
}

/// A body that shows a code.
pub(crate) fn showing(code: &str) -> Value {
    json!({ "code": code })
}

/// `POST` without a body.
pub(crate) async fn post_nothing(client: &Client, path: &str) -> Answer {
    client.send(client.request(Method::POST, path)).await
}

pub(crate) async fn begin(client: &Client) -> Answer {
    post_nothing(client, TOTP).await
}

/// Begins to set a second factor up, and has an app scan it.
pub(crate) async fn begun(client: &Client) -> Authenticator {
    let answer = begin(client).await;
    answer.expect(StatusCode::OK);
    Authenticator::from_url(&text(&answer.data()["otpauthUrl"]))
}

pub(crate) async fn confirm(client: &Client, code: &str) -> Answer {
    client.post(CONFIRM, &showing(code)).await
}

pub(crate) async fn disable(client: &Client, code: &str) -> Answer {
    client
        .send(client.request(Method::DELETE, TOTP).json(&showing(code)))
        .await
}

/// Asks for other recovery codes.
pub(crate) async fn replace_codes(client: &Client, code: &str) -> Answer {
    client.post(RECOVERY_CODES, &showing(code)).await
}

pub(crate) async fn reauthenticate(client: &Client, body: &Value) -> Answer {
    client.post(REAUTHENTICATE, body).await
}

/// Proves again who one is, by one's password.
pub(crate) async fn freshen(client: &Client) {
    let again = reauthenticate(client, &json!({ "password": PASSWORD })).await;
    again.expect(StatusCode::OK);
}

/// What is told of one's second factors.
pub(crate) async fn factors(client: &Client) -> Value {
    let answer = client.get(MFA).await;
    answer.expect(StatusCode::OK).data()
}

/// The recovery codes of an answer.
pub(crate) fn codes_of(answer: &Answer) -> Vec<String> {
    let codes = answer.data()["recoveryCodes"].clone();
    codes.as_array().unwrap().iter().map(text).collect()
}

/// The names of an object's fields, sorted.
pub(crate) fn names(object: &Value) -> Vec<&str> {
    let mut names: Vec<_> = object.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

pub(crate) fn time(value: &Value) -> DateTime<Utc> {
    text(value).parse().unwrap()
}

/// Sends bodies in the same moment, and gives their answers.
pub(crate) async fn post_at_once<'a>(
    requests: impl IntoIterator<Item = (&'a Client, &'static str, Value)>,
) -> Vec<Answer> {
    let running: Vec<_> = requests
        .into_iter()
        .map(|(client, path, body)| {
            let client = client.clone();
            tokio::spawn(async move { client.post(path, &body).await })
        })
        .collect();
    let mut answers = Vec::new();
    for one in running {
        answers.push(one.await.unwrap());
    }
    answers
}

/// How many answers have a status.
pub(crate) fn count(answers: &[Answer], status: StatusCode) -> usize {
    answers.iter().filter(|answer| answer.status == status).count()
}

#[track_caller]
pub(crate) fn expect_unauthorized(answer: &Answer) {
    answer.expect_error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED");
}

/// Panics where an answer is not that of a first step that asks for a second; gives its token.
#[track_caller]
pub(crate) fn expect_mfa_required(answer: &Answer) -> String {
    let data = answer.expect(StatusCode::OK).data();
    assert_eq!(data["status"], "mfa_required");
    text(&data["mfaToken"])
}

/// Panics where an answer is not a session.
#[track_caller]
pub(crate) fn expect_session(answer: &Answer) -> Value {
    let data = answer.expect(StatusCode::OK).data();
    assert_eq!(data["status"], "authenticated");
    data
}

/// Panics where a code was not found wrong by somebody who is signed in.
#[track_caller]
fn expect_incorrect(answer: &Answer) {
    answer.expect_error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    assert_eq!(
        answer.refused_fields(),
        [("/code".to_owned(), "incorrect".to_owned())],
        "{}",
        answer.text
    );
    // The access token is as good as before, and no client is told to renew it.
    assert_eq!(answer.header("www-authenticate"), None);
}

/// Panics where codes are not locked for so many seconds more.
#[track_caller]
fn expect_locked(answer: &Answer, seconds: i64) {
    answer.expect_error(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED");
    assert_eq!(
        answer.json()["error"]["details"],
        json!({ "scope": "user", "limit": 10, "retryAfter": seconds })
    );
    assert_eq!(answer.header("retry-after"), Some(seconds.to_string().as_str()));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

/// Panics where an answer does not ask the caller to prove again who they are.
#[track_caller]
pub(crate) fn expect_stale(answer: &Answer) {
    answer.expect_error(StatusCode::FORBIDDEN, "REAUTHENTICATION_REQUIRED");
    assert_eq!(answer.json()["error"]["details"], json!({ "maxAgeSeconds": 600 }));
}
