//! Signing in and out.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::{
    app::TestApp,
    client::{Answer, PASSWORD},
    database::TestDatabase,
};

use super::{LOGIN, LOGOUT, ME, expect_session, refresh, sign_in};

/// All of an answer but what is each request's own.
fn without_trace(answer: &Answer) -> (StatusCode, Value, Vec<(String, String)>) {
    let mut body = answer.json();
    body["error"]["traceId"] = Value::Null;
    let told = answer
        .headers
        .iter()
        .filter(|(name, _)| !["x-trace-id", "date"].contains(&name.as_str()));
    let mut headers: Vec<_> = told
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    headers.sort();
    (answer.status, body, headers)
}

#[tokio::test]
async fn right_credentials_sign_in() {
    let database = TestDatabase::new().await;
    let app = TestApp::start(&database).await;
    app.clock.stop();
    let ann = app.client().register("Ann", None).await;
    let answer = sign_in(&app.client(), &ann.email).await;
    answer.expect(StatusCode::OK);
    expect_session(&answer.data(), &ann.email);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.data()["user"]["id"], ann.user_id.as_str());
    assert_ne!(answer.data()["refreshToken"], ann.refresh_token.as_str());
    let again = app.client().with_token(answer.data()["accessToken"].as_str().unwrap());
    again.get(ME).await.expect(StatusCode::OK);
    ann.client.get(ME).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn an_unknown_address_and_a_wrong_password_are_one_answer() {
    let database = TestDatabase::new().await;
    let app = TestApp::start(&database).await;
    let ann = app.client().register("Ann", None).await;
    let attempt = async |email: &str, password: &str| {
        app.client()
            .post(LOGIN, &json!({ "email": email, "password": password }))
            .await
    };
    let wrong = attempt(&ann.email, "not the password").await;
    wrong.expect_error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED");
    assert!(wrong.header("www-authenticate").unwrap().starts_with("Bearer"));
    for (email, password) in [
        ("nobody@example.com", PASSWORD),
        ("no address at all", PASSWORD),
        ("", ""),
        (&ann.email, ""),
        (&ann.email, "password1234"),
        (&ann.email, &PASSWORD.to_uppercase()),
        (&ann.email, &format!("{PASSWORD} ")),
        ("nul\u{0}@example.com", PASSWORD),
    ] {
        let other = attempt(email, password).await;
        assert_eq!(without_trace(&other), without_trace(&wrong), "{email:?} {password:?}");
    }
    // No prefix, and no more than what argon2 takes, decides.
    app.client()
        .post(LOGIN, &json!({}))
        .await
        .expect_refused(&["/email", "/password"]);
    let extra = json!({ "email": ann.email, "password": PASSWORD, "remember": true });
    app.client().post(LOGIN, &extra).await.expect_refused(&["/remember"]);
    sign_in(&app.client(), &ann.email).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn signing_out_ends_the_session_at_once_and_no_other() {
    let database = TestDatabase::new().await;
    let app = TestApp::start(&database).await;
    let client = app.client();
    let ann = client.register("Ann", None).await;
    let second = sign_in(&client, &ann.email).await.data();
    let second_client = client.with_token(second["accessToken"].as_str().unwrap());
    ann.client.get(ME).await.expect(StatusCode::OK);
    second_client.get(ME).await.expect(StatusCode::OK);

    let out = client.post(LOGOUT, &json!({ "refreshToken": ann.refresh_token })).await;
    out.expect(StatusCode::NO_CONTENT);
    assert_eq!(out.text, "");
    ann.client
        .get(ME)
        .await
        .expect_error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED");
    refresh(&client, &ann.refresh_token)
        .await
        .expect_error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED");
    second_client.get(ME).await.expect(StatusCode::OK);
    refresh(&client, second["refreshToken"].as_str().unwrap())
        .await
        .expect(StatusCode::OK);

    // Whatever is no token of a live session is signed out already.
    for token in [ann.refresh_token.as_str(), "", "tnr_unknown", "\u{0}"] {
        let again = client.post(LOGOUT, &json!({ "refreshToken": token })).await;
        again.expect(StatusCode::NO_CONTENT);
    }
    client.post(LOGOUT, &json!({})).await.expect_refused(&["/refreshToken"]);
}
