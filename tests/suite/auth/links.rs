//! Links that are mailed: proving an address, and choosing another password.

use chrono::TimeDelta;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tenantry::configuration::RateLimits;
use tenantry_tests::{
    app::{Options, TestApp},
    client::{Account, Answer, Client, PASSWORD},
    database::TestDatabase,
};

use super::{LOGIN, ME, refresh, sign_in};

const VERIFY: &str = "/api/v1/auth/email/verify";
const RESEND: &str = "/api/v1/auth/email/resend";
const FORGOT: &str = "/api/v1/auth/password/forgot";
const RESET: &str = "/api/v1/auth/password/reset";
const OTHER: &str = "another phrase, just as long";

/// An application with somebody whose first mail has gone out.
struct Stage {
    database: TestDatabase,
    app: TestApp,
    ann: Account,
}

impl Stage {
    async fn new() -> Self {
        Self::with(Options::default()).await
    }

    async fn with(options: Options) -> Self {
        let database = TestDatabase::new().await;
        let app = TestApp::with(&database, options).await;
        app.clock.stop();
        let ann = app.client().register("Ann", None).await;
        Self { database, app, ann }
    }

    fn anybody(&self) -> Client {
        self.app.client()
    }

    /// The secret in the newest mail, which leads to `page`.
    async fn newest_secret(&self, page: &str) -> String {
        let mails = self.app.mails().await;
        let mail = mails.first().expect("a mail");
        assert_eq!(mail.to, self.ann.email);
        let start = format!("http://tenantry.test/{page}?token=");
        let link = mail.text.lines().find(|line| line.starts_with(&start)).expect("a link");
        link.strip_prefix(&start).unwrap().to_owned()
    }

    async fn forgotten(&self) -> String {
        let asked = self.anybody().post(FORGOT, &json!({ "email": self.ann.email })).await;
        expect_accepted(&asked);
        self.newest_secret("reset-password").await
    }

    async fn reset(&self, secret: &str, password: &str) -> Answer {
        let body = json!({ "token": secret, "password": password });
        self.anybody().post(RESET, &body).await
    }

    async fn is_verified(&self) -> bool {
        self.ann.client.get(ME).await.data()["emailVerified"] == true
    }
}

#[track_caller]
fn expect_accepted(answer: &Answer) {
    answer.expect(StatusCode::ACCEPTED);
    assert_eq!(answer.data(), json!({ "status": "accepted" }));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[track_caller]
fn expect_gone(answer: &Answer) {
    answer.expect_error(StatusCode::GONE, "GONE");
    assert_eq!(answer.json()["error"]["details"], Value::Null);
}

async fn verify(client: &Client, secret: &str) -> Answer {
    client.post(VERIFY, &json!({ "token": secret })).await
}

#[tokio::test]
async fn who_registers_is_mailed_a_link_that_proves_the_address_once() {
    let stage = Stage::new().await;
    assert!(!stage.is_verified().await);
    let secret = stage.newest_secret("verify-email").await;
    let proven = verify(&stage.anybody(), &secret).await;
    assert_eq!(
        proven.expect(StatusCode::OK).data(),
        json!({ "email": stage.ann.email, "emailVerified": true })
    );
    assert!(stage.is_verified().await);
    expect_gone(&verify(&stage.anybody(), &secret).await);
    assert_eq!(stage.app.mails().await.len(), 1);
    assert_eq!(
        stage
            .database
            .count("user_events where type = 'user.email_verified'")
            .await,
        1
    );
}

#[tokio::test]
async fn a_link_is_good_for_its_time_and_its_purpose() {
    let stage = Stage::new().await;
    let verification = stage.newest_secret("verify-email").await;
    let reset = stage.forgotten().await;
    expect_gone(&verify(&stage.anybody(), &reset).await);
    expect_gone(&stage.reset(&verification, OTHER).await);
    let edited = format!("{}A", &reset[..reset.len() - 1]);
    for nonsense in ["", "tnl_", "x", &edited, &reset[1..], &"tnl_A".repeat(200), "tnl_é"] {
        if nonsense != reset {
            expect_gone(&stage.reset(nonsense, OTHER).await);
            expect_gone(&verify(&stage.anybody(), nonsense).await);
        }
    }
    stage.app.clock.advance(TimeDelta::hours(1));
    expect_gone(&stage.reset(&reset, OTHER).await);
    stage.app.clock.advance(TimeDelta::hours(23));
    expect_gone(&verify(&stage.anybody(), &verification).await);
    sign_in(&stage.anybody(), &stage.ann.email).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn another_link_is_mailed_to_who_asks_and_needs_one() {
    let stage = Stage::new().await;
    stage.app.mails().await;
    let ann = &stage.ann.client;
    let without_body = ann.send(ann.request(Method::POST, RESEND)).await;
    expect_accepted(&without_body);
    let first = stage.newest_secret("verify-email").await;
    let by_address = json!({ "email": stage.ann.email.to_uppercase() });
    expect_accepted(&stage.anybody().post(RESEND, &by_address).await);
    let second = stage.newest_secret("verify-email").await;
    assert_eq!(stage.app.mails().await.len(), 3);
    assert_ne!(first, second);
    // One that came before another is as good, until one of them is used.
    verify(&stage.anybody(), &first).await.expect(StatusCode::OK);
    expect_gone(&verify(&stage.anybody(), &second).await);
    // Who has proven the address is mailed nothing, and told nothing else.
    expect_accepted(&stage.anybody().post(RESEND, &by_address).await);
    expect_accepted(&ann.send(ann.request(Method::POST, RESEND)).await);
    assert_eq!(stage.app.mails().await.len(), 3);
    let nobody = stage.anybody();
    let neither = nobody.send(nobody.request(Method::POST, RESEND)).await;
    neither.expect_error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED");
}

#[tokio::test]
async fn nobody_is_told_who_has_an_account() {
    let stage = Stage::new().await;
    stage.app.mails().await;
    for path in [FORGOT, RESEND] {
        let mut answers = Vec::new();
        for email in [stage.ann.email.as_str(), "nobody@example.com"] {
            let answer = stage.anybody().post(path, &json!({ "email": email })).await;
            expect_accepted(&answer);
            let mut headers: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
            headers.sort();
            answers.push((answer.text, headers));
        }
        assert_eq!(answers[0], answers[1]);
    }
    let to: Vec<String> = stage.app.mails().await.into_iter().map(|mail| mail.to).collect();
    assert_eq!(to, vec![stage.ann.email.clone(); 3]);
    for wrong in [
        json!({}),
        json!({ "email": "x" }),
        json!({ "email": 1 }),
        json!({ "mail": "a@example.com" }),
    ] {
        let answer = stage.anybody().post(FORGOT, &wrong).await;
        answer.expect_error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    }
}

#[tokio::test]
async fn a_reset_ends_all_sessions_and_tells_the_owner() {
    let stage = Stage::new().await;
    let secret = stage.forgotten().await;
    for (weak, code) in [
        ("too short", "length"),
        ("passwordpassword", "common"),
        (&format!("long enough {}", local_part(&stage.ann.email)), "common"),
    ] {
        let refused = stage.reset(&secret, weak).await;
        refused.expect_error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
        let field = &refused.json()["error"]["details"]["fields"][0];
        assert_eq!(
            (field["field"].as_str(), field["code"].as_str()),
            (Some("/password"), Some(code))
        );
    }
    let done = stage.reset(&secret, OTHER).await;
    assert_eq!(
        done.expect(StatusCode::OK).data(),
        json!({ "email": stage.ann.email, "emailVerified": true })
    );
    expect_gone(&stage.reset(&secret, PASSWORD).await);
    stage.ann.client.get(ME).await.expect(StatusCode::UNAUTHORIZED);
    refresh(&stage.anybody(), &stage.ann.refresh_token)
        .await
        .expect(StatusCode::UNAUTHORIZED);
    sign_in(&stage.anybody(), &stage.ann.email)
        .await
        .expect(StatusCode::UNAUTHORIZED);
    let told = async || {
        let newest = stage.app.mails().await.swap_remove(0);
        (newest.subject, newest.to)
    };
    assert_eq!(
        told().await,
        ("Your password was changed".to_owned(), stage.ann.email.clone())
    );
    let body = json!({ "email": stage.ann.email, "password": OTHER });
    stage.anybody().post(LOGIN, &body).await.expect(StatusCode::OK);
    // Whoever had the account meanwhile may have signed in on a device like this.
    assert_eq!(
        told().await,
        (
            "Your account was signed in to from a new device".to_owned(),
            stage.ann.email.clone()
        )
    );
}

fn local_part(email: &str) -> &str {
    email.split_once('@').unwrap().0
}

#[tokio::test]
async fn one_of_many_who_use_a_link_at_once_has_used_it() {
    let stage = Stage::new().await;
    let secret = stage.forgotten().await;
    let other = stage.forgotten().await;
    let running: Vec<_> = (0..10)
        .map(|number| {
            let (client, secret) = (stage.anybody(), if number % 2 == 0 { &secret } else { &other });
            let body = json!({ "token": secret, "password": format!("{OTHER} {number}") });
            tokio::spawn(async move { client.post(RESET, &body).await })
        })
        .collect();
    let mut good = 0;
    for answer in running {
        let answer = answer.await.unwrap();
        if answer.status == StatusCode::OK {
            good += 1;
        } else {
            expect_gone(&answer);
        }
    }
    assert_eq!(good, 1);
    assert_eq!(
        stage
            .database
            .count("user_events where type = 'user.password_reset'")
            .await,
        1
    );
}

#[tokio::test]
async fn who_changes_a_password_is_told_in_their_language() {
    let stage = Stage::new().await;
    let ann = &stage.ann.client;
    ann.patch(ME, &json!({ "locale": "de-AT" }))
        .await
        .expect(StatusCode::OK);
    let secret = stage.newest_secret("verify-email").await;
    let older = stage.forgotten().await;
    let change = json!({ "currentPassword": PASSWORD, "newPassword": OTHER });
    ann.put("/api/v1/auth/password", &change).await.expect(StatusCode::OK);
    // Whose address it is has not been proven: perhaps somebody else's, who has nothing to do with it.
    assert_eq!(stage.app.mails().await.len(), 2);
    // Whoever has an older mail does not undo it.
    expect_gone(&stage.reset(&older, PASSWORD).await);

    verify(&stage.anybody(), &secret).await.expect(StatusCode::OK);
    let back = json!({ "currentPassword": OTHER, "newPassword": PASSWORD });
    ann.put("/api/v1/auth/password", &back).await.expect(StatusCode::OK);
    let mails = stage.app.mails().await;
    assert_eq!(
        (mails.len(), mails[0].subject.as_str()),
        (3, "Ihr Passwort wurde geändert")
    );
    assert!(mails[0].html.contains("lang=\"de\""));
}

#[tokio::test]
async fn a_mailbox_is_filled_by_nobody() {
    let stage = Stage::with(Options {
        rate_limits: RateLimits::On,
        ..Options::default()
    })
    .await;
    for email in [stage.ann.email.as_str(), "nobody@example.com"] {
        let body = json!({ "email": email });
        // Using up the one leaves the other: nobody is kept from a new password by requests for something else.
        for path in [RESEND, FORGOT] {
            for _ in 0..5 {
                let asked = stage.anybody().post(path, &body).await;
                expect_accepted(&asked);
                // The caller's own limit is told: how often others asked is not.
                assert_eq!(asked.header("ratelimit-limit"), Some("30"));
            }
            let refused = stage.anybody().post(path, &body).await;
            refused.expect_error(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED");
            assert_eq!(refused.json()["error"]["details"]["scope"], "user");
        }
    }
    let ann = &stage.ann.client;
    let own = ann.send(ann.request(Method::POST, RESEND)).await;
    own.expect(StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(stage.app.mails().await.len(), 11);
}

#[tokio::test]
async fn who_is_gone_or_was_mailed_too_late_gets_nothing() {
    let stage = Stage::new().await;
    stage.app.mails().await;
    expect_accepted(&stage.anybody().post(FORGOT, &json!({ "email": stage.ann.email })).await);
    // A link that has expired before its mail went out is not mailed.
    stage.app.clock.advance(TimeDelta::hours(1));
    assert_eq!(stage.app.mails().await.len(), 1);
    assert_eq!(
        stage
            .database
            .count("user_jobs where dead_at is not null and last_error like '%expired%'")
            .await,
        1
    );
    let account = stage.app.client().register("Ann", None).await;
    account.client.delete(ME).await.expect(StatusCode::NO_CONTENT);
    assert_eq!(stage.app.mails().await.len(), 1);
    assert_eq!(
        stage
            .database
            .count(&format!("user_links where user_id = '{}'", account.user_id))
            .await,
        0
    );
}

#[tokio::test]
async fn what_opens_a_link_is_stored_nowhere() {
    let stage = Stage::new().await;
    let secret = stage.forgotten().await;
    let stored = stage
        .database
        .count(&format!(
            "user_links l where to_jsonb(l)::text like '%{}%' or to_jsonb(l)::text like '%{}%'",
            &secret[4..20],
            &secret[26..]
        ))
        .await;
    assert_eq!(stored, 0);
    assert_eq!(stage.database.count("user_links").await, 2);
}
