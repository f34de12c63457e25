//! How serving ends: not ready first, then nothing new, then what is under way, then the process.

use std::{io::ErrorKind, net::SocketAddr, time::Duration};

use nix::sys::signal::Signal;
use reqwest::StatusCode;
use serde_json::json;
use sqlx::PgConnection;
use tenantry_tests::{
    client::{Account, Answer},
    database::{TestDatabase, connect},
    wire::Wire,
};
use tokio::net::TcpStream;

use super::{
    process::{PATIENCE, eventually},
    serving::{Deployment, Serving},
};

/// Far less than the 10 s after which a statement that waits for a lock is given up, and than the 20 s that requests
/// under way are given.
const AT_ONCE: Duration = Duration::from_secs(8);

const BODY: &str = "{\"name\":\"Under way\"}";

/// A server, and who creates projects on it.
struct Stage {
    database: TestDatabase,
    serving: Serving,
    account: Account,
    projects: String,
}

impl Stage {
    async fn with_grace(seconds: &str) -> Self {
        Self::with(&[("TENANTRY_SHUTDOWN_GRACE_SECONDS", seconds)]).await
    }

    async fn with(settings: &[(&str, &str)]) -> Self {
        let database = TestDatabase::new().await;
        let deployment = Deployment::new(database.runtime_url(), database.owner_url());
        let serve = settings
            .iter()
            .fold(deployment.serve(), |serve, (name, value)| serve.env(name, value));
        let serving = Serving::of(serve.start()).await;
        let account = serving.client().register("Ada", Some("Analytical Engines")).await;
        let organization = account.organization().await;
        let workspace = account.default_workspace(&organization).await;
        Self {
            database,
            serving,
            account,
            projects: format!("/api/v1/organizations/{organization}/workspaces/{workspace}/projects"),
        }
    }

    /// The head of a request that creates a project with [`BODY`].
    fn head(&self, more: &str) -> String {
        format!(
            "POST {} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n{more}\r\n",
            self.projects,
            self.account.client.token().unwrap(),
            BODY.len()
        )
    }

    /// Keeps every write to projects waiting until the connection says `rollback`, or ends.
    async fn hold_writes(&self) -> PgConnection {
        let mut holder = connect(self.database.superuser_url()).await;
        execute(&mut holder, "begin; lock table projects in exclusive mode").await;
        holder
    }

    /// A request that waits for whoever holds writes.
    async fn request_held_up(&self) -> Wire {
        let mut request = Wire::connect(self.serving.address).await;
        assert!(request.send(self.head("") + BODY).await);
        eventually("the write to be held up", async || {
            let waiting = "pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
            (self.database.count(waiting).await == 1).then_some(())
        })
        .await;
        request
    }

    async fn refuses_connections(&self) {
        let address = self.serving.address;
        eventually("connections to be refused", async || {
            is_refused(address).await.then_some(())
        })
        .await;
    }
}

async fn execute(connection: &mut PgConnection, sql: &'static str) {
    sqlx::raw_sql(sql).execute(connection).await.unwrap();
}

async fn is_refused(address: SocketAddr) -> bool {
    matches!(TcpStream::connect(address).await, Err(error) if error.kind() == ErrorKind::ConnectionRefused)
}

/// A connection that is kept open after a first request.
async fn kept_open(address: SocketAddr) -> Wire {
    let mut wire = Wire::connect(address).await;
    let answer = live_on(&mut wire).await;
    assert_eq!(answer.header("connection"), None);
    wire
}

async fn live_on(wire: &mut Wire) -> Answer {
    assert!(wire.send("GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n").await);
    let answer = wire.answer().await.expect("an answer");
    answer.expect(StatusCode::OK);
    answer
}

#[tokio::test]
async fn readiness_turns_first_while_requests_are_served_on() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        // Longer than anything here waits for: what happens happens before it is over.
        let stage = Stage::with_grace("300").await;
        let client = stage.serving.client();
        client.get("/health/ready").await.expect(StatusCode::OK);
        let mut kept = kept_open(stage.serving.address).await;

        stage.serving.process.signal(signal);
        let unready = eventually("readiness to turn", async || {
            let answer = client.get("/health/ready").await;
            (answer.status != StatusCode::OK).then_some(answer)
        })
        .await;
        unready.expect_error(StatusCode::SERVICE_UNAVAILABLE, "SERVICE_UNAVAILABLE");
        assert!(unready.header("retry-after").is_some());
        let health = unready.json();
        assert_eq!(health["status"], "unhealthy");
        assert_eq!(health["checks"]["database"]["status"], "healthy", "{health}");
        assert!(
            health["error"]["message"].as_str().unwrap().contains("stop"),
            "{health}"
        );

        client.get("/health/live").await.expect(StatusCode::OK);
        let body = json!({ "name": "In the meantime" });
        let created = stage.account.client.post(&stage.projects, &body).await;
        created.expect(StatusCode::CREATED);
        // Whoever kept a connection gets one more answer on it, and with it that it is the last.
        assert_eq!(live_on(&mut kept).await.header("connection"), Some("close"));
        assert!(kept.is_closed().await);

        stage.serving.process.signal(signal);
        let outcome = stage.serving.process.ended(AT_ONCE).await;
        outcome.expect(0).complains("told twice to stop");
    }
}

#[tokio::test]
async fn what_is_under_way_ends_and_nothing_new_begins() {
    let stage = Stage::with_grace("0").await;
    let address = stage.serving.address;
    let mut kept = kept_open(address).await;
    let mut holder = stage.hold_writes().await;
    let mut held_up = stage.request_held_up().await;
    // The server says that it has the head, and waits for the body.
    let mut uploading = Wire::connect(address).await;
    assert!(uploading.send(stage.head("Expect: 100-continue\r\n")).await);
    let go_on = uploading.answer().await.expect("an answer");
    go_on.expect(StatusCode::CONTINUE);
    let (first, rest) = BODY.split_at(7);
    assert!(uploading.send(first).await);

    stage.serving.process.signal(Signal::SIGTERM);
    stage.refuses_connections().await;
    assert!(kept.is_closed().await);
    assert!(uploading.send(rest).await);
    execute(&mut holder, "rollback").await;
    for request in [&mut held_up, &mut uploading] {
        let answer = request.answer().await.expect("an answer");
        answer.expect(StatusCode::CREATED);
        assert_eq!(answer.header("connection"), Some("close"));
        assert!(request.is_closed().await);
    }
    let outcome = stage.serving.process.ended(PATIENCE).await;
    outcome.expect(0).complains("\"message\":\"stopped\"");
    assert_eq!(stage.database.count("projects").await, 2);
    eventually("the server's connections to be gone", async || {
        (stage.database.connections().await == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_is_under_way_does_not_need_the_threads_that_are_idle() {
    // Connections go to one thread after the other: with one more or one less before it, the request is on another.
    for others in 0..2 {
        let stage = Stage::with(&[("TENANTRY_DATABASE_MAX_CONNECTIONS", "1")]).await;
        // The one connection to the database is opened anew, by the thread of the client.
        stage.database.cut_connections().await;
        eventually("the database to be used again", async || {
            let me = stage.account.client.get("/api/v1/me").await;
            (me.status == StatusCode::OK).then_some(())
        })
        .await;
        for _ in 0..others {
            kept_open(stage.serving.address).await;
        }
        let mut holder = stage.hold_writes().await;
        let mut held_up = stage.request_held_up().await;

        stage.serving.process.signal(Signal::SIGTERM);
        stage.refuses_connections().await;
        execute(&mut holder, "rollback").await;
        let answer = held_up.answer().await.expect("an answer");
        answer.expect(StatusCode::CREATED);
        stage.serving.process.ended(PATIENCE).await.expect(0);
    }
}

#[tokio::test]
async fn a_second_signal_does_not_wait_for_what_is_under_way() {
    let stage = Stage::with_grace("0").await;
    let mut holder = stage.hold_writes().await;
    let mut held_up = stage.request_held_up().await;
    stage.serving.process.signal(Signal::SIGTERM);
    stage.refuses_connections().await;

    stage.serving.process.signal(Signal::SIGINT);
    let outcome = stage.serving.process.ended(AT_ONCE).await;
    outcome.expect(0).complains("told twice to stop");
    if let Some(answer) = held_up.answer().await {
        answer.expect(StatusCode::SERVICE_UNAVAILABLE);
    }
    execute(&mut holder, "rollback").await;
    assert_eq!(stage.database.count("projects").await, 0);
}

#[tokio::test]
async fn a_request_that_does_not_end_is_not_waited_for_without_end() {
    let scene = tenantry_tests::scene::Scene::new().await;
    let settings = tenantry_api::Settings {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        cors_origins: Vec::new(),
        request_timeout: Duration::from_secs(300),
        workers: 1,
        drain_timeout: Duration::from_secs(1),
    };
    let server = tenantry_api::start(scene.app.services.clone(), &settings).unwrap();
    let mut uploading = Wire::connect(server.address()).await;
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
         Content-Length: 2\r\nExpect: 100-continue\r\n\r\n{{",
        scene.projects(),
        scene.client().token().unwrap()
    );
    assert!(uploading.send(head).await);
    uploading
        .answer()
        .await
        .expect("an answer")
        .expect(StatusCode::CONTINUE);
    // By itself a body is waited for for 15 s.
    tokio::time::timeout(AT_ONCE, server.stop())
        .await
        .expect("the server stops")
        .unwrap();
    assert!(uploading.is_closed().await);
}
