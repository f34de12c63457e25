//! A service that is started before its database.

use reqwest::StatusCode;
use secrecy::ExposeSecret as _;

use super::cluster::{Cluster, Stop};
use crate::binary::serving::{Deployment, Serving};

#[tokio::test]
async fn a_start_waits_for_the_database_and_says_so() {
    let cluster = Cluster::start_new().await;
    let urls = cluster.migrated().await;
    let deployment = Deployment::new(urls.runtime.expose_secret(), urls.owner.expose_secret());
    cluster.stop(Stop::Fast).await;

    let given_up = deployment.serve().start();
    let starting = deployment.serve().start();
    starting.stderr_with("waiting for the database").await;
    given_up.stderr_with("waiting for the database").await;
    // Who waits can be told to stop.
    given_up.stop().await.expect(0).keeps(&deployment.secrets());

    cluster.start().await;
    let serving = Serving::of(starting).await;
    serving.client().get("/health/ready").await.expect(StatusCode::OK);
    serving.stop().await.keeps(&deployment.secrets());
}
