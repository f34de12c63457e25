//! PostgreSQL that is stopped or hangs while requests come in, and comes back.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use reqwest::{Method, StatusCode};
use secrecy::ExposeSecret as _;
use serde_json::json;
use tenantry_tests::client::{Account, Answer, PASSWORD, text};

use super::{
    AWAY,
    cluster::{Cluster, Stop},
    expect_unavailable, expect_unready, get_within,
};
use crate::binary::{
    process::eventually,
    serving::{Deployment, Serving},
};

/// How many clients call at once, each of the two kinds.
const CLIENTS: usize = 3;

/// A service over a server of its own, and somebody who works with it.
struct Service {
    cluster: Cluster,
    deployment: Deployment,
    serving: Serving,
    account: Account,
    projects: String,
}

impl Service {
    /// `timeout` bounds a request, in seconds.
    async fn start(timeout: &str) -> Self {
        let cluster = Cluster::start_new().await;
        let urls = cluster.migrated().await;
        let deployment = Deployment::new(urls.runtime.expose_secret(), urls.owner.expose_secret());
        let serve = deployment.serve().env("TENANTRY_REQUEST_TIMEOUT_SECONDS", timeout);
        let serving = Serving::of(serve.start()).await;
        let account = serving.client().register("Ada", Some("Acme")).await;
        let organization = account.organization().await;
        let workspace = account.default_workspace(&organization).await;
        Self {
            projects: format!("/api/v1/organizations/{organization}/workspaces/{workspace}/projects"),
            cluster,
            deployment,
            serving,
            account,
        }
    }

    async fn works_again(&self) {
        eventually("an answer from the database", async || {
            let answer = self.account.client.get(&self.projects).await;
            (answer.status == StatusCode::OK).then_some(())
        })
        .await;
        eventually("readiness", async || {
            let ready = self.account.client.get("/health/ready").await;
            (ready.status == StatusCode::OK).then_some(())
        })
        .await;
        let body = json!({ "email": self.account.email, "password": PASSWORD });
        let answer = self.account.client.post("/api/v1/auth/login", &body).await;
        answer.expect(StatusCode::OK);
        // More than there are connections, so that each of them is used again.
        for _ in 0..20 {
            let answer = self.account.client.get(&self.projects).await;
            answer.expect(StatusCode::OK);
        }
    }

    async fn stop(self) {
        let secrets = self.deployment.secrets();
        let outcome = self.serving.stop().await;
        outcome.keeps(&secrets);
        // A request that was given up must not leave its transaction, and with it the settings that tell the policies
        // whose it is, to whoever gets its connection next. PostgreSQL's notice is the trace of that.
        let notice = "there is already a transaction in progress";
        assert!(!outcome.stderr.contains(notice), "{outcome}");
    }
}

/// Clients that read and write without pause, and take no answer but a good one or 503.
struct Load {
    count: Arc<Counts>,
    clients: Vec<tokio::task::JoinHandle<Vec<String>>>,
}

#[derive(Default)]
struct Counts {
    good: AtomicUsize,
    away: AtomicUsize,
    over: AtomicBool,
}

impl Counts {
    fn take(&self, answer: &Answer, good: StatusCode) {
        if answer.status == good {
            self.good.fetch_add(1, Ordering::Relaxed);
        } else {
            expect_unavailable(answer);
            self.away.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Load {
    fn begin(service: &Service) -> Self {
        let count = Arc::new(Counts::default());
        let mut clients = Vec::new();
        for number in 0..CLIENTS {
            let (counts, client, path) = (
                Arc::clone(&count),
                service.account.client.clone(),
                service.projects.clone(),
            );
            clients.push(tokio::spawn(async move {
                while !counts.over.load(Ordering::Relaxed) {
                    counts.take(&get_within(&client, &path, AWAY).await, StatusCode::OK);
                }
                Vec::new()
            }));
            let (counts, client, path) = (
                Arc::clone(&count),
                service.account.client.clone(),
                service.projects.clone(),
            );
            clients.push(tokio::spawn(async move {
                let mut confirmed = Vec::new();
                let mut made = 0;
                while !counts.over.load(Ordering::Relaxed) {
                    made += 1;
                    let body = json!({ "name": format!("Project {number}-{made}") });
                    let request = client.request(Method::POST, &path).json(&body).timeout(AWAY);
                    let answer = client.send(request).await;
                    counts.take(&answer, StatusCode::CREATED);
                    if answer.status == StatusCode::CREATED {
                        confirmed.push(text(&answer.data()["id"]));
                    }
                }
                confirmed
            }));
        }
        Self { count, clients }
    }

    /// Waits until as many more answers of a kind have come as there are clients, twice.
    async fn more(&self, kind: impl Fn(&Counts) -> &AtomicUsize) {
        let enough = kind(&self.count).load(Ordering::Relaxed) + 4 * CLIENTS;
        eventually("answers", async || {
            let failed = self.clients.iter().any(tokio::task::JoinHandle::is_finished);
            assert!(!failed, "a client has met something else");
            (kind(&self.count).load(Ordering::Relaxed) >= enough).then_some(())
        })
        .await;
    }

    /// Ends the load and gives the ids of the projects that it was told it had made.
    async fn end(self) -> Vec<String> {
        self.count.over.store(true, Ordering::Relaxed);
        let mut confirmed = Vec::new();
        for client in self.clients {
            confirmed.extend(client.await.unwrap());
        }
        confirmed
    }
}

async fn stopped_under_load(how: Stop) {
    let service = Service::start("30").await;
    let load = Load::begin(&service);
    load.more(|counts| &counts.good).await;

    service.cluster.stop(how).await;
    load.more(|counts| &counts.away).await;
    let client = &service.account.client;
    expect_unready(client).await;
    let body = json!({ "email": service.account.email, "password": PASSWORD });
    let sign_in = client
        .request(Method::POST, "/api/v1/auth/login")
        .json(&body)
        .timeout(AWAY);
    expect_unavailable(&client.send(sign_in).await);
    // Who shows no credentials learns no more than ever.
    let anonymous = get_within(&client.anonymous(), &service.projects, AWAY).await;
    anonymous.expect_error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED");

    service.cluster.start().await;
    service.works_again().await;
    load.more(|counts| &counts.good).await;
    for id in load.end().await {
        let path = format!(
            "{}/projects/{id}",
            service.projects.split_once("/workspaces/").unwrap().0
        );
        client.get(&path).await.expect(StatusCode::OK);
    }
    service.stop().await;
}

#[tokio::test]
async fn an_orderly_stop_is_answered_in_time_and_recovered_from() {
    stopped_under_load(Stop::Fast).await;
}

#[tokio::test]
async fn a_crash_is_answered_in_time_and_recovered_from() {
    stopped_under_load(Stop::Immediate).await;
}

#[tokio::test]
async fn a_database_that_hangs_is_one_that_is_away() {
    let service = Service::start("30").await;
    let client = &service.account.client;
    client.get(&service.projects).await.expect(StatusCode::OK);

    service.cluster.freeze();
    let waiting: Vec<_> = (0..20)
        .map(|_| {
            let (client, path) = (client.clone(), service.projects.clone());
            tokio::spawn(async move { get_within(&client, &path, AWAY).await })
        })
        .collect();
    expect_unready(client).await;
    for answer in waiting {
        expect_unavailable(&answer.await.unwrap());
    }

    service.cluster.thaw();
    service.works_again().await;
    service.stop().await;
}

#[tokio::test]
async fn what_is_under_way_when_the_database_hangs_ends_with_the_time_for_a_request() {
    let (seconds, bound) = ("2", Duration::from_secs(2) + AWAY);
    let service = Service::start(seconds).await;
    let client = &service.account.client;
    let good = Arc::new(AtomicUsize::new(0));
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let (client, path, good) = (client.clone(), service.projects.clone(), Arc::clone(&good));
            tokio::spawn(async move {
                loop {
                    let answer = get_within(&client, &path, bound).await;
                    if answer.status != StatusCode::OK {
                        return answer;
                    }
                    good.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    eventually("answers", async || (good.load(Ordering::Relaxed) >= 40).then_some(())).await;

    service.cluster.freeze();
    for answer in clients {
        let answer = answer.await.unwrap();
        if answer.status == StatusCode::GATEWAY_TIMEOUT {
            answer.expect_error(StatusCode::GATEWAY_TIMEOUT, "TIMEOUT");
        } else {
            expect_unavailable(&answer);
        }
    }

    service.cluster.thaw();
    service.works_again().await;
    service.stop().await;
}
