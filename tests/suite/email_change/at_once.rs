//! Several at once: of what there can be one, there is one.

use reqwest::StatusCode;
use serde_json::json;
use tenantry_tests::client::{Answer, PASSWORD};

use super::{
    Asked, CHANGE, CONFIRM, NEW, PAGE, REGISTER, address, confirm, events_of, expect_changed, expect_gone,
    expect_pending, mails_to, secrets, under_way,
};
use crate::{
    mfa::{Stage, count, post_at_once},
    oidc::expect_conflict,
};

/// How often each is tried: what goes wrong does so by chance.
const ROUNDS: usize = 5;

/// Panics where not just one answer has a status; gives the others.
#[track_caller]
fn all_but_one(mut answers: Vec<Answer>, done: StatusCode) -> Vec<Answer> {
    let first = answers.iter().position(|answer| answer.status == done);
    answers.remove(first.expect("one that did it"));
    assert_eq!(count(&answers, done), 0);
    answers
}

fn wanted(round: usize) -> String {
    format!("new{round}@example.org")
}

#[tokio::test]
async fn of_two_who_want_one_address_one_gets_it() {
    let stage = Stage::new().await;
    let anybody = stage.anybody();
    for round in 0..ROUNDS {
        let email = wanted(round);
        let ann = stage.newcomer("Ann").await;
        let bob = stage.newcomer("Bob").await;
        let mut last = Vec::new();
        for account in [&ann, &bob] {
            let asked = Asked::by(&stage, account, &email).await;
            expect_pending(&confirm(&stage, &asked.approval).await, &email, NEW);
            last.push(json!({ "token": asked.proof }));
        }
        let answers = post_at_once(last.into_iter().map(|body| (&anybody, CONFIRM, body))).await;
        for refused in all_but_one(answers, StatusCode::OK) {
            expect_conflict(&refused, "email_taken");
        }
        let mut have_it = 0;
        for account in [&ann, &bob] {
            let changed = address(&account.client).await.0 == email;
            have_it += i64::from(changed);
            // Who did not get it may wait for it, or do without.
            assert_eq!(under_way(&account.client).await.is_none(), changed);
            assert_eq!(
                events_of(&stage, account, "user.email_changed").await,
                i64::from(changed)
            );
        }
        assert_eq!(have_it, 1, "round {round}");
    }
}

/// Each of two finds that the other is awaited, and one of them is the last.
#[tokio::test]
async fn both_links_at_the_same_moment_change_the_address_once() {
    let stage = Stage::new().await;
    let anybody = stage.anybody();
    for round in 0..ROUNDS {
        let email = wanted(round);
        let ann = stage.newcomer("Ann").await;
        let asked = Asked::by(&stage, &ann, &email).await;
        let before = mails_to(&stage, &ann.email).await.len();
        let bodies = [&asked.approval, &asked.proof].map(|secret| json!({ "token": secret }));
        let answers = post_at_once(bodies.into_iter().map(|body| (&anybody, CONFIRM, body))).await;
        let mut told: Vec<_> = answers
            .iter()
            .map(|answer| answer.expect(StatusCode::OK).data()["status"].clone())
            .collect();
        told.sort_by_key(ToString::to_string);
        assert_eq!(told, ["changed", "pending"], "round {round}");
        assert_eq!(address(&ann.client).await, (email, true));
        assert_eq!(events_of(&stage, &ann, "user.email_changed").await, 1);
        assert_eq!(mails_to(&stage, &ann.email).await.len(), before + 1);
    }
}

#[tokio::test]
async fn a_link_that_is_followed_many_times_at_once_counts_once() {
    let stage = Stage::new().await;
    let anybody = stage.anybody();
    for round in 0..ROUNDS {
        let email = wanted(round);
        let ann = stage.newcomer("Ann").await;
        let asked = Asked::by(&stage, &ann, &email).await;
        for secret in [&asked.approval, &asked.proof] {
            let body = json!({ "token": secret });
            let answers = post_at_once((0..4).map(|_| (&anybody, CONFIRM, body.clone()))).await;
            for refused in all_but_one(answers, StatusCode::OK) {
                expect_gone(&refused);
            }
        }
        assert_eq!(address(&ann.client).await, (email, true));
        for kind in ["user.email_change_confirmed", "user.email_changed"] {
            assert_eq!(events_of(&stage, &ann, kind).await, 1, "{kind} in round {round}");
        }
    }
}

#[tokio::test]
async fn of_two_changes_that_are_asked_for_at_once_one_is_under_way() {
    let stage = Stage::new().await;
    for round in 0..ROUNDS {
        let ann = stage.newcomer("Ann").await;
        let emails = ["a", "b"].map(|letter| format!("{letter}{round}@example.org"));
        let bodies = emails.clone().map(|email| json!({ "email": email }));
        let answers = post_at_once(bodies.into_iter().map(|body| (&ann.client, CHANGE, body))).await;
        assert_eq!(count(&answers, StatusCode::ACCEPTED), 2, "{answers:?}");
        let under_way = under_way(&ann.client).await.unwrap();
        // Of the links that went out, those of the one that is under way are good.
        let mut approved = 0;
        for secret in secrets(&stage, &ann.email, PAGE).await {
            let answer = confirm(&stage, &secret).await;
            if answer.status == StatusCode::OK {
                approved += 1;
            } else {
                expect_gone(&answer);
            }
        }
        assert_eq!(approved, 1, "round {round}");
        for email in &emails {
            for secret in secrets(&stage, email, PAGE).await {
                let answer = confirm(&stage, &secret).await;
                if under_way["email"] == email.as_str() {
                    expect_changed(&answer, email);
                } else {
                    expect_gone(&answer);
                }
            }
        }
        assert_eq!(json!(address(&ann.client).await.0), under_way["email"]);
    }
}

#[tokio::test]
async fn a_change_is_made_or_called_off() {
    let stage = Stage::new().await;
    for round in 0..ROUNDS {
        let email = wanted(round);
        let ann = stage.newcomer("Ann").await;
        let asked = Asked::by(&stage, &ann, &email).await;
        expect_pending(&confirm(&stage, &asked.approval).await, &email, NEW);
        let client = ann.client.clone();
        let cancelling = tokio::spawn(async move { client.delete(CHANGE).await });
        let confirmed = confirm(&stage, &asked.proof).await;
        let cancelled = cancelling.await.unwrap();
        let expected = if confirmed.status == StatusCode::OK {
            expect_changed(&confirmed, &email);
            cancelled.expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
            &email
        } else {
            expect_gone(&confirmed);
            cancelled.expect(StatusCode::NO_CONTENT);
            &ann.email
        };
        assert_eq!(&address(&ann.client).await.0, expected, "round {round}");
        assert_eq!(under_way(&ann.client).await, None);
    }
}

#[tokio::test]
async fn an_address_is_given_to_who_registers_or_to_who_changes() {
    let stage = Stage::new().await;
    let anybody = stage.anybody();
    for round in 0..ROUNDS {
        let email = wanted(round);
        let ann = stage.newcomer("Ann").await;
        let asked = Asked::by(&stage, &ann, &email).await;
        expect_pending(&confirm(&stage, &asked.approval).await, &email, NEW);
        let register = json!({ "email": email, "password": PASSWORD, "name": "Bob" });
        let answers = post_at_once([
            (&anybody, CONFIRM, json!({ "token": asked.proof })),
            (&anybody, REGISTER, register),
        ])
        .await;
        let (confirmed, registered) = (&answers[0], &answers[1]);
        if confirmed.status == StatusCode::OK {
            expect_changed(confirmed, &email);
            expect_conflict(registered, "email_taken");
        } else {
            expect_conflict(confirmed, "email_taken");
            registered.expect(StatusCode::CREATED);
        }
        let holders = format!("users where email_canonical = '{email}'");
        assert_eq!(stage.database.count(&holders).await, 1, "round {round}");
    }
}
