//! Staying signed in: rotation, its leeway, theft, and how long it lasts.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::json;
use tenantry_tests::{
    app::TestApp,
    client::{Client, text},
    database::TestDatabase,
};

use super::{LOGOUT, ME, expect_session, refresh};

/// Exchanges a token that is good, for its successor.
async fn exchange(client: &Client, token: &str) -> String {
    let answer = refresh(client, token).await;
    answer.expect(StatusCode::OK);
    text(&answer.data()["refreshToken"])
}

#[track_caller]
fn expect_refused(answer: &tenantry_tests::client::Answer) {
    answer.expect_error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED");
}

#[tokio::test]
async fn a_token_is_exchanged_for_its_successor() {
    let database = TestDatabase::new().await;
    let app = TestApp::start(&database).await;
    app.clock.stop();
    let client = app.client();
    let ann = client.register("Ann", None).await;
    let answer = refresh(&client, &ann.refresh_token).await;
    answer.expect(StatusCode::OK);
    expect_session(&answer.data(), &ann.email);
    assert_ne!(answer.data()["refreshToken"], ann.refresh_token.as_str());
    assert_ne!(answer.data()["accessToken"], ann.client.token().unwrap());
    let renewed = client.with_token(answer.data()["accessToken"].as_str().unwrap());
    renewed.get(ME).await.expect(StatusCode::OK);
    // It is the same session, and the tokens from before live out their hour.
    ann.client.get(ME).await.expect(StatusCode::OK);
    assert_eq!(database.count("sessions").await, 1);
    // No token is kept as it is.
    assert_eq!(database.count("refresh_tokens t where t::text like '%tnr_%'").await, 0);

    for bad in [
        "",
        "x",
        "tnr_",
        &ann.refresh_token[1..],
        &format!("{}A", ann.refresh_token),
        ann.client.token().unwrap(),
    ] {
        expect_refused(&refresh(&client, bad).await);
    }
    client
        .post(super::REFRESH, &json!({}))
        .await
        .expect_refused(&["/refreshToken"]);
    client
        .post(super::REFRESH, &json!({ "refreshToken": 1 }))
        .await
        .expect_refused(&["/refreshToken"]);
}

#[tokio::test]
async fn within_ten_seconds_a_used_token_has_five_successors_at_most() {
    let database = TestDatabase::new().await;
    let app = TestApp::start(&database).await;
    app.clock.stop();
    let client = app.client();
    let ann = client.register("Ann", None).await;
    let mut successors = vec![exchange(&client, &ann.refresh_token).await];
    for _ in 0..4 {
        app.clock.advance(TimeDelta::seconds(2));
        successors.push(exchange(&client, &ann.refresh_token).await);
    }
    expect_refused(&refresh(&client, &ann.refresh_token).await);
    let mut different = successors.clone();
    different.sort();
    different.dedup();
    assert_eq!(different.len(), 5);
    // Each is good itself, and of the same session.
    let bob = client.register("Bob", None).await;
    for successor in &successors {
        exchange(&client, successor).await;
    }
    assert_eq!(database.count("sessions").await, 2);
    ann.client.get(ME).await.expect(StatusCode::OK);

    // Tabs that refresh in the same moment all stay signed in.
    let tabs: Vec<_> = (0..5)
        .map(|_| {
            let (client, token) = (client.clone(), bob.refresh_token.clone());
            tokio::spawn(async move { refresh(&client, &token).await.status })
        })
        .collect();
    for tab in tabs {
        assert_eq!(tab.await.unwrap(), StatusCode::OK);
    }
    expect_refused(&refresh(&client, &bob.refresh_token).await);
}

#[tokio::test]
async fn a_used_token_that_comes_back_later_ends_its_session() {
    let database = TestDatabase::new().await;
    let app = TestApp::start(&database).await;
    app.clock.stop();
    let client = app.client();
    let ann = client.register("Ann", None).await;
    let other = super::sign_in(&client, &ann.email).await.data();
    let successor = exchange(&client, &ann.refresh_token).await;
    ann.client.get(ME).await.expect(StatusCode::OK);

    app.clock.advance(TimeDelta::seconds(11));
    expect_refused(&refresh(&client, &ann.refresh_token).await);
    expect_refused(&ann.client.get(ME).await);
    expect_refused(&refresh(&client, &successor).await);
    assert_eq!(database.count("sessions where revoked_because = 'reuse'").await, 1);
    // Another session of the same user is another matter.
    client
        .with_token(other["accessToken"].as_str().unwrap())
        .get(ME)
        .await
        .expect(StatusCode::OK);
    exchange(&client, other["refreshToken"].as_str().unwrap()).await;
}

#[tokio::test]
async fn a_token_of_a_session_that_was_logged_out_is_no_theft() {
    let database = TestDatabase::new().await;
    let app = TestApp::start(&database).await;
    app.clock.stop();
    let client = app.client();
    let ann = client.register("Ann", None).await;
    let successor = exchange(&client, &ann.refresh_token).await;
    client
        .post(LOGOUT, &json!({ "refreshToken": successor }))
        .await
        .expect(StatusCode::NO_CONTENT);
    let events = database.count("user_events").await;
    app.clock.advance(TimeDelta::seconds(60));
    for token in [&ann.refresh_token, &successor] {
        expect_refused(&refresh(&client, token).await);
    }
    assert_eq!(database.count("sessions where revoked_because = 'logout'").await, 1);
    assert_eq!(database.count("sessions where revoked_because = 'reuse'").await, 0);
    assert_eq!(database.count("user_events").await, events);
}

#[tokio::test]
async fn a_session_slides_seven_days_and_lasts_thirty() {
    let database = TestDatabase::new().await;
    let app = TestApp::start(&database).await;
    app.clock.stop();
    let client = app.client();
    let day = TimeDelta::days(1);

    let idle = client.register("Idle", None).await;
    let mut token = client.register("Busy", None).await.refresh_token;
    app.clock.advance(day * 7 - TimeDelta::seconds(1));
    token = exchange(&client, &token).await; // day 7
    app.clock.advance(TimeDelta::seconds(1));
    expect_refused(&refresh(&client, &idle.refresh_token).await);
    for _ in 0..3 {
        app.clock.advance(day * 6);
        token = exchange(&client, &token).await; // days 13, 19, 25
    }
    app.clock.advance(day * 3);
    let answer = refresh(&client, &token).await; // day 28
    answer.expect(StatusCode::OK);
    assert_eq!(answer.data()["refreshExpiresIn"], 2 * 24 * 3600);
    app.clock.advance(day * 2 - TimeDelta::seconds(1));
    let answer = refresh(&client, &text(&answer.data()["refreshToken"])).await;
    answer.expect(StatusCode::OK);
    app.clock.advance(TimeDelta::seconds(1));
    expect_refused(&refresh(&client, &text(&answer.data()["refreshToken"])).await);
    expect_refused(
        &client
            .with_token(answer.data()["accessToken"].as_str().unwrap())
            .get(ME)
            .await,
    );
}
