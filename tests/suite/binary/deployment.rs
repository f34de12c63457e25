//! A deployment: `migrate up`, then `serve`, as the roles that an administrator has made.

use std::os::unix::fs::PermissionsExt as _;

use reqwest::StatusCode;
use tenantry_tests::database::TestDatabase;
use url::Url;

use super::serving::{Deployment, Serving};

#[tokio::test]
async fn a_migration_that_cannot_be_says_why() {
    let database = TestDatabase::new().await;
    let deployment = Deployment::new(database.runtime_url(), database.owner_url());
    database
        .owner("insert into seaql_migrations (version, applied_at) values ('m30000101_000001_later', 0)")
        .await;
    for command in ["migrate status", "migrate up", "migrate down"] {
        let refused = deployment.command(command).run().await;
        refused
            .expect(1)
            .complains("m30000101_000001_later")
            .complains("run the release that brought it");
    }
    // There, but not for whoever comes like this: waiting or trying again is of no use.
    let mut elsewhere = Url::parse(database.owner_url()).unwrap();
    elsewhere.set_path("not_there");
    let deployment = Deployment::new(database.runtime_url(), elsewhere.as_str());
    let refused = deployment.command("migrate up").run().await;
    refused.expect(1).complains("the database refuses the connection");
}

#[tokio::test]
async fn migrating_and_serving_is_the_whole_of_it() {
    let database = TestDatabase::unmigrated().await;
    let deployment = Deployment::new(database.runtime_url(), database.owner_url());
    let names = tenantry_migrations::names();

    deployment.command("config check").run().await.expect(0);
    let status = deployment.command("migrate status").run().await;
    status.expect(0);
    let pending: Vec<String> = names.iter().map(|name| format!("pending  {name}")).collect();
    assert_eq!(status.stdout.lines().collect::<Vec<_>>(), pending);

    let refused = deployment.command("serve").run().await;
    refused
        .expect(4)
        .complains("pending_migrations")
        .complains("tenantry migrate up");
    deployment
        .command("doctor")
        .run()
        .await
        .expect(4)
        .says("pending_migrations");

    let up = deployment.command("migrate up").run().await;
    up.expect(0);
    let applied: Vec<String> = names.iter().map(|name| format!("applied {name}")).collect();
    assert_eq!(up.stdout.lines().collect::<Vec<_>>(), applied);
    deployment
        .command("migrate up")
        .run()
        .await
        .expect(0)
        .says("The schema is up to date.");
    let status = deployment.command("migrate status").run().await;
    let applied: Vec<String> = names.iter().map(|name| format!("applied  {name}")).collect();
    assert_eq!(status.stdout.lines().collect::<Vec<_>>(), applied);
    let clean = deployment.command("doctor").run().await;
    clean.expect(0).says("Nothing found");

    let serving = Serving::of(deployment.command("serve").start()).await;
    let client = serving.client();
    client.get("/health/ready").await.expect(StatusCode::OK);
    let account = client.register("Ada", Some("Analytical Engines")).await;
    account.organization().await;
    let key = std::fs::read_dir(deployment.keys())
        .unwrap()
        .map(|entry| entry.unwrap())
        .find(|entry| entry.path().extension().is_some_and(|extension| extension == "pem"));
    let mode = key
        .expect("a first key was made")
        .metadata()
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let mut secrets = deployment.secrets();
    secrets.push(account.client.token().unwrap().to_owned());
    secrets.push(account.refresh_token.clone());
    secrets.push(tenantry_tests::client::PASSWORD.to_owned());
    for outcome in [serving.stop().await, refused, up, status, clean] {
        outcome.keeps(&secrets);
    }

    // The key was kept, so tokens outlive the process.
    let again = Serving::of(deployment.command("serve").start()).await;
    let me = again
        .client()
        .with_token(account.client.token().unwrap())
        .get("/api/v1/me")
        .await;
    me.expect(StatusCode::OK);
    again.stop().await.keeps(&secrets);
}

#[tokio::test]
async fn taking_migrations_back_needs_more_words_where_rows_are() {
    let database = TestDatabase::unmigrated().await;
    let deployment = Deployment::new(database.runtime_url(), database.owner_url());
    let names = tenantry_migrations::names();
    deployment.command("migrate up").run().await.expect(0);

    let last = format!("taken back {}", names.last().unwrap());
    deployment.command("migrate down").run().await.expect(0).says(&last);
    let refused = deployment.command("serve").run().await;
    refused
        .expect(4)
        .complains(&format!("pending_migrations: {}", names.last().unwrap()))
        .complains("tenantry migrate up");
    deployment
        .command("migrate up")
        .run()
        .await
        .expect(0)
        .says(names.last().unwrap());

    deployment.command("seed").run().await.expect(0);
    let refused = deployment.command("migrate down").run().await;
    refused.expect(1).complains("--accept-data-loss");
    assert_eq!(refused.stdout, "");
    refused.keeps(&[super::process::password_of(database.owner_url())]);
    deployment.command("doctor").run().await.expect(0);

    let all = format!("migrate down --accept-data-loss --steps {}", names.len());
    let down = deployment.command(&all).run().await;
    down.expect(0);
    let expected: Vec<String> = names.iter().rev().map(|name| format!("taken back {name}")).collect();
    assert_eq!(down.stdout.lines().collect::<Vec<_>>(), expected);
    deployment
        .command("migrate down")
        .run()
        .await
        .expect(0)
        .says("There was nothing to take back.");
}
