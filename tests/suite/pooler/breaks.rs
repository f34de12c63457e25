//! Sessions that end under those who use them, that others hold, and that nobody gets.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use reqwest::StatusCode;
use sqlx::Connection as _;
use tenantry_tests::{
    client::{Answer, Client},
    database::connect,
};
use tokio::task::JoinSet;

use super::{
    CLIENTS, Narrow, OF_THE_APPLICATION, SESSIONS,
    crowd::{Course, call, expect_confirmed},
    end_sessions,
};
use crate::{
    binary::process::eventually,
    faults::{AWAY, expect_unavailable, expect_unready, get_within},
};

/// How often all sessions are ended.
const BREAKS: usize = 5;

/// How many good answers there are before each of these times.
const BETWEEN: usize = 40;

impl Narrow {
    /// Where the first tenant's projects are listed.
    fn projects(&self) -> (Client, String) {
        let tenant = &self.tenants[0];
        let path = format!("/api/v1/organizations/{}/projects", tenant.organization);
        (tenant.owner.client.clone(), path)
    }

    /// Waits until all is well, and sees that it is so for as many as there are connections.
    async fn works_again(&self) {
        let (client, path) = self.projects();
        eventually("readiness", async || {
            let ready = client.get("/health/ready").await;
            (ready.status == StatusCode::OK).then_some(())
        })
        .await;
        eventually("the sessions to be left", async || {
            let busy = format!("{OF_THE_APPLICATION} and state <> 'idle'");
            (self.database.count(&busy).await == 0).then_some(())
        })
        .await;
        for answer in at_once(&client, &path, AWAY).await {
            answer.expect(StatusCode::OK);
        }
        let confirmed = call(&self.tenants, &Arc::default(), 1).await;
        expect_confirmed(&self.tenants, &confirmed).await;
    }
}

/// As many requests at once as there are clients.
async fn at_once(client: &Client, path: &str, limit: Duration) -> Vec<Answer> {
    let mut running = JoinSet::new();
    for _ in 0..CLIENTS {
        let (client, path) = (client.clone(), path.to_owned());
        running.spawn(async move { get_within(&client, &path, limit).await });
    }
    running.join_all().await
}

#[tokio::test]
async fn sessions_that_are_ended_are_replaced() {
    let narrow = Narrow::start().await;
    let course = Arc::new(Course {
        breaking: true,
        ..Course::default()
    });
    let calling = {
        let (tenants, course) = (narrow.tenants.clone(), Arc::clone(&course));
        tokio::spawn(async move { call(&tenants, &course, usize::MAX).await })
    };
    for _ in 0..BREAKS {
        let enough = course.good.load(Ordering::Relaxed) + BETWEEN;
        eventually("good answers", async || {
            assert!(!calling.is_finished(), "a client has met something else");
            (course.good.load(Ordering::Relaxed) >= enough).then_some(())
        })
        .await;
        assert!(end_sessions(&narrow.database).await > 0, "there was nothing to end");
    }
    course.over.store(true, Ordering::Relaxed);
    let confirmed = calling.await.unwrap();
    narrow.works_again().await;
    expect_confirmed(&narrow.tenants, &confirmed).await;
}

#[tokio::test]
async fn who_gets_no_session_is_told_in_time() {
    let narrow = Narrow::start().await;
    let (client, path) = narrow.projects();
    client.get(&path).await.expect(StatusCode::OK);
    let mut holder = connect(narrow.database.superuser_url()).await;
    sqlx::raw_sql("begin; lock table projects in access exclusive mode")
        .execute(&mut holder)
        .await
        .unwrap();
    let mut stuck = JoinSet::new();
    for _ in 0..SESSIONS {
        let (client, path) = (client.clone(), path.clone());
        stuck.spawn(async move { client.get(&path).await });
    }
    eventually("the sessions to be held", async || {
        let held = format!("{OF_THE_APPLICATION} and wait_event_type = 'Lock'");
        (narrow.database.count(&held).await == i64::from(SESSIONS)).then_some(())
    })
    .await;

    let ((), answers) = tokio::join!(expect_unready(&client), at_once(&client, "/api/v1/me", AWAY));
    for answer in answers {
        expect_unavailable(&answer);
    }
    sqlx::raw_sql("rollback").execute(&mut holder).await.unwrap();
    for answer in stuck.join_all().await {
        answer.expect(StatusCode::OK);
    }
    narrow.works_again().await;
    holder.close().await.unwrap();
}

/// A pooler that pauses; without one, a database that lets nobody in.
#[tokio::test]
async fn while_nobody_gets_a_session_everybody_is_told_in_time() {
    let narrow = Narrow::start().await;
    let name = narrow.database.name();
    let (client, path) = narrow.projects();
    client.get(&path).await.expect(StatusCode::OK);
    match narrow.database.pooler() {
        Some(pooler) => pooler.command("PAUSE").await,
        None => {
            let close = format!("alter database {name} connection limit 0");
            narrow.database.superuser(close).await;
            end_sessions(&narrow.database).await;
        }
    }

    for _ in 0..2 {
        let ((), answers) = tokio::join!(expect_unready(&client), at_once(&client, &path, AWAY));
        for answer in answers {
            expect_unavailable(&answer);
        }
    }
    match narrow.database.pooler() {
        Some(pooler) => pooler.command("RESUME").await,
        None => {
            let open = format!("alter database {name} connection limit {CLIENTS}");
            narrow.database.superuser(open).await;
        }
    }
    narrow.works_again().await;
}
