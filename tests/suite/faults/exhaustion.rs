//! Every connection held by transactions that wait for somebody else's lock.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::json;
use tenantry_tests::{
    app::Options,
    client::text,
    database::{TestDatabase, connect},
    scene::Scene,
};

use super::{AWAY, expect_unavailable, expect_unready, get_within};
use crate::binary::process::eventually;

/// How many connections the application has.
const CONNECTIONS: u32 = 2;

/// How many sessions of the application wait for a lock.
async fn waiting(database: &TestDatabase) -> i64 {
    database
        .count("pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")
        .await
}

#[tokio::test]
async fn without_a_free_connection_others_are_told_in_time() {
    let scene = Scene::with(Options {
        max_connections: CONNECTIONS,
        ..Options::default()
    })
    .await;
    let project = scene.create_project(&json!({ "name": "Contended" })).await;
    let path = scene.project(&project);

    let mut holder = connect(scene.database.superuser_url()).await;
    let id = text(&project["id"]);
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
        "begin; select 1 from projects where id = '{id}' for update"
    )))
    .execute(&mut holder)
    .await
    .unwrap();
    let writers: Vec<_> = (0..CONNECTIONS)
        .map(|number| {
            let (client, path) = (scene.client().clone(), path.clone());
            tokio::spawn(async move {
                client
                    .patch(&path, &json!({ "description": format!("{number}") }))
                    .await
            })
        })
        .collect();
    eventually("all connections to be held", async || {
        (waiting(&scene.database).await == i64::from(CONNECTIONS)).then_some(())
    })
    .await;

    let (unready, refused) = tokio::join!(expect_unready(scene.client()), get_within(scene.client(), &path, AWAY));
    let () = unready;
    expect_unavailable(&refused);

    sqlx::raw_sql("rollback").execute(&mut holder).await.unwrap();
    for writer in writers {
        writer.await.unwrap().expect(StatusCode::OK);
    }
    scene.client().get(&path).await.expect(StatusCode::OK);
    // What was found a moment ago may be told once more.
    eventually("it to be ready again", async || {
        let ready = scene.client().get("/health/ready").await;
        (ready.status == StatusCode::OK).then_some(())
    })
    .await;
}

#[tokio::test]
async fn who_waits_too_long_for_a_lock_is_told_and_has_changed_nothing() {
    // The time for a request ends before that of a statement.
    let limit = Duration::from_secs(1);
    let scene = Scene::with(Options {
        request_timeout: limit,
        ..Options::default()
    })
    .await;
    let project = scene.create_project(&json!({ "name": "Contended" })).await;
    let path = scene.project(&project);
    let mut holder = connect(scene.database.superuser_url()).await;
    sqlx::raw_sql("begin; lock table events in exclusive mode")
        .execute(&mut holder)
        .await
        .unwrap();

    let answer = scene.client().patch(&path, &json!({ "name": "Changed" })).await;
    answer.expect_error(StatusCode::GATEWAY_TIMEOUT, "TIMEOUT");
    sqlx::raw_sql("rollback").execute(&mut holder).await.unwrap();
    eventually("the transaction to end", async || {
        let open = "pg_stat_activity where datname = current_database() and application_name = 'tenantry'
                    and state <> 'idle'";
        (scene.database.count(open).await == 0).then_some(())
    })
    .await;
    let after = scene.client().get(&path).await.data();
    assert_eq!(after, project);
    assert_eq!(scene.database.count("events where type = 'project.updated'").await, 0);
}
