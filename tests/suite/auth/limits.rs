//! Limits on `/auth/*`, and how they are told.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::json;
use tenantry::configuration::RateLimits;
use tenantry_tests::{
    app::{Options, TestApp},
    client::{Answer, Client, PASSWORD},
    database::TestDatabase,
};

use super::{LOGIN, REGISTER, sign_in};

async fn limited(database: &TestDatabase) -> TestApp {
    let options = Options {
        rate_limits: RateLimits::On,
        ..Options::default()
    };
    let app = TestApp::with(database, options).await;
    app.clock.stop();
    app
}

/// Limit, remaining and reset as both families of headers tell them.
#[track_caller]
fn told(answer: &Answer) -> [i64; 3] {
    ["Limit", "Remaining", "Reset"].map(|name| {
        let standard = answer.header(&format!("RateLimit-{name}")).expect("a limit is told");
        assert_eq!(answer.header(&format!("X-RateLimit-{name}")), Some(standard));
        standard.parse().unwrap()
    })
}

/// The scope and the seconds of a refusal, which says them everywhere alike.
#[track_caller]
fn refusal(answer: &Answer) -> (String, i64) {
    answer.expect_error(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED");
    let [limit, remaining, reset] = told(answer);
    let details = &answer.json()["error"]["details"];
    assert_eq!(details["limit"], limit);
    assert_eq!(remaining, 0);
    let wait = details["retryAfter"].as_i64().unwrap();
    assert_eq!(answer.header("retry-after").unwrap().parse::<i64>().unwrap(), wait);
    assert_eq!(reset, wait);
    assert!(wait > 0);
    (details["scope"].as_str().unwrap().to_owned(), wait)
}

#[tokio::test]
async fn ten_accounts_an_hour_from_one_address() {
    let database = TestDatabase::new().await;
    let app = limited(&database).await;
    let client = app.client();
    let attempt = async |number: usize| {
        let email = format!("user{number}@example.com");
        client
            .post(
                REGISTER,
                &json!({ "email": email, "password": PASSWORD, "name": "Ann" }),
            )
            .await
    };
    for number in 0..10 {
        let answer = attempt(number).await;
        answer.expect(StatusCode::CREATED);
        let [limit, remaining, reset] = told(&answer);
        assert_eq!([limit, remaining], [10, 9 - i64::try_from(number).unwrap()]);
        assert!((1..=3600).contains(&reset), "{reset}");
    }
    let (scope, wait) = refusal(&attempt(10).await);
    assert_eq!(scope, "ip");
    assert_eq!(database.count("users").await, 10);
    // The same path in another spelling.
    for path in [
        "/api/v1/%61uth/register",
        "/api/v1/auth/%72egister",
        "/%61pi/v1/auth/r%65gister",
    ] {
        let body = json!({ "email": "other@example.com", "password": PASSWORD, "name": "Ann" });
        refusal(&client.post(path, &body).await);
    }
    app.clock.advance(TimeDelta::seconds(wait - 1));
    refusal(&attempt(10).await);
    app.clock.advance(TimeDelta::seconds(1));
    attempt(10).await.expect(StatusCode::CREATED);
    // Which requests of its own a stranger sends changes nothing for those who are in already.
    sign_in(&client, "user0@example.com").await.expect(StatusCode::OK);
}

#[tokio::test]
async fn guesses_at_one_account_are_limited_whether_it_exists_or_not() {
    let database = TestDatabase::new().await;
    let app = limited(&database).await;
    let client = app.client();
    let ann = client.register("Ann", None).await;
    let bob = client.register("Bob", None).await;
    let mut known = Vec::new();
    for email in [ann.email.as_str(), "nobody@example.com"] {
        let (guesses, refused) = guess_until_refused(&client, |_| email.to_owned()).await;
        let (scope, wait) = refusal(&refused);
        assert_eq!(scope, "user");
        known.push((guesses, wait));
    }
    assert_eq!(known[0], known[1]);
    // Not even the right password, nor another spelling, goes through now; another account's does.
    refusal(&sign_in(&client, &ann.email).await);
    refusal(&sign_in(&client, &ann.email.to_uppercase()).await);
    sign_in(&client, &bob.email).await.expect(StatusCode::OK);
    app.clock.advance(TimeDelta::seconds(known[0].1));
    sign_in(&client, &ann.email).await.expect(StatusCode::OK);
    // Who knows the password may sign in more often than others may guess.
    for _ in 0..=known[0].0 {
        sign_in(&client, &ann.email).await.expect(StatusCode::OK);
    }
}

#[tokio::test]
async fn sign_ins_from_one_address_are_limited_over_all_accounts() {
    let database = TestDatabase::new().await;
    let app = limited(&database).await;
    let client = app.client();
    let ann = client.register("Ann", None).await;
    let (_, refused) = guess_until_refused(&client, |number| format!("user{number}@example.com")).await;
    let (scope, wait) = refusal(&refused);
    assert_eq!(scope, "ip");
    refusal(&sign_in(&client, &ann.email).await);
    // Whoever is signed in already works on.
    ann.client.get(super::ME).await.expect(StatusCode::OK);
    app.clock.advance(TimeDelta::seconds(wait));
    sign_in(&client, &ann.email).await.expect(StatusCode::OK);
}

/// How many wrong passwords are looked at, each for the next of `emails`, and the refusal that follows.
async fn guess_until_refused(client: &Client, emails: impl Fn(usize) -> String) -> (usize, Answer) {
    for number in 0..1000 {
        let body = json!({ "email": emails(number), "password": "a wrong guess" });
        let answer = client.post(LOGIN, &body).await;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            return (number, answer);
        }
        answer.expect(StatusCode::UNAUTHORIZED);
        told(&answer);
    }
    panic!("a thousand guesses are looked at");
}

#[tokio::test]
async fn every_path_of_sign_in_tells_its_limit_unless_limits_are_off() {
    let database = TestDatabase::new().await;
    for on in [true, false] {
        let app = if on {
            limited(&database).await
        } else {
            TestApp::start(&database).await
        };
        let client = app.client();
        let ann = client.register("Ann", None).await;
        let token = json!({ "refreshToken": ann.refresh_token });
        let answers = [
            client.post(REGISTER, &json!({})).await,
            client.post(LOGIN, &json!({})).await,
            sign_in(&client, &ann.email).await,
            client.post(super::REFRESH, &token).await,
            ann.client.get(super::SESSIONS).await,
            ann.client.delete(super::SESSIONS).await,
            client.post(super::LOGOUT, &token).await,
        ];
        for answer in answers {
            if on {
                let [limit, remaining, reset] = told(&answer);
                assert!(remaining < limit && reset > 0);
            } else {
                for name in answer.headers.keys() {
                    assert!(!name.as_str().contains("ratelimit"), "{name}");
                }
            }
        }
    }
}

/// Addresses are looked up by their canonical form: whoever guesses gets no further guesses by spelling one otherwise.
#[tokio::test]
async fn another_spelling_of_an_address_is_no_other_account() {
    let database = TestDatabase::new().await;
    let app = limited(&database).await;
    let client = app.client();
    let mut left = None;
    for spelling in [
        "ann@example.com",
        "ANN@example.com",
        "ann@EXAMPLE.com",
        "ann@exam\u{ad}ple.com",
        "ann@example\u{3002}com",
        "ann@\u{ff45}xample.com",
    ] {
        let guess = json!({ "email": spelling, "password": "not the password" });
        let answer = client.post(LOGIN, &guess).await;
        answer.expect_error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED");
        let [limit, remaining, _] = told(&answer);
        assert_eq!(limit, 20, "{spelling}");
        assert_eq!(remaining, left.unwrap_or(limit) - 1, "{spelling}");
        left = Some(remaining);
    }
}

/// The limit by address comes before anything is looked up, whoever asks and whatever comes of it.
#[tokio::test]
async fn what_is_refused_is_counted_too() {
    let database = TestDatabase::new().await;
    let app = limited(&database).await;
    let client = app.client();
    for (index, path) in [
        "/api/v1/auth/sessions",
        "/api/v1/auth/nothing",
        "/api/v1/auth/sessions/no-id",
    ]
    .into_iter()
    .enumerate()
    {
        let [limit, remaining, _] = told(&client.get(path).await);
        assert_eq!((limit, remaining), (300, 299 - i64::try_from(index).unwrap()), "{path}");
    }
}
