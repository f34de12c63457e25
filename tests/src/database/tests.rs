#![allow(clippy::unwrap_used, reason = "a failing test should stop where it fails")]

use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use super::{TestDatabase, connect, folder::ServerFolder, leftovers};

/// Whether there is a database or a role of this name.
async fn exists(connection: &mut PgConnection, name: &str) -> bool {
    sqlx::query_scalar(
        "select exists (select from pg_database where datname = $1 union all select from pg_roles where rolname = $1)",
    )
    .bind(name)
    .fetch_one(connection)
    .await
    .unwrap()
}

/// Waits until `holds`, and fails where that takes too long.
async fn eventually(mut holds: impl AsyncFnMut() -> bool) {
    let held = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), held).await.unwrap();
}

#[tokio::test]
async fn databases_are_apart_and_vanish_with_their_roles() {
    let kept = TestDatabase::new().await;
    let dropped = TestDatabase::new().await;
    let (login, url) = dropped.login("in role tenantry_runtime").await;
    dropped.owner("create table of_one (id uuid)").await;
    let mut superuser = connect(kept.superuser_url()).await;
    let there: Option<String> = sqlx::query_scalar("select to_regclass('of_one')::text")
        .fetch_one(&mut superuser)
        .await
        .unwrap();
    assert_eq!(there, None);

    let name = dropped.name().to_owned();
    let _still_connected = connect(&url).await;
    assert!(exists(&mut superuser, &name).await && exists(&mut superuser, &login).await);
    drop(dropped);
    assert!(!exists(&mut superuser, &name).await && !exists(&mut superuser, &login).await);
}

#[tokio::test]
async fn connections_are_bounded() {
    let database = TestDatabase::unmigrated().await;
    let mut open = Vec::new();
    for _ in 0..super::CONNECTIONS {
        open.push(connect(database.owner_url()).await);
    }
    let refused = PgConnection::connect(database.owner_url()).await.unwrap_err();
    assert!(refused.to_string().contains("too many connections"), "{refused}");
}

#[tokio::test]
async fn what_ended_runs_left_is_cleared_and_nothing_else() {
    // Locks belong to a database: here it is this one that the runs agree on.
    let database = TestDatabase::unmigrated().await;
    let mut alive = connect(database.superuser_url()).await;
    let mut other = connect(database.superuser_url()).await;
    // Of no real run: those are random.
    let (ended, living) = (leftovers::prefix(1), leftovers::prefix(2));
    leftovers::claim(&mut alive, 2).await.unwrap();
    for name in [&ended, &living] {
        let database = format!("create database {name}0 connection limit 1");
        other.execute(AssertSqlSafe(database)).await.unwrap();
        other
            .execute(AssertSqlSafe(format!("create role {name}role")))
            .await
            .unwrap();
    }
    leftovers::clear_of(&mut other, 1).await.unwrap();
    leftovers::clear_of(&mut other, 2).await.unwrap();
    for suffix in ["0", "role"] {
        assert!(!exists(&mut other, &format!("{ended}{suffix}")).await);
        assert!(exists(&mut other, &format!("{living}{suffix}")).await);
    }
    alive.close().await.unwrap();
    // The server ends a session, and with it the lock, a moment after the client has left.
    eventually(async || {
        leftovers::clear_of(&mut other, 2).await.unwrap();
        !exists(&mut other, &format!("{living}0")).await
    })
    .await;
}

#[tokio::test]
async fn a_folder_vanishes_with_its_value() {
    let folder = ServerFolder::new().unwrap();
    let path = folder.path().to_owned();
    std::fs::write(path.join("file"), "content").unwrap();
    drop(folder);
    eventually(async || !path.exists()).await;
}
