//! Searches that take their time, more of them than there are connections.

use reqwest::StatusCode;
use serde_json::json;
use tenantry_tests::{app::Options, scene::Scene};

use super::{AWAY, get_within};
use crate::{binary::process::eventually, hold::Hold};

#[tokio::test]
async fn searches_leave_connections_to_others() {
    let scene = Scene::with(Options {
        max_connections: 4,
        ..Options::default()
    })
    .await;
    scene.create_project(&json!({ "name": "Sought" })).await;
    let hold = Hold::begin(&scene, "lock table projects in access exclusive mode").await;
    let searches: Vec<_> = (0..8)
        .map(|_| {
            let (client, path) = (scene.client().clone(), scene.path("/projects?q=sought"));
            tokio::spawn(async move { client.get(&path).await })
        })
        .collect();
    let waiting = "pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    eventually("a search to be held up", async || {
        (scene.database.count(waiting).await > 0).then_some(())
    })
    .await;
    for _ in 0..4 {
        let me = get_within(scene.client(), "/api/v1/me", AWAY).await;
        me.expect(StatusCode::OK);
    }
    assert_eq!(scene.database.count(waiting).await, 1);
    hold.end().await;
    for search in searches {
        let answer = search.await.unwrap();
        // Those whose turn did not come in time are told so.
        if answer.status != StatusCode::SERVICE_UNAVAILABLE {
            assert_eq!(answer.expect(StatusCode::OK).data()[0]["name"], "Sought");
        }
    }
    let after = scene.client().get(&scene.path("/projects?q=sought")).await;
    after.expect(StatusCode::OK);
}
