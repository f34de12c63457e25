//! Many who sign in for the first time in the same moment.

use reqwest::StatusCode;
use serde_json::json;
use tenantry_tests::{client::Answer, identity_provider::Person};

use super::{House, ann};
use crate::oidc::EXCHANGE;

/// Exchanges codes in the same moment, and gives the answers.
async fn exchanged(house: &House, codes: Vec<String>) -> Vec<Answer> {
    let running: Vec<_> = codes
        .into_iter()
        .map(|code| {
            let client = house.stage.anybody();
            tokio::spawn(async move { client.post(EXCHANGE, &json!({ "code": code })).await })
        })
        .collect();
    let mut answers = Vec::new();
    for one in running {
        answers.push(one.await.unwrap());
    }
    answers
}

#[tokio::test]
async fn of_many_who_want_the_last_seat_one_gets_it() {
    let house = House::new().await;
    house
        .stage
        .database
        .superuser("update organizations set max_seats = 2")
        .await;
    let mut codes = Vec::new();
    for number in 0..20 {
        let person = Person::new(&format!("s{number}"), &format!("person-{number}@corp.example"));
        codes.push(house.code(&person).await);
    }
    assert_eq!(house.stored().await, [1, 1, 0, 1]);
    let mut seated = 0;
    for answer in exchanged(&house, codes).await {
        if answer.status == StatusCode::OK {
            seated += 1;
        } else {
            answer.expect_error(StatusCode::PAYMENT_REQUIRED, "QUOTA_EXCEEDED");
            assert_eq!(
                answer.json()["error"]["details"],
                json!({ "metric": "seats", "limit": 2, "used": 2 })
            );
        }
    }
    assert_eq!(seated, 1);
    assert_eq!(house.stored().await, [2, 2, 1, 2]);
    assert_eq!(
        house.stage.database.count("events where type = 'member.joined'").await,
        1
    );
    assert_eq!(house.stage.events("user.registered").await, 2);
}

#[tokio::test]
async fn whoever_comes_for_the_first_time_twice_is_one() {
    let house = House::new().await;
    let mut codes = Vec::new();
    for _ in 0..5 {
        codes.push(house.code(&ann()).await);
    }
    let mut users = Vec::new();
    for answer in exchanged(&house, codes).await {
        users.push(house.account_of(&answer).user_id);
    }
    users.dedup();
    assert_eq!(users.len(), 1, "{users:?}");
    assert_eq!(house.stored().await, [2, 2, 1, 6]);
}
