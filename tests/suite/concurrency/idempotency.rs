//! Requests that are sent more than once and take effect once.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::{
    client::{Answer, Client, text},
    scene::Scene,
};

const ORGANIZATIONS: &str = "/api/v1/organizations";

fn keyed(client: &Client, key: &str) -> Client {
    client.with_header("idempotency-key", key)
}

#[track_caller]
fn expect_replay(answer: &Answer, first: &Answer) {
    answer.expect(StatusCode::CREATED);
    assert_eq!(answer.header("idempotency-replayed"), Some("true"));
    assert_eq!(answer.json(), first.json());
    for same in ["location", "etag"] {
        assert_eq!(answer.header(same), first.header(same));
    }
}

#[tokio::test]
async fn one_key_sent_twenty_times_at_once_creates_one() {
    let scene = Scene::new().await;
    for (path, table) in [
        (scene.projects(), "projects"),
        (ORGANIZATIONS.to_owned(), "organizations"),
    ] {
        let before = scene.database.count(table).await;
        let client = keyed(scene.client(), "the very same");
        let crowd: Vec<_> = (0..20)
            .map(|_| {
                let (client, path) = (client.clone(), path.clone());
                tokio::spawn(async move { client.post(&path, &json!({ "name": "Once" })).await })
            })
            .collect();
        let (mut first, mut replays) = (Vec::new(), Vec::new());
        for one in crowd {
            let answer = one.await.unwrap();
            match (answer.status, answer.header("idempotency-replayed")) {
                (StatusCode::CREATED, None) => first.push(answer),
                (StatusCode::CREATED, Some("true")) => replays.push(answer),
                _ => {
                    answer.expect_error(StatusCode::CONFLICT, "IDEMPOTENCY_IN_PROGRESS");
                }
            }
        }
        assert_eq!(first.len(), 1, "{path}");
        for replay in &replays {
            expect_replay(replay, &first[0]);
        }
        assert_eq!(scene.database.count(table).await, before + 1);
        expect_replay(&client.post(&path, &json!({ "name": "Once" })).await, &first[0]);
        let other = client.post(&path, &json!({ "name": "Twice" })).await;
        other.expect_error(StatusCode::UNPROCESSABLE_ENTITY, "IDEMPOTENCY_KEY_REUSED");
        assert_eq!(scene.database.count(table).await, before + 1);
    }
}

#[tokio::test]
async fn a_replay_is_the_first_answer_whatever_has_become_of_it() {
    let scene = Scene::new().await;
    let client = keyed(scene.client(), "k");
    let body = json!({ "name": "Website", "settings": { "a": 1 }, "visibility": "private" });
    let first = client.post(&scene.projects(), &body).await;
    first.expect(StatusCode::CREATED);
    assert_eq!(first.header("idempotency-replayed"), None);
    let path = scene.project(&first.data());
    scene
        .client()
        .patch(&path, &json!({ "name": "Renamed" }))
        .await
        .expect(StatusCode::OK);
    expect_replay(&client.post(&scene.projects(), &body).await, &first);
    scene.client().delete(&path).await.expect(StatusCode::NO_CONTENT);
    expect_replay(&client.post(&scene.projects(), &body).await, &first);
    assert_eq!(scene.database.count("projects").await, 0);
}

#[tokio::test]
async fn a_key_is_its_callers_and_its_paths_own() {
    let scene = Scene::new().await;
    let second = scene.add_workspace("second").await;
    let member = scene.joined("member").await;
    let there = scene.path(&format!("/workspaces/{second}/projects"));
    let body = json!({ "name": "Website" });
    let mut ids = Vec::new();
    for (client, path) in [
        (scene.client(), scene.projects()),
        (&member.client, scene.projects()),
        (scene.client(), there),
    ] {
        let answer = keyed(client, "same").post(&path, &body).await;
        answer.expect(StatusCode::CREATED);
        assert_eq!(answer.header("idempotency-replayed"), None);
        ids.push(text(&answer.data()["id"]));
    }
    let other_key = keyed(scene.client(), "SAME").post(&scene.projects(), &body).await;
    assert_eq!(
        other_key.expect(StatusCode::CREATED).header("idempotency-replayed"),
        None
    );
    assert_eq!(scene.database.count("projects").await, 4);
    // Two people may found organizations with one key.
    for client in [scene.client(), &member.client] {
        let founded = keyed(client, "same").post(ORGANIZATIONS, &body).await;
        assert_eq!(founded.expect(StatusCode::CREATED).header("idempotency-replayed"), None);
    }
}

#[tokio::test]
async fn after_an_error_the_key_is_free() {
    let scene = Scene::new().await;
    let client = keyed(scene.client(), "k");
    client
        .post(&scene.projects(), &json!({ "nmae": "x" }))
        .await
        .expect(StatusCode::BAD_REQUEST);
    let blocker = scene.create_project(&json!({ "name": "x", "slug": "wanted" })).await;
    let body = json!({ "name": "Website", "slug": "wanted" });
    client
        .post(&scene.projects(), &body)
        .await
        .expect_error(StatusCode::CONFLICT, "CONFLICT");
    scene
        .client()
        .delete(&scene.project(&blocker))
        .await
        .expect(StatusCode::NO_CONTENT);
    let created = client.post(&scene.projects(), &body).await;
    created.expect(StatusCode::CREATED);
    assert_eq!(created.header("idempotency-replayed"), None);
    expect_replay(&client.post(&scene.projects(), &body).await, &created);

    let founder = keyed(scene.client(), "o");
    founder
        .post(ORGANIZATIONS, &json!({ "name": "x", "slug": "acme" }))
        .await
        .expect(StatusCode::CONFLICT);
    let founded = founder
        .post(ORGANIZATIONS, &json!({ "name": "x", "slug": "acme-b" }))
        .await;
    assert_eq!(founded.expect(StatusCode::CREATED).header("idempotency-replayed"), None);
}

#[tokio::test]
async fn a_key_is_kept_for_a_day() {
    let scene = Scene::new().await;
    scene.app.clock.stop();
    let body = json!({ "name": "Website" });
    let mut firsts = Vec::new();
    for path in [scene.projects(), ORGANIZATIONS.to_owned()] {
        let first = keyed(scene.client(), "k").post(&path, &body).await;
        first.expect(StatusCode::CREATED);
        firsts.push((path, first));
    }
    let mut refresh_token = scene.owner.refresh_token.clone();
    let mut client_after = async |time: TimeDelta| {
        scene.app.clock.advance(time);
        let body = json!({ "refreshToken": refresh_token });
        let session = scene.app.client().post("/api/v1/auth/refresh", &body).await.data();
        refresh_token = text(&session["refreshToken"]);
        keyed(&scene.client().with_token(&text(&session["accessToken"])), "k")
    };
    let client = client_after(TimeDelta::hours(24) - TimeDelta::seconds(1)).await;
    for (path, first) in &firsts {
        expect_replay(&client.post(path, &body).await, first);
    }
    let client = client_after(TimeDelta::seconds(2)).await;
    for (path, first) in &firsts {
        let again = client.post(path, &json!({ "name": "Other" })).await;
        assert_eq!(
            again.expect(StatusCode::CREATED).header("idempotency-replayed"),
            None,
            "{path}"
        );
        assert_ne!(again.data()["id"], first.data()["id"]);
    }
}

#[tokio::test]
async fn keys_are_bounded_and_ignored_where_nobody_is_known() {
    let scene = Scene::new().await;
    let attempt = async |key: &str| {
        keyed(scene.client(), key)
            .post(&scene.projects(), &json!({ "name": "x" }))
            .await
    };
    attempt(&"k".repeat(255)).await.expect(StatusCode::CREATED);
    attempt(&"k".repeat(256))
        .await
        .expect_error(StatusCode::BAD_REQUEST, "MALFORMED_REQUEST");
    attempt("'; drop table projects; --").await.expect(StatusCode::CREATED);
    assert_eq!(scene.database.count("projects").await, 2);

    let anyone = keyed(&scene.app.client(), "k");
    let mut users = Vec::new();
    for email in ["one@example.com", "two@example.com"] {
        let body = json!({ "email": email, "password": tenantry_tests::client::PASSWORD, "name": "x" });
        let answer = anyone.post("/api/v1/auth/register", &body).await;
        answer.expect(StatusCode::CREATED);
        assert_eq!(answer.header("idempotency-replayed"), None);
        users.push(answer.data()["user"]["id"].clone());
    }
    assert_ne!(users[0], users[1]);
    assert_eq!(scene.database.count("user_idempotency_records").await, 0);
    assert_ne!(users[0], Value::Null);
}

#[tokio::test]
async fn an_answered_request_holds_its_key_no_longer() {
    let scene = Scene::new().await;
    let taken = json!({ "name": "Website", "slug": "website" });
    scene.create_project(&taken).await;
    let client = keyed(scene.client(), "k");
    for _ in 0..50 {
        let refused = client.post(&scene.projects(), &taken).await;
        refused.expect_error(StatusCode::CONFLICT, "CONFLICT");
    }
    let first = client.post(&scene.projects(), &json!({ "name": "Other" })).await;
    first.expect(StatusCode::CREATED);
    for _ in 0..50 {
        expect_replay(
            &client.post(&scene.projects(), &json!({ "name": "Other" })).await,
            &first,
        );
        let other = client.post(&scene.projects(), &taken).await;
        other.expect_error(StatusCode::UNPROCESSABLE_ENTITY, "IDEMPOTENCY_KEY_REUSED");
    }
}
