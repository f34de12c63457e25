//! Choosing another password.

use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::Row as _;
use tenantry::configuration::RateLimits;
use tenantry_tests::{
    app::{Options, TestApp},
    client::{Account, Answer, Client, PASSWORD},
    database::{TestDatabase, connect},
};

use super::{LOGIN, ME, REGISTER, SESSIONS, refresh, sign_in};

const PASSWORD_PATH: &str = "/api/v1/auth/password";
const OTHER: &str = "vermilion otters juggle";

fn change(current: &str, new: &str) -> Value {
    json!({ "currentPassword": current, "newPassword": new })
}

async fn login(client: &Client, email: &str, password: &str) -> Answer {
    let body = json!({ "email": email, "password": password });
    client.anonymous().post(LOGIN, &body).await
}

#[tokio::test]
async fn another_password_ends_all_other_sessions_at_once() {
    let database = TestDatabase::new().await;
    let app = TestApp::start(&database).await;
    let client = app.client();
    let ann = client.register("Ann", None).await;
    let elsewhere = sign_in(&client, &ann.email).await.data();
    let elsewhere_client = client.with_token(elsewhere["accessToken"].as_str().unwrap());
    let bob = client.register("Bob", None).await;
    // So that what is remembered of them would be good for a while.
    for one in [&ann.client, &elsewhere_client, &bob.client] {
        one.get(ME).await.expect(StatusCode::OK);
    }
    let me = ann.client.get(ME).await;

    let answer = ann.client.put(PASSWORD_PATH, &change(PASSWORD, OTHER)).await;
    answer.expect(StatusCode::OK);
    assert_eq!(answer.data(), me.data());
    assert_eq!(answer.header("etag"), me.header("etag"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));

    elsewhere_client
        .get(ME)
        .await
        .expect_error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED");
    refresh(&client, elsewhere["refreshToken"].as_str().unwrap())
        .await
        .expect(StatusCode::UNAUTHORIZED);
    ann.client.get(ME).await.expect(StatusCode::OK);
    assert_eq!(ann.client.get(SESSIONS).await.json()["meta"]["total"], 1);
    refresh(&client, &ann.refresh_token).await.expect(StatusCode::OK);
    bob.client.get(ME).await.expect(StatusCode::OK);

    sign_in(&client, &ann.email).await.expect(StatusCode::UNAUTHORIZED);
    login(&client, &ann.email, OTHER).await.expect(StatusCode::OK);
    sign_in(&client, &bob.email).await.expect(StatusCode::OK);

    // What was done is told, nothing of what the password was or is.
    let event = sqlx::query(
        "select resource_type, resource_id::text, before, after from user_events where type = 'user.password_changed'",
    )
    .fetch_one(&mut connect(database.superuser_url()).await)
    .await
    .unwrap();
    assert_eq!(event.get::<&str, _>(0), "user");
    assert_eq!(event.get::<&str, _>(1), ann.user_id);
    assert_eq!(
        (event.get::<Option<Value>, _>(2), event.get::<Option<Value>, _>(3)),
        (None, None)
    );
}

#[tokio::test]
async fn what_is_refused_changes_nothing() {
    let database = TestDatabase::new().await;
    let app = TestApp::start(&database).await;
    let client = app.client();
    let address = "annabel.lee@example.com";
    let body = json!({ "email": address, "password": PASSWORD, "name": "Ann" });
    let ann = client.post(REGISTER, &body).await.data();
    let ann = client.with_token(ann["accessToken"].as_str().unwrap());
    let second = sign_in(&client, address).await.data();
    for (body, fields) in [
        (
            json!({}),
            vec![("/currentPassword", "required"), ("/newPassword", "required")],
        ),
        (
            json!({ "currentPassword": 5, "newPassword": null, "password": OTHER }),
            vec![
                ("/currentPassword", "type"),
                ("/newPassword", "type"),
                ("/password", "unknown"),
            ],
        ),
        (change(PASSWORD, "too short"), vec![("/newPassword", "length")]),
        (change(PASSWORD, &"long ".repeat(26)), vec![("/newPassword", "length")]),
        (change(PASSWORD, "password1234"), vec![("/newPassword", "common")]),
        (change(PASSWORD, address), vec![("/newPassword", "common")]),
        (change(PASSWORD, PASSWORD), vec![("/newPassword", "unchanged")]),
        (change("a wrong guess", OTHER), vec![("/currentPassword", "incorrect")]),
        (change("", OTHER), vec![("/currentPassword", "incorrect")]),
        (
            change(&PASSWORD.to_uppercase(), OTHER),
            vec![("/currentPassword", "incorrect")],
        ),
        (change(&"x".repeat(1001), OTHER), vec![("/currentPassword", "length")]),
        // What is wrong with the new one is told without a look at the other.
        (change("a wrong guess", "too short"), vec![("/newPassword", "length")]),
    ] {
        let answer = ann.put(PASSWORD_PATH, &body).await;
        answer.expect_error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
        let refused = answer.refused_fields();
        let refused: Vec<_> = refused
            .iter()
            .map(|(field, code)| (field.as_str(), code.as_str()))
            .collect();
        assert_eq!(refused, fields, "{body}");
        // The token is as good as before, and no client is told to renew it.
        assert_eq!(answer.header("www-authenticate"), None);
        for secret in [PASSWORD, OTHER] {
            assert!(!answer.text.contains(secret), "{}", answer.text);
        }
    }
    ann.put(&format!("{PASSWORD_PATH}?force=1"), &change(PASSWORD, OTHER))
        .await
        .expect_error(StatusCode::BAD_REQUEST, "MALFORMED_REQUEST");
    let form = ann.request(reqwest::Method::PUT, PASSWORD_PATH).body("x=1");
    ann.send(form)
        .await
        .expect_error(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE");
    client
        .put(PASSWORD_PATH, &change(PASSWORD, OTHER))
        .await
        .expect_error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED");

    client
        .with_token(second["accessToken"].as_str().unwrap())
        .get(ME)
        .await
        .expect(StatusCode::OK);
    sign_in(&client, address).await.expect(StatusCode::OK);
    assert_eq!(
        database.count("user_events where type = 'user.password_changed'").await,
        0
    );
}

#[tokio::test]
async fn a_stolen_token_guesses_seldom_and_strangers_keep_nobody_from_changing_theirs() {
    let database = TestDatabase::new().await;
    let options = Options {
        rate_limits: RateLimits::On,
        ..Options::default()
    };
    let app = TestApp::with(&database, options).await;
    app.clock.stop();
    let client = app.client();
    let ann = client.register("Ann", None).await;
    // Guesses at signing in, which anybody can send, are counted apart.
    for _ in 0..20 {
        login(&client, &ann.email, "a wrong guess")
            .await
            .expect(StatusCode::UNAUTHORIZED);
    }
    sign_in(&client, &ann.email).await.expect(StatusCode::TOO_MANY_REQUESTS);
    // What is no guess is not counted.
    for number in 0..20 {
        ann.client
            .put(PASSWORD_PATH, &change(PASSWORD, "too short"))
            .await
            .expect(StatusCode::BAD_REQUEST);
        let guess = ann.client.put(PASSWORD_PATH, &change("a wrong guess", OTHER)).await;
        assert_ne!(guess.status, StatusCode::TOO_MANY_REQUESTS, "guess {number}");
    }
    let refused = ann.client.put(PASSWORD_PATH, &change(PASSWORD, OTHER)).await;
    refused.expect_error(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED");
    assert_eq!(refused.json()["error"]["details"]["scope"], "user");
    let bob = client.register("Bob", None).await;
    bob.client
        .put(PASSWORD_PATH, &change(PASSWORD, OTHER))
        .await
        .expect(StatusCode::OK);

    let wait = refused.header("retry-after").unwrap().parse().unwrap();
    app.clock.advance(chrono::TimeDelta::seconds(wait));
    let mut passwords = [PASSWORD, OTHER];
    // Who knows the password may change it more often than others may guess.
    for _ in 0..25 {
        let [current, new] = passwords;
        ann.client
            .put(PASSWORD_PATH, &change(current, new))
            .await
            .expect(StatusCode::OK);
        passwords.reverse();
    }
}

#[tokio::test]
async fn of_two_changes_at_once_one_wins() {
    let database = TestDatabase::new().await;
    let app = TestApp::start(&database).await;
    let client = app.client();
    for round in 0..5 {
        let ann = client.register("Ann", None).await;
        let changes: Vec<_> = (0..2)
            .map(|one| {
                let (client, new) = (ann.client.clone(), format!("{OTHER} {round} {one}"));
                tokio::spawn(async move {
                    let answer = client.put(PASSWORD_PATH, &change(PASSWORD, &new)).await;
                    (new, answer)
                })
            })
            .collect();
        let mut won = Vec::new();
        for change in changes {
            let (new, answer) = change.await.unwrap();
            if answer.status == StatusCode::OK {
                won.push(new);
            } else {
                answer.expect_refused(&["/currentPassword"]);
            }
        }
        assert_eq!(won.len(), 1, "round {round}");
        login(&client, &ann.email, &won[0]).await.expect(StatusCode::OK);
    }
}

/// Whoever signs in by the old password while it is changed is out when it has been.
#[tokio::test]
async fn no_session_of_the_old_password_outlives_it() {
    let database = TestDatabase::new().await;
    let app = TestApp::start(&database).await;
    let client = app.client();
    for round in 0..5 {
        let ann: Account = client.register("Ann", None).await;
        let sign_ins: Vec<_> = (0..6)
            .map(|_| {
                let (client, email) = (client.clone(), ann.email.clone());
                tokio::spawn(async move { login(&client, &email, PASSWORD).await })
            })
            .collect();
        let changed = ann.client.put(PASSWORD_PATH, &change(PASSWORD, OTHER)).await;
        changed.expect(StatusCode::OK);
        for sign_in in sign_ins {
            let answer = sign_in.await.unwrap();
            if answer.status != StatusCode::OK {
                answer.expect_error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED");
                continue;
            }
            let session = answer.data();
            client
                .with_token(session["accessToken"].as_str().unwrap())
                .get(ME)
                .await
                .expect(StatusCode::UNAUTHORIZED);
            refresh(&client, session["refreshToken"].as_str().unwrap())
                .await
                .expect(StatusCode::UNAUTHORIZED);
        }
        assert_eq!(
            ann.client.get(SESSIONS).await.json()["meta"]["total"],
            1,
            "round {round}"
        );
    }
}
