//! Two at once: of what there can be one, there is one.

use reqwest::StatusCode;
use serde_json::json;
use tenantry_tests::{client::Answer, identity_provider::Person};

use super::{LINK, confirmation, link_body, linked, listed, path_of};
use crate::{
    mfa::{count, expect_session, expect_unauthorized, post_at_once},
    oidc::{CONFIRM, EXCHANGE, Lobby, bob, expect_conflict},
};

/// How often each is tried: what goes wrong does so by chance.
const ROUNDS: usize = 5;

fn numbered(round: usize) -> Person {
    Person::new(&format!("s{round}"), &format!("user{round}@example.com"))
}

/// Panics where not just one did it; gives the others.
#[track_caller]
fn all_but_one(mut answers: Vec<Answer>, done: StatusCode) -> Vec<Answer> {
    let first = answers.iter().position(|answer| answer.status == done);
    answers.remove(first.expect("one that did it"));
    assert_eq!(count(&answers, done), 0);
    answers
}

#[tokio::test]
async fn a_code_that_comes_twice_at_once_gives_one_session() {
    let lobby = Lobby::new().await;
    let anybody = lobby.anybody();
    for round in 0..ROUNDS {
        let person = numbered(round);
        // At the first sign-in, and at the second.
        for sessions in 1..=2 {
            let body = json!({ "code": lobby.code(&person).await });
            let answers = post_at_once((0..4).map(|_| (&anybody, EXCHANGE, body.clone()))).await;
            for refused in all_but_one(answers, StatusCode::OK) {
                expect_unauthorized(&refused);
            }
            let of_them = format!(
                "sessions s join users u on u.id = s.user_id where u.email_canonical = 'user{round}@example.com'"
            );
            assert_eq!(lobby.stage.database.count(&of_them).await, sessions, "round {round}");
        }
    }
    assert_eq!(
        lobby.stage.database.count("users").await,
        i64::try_from(ROUNDS).unwrap()
    );
}

#[tokio::test]
async fn two_first_sign_ins_at_once_make_one_account() {
    let lobby = Lobby::new().await;
    let anybody = lobby.anybody();
    for round in 0..ROUNDS {
        let mut requests = Vec::new();
        for _ in 0..2 {
            let code = lobby.code(&numbered(round)).await;
            requests.push((&anybody, EXCHANGE, json!({ "code": code })));
        }
        let answers = post_at_once(requests).await;
        let mut people = Vec::new();
        for answer in &answers {
            if answer.status == StatusCode::OK {
                people.push(expect_session(answer)["user"]["id"].clone());
            } else {
                // Who came second found the address taken, and may come again.
                expect_conflict(answer, "identity_not_linked");
            }
        }
        people.dedup();
        assert_eq!(people.len(), 1, "round {round}: {people:?}");
        let again = expect_session(&lobby.enter(&numbered(round)).await);
        assert_eq!(again["user"]["id"], people[0]);
    }
    let made = i64::try_from(ROUNDS).unwrap();
    assert_eq!(lobby.stage.database.count("users").await, made);
    assert_eq!(lobby.stage.database.count("identities").await, made);
    assert_eq!(lobby.stage.events("user.registered").await, made);
}

#[tokio::test]
async fn an_identity_that_two_link_at_once_is_of_one() {
    let lobby = Lobby::new().await;
    let carl = lobby.stage.newcomer("Carl").await;
    let dora = lobby.stage.newcomer("Dora").await;
    for round in 0..ROUNDS {
        let mut requests = Vec::new();
        for client in [&carl.client, &dora.client] {
            requests.push((client, LINK, link_body(&lobby, &numbered(round)).await));
        }
        for refused in all_but_one(post_at_once(requests).await, StatusCode::CREATED) {
            expect_conflict(&refused, "identity_taken");
        }
    }
    let linked = listed(&carl.client).await.len() + listed(&dora.client).await.len();
    assert_eq!(linked, ROUNDS);
}

#[tokio::test]
async fn a_code_that_links_twice_at_once_links_once() {
    let lobby = Lobby::new().await;
    let carl = lobby.stage.newcomer("Carl").await;
    for round in 0..ROUNDS {
        let body = link_body(&lobby, &numbered(round)).await;
        let answers = post_at_once((0..3).map(|_| (&carl.client, LINK, body.clone()))).await;
        for refused in all_but_one(answers, StatusCode::CREATED) {
            assert!(refused.status.is_client_error(), "{}", refused.text);
        }
    }
    assert_eq!(listed(&carl.client).await.len(), ROUNDS);
    let events = i64::try_from(ROUNDS).unwrap();
    assert_eq!(lobby.stage.events("identity.linked").await, events);
}

#[tokio::test]
async fn a_mailed_link_that_is_followed_twice_at_once_links_once() {
    let lobby = Lobby::new().await;
    let carl = lobby.stage.newcomer("Carl").await;
    let anybody = lobby.anybody();
    for round in 0..ROUNDS {
        let person = numbered(round).with("email", carl.email.as_str());
        expect_conflict(&lobby.enter(&person).await, "identity_not_linked");
        let body = json!({ "token": confirmation(&lobby, &carl.email).await });
        let answers = post_at_once((0..3).map(|_| (&anybody, CONFIRM, body.clone()))).await;
        for refused in all_but_one(answers, StatusCode::OK) {
            refused.expect_error(StatusCode::GONE, "GONE");
        }
        lobby.stage.app.clock.advance(chrono::TimeDelta::seconds(1));
    }
    assert_eq!(listed(&carl.client).await.len(), ROUNDS);
}

/// Each of two finds that there is another, and one of them stays.
#[tokio::test]
async fn of_the_last_two_ways_in_that_are_taken_away_at_once_one_stays() {
    let lobby = Lobby::new().await;
    for round in 0..ROUNDS {
        let account = lobby.come_in(&numbered(round)).await;
        let first = path_of(&listed(&account.client).await[0]);
        let second = linked(&lobby, &account.client, &bob().with("sub", format!("b{round}"))).await;
        let running: Vec<_> = [first, second]
            .into_iter()
            .map(|path| {
                let client = account.client.clone();
                tokio::spawn(async move { client.delete(&path).await })
            })
            .collect();
        let mut answers = Vec::new();
        for one in running {
            answers.push(one.await.unwrap());
        }
        for refused in all_but_one(answers, StatusCode::NO_CONTENT) {
            expect_conflict(&refused, "last_sign_in_method");
        }
        assert_eq!(listed(&account.client).await.len(), 1, "round {round}");
    }
}

/// However many come at once, nobody gets more than there may be.
#[tokio::test]
async fn the_most_that_one_may_have_are_the_most_at_once() {
    let lobby = Lobby::new().await;
    let carl = lobby.stage.newcomer("Carl").await;
    for number in 0..19 {
        linked(&lobby, &carl.client, &numbered(number)).await;
    }
    let mut requests = Vec::new();
    for number in 19..23 {
        requests.push((&carl.client, LINK, link_body(&lobby, &numbered(number)).await));
    }
    for refused in all_but_one(post_at_once(requests).await, StatusCode::CREATED) {
        expect_conflict(&refused, "too_many_identities");
    }
    assert_eq!(lobby.stage.database.count("identities").await, 20);
}
