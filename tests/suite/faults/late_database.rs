//! A service that is started before its database.

use reqwest::StatusCode;
use secrecy::ExposeSecret as _;

use super::cluster::{Cluster, Stop};
use crate::binary::serving::{Deployment, Serving};

#[tokio::test]
async fn a_start_waits_for_the_database_and_says_for_which() {
    let cluster = Cluster::start_new().await;
    let urls = cluster.migrated().await;
    let deployment = Deployment::new(urls.runtime.expose_secret(), urls.owner.expose_secret());
    cluster.stop(Stop::Fast).await;

    let given_up = deployment.serve().start();
    let starting = deployment.serve().start();
    given_up.stderr_with("waiting for the database").await;
    let log = starting.stderr_with("waiting for the database").await;
    let url = url::Url::parse(urls.runtime.expose_secret()).unwrap();
    let place = format!("{}:{}{}", url.host_str().unwrap(), url.port().unwrap(), url.path());
    let line = log
        .lines()
        .find(|line| line.contains("waiting for the database"))
        .unwrap();
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!(line["database"], place, "{line}");
    assert!(line["seconds_left"].as_u64().unwrap() <= 30, "{line}");
    // Who waits can be told to stop.
    given_up.stop().await.expect(0).keeps(&deployment.secrets());

    cluster.start().await;
    let serving = Serving::of(starting).await;
    serving.client().get("/health/ready").await.expect(StatusCode::OK);
    serving.stop().await.keeps(&deployment.secrets());
}

#[tokio::test]
async fn a_database_that_does_not_come_is_not_waited_for_without_end() {
    // Port 1 is reserved, nothing listens there.
    let nowhere = "postgres://tenantry_app:not-on-any-terminal@127.0.0.1:1/tenantry";
    let deployment = Deployment::new(nowhere, nowhere);
    let outcome = deployment.serve().run().await;
    outcome
        .expect(5)
        .complains("waited 30 s for 127.0.0.1:1/tenantry")
        .complains("the database is not available")
        .keeps(&["not-on-any-terminal".to_owned()]);
}
