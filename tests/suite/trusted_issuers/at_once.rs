//! Many requests in one moment: of what there can be one, there is one.

use chrono::TimeDelta;
use reqwest::StatusCode;
use tenantry_tests::{
    client::{Answer, Client},
    token_issuer::Person,
};

use super::{Border, INVALID, NOBODY, SESSIONS, current, expect_refused, listed};
use crate::mfa::ME;

/// How often each is tried: what goes wrong does so by chance.
const ROUNDS: usize = 5;

fn numbered(round: usize) -> Person {
    Person::new(&format!("s{round}"), &format!("user{round}@example.com")).with("sid", "first")
}

/// Asks who one is in the same moment by each of these clients, and gives the answers.
async fn at_once(clients: impl IntoIterator<Item = Client>) -> Vec<Answer> {
    let running: Vec<_> = clients
        .into_iter()
        .map(|client| tokio::spawn(async move { client.get(ME).await }))
        .collect();
    let mut answers = Vec::new();
    for one in running {
        answers.push(one.await.unwrap());
    }
    answers
}

#[tokio::test]
async fn twenty_first_sights_make_one_account_and_one_session() {
    let border = Border::new().await;
    for round in 1..=ROUNDS {
        let client = border.client(&numbered(round));
        let mut people = Vec::new();
        for answer in at_once(vec![client; 20]).await {
            people.push(answer.expect(StatusCode::OK).data()["id"].clone());
        }
        people.dedup();
        assert_eq!(people.len(), 1, "{people:?}");
        let made = i64::try_from(round).unwrap();
        assert_eq!(border.stored().await[..3], [made; 3]);
        assert_eq!(border.stage.events("user.registered").await, made);
        assert_eq!(border.stage.events("identity.linked").await, made);
    }
    assert_eq!(border.issuer.times_asked(), 1);
}

/// The same where each of them has a token and a session of its own, and where there are two nodes.
#[tokio::test]
async fn first_sights_of_many_sessions_make_one_account() {
    let border = Border::new().await;
    let node = border.beside().await;
    for round in 1..=ROUNDS {
        let clients = (0..8).map(|number| {
            let token = border
                .issuer
                .token(&numbered(round).with("sid", format!("{}", number / 2)));
            let app = if number % 2 == 0 { &border.stage.app } else { &node };
            app.client().with_token(&token)
        });
        let clients: Vec<Client> = clients.collect();
        let mut people = Vec::new();
        for answer in at_once(clients.clone()).await {
            people.push(answer.expect(StatusCode::OK).data()["id"].clone());
        }
        people.dedup();
        assert_eq!(people.len(), 1, "{people:?}");
        assert_eq!(listed(&clients[0]).await.len(), 4);
        let made = i64::try_from(round).unwrap();
        assert_eq!(border.stored().await[..2], [made; 2]);
    }
}

/// Two people who claim one address: one of them has it.
#[tokio::test]
async fn an_address_that_two_bring_at_once_is_of_one() {
    let border = Border::new().await;
    for round in 1..=ROUNDS {
        let email = format!("user{round}@example.com");
        let clients = [0, 1].map(|number| border.client(&Person::new(&format!("{round}-{number}"), &email)));
        let answers = at_once(clients).await;
        let let_in = answers.iter().filter(|answer| answer.status == StatusCode::OK).count();
        assert_eq!(let_in, 1, "{answers:?}");
        let refused = answers.iter().find(|answer| answer.status != StatusCode::OK).unwrap();
        expect_refused(refused, NOBODY);
        let made = i64::try_from(round).unwrap();
        assert_eq!(border.stored().await[..3], [made; 3]);
    }
}

/// Whatever comes first, what was ended stays ended.
#[tokio::test]
async fn a_session_that_is_ended_while_it_is_seen_is_ended() {
    let border = Border::new().await;
    for round in 1..=ROUNDS {
        let token = border.issuer.token(&numbered(round));
        let other = border.client(&numbered(round).with("sid", "other"));
        let path = current(&border.bearing(&token)).await;
        other.get(ME).await.expect(StatusCode::OK);
        // What was known of it is asked for anew.
        border.stage.app.clock.advance(TimeDelta::seconds(1));
        let seen = at_once(vec![border.bearing(&token); 8]);
        let (seen, ended) = tokio::join!(seen, other.delete(&path));
        ended.expect(StatusCode::NO_CONTENT);
        for answer in seen {
            if answer.status != StatusCode::OK {
                expect_refused(&answer, INVALID);
            }
        }
        for answer in at_once(vec![border.bearing(&token); 8]).await {
            expect_refused(&answer, INVALID);
        }
        assert_eq!(listed(&other).await.len(), 1);
    }
}

/// Whatever comes first, what was issued until all others were ended is refused, and only the one that was kept is listed.
#[tokio::test]
async fn all_others_are_ended_while_one_is_seen_first() {
    let border = Border::new().await;
    let keeper = border.client(&numbered(0).with("sid", "keeper"));
    keeper.get(ME).await.expect(StatusCode::OK);
    for round in 1..=ROUNDS {
        let person = numbered(0).with("sid", format!("s{round}"));
        let newcomer = border.client(&person);
        let seen = at_once(vec![newcomer.clone(); 8]);
        let (seen, ended) = tokio::join!(seen, keeper.delete(SESSIONS));
        ended.expect(StatusCode::NO_CONTENT);
        for answer in seen {
            if answer.status != StatusCode::OK {
                expect_refused(&answer, INVALID);
            }
        }
        for answer in at_once(vec![newcomer.clone(); 8]).await {
            expect_refused(&answer, INVALID);
        }
        assert_eq!(listed(&keeper).await.len(), 1, "round {round}");

        border.stage.app.clock.advance(TimeDelta::seconds(1));
        border.come_in(&person).await;
        expect_refused(&newcomer.get(ME).await, INVALID);
        assert_eq!(listed(&keeper).await.len(), 2, "round {round}");
    }
}
