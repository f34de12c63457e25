//! `tenantry health`, as a container's health check runs it.

use std::net::{SocketAddr, TcpListener};

use nix::sys::signal::Signal;
use tenantry_tests::database::TestDatabase;

use super::{
    process::{Invocation, eventually, tenantry},
    serving::{Deployment, Serving},
};

/// The command with nothing but the address that the server was given.
fn health(options: &str, listen: SocketAddr) -> Invocation {
    tenantry(&format!("health {options}")).env("TENANTRY_LISTEN", listen.to_string())
}

#[tokio::test]
async fn it_says_whether_the_server_is_ready_and_whether_it_lives() {
    let database = TestDatabase::new().await;
    let deployment = Deployment::new(database.runtime_url(), database.owner_url());
    let everywhere = deployment
        .serve()
        .env("TENANTRY_LISTEN", "0.0.0.0:0")
        .env("TENANTRY_SHUTDOWN_GRACE_SECONDS", "300");
    let serving = Serving::of(everywhere.start()).await;
    let listen = serving.address;
    health("", listen)
        .run()
        .await
        .expect(0)
        .says("\"checks\"")
        .says("\"healthy\"");
    health("--live", listen).run().await.expect(0).says("\"healthy\"");

    serving.process.signal(Signal::SIGTERM);
    let not_ready = eventually("the server to be not ready", async || {
        let outcome = health("", listen).run().await;
        (outcome.status.code() == Some(1)).then_some(outcome)
    })
    .await;
    not_ready.complains("503").complains("\"unhealthy\"");
    assert_eq!(not_ready.stdout, "");
    health("--live", listen).run().await.expect(0);

    serving.process.kill().await;
    for options in ["", "--live"] {
        health(options, listen).run().await.expect(1).complains("refused");
    }
}

#[tokio::test]
async fn it_does_not_wait_for_a_server_that_hangs() {
    // What nobody accepts is connected, and never answered.
    let hanging = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = hanging.local_addr().unwrap();
    health("", listen)
        .run()
        .await
        .expect(1)
        .complains("no answer within 4 s");
}

#[tokio::test]
async fn it_tells_a_wrong_configuration_apart() {
    tenantry("health")
        .env("TENANTRY_LISTEN", "everywhere")
        .run()
        .await
        .expect(3)
        .complains("TENANTRY_LISTEN");
}
