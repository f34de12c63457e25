//! Clients that vanish in the middle of a write: it is wholly done, or not at all.

use reqwest::{Method, StatusCode};
use serde_json::json;
use tenantry_tests::{database::connect, scene::Scene, wire::Wire};

use crate::binary::process::eventually;

/// The sessions of the application that are in a transaction.
const IN_TRANSACTION: &str = "pg_stat_activity where datname = current_database() and application_name = 'tenantry'
    and state <> 'idle'";

/// The head of a request that creates a project.
fn head(scene: &Scene, key: &str, length: usize) -> String {
    format!(
        "POST {} HTTP/1.1\r\nHost: tenantry.test\r\nAuthorization: Bearer {}\r\nIdempotency-Key: {key}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n",
        scene.projects(),
        scene.client().token().unwrap()
    )
}

/// How many projects and events of their creation there are, and how many of either lack the other.
async fn written(scene: &Scene) -> (i64, i64, i64) {
    let created = "(select * from events where type = 'project.created') e";
    let joined =
        format!("projects p full join {created} on e.organization_id = p.organization_id and e.resource_id = p.id");
    (
        scene.database.count("projects").await,
        scene.database.count(created).await,
        scene
            .database
            .count(&format!("{joined} where p.id is null or e.id is null"))
            .await,
    )
}

/// Where a write is held up while its client vanishes.
async fn gone_while_waiting_for(table: &str) {
    let scene = Scene::new().await;
    let body = json!({ "name": "Perhaps" });
    let key = format!("gone at {table}");
    let mut holder = connect(scene.database.superuser_url()).await;
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
        "begin; lock table {table} in exclusive mode"
    )))
    .execute(&mut holder)
    .await
    .unwrap();

    let mut client = Wire::connect(scene.app.address).await;
    let text = body.to_string();
    assert!(client.send(head(&scene, &key, text.len()) + &text).await);
    eventually("the write to be held up", async || {
        let waiting = "pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
        (scene.database.count(waiting).await == 1).then_some(())
    })
    .await;
    drop(client);
    sqlx::raw_sql("rollback").execute(&mut holder).await.unwrap();
    eventually("the transaction to end", async || {
        (scene.database.count(IN_TRANSACTION).await == 0).then_some(())
    })
    .await;

    let (projects, events, torn) = written(&scene).await;
    assert_eq!((projects, torn), (events, 0));
    assert!(projects <= 1);
    // Whoever does not know what became of it asks again.
    let again = scene
        .client()
        .with_header("idempotency-key", &key)
        .post(&scene.projects(), &body)
        .await;
    again.expect(StatusCode::CREATED);
    assert_eq!(again.header("idempotency-replayed").is_some(), projects == 1);
    assert_eq!(written(&scene).await, (1, 1, 0));
}

#[tokio::test]
async fn before_the_first_row() {
    gone_while_waiting_for("projects").await;
}

#[tokio::test]
async fn between_the_rows() {
    gone_while_waiting_for("events").await;
}

#[tokio::test]
async fn in_the_middle_of_the_body() {
    let scene = Scene::new().await;
    // By itself the part that arrives would do.
    let part = json!({ "name": "Half" }).to_string();
    let mut client = Wire::connect(scene.app.address).await;
    assert!(client.send(head(&scene, "half", part.len() + 1) + &part).await);
    client.finish_sending().await;
    if let Some(answer) = client.answer().await {
        assert!(answer.status.is_client_error(), "{}", answer.text);
    }
    drop(client);
    assert_eq!(written(&scene).await, (0, 0, 0));

    let whole = scene
        .client()
        .request(Method::POST, &scene.projects())
        .header("idempotency-key", "half");
    let answer = scene.client().send(whole.json(&json!({ "name": "Whole" }))).await;
    answer.expect(StatusCode::CREATED);
    assert_eq!(answer.header("idempotency-replayed"), None);
}
