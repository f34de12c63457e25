//! Accounts that an operator makes, whoever may register.

use reqwest::StatusCode;
use serde_json::json;
use tenantry::configuration::Registration;
use tenantry_tests::{
    app::{Options, TestApp},
    client::{Answer, Client, text},
    database::TestDatabase,
};

use super::{process::Outcome, serving::Deployment};

const PASSWORD: &str = "a phrase that nobody guesses";

/// An installation in which nobody registers.
struct Closed {
    database: TestDatabase,
    app: TestApp,
}

impl Closed {
    async fn new() -> Self {
        let database = TestDatabase::new().await;
        let options = Options {
            registration: Registration::Private,
            ..Options::default()
        };
        let app = TestApp::with(&database, options).await;
        Self { database, app }
    }

    /// What comes of `tenantry user create` with these words, and this on the standard input.
    async fn create(&self, line: &str, input: &str) -> Outcome {
        let deployment = Deployment::new(self.database.runtime_url(), self.database.owner_url());
        deployment
            .command(&format!("user create {line}"))
            .input(input)
            .run()
            .await
    }

    async fn login(&self, email: &str, password: &str) -> Answer {
        let credentials = json!({ "email": email, "password": password });
        self.app.client().post("/api/v1/auth/login", &credentials).await
    }

    async fn signed_in(&self, email: &str, password: &str) -> Client {
        let session = self.login(email, password).await.expect(StatusCode::OK).data();
        self.app.client().with_token(&text(&session["accessToken"]))
    }
}

#[tokio::test]
async fn the_first_account_of_a_closed_installation_owns_its_organization() {
    let closed = Closed::new().await;
    let line = "Olivia@example.com --name Olivia --organization Acme --password-stdin";
    let made = closed.create(line, &format!("{PASSWORD}\nand nothing of this\n")).await;
    made.expect(0)
        .says("Olivia@example.com has an account")
        .says("owns the organization Acme");
    made.keeps(&[PASSWORD.to_owned()]);
    let olivia = closed.signed_in("olivia@example.com", PASSWORD).await;
    let me = olivia.get("/api/v1/me").await.data();
    assert_eq!((&me["name"], &me["emailVerified"]), (&json!("Olivia"), &json!(true)));
    let organizations = olivia.get("/api/v1/me/organizations").await.data();
    assert_eq!(organizations.as_array().unwrap().len(), 1);
    assert_eq!(organizations[0]["role"]["key"], "owner");
    // Nobody is signed in by it, and there is nothing to be proven.
    assert_eq!(closed.database.count("sessions").await, 1);
    assert!(closed.app.mails().await.is_empty());
}

#[tokio::test]
async fn whoever_gets_no_password_is_mailed_a_link_to_choose_one() {
    let closed = Closed::new().await;
    let made = closed.create("ann@example.com --name Ann", "").await;
    made.expect(0).says("is mailed a link");
    assert_eq!(closed.database.count("credentials").await, 0);
    let refused = closed.login("ann@example.com", PASSWORD).await;
    refused.expect_error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED");
    let mails = closed.app.mails().await;
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].to, "ann@example.com");
    let (_, token) = mails[0].text.split_once("/reset-password?token=").unwrap();
    let token: String = token.chars().take_while(|c| !c.is_whitespace()).collect();
    let reset = json!({ "token": token, "password": PASSWORD });
    let reset = closed.app.client().post("/api/v1/auth/password/reset", &reset).await;
    reset.expect(StatusCode::OK);
    closed.signed_in("ann@example.com", PASSWORD).await;
}

#[tokio::test]
async fn what_makes_no_account_says_why_and_makes_nothing() {
    let closed = Closed::new().await;
    closed.create("ann@example.com --name Ann", "").await.expect(0);
    let taken = closed.create("ANN@example.com --name Ann", "").await;
    taken
        .expect(1)
        .complains("somebody has the address ANN@example.com already");
    let no_address = closed.create("ann --name Ann", "").await;
    no_address.expect(1).complains("is not an e-mail address");
    for (password, why) in [
        ("", "at least 12 characters"),
        ("short", "at least 12 characters"),
        ("passwordpassword", "easy to guess"),
        (&"x1 ".repeat(50), "at most 128 characters"),
    ] {
        let weak = closed
            .create(
                "bob@example.com --name Bob --organization Acme --password-stdin",
                password,
            )
            .await;
        weak.expect(1).complains(why);
    }
    assert_eq!(closed.database.count("users").await, 1);
    assert_eq!(closed.database.count("organizations").await, 0);
}

#[tokio::test]
async fn whoever_lost_their_mailbox_is_given_another_address_and_the_former_one_is_told() {
    let closed = Closed::new().await;
    let line = "ann@example.com --name Ann --password-stdin";
    closed.create(line, PASSWORD).await.expect(0);
    closed.create("bob@example.com --name Bob", "").await.expect(0);
    closed.app.mails().await;
    let ann = closed.signed_in("ann@example.com", PASSWORD).await;
    let change = json!({ "email": "ann@example.net" });
    let asked = ann.post("/api/v1/auth/email/change", &change).await;
    asked.expect(StatusCode::ACCEPTED);

    let given = |line: &'static str| {
        let deployment = Deployment::new(closed.database.runtime_url(), closed.database.owner_url());
        async move { deployment.command(&format!("user change-email {line}")).run().await }
    };
    given("ann@example.com BOB@example.com")
        .await
        .expect(1)
        .complains("somebody has the address BOB@example.com already");
    given("ann@example.com Ann@example.com")
        .await
        .expect(1)
        .complains("that is their address already");
    given("nobody@example.com ann.lee@example.com")
        .await
        .expect(1)
        .complains("nobody has the address nobody@example.com");
    given("ann@example.com ann.lee")
        .await
        .expect(1)
        .complains("`ann.lee` is not an e-mail address");
    assert_eq!(ann.get("/api/v1/me").await.data()["email"], "ann@example.com");

    given("ann@example.com Ann.Lee@example.com")
        .await
        .expect(0)
        .says("ann@example.com has the address Ann.Lee@example.com from now on");
    let me = ann.get("/api/v1/me").await.data();
    assert_eq!(
        (&me["email"], &me["emailVerified"]),
        (&json!("Ann.Lee@example.com"), &json!(true))
    );
    // What she asked for herself is off, and her old address opens nothing.
    let off = ann.get("/api/v1/auth/email/change").await;
    off.expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
    let refused = closed.login("ann@example.com", PASSWORD).await;
    refused.expect_error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED");
    closed.signed_in("ann.lee@example.com", PASSWORD).await;
    let mails = closed.app.mails().await;
    let told = mails.iter().filter(|mail| mail.text.contains("Ann.Lee@example.com"));
    assert_eq!(
        told.map(|mail| mail.to.as_str()).collect::<Vec<_>>(),
        ["ann@example.com"]
    );
}
