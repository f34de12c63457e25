//! More sign-ins than there are cores to check passwords.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tenantry_auth::passwords::MAX_WAITING;
use tenantry_tests::{
    client::{Answer, Client, PASSWORD},
    database::TestDatabase,
};
use tokio::task::JoinSet;

use super::{AWAY, expect_unavailable, get_within};
use crate::binary::{
    process::{PATIENCE, eventually},
    serving::{Deployment, Serving},
};

/// How many sign in at once.
const STORM: usize = 64;

/// As many sign-ins at once as there are bodies.
fn sign_ins(client: &Client, bodies: impl Iterator<Item = Value>) -> JoinSet<Answer> {
    let mut running = JoinSet::new();
    for body in bodies {
        let client = client.clone();
        running.spawn(async move {
            let request = client.request(Method::POST, "/api/v1/auth/login").json(&body);
            client.send(request.timeout(PATIENCE)).await
        });
    }
    running
}

async fn served(database: &TestDatabase) -> (Deployment, Serving) {
    // The shipped cost of a password, which the kit's application spares itself.
    let deployment = Deployment::new(database.runtime_url(), database.owner_url());
    let serving = Serving::of(deployment.serve().start()).await;
    (deployment, serving)
}

#[tokio::test]
async fn a_storm_of_sign_ins_starves_no_reader() {
    let database = TestDatabase::new().await;
    let (_deployment, serving) = served(&database).await;
    let reader = serving.client().register("Rita Reader", Some("Acme")).await;
    let organization = reader.organization().await;
    let path = format!("/api/v1/organizations/{organization}/workspaces");
    let right = json!({ "email": reader.email, "password": PASSWORD });

    let mut storm = sign_ins(&serving.client(), std::iter::repeat_n(right, STORM));
    let (mut signed_in, mut reads) = (0, 0);
    while !storm.is_empty() {
        get_within(&reader.client, &path, AWAY).await.expect(StatusCode::OK);
        reads += 1;
        while let Some(answer) = storm.try_join_next() {
            let answer = answer.unwrap();
            if answer.status == StatusCode::OK {
                signed_in += 1;
            } else {
                expect_unavailable(&answer);
            }
        }
    }
    assert!(reads > 1 && signed_in > 0, "{reads} reads, {signed_in} signed in");
    serving.stop().await;
}

#[tokio::test]
async fn sign_ins_beyond_the_queue_are_turned_away() {
    let database = TestDatabase::new().await;
    let (_deployment, serving) = served(&database).await;
    let account = serving.client().register("Ada", None).await;
    let cores = std::thread::available_parallelism().unwrap().get();

    // Nobody's addresses, so that the password alone is worked on.
    let bodies =
        (0..2 * (MAX_WAITING + cores)).map(|number| json!({ "email": number.to_string(), "password": PASSWORD }));
    let answers = sign_ins(&serving.client(), bodies).join_all().await;
    let mut turned_away = 0;
    for answer in &answers {
        if answer.status == StatusCode::UNAUTHORIZED {
            answer.expect_error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED");
        } else {
            expect_unavailable(answer);
            turned_away += 1;
        }
    }
    assert!(
        turned_away > 0 && turned_away < answers.len(),
        "{turned_away} of {}",
        answers.len()
    );

    let right = json!({ "email": account.email, "password": PASSWORD });
    eventually("a sign-in after the storm", async || {
        let answer = serving.client().post("/api/v1/auth/login", &right).await;
        (answer.status == StatusCode::OK).then_some(())
    })
    .await;
    serving.stop().await;
}
