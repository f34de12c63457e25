//! What happens when something breaks: killed processes, a database that is away, that hangs or that has no connection
//! left, storms of sign-ins, clients that vanish.
//!
//! To add a fault: a file with the condition that it is brought about by, never a time to sleep, and what the contract
//! promises while it lasts and after it. What needs a database server that can be stopped takes a
//! [`cluster::Cluster`]; all else takes the kit's.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test should stop where it fails"
)]

mod cluster;
mod database_away;
mod disconnects;
mod exhaustion;
mod killed;
mod late_database;
mod searches;
mod sign_in_storm;

use std::time::Duration;

use reqwest::{Method, StatusCode};
use tenantry_tests::client::{Answer, Client};

/// How long the contract gives the answer that the database is away.
pub(crate) const AWAY: Duration = Duration::from_secs(5);

/// `GET`, answered in time or panicked about.
pub(crate) async fn get_within(client: &Client, path: &str, limit: Duration) -> Answer {
    client.send(client.request(Method::GET, path).timeout(limit)).await
}

/// Panics where an answer is not the envelope of a service that is away for the moment.
#[track_caller]
pub(crate) fn expect_unavailable(answer: &Answer) {
    answer.expect_error(StatusCode::SERVICE_UNAVAILABLE, "SERVICE_UNAVAILABLE");
    let seconds = answer.header("retry-after").expect("Retry-After");
    assert!(seconds.parse::<u32>().is_ok(), "{seconds}");
    assert_eq!(answer.json()["error"]["traceId"].as_str(), answer.header("x-trace-id"));
}

/// Panics where the health of a service that lives and cannot serve is told otherwise.
pub(crate) async fn expect_unready(client: &Client) {
    let ready = get_within(client, "/health/ready", AWAY).await;
    expect_unavailable(&ready);
    let health = ready.json();
    assert_eq!(health["status"], "unhealthy", "{health}");
    assert_eq!(health["checks"]["database"]["status"], "unhealthy", "{health}");
    get_within(client, "/health/live", AWAY).await.expect(StatusCode::OK);
    // What needs no database is served.
    get_within(client, "/.well-known/jwks.json", AWAY)
        .await
        .expect(StatusCode::OK);
}
