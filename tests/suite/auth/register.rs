//! Making an account.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::{
    app::{Options, TestApp},
    client::PASSWORD,
    database::TestDatabase,
};

use super::{ME, REGISTER, expect_session, sign_in};

fn account(email: &str) -> Value {
    json!({ "email": email, "password": PASSWORD, "name": "Ann" })
}

#[tokio::test]
async fn an_account_is_signed_in_and_may_found_an_organization() {
    let database = TestDatabase::new().await;
    let app = TestApp::start(&database).await;
    // So that what is left of a token's life is what it began with.
    app.clock.stop();
    let client = app.client();

    let answer = client.post(REGISTER, &account("Ann.Lee@Example.com")).await;
    answer.expect(StatusCode::CREATED);
    expect_session(&answer.data(), "Ann.Lee@Example.com");
    let user = &answer.data()["user"];
    assert_eq!(user["name"], "Ann");
    assert_eq!(user["emailVerified"], false);
    assert_eq!(user["mfaEnabled"], false);
    assert_eq!(user["preferences"], json!({}));
    assert_eq!((&user["avatarUrl"], &user["locale"]), (&Value::Null, &Value::Null));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let ann = client.with_token(answer.data()["accessToken"].as_str().unwrap());
    assert_eq!(&ann.get(ME).await.data(), user);
    assert_eq!(ann.get("/api/v1/organizations").await.json()["meta"]["total"], 0);

    let mut founder = account("founder@example.com");
    founder["organizationName"] = "Ünïcode & Söhne".into();
    let answer = client.post(REGISTER, &founder).await;
    answer.expect(StatusCode::CREATED);
    let founder = client.with_token(answer.data()["accessToken"].as_str().unwrap());
    let organizations = founder.get("/api/v1/organizations").await.data();
    assert_eq!(organizations.as_array().unwrap().len(), 1);
    assert_eq!(organizations[0]["name"], "Ünïcode & Söhne");
    assert_eq!(organizations[0]["slug"], "unicode-sohne");
    let context = founder.get("/api/v1/organizations/unicode-sohne/context").await.data();
    assert_eq!(context["role"]["key"], "owner");
    let workspaces = founder
        .get("/api/v1/organizations/unicode-sohne/workspaces")
        .await
        .data();
    assert_eq!(workspaces.as_array().unwrap().len(), 1);
    assert_eq!(workspaces[0]["isDefault"], true);

    // Null is the same as absent.
    let mut none = account("none@example.com");
    none["organizationName"] = Value::Null;
    client.post(REGISTER, &none).await.expect(StatusCode::CREATED);
    assert_eq!(database.count("organizations").await, 1);
}

#[tokio::test]
async fn an_address_is_taken_whatever_its_case() {
    let database = TestDatabase::new().await;
    let app = TestApp::start(&database).await;
    app.client()
        .post(REGISTER, &account("ann@example.com"))
        .await
        .expect(StatusCode::CREATED);
    for same in ["ann@example.com", "ANN@example.com", "Ann@EXAMPLE.Com"] {
        let mut body = account(same);
        body["organizationName"] = "Other".into();
        let taken = app.client().post(REGISTER, &body).await;
        taken.expect_error(StatusCode::CONFLICT, "CONFLICT");
        assert_eq!(taken.reason(), "email_taken");
    }
    assert_eq!(database.count("users").await, 1);
    assert_eq!(database.count("organizations").await, 0);
    sign_in(&app.client(), "aNN@eXAMPLE.cOM").await.expect(StatusCode::OK);
    // Ten who want one address at once: one gets it.
    let body = account("Crowd@example.com");
    let crowd: Vec<_> = (0..10)
        .map(|_| {
            let (client, body) = (app.client(), body.clone());
            tokio::spawn(async move { client.post(REGISTER, &body).await.status })
        })
        .collect();
    let mut made = 0;
    for one in crowd {
        match one.await.unwrap() {
            StatusCode::CREATED => made += 1,
            status => assert_eq!(status, StatusCode::CONFLICT),
        }
    }
    assert_eq!(made, 1);
}

#[tokio::test]
async fn all_that_is_wrong_is_told_at_once() {
    let database = TestDatabase::new().await;
    let app = TestApp::start(&database).await;
    let client = app.client();
    client
        .post(REGISTER, &json!({}))
        .await
        .expect_refused(&["/email", "/name", "/password"]);
    let types = json!({ "email": 5, "password": true, "name": [], "organizationName": {}, "admin": true, "a/b~c": 1 });
    client.post(REGISTER, &types).await.expect_refused(&[
        "/a~1b~0c",
        "/admin",
        "/email",
        "/name",
        "/organizationName",
        "/password",
    ]);
    let values = json!({ "email": "no-address", "password": "short", "name": "", "organizationName": "x".repeat(256) });
    client
        .post(REGISTER, &values)
        .await
        .expect_refused(&["/email", "/name", "/organizationName", "/password"]);
    let common = json!({ "email": "no-address", "password": "password1234", "name": "Ann" });
    client
        .post(REGISTER, &common)
        .await
        .expect_refused(&["/email", "/password"]);
    let typo = json!({ "email": "ann@example.com", "password": PASSWORD, "name": "Ann", "organisationName": "Acme" });
    client
        .post(REGISTER, &typo)
        .await
        .expect_refused(&["/organisationName"]);
    for whole in [json!([]), json!("text"), json!(null), json!(5)] {
        client
            .post(REGISTER, &whole)
            .await
            .expect_error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    }
    assert_eq!(database.count("users").await, 0);
}

#[tokio::test]
async fn passwords_are_long_and_not_common() {
    let database = TestDatabase::new().await;
    let app = TestApp::start(&database).await;
    let attempt = async |email: &str, password: &str| {
        let body = json!({ "email": email, "password": password, "name": "Ann" });
        app.client().post(REGISTER, &body).await
    };
    let longest = "vermilion otter ".repeat(8);
    for refused in [
        "",
        "gnu-otter-7", // 11 characters
        &format!("{longest}!"),
        "password1234",
        "Password1234",
        "123456789012",
        "qwertyuiop12",
        "aaaaaaaaaaaa",
        "letmeinletmein",
    ] {
        attempt("ann@example.com", refused).await.expect_refused(&["/password"]);
    }
    assert_eq!(database.count("users").await, 0);
    for (index, accepted) in [
        "gnu-otter-75",
        &longest,
        "пять слов — и ещё",
        "🦦🦒🐘🦏🐊🦜🦚🐢🦎🐍🐙🦑",
        "  a phrase with spaces  ",
    ]
    .into_iter()
    .enumerate()
    {
        let email = format!("user{index}@example.com");
        attempt(&email, accepted).await.expect(StatusCode::CREATED);
        let body = json!({ "email": email, "password": accepted });
        app.client().post(super::LOGIN, &body).await.expect(StatusCode::OK);
        // Every character counts, at the end too.
        let mut other = accepted.to_owned();
        other.pop();
        let body = json!({ "email": email, "password": other });
        app.client()
            .post(super::LOGIN, &body)
            .await
            .expect(StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn oddities_of_addresses() {
    let database = TestDatabase::new().await;
    let app = TestApp::start(&database).await;
    for refused in [
        "",
        " ",
        "@",
        "ann",
        "ann@",
        "@example.com",
        "ann@@example.com",
        "ann @example.com",
        "ann@example.com ",
        " ann@example.com",
        "ann@exa mple.com",
        "ann@example..com",
        "ann@-example.com",
        "Ann <ann@example.com>",
        "ann@example.com,bob@example.com",
        "ann@example.com\nbcc: bob@example.com",
        "ann\u{0}@example.com",
        "ann@[192.0.2.1]",
        &format!("{}@example.com", "a".repeat(255)),
        &format!("ann@{}.com", "a".repeat(64)),
    ] {
        app.client()
            .post(REGISTER, &account(refused))
            .await
            .expect_refused(&["/email"]);
    }
    assert_eq!(database.count("users").await, 0);
    for accepted in [
        "ann+tag@example.com",
        "o'brien@example.ie",
        "a@b.example",
        "ann@xn--bcher-kva.example",
    ] {
        let answer = app.client().post(REGISTER, &account(accepted)).await;
        answer.expect(StatusCode::CREATED);
        assert_eq!(answer.data()["user"]["email"], accepted);
    }
}

#[tokio::test]
async fn registration_can_be_closed() {
    let database = TestDatabase::new().await;
    let options = Options {
        registration: tenantry::configuration::Registration::Private,
        ..Options::default()
    };
    let app = TestApp::with(&database, options).await;
    let answer = app.client().post(REGISTER, &account("ann@example.com")).await;
    assert!(
        answer.status != StatusCode::CREATED && !answer.status.is_server_error(),
        "{}",
        answer.text
    );
    assert_eq!(database.count("users").await, 0);
}
