//! Mails about sign-ins on devices, and from networks, that somebody did not sign in on or from before.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test should stop where it fails"
)]

mod bounds;
mod ways_in;

use chrono::TimeDelta;
use reqwest::StatusCode;
use secrecy::SecretString;
use serde_json::json;
use tenantry_domain::{sessions::Device, trace::TraceId};
use tenantry_integrations::mail::Kept;
use tenantry_services::sessions::{Credentials, SignIn};
use tenantry_tests::client::{Account, Client, PASSWORD};

use crate::mfa::{LOGIN, ME, Stage, expect_session};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const NEWER_FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0";
const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                      Chrome/140.0.0.0 Safari/537.36";

/// Somebody whose mails are counted from now on.
struct Watched {
    account: Account,
    before: usize,
}

impl Watched {
    async fn new(stage: &Stage, account: Account) -> Self {
        let before = stage.mails_to(&account).await;
        Self { account, before }
    }

    /// Somebody new, whose address is proven.
    async fn newcomer(stage: &Stage, name: &str) -> Self {
        Self::new(stage, stage.newcomer(name).await).await
    }

    /// The mails to them since, newest first.
    async fn mails(&self, stage: &Stage) -> Vec<Kept> {
        let mut mails = stage.app.mails().await;
        mails.retain(|mail| mail.to == self.account.email);
        mails.truncate(mails.len() - self.before);
        mails
    }

    /// How many devices and networks they are known by.
    async fn known(&self, stage: &Stage) -> i64 {
        let known = format!("known_devices where user_id = '{}'", self.account.user_id);
        stage.database.count(&known).await
    }

    /// Signs in by the password.
    async fn sign_in(&self, client: &Client) {
        let login = json!({ "email": self.account.email, "password": PASSWORD });
        expect_session(&client.post(LOGIN, &login).await);
    }

    /// The same on a device that does not say what it is, from an address that no test could really come from.
    async fn sign_in_from(&self, stage: &Stage, ip: &str) {
        let credentials = Credentials {
            email: self.account.email.clone(),
            password: SecretString::from(PASSWORD),
            trusted_devices: Vec::new(),
        };
        let device = Device {
            ip: Some(ip.parse().unwrap()),
            user_agent: None,
        };
        let trace = TraceId::new(&stage.app.clock.environment());
        let signed_in = stage.app.services.sign_in(credentials, &device, trace).await;
        assert!(matches!(signed_in, Ok(SignIn::Done(_))), "{ip}");
    }
}

/// Somebody's client on a device that calls itself so.
fn on(stage: &Stage, agent: &str) -> Client {
    stage.anybody().with_header("user-agent", agent)
}

/// Panics where not both bodies of a mail show something.
#[track_caller]
fn shows(mail: &Kept, what: &str) {
    for body in [&mail.text, &mail.html] {
        assert!(body.contains(what), "no {what:?} in {body}");
    }
}

#[tokio::test]
async fn a_new_device_is_told_once() {
    let stage = Stage::new().await;
    let ann = Watched::newcomer(&stage, "Ann").await;
    stage.app.clock.advance(TimeDelta::minutes(7));
    let at = stage.now().format("%Y-%m-%d %H:%M UTC").to_string();
    ann.sign_in(&on(&stage, FIREFOX)).await;
    stage.app.clock.advance(TimeDelta::minutes(7));
    let mails = ann.mails(&stage).await;
    assert_eq!(mails.len(), 1);
    for told in ["Firefox on Linux", "127.0.0.1", &at, "password"] {
        shows(&mails[0], told);
    }
    assert!(mails[0].html.contains("lang=\"en\""), "{}", mails[0].html);
    // It opens nothing by itself.
    assert!(!mails[0].text.contains("token="), "{}", mails[0].text);
    // The same again, its next version, and what somebody began with.
    for known in [on(&stage, FIREFOX), on(&stage, NEWER_FIREFOX), stage.anybody()] {
        ann.sign_in(&known).await;
        assert_eq!(ann.mails(&stage).await.len(), 1);
    }
    ann.sign_in(&on(&stage, CHROME)).await;
    let mails = ann.mails(&stage).await;
    assert_eq!(mails.len(), 2);
    shows(&mails[0], "Chrome on Windows");
    assert_eq!(ann.known(&stage).await, 3);
}

#[tokio::test]
async fn what_is_no_browser_is_known_by_what_it_calls_itself() {
    let stage = Stage::new().await;
    let ann = Watched::newcomer(&stage, "Ann").await;
    for (agent, mails) in [
        ("acme-sync/1.0 (nightly)", 1),
        ("acme-sync/2.0", 1),
        ("other-sync/2.0", 2),
    ] {
        ann.sign_in(&on(&stage, agent)).await;
        assert_eq!(ann.mails(&stage).await.len(), mails, "{agent}");
    }
    shows(&ann.mails(&stage).await[0], "other-sync");
}

/// About one provider in one region: the address that somebody has at home changes, and what is around it seldom does.
#[tokio::test]
async fn another_network_is_told_once() {
    let stage = Stage::new().await;
    let ann = Watched::newcomer(&stage, "Ann").await;
    let mut told = 0;
    for (ip, is_new) in [
        ("203.0.113.5", true),
        ("203.0.113.5", false),
        ("203.0.255.1", false),
        ("203.1.113.5", true),
        ("2001:db8:1::1", true),
        ("2001:db8:ffff::9", false),
        ("2001:db9:1::1", true),
        // IPv4, as a socket for both shows it.
        ("::ffff:203.0.7.7", false),
        ("::ffff:198.51.100.7", true),
        ("198.51.3.3", false),
        ("127.0.9.9", false),
    ] {
        ann.sign_in_from(&stage, ip).await;
        told += usize::from(is_new);
        let mails = ann.mails(&stage).await;
        assert_eq!(mails.len(), told, "{ip}");
        if is_new {
            shows(&mails[0], ip.trim_start_matches("::ffff:"));
        }
    }
    // Both count: a known device in a network that is known from another device only is new there.
    ann.sign_in(&on(&stage, FIREFOX)).await;
    assert_eq!(ann.mails(&stage).await.len(), told + 1);
}

#[tokio::test]
async fn the_mail_is_in_the_language_of_its_reader() {
    let stage = Stage::new().await;
    let ann = Watched::newcomer(&stage, "Ann").await;
    let locale = ann.account.client.patch(ME, &json!({ "locale": "de-AT" })).await;
    locale.expect(StatusCode::OK);
    ann.sign_in(&on(&stage, FIREFOX)).await;
    let mails = ann.mails(&stage).await;
    for told in ["Firefox on Linux", "127.0.0.1", "Passwort"] {
        shows(&mails[0], told);
    }
    assert!(mails[0].html.contains("lang=\"de\""), "{}", mails[0].html);
}

/// Perhaps the address is not theirs, and its owner has nothing to do with it.
#[tokio::test]
async fn an_unproven_address_is_mailed_nothing() {
    let stage = Stage::new().await;
    let account = stage.anybody().register("Ann", None).await;
    let ann = Watched::new(&stage, account).await;
    ann.sign_in(&on(&stage, FIREFOX)).await;
    assert_eq!(ann.mails(&stage).await.len(), 0);
    // What was seen meanwhile is nothing new afterwards.
    let prove = "update users set email_verified_at = now() where email_canonical";
    let prove = format!("{prove} = '{}'", ann.account.email);
    stage.database.superuser(prove).await;
    ann.sign_in(&on(&stage, FIREFOX)).await;
    assert_eq!(ann.mails(&stage).await.len(), 0);
    ann.sign_in(&on(&stage, CHROME)).await;
    assert_eq!(ann.mails(&stage).await.len(), 1);
}

/// Who has an account from before anything was noted is not told of what they always used.
#[tokio::test]
async fn the_first_sign_in_of_which_anything_is_known_is_silent() {
    let stage = Stage::new().await;
    let ann = Watched::newcomer(&stage, "Ann").await;
    let bob = Watched::newcomer(&stage, "Bob").await;
    stage.database.superuser("delete from known_devices").await;
    ann.sign_in(&on(&stage, FIREFOX)).await;
    assert_eq!(ann.mails(&stage).await.len(), 0);
    ann.sign_in(&on(&stage, CHROME)).await;
    assert_eq!(ann.mails(&stage).await.len(), 1);
    // What others sign in on says nothing of oneself.
    bob.sign_in(&on(&stage, CHROME)).await;
    bob.sign_in(&on(&stage, FIREFOX)).await;
    assert_eq!(bob.mails(&stage).await.len(), 1);
    assert_eq!(ann.mails(&stage).await.len(), 1);
}

/// What a device calls itself was chosen by whoever signed in, who may be somebody else than the reader.
#[tokio::test]
async fn a_device_carries_no_message() {
    let stage = Stage::new().await;
    let ann = Watched::newcomer(&stage, "Ann").await;
    let long = "x".repeat(5000);
    for (number, agent) in [
        "www.evil.example/1.0",
        "http://evil.example/prize",
        "<b>evil/1.0",
        "evil.example/prize",
        &long,
    ]
    .into_iter()
    .enumerate()
    {
        ann.sign_in(&on(&stage, agent)).await;
        let mails = ann.mails(&stage).await;
        assert_eq!(mails.len(), number + 1, "{agent}");
        for part in [&mails[0].subject, &mails[0].text, &mails[0].html] {
            for evil in ["http://evil", "www.evil", "evil.example/", &long[..101]] {
                assert!(!part.contains(evil), "{evil:?} in {part}");
            }
        }
        assert!(!mails[0].html.contains("<b>evil"), "{}", mails[0].html);
    }
}
