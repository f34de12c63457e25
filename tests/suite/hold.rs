//! Requests that are held up in the middle, so that others come in between.
#![allow(clippy::unwrap_used, reason = "a failing test should stop where it fails")]

use std::future::Future;

use sqlx::PgConnection;
use tenantry_tests::{client::Answer, database::connect, scene::Scene};
use tokio::task::JoinHandle;

use crate::binary::process::eventually;

/// A transaction that is in the way of others until it is ended.
pub(crate) struct Hold(PgConnection);

impl Hold {
    /// Takes a lock: a statement such as `lock table … in exclusive mode`.
    pub(crate) async fn begin(scene: &Scene, lock: &str) -> Self {
        let mut holder = connect(scene.database.superuser_url()).await;
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("begin; {lock}")))
            .execute(&mut holder)
            .await
            .unwrap();
        Self(holder)
    }

    /// Lets those who wait go on.
    pub(crate) async fn end(mut self) {
        sqlx::raw_sql("rollback").execute(&mut self.0).await.unwrap();
    }
}

/// Sends a request and waits until it is the `number`th that waits for a lock.
pub(crate) async fn held_up(
    scene: &Scene,
    number: i64,
    request: impl Future<Output = Answer> + Send + 'static,
) -> JoinHandle<Answer> {
    let running = tokio::spawn(request);
    eventually("the request to be held up", async || {
        let waiting = "pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
        (scene.database.count(waiting).await == number).then_some(())
    })
    .await;
    running
}
