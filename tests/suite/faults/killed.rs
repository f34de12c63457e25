//! Processes that are killed in the middle of their work.

use std::sync::{Arc, Mutex};

use nix::sys::signal::{Signal, kill};
use reqwest::{Method, StatusCode};
use serde_json::json;
use tenantry_tests::{
    client::{Client, PASSWORD, text},
    database::connect,
};

use crate::binary::{
    development::{DataFolder, all_end, descendants},
    process::{PATIENCE, eventually},
};

/// How many clients write at once.
const WRITERS: usize = 6;

/// How many writes are confirmed before the blow.
const CONFIRMED: usize = 60;

/// What a stream of writes was told.
#[derive(Clone, Default)]
struct Confirmed(Arc<Mutex<Vec<String>>>);

impl Confirmed {
    fn ids(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    /// Creates projects until the server is gone.
    fn write(&self, client: &Client, path: String, writer: usize) -> tokio::task::JoinHandle<()> {
        let (client, confirmed) = (client.clone(), Arc::clone(&self.0));
        tokio::spawn(async move {
            for number in 0.. {
                let body = json!({ "name": format!("Project {writer}-{number}") });
                let request = client.request(Method::POST, &path).json(&body).timeout(PATIENCE);
                // The connection may end at any point of the answer: what was not read to its end was not confirmed.
                let Ok(response) = request.send().await else { return };
                let status = response.status();
                let Ok(answer) = response.json::<serde_json::Value>().await else {
                    return;
                };
                if status != StatusCode::CREATED {
                    assert!(status.is_server_error(), "{status} {answer}");
                    return;
                }
                confirmed.lock().unwrap().push(text(&answer["data"]["id"]));
            }
        })
    }
}

/// Who writes, and where.
struct Work {
    email: String,
    organization: String,
    confirmed: Confirmed,
    writers: Vec<tokio::task::JoinHandle<()>>,
}

impl Work {
    /// Begins to write, and returns in the middle of it.
    async fn begin(client: Client) -> Self {
        let account = client.register("Wilma Writer", Some("Acme")).await;
        let organization = account.organization().await;
        let workspace = account.default_workspace(&organization).await;
        let path = format!("/api/v1/organizations/{organization}/workspaces/{workspace}/projects");
        let confirmed = Confirmed::default();
        let writers = (0..WRITERS)
            .map(|writer| confirmed.write(&account.client, path.clone(), writer))
            .collect();
        eventually("enough writes", async || {
            (confirmed.ids().len() >= CONFIRMED).then_some(())
        })
        .await;
        Self {
            email: account.email,
            organization,
            confirmed,
            writers,
        }
    }

    /// Waits for the writers' ends and gives what they were told.
    async fn confirmed(&mut self) -> Vec<String> {
        for writer in self.writers.drain(..) {
            writer.await.unwrap();
        }
        self.confirmed.ids()
    }

    /// The ids of all projects, as the API lists them to whoever signs in anew.
    async fn listed(&self, client: &Client) -> Vec<String> {
        let body = json!({ "email": self.email, "password": PASSWORD });
        let session = client.post("/api/v1/auth/login", &body).await;
        session.expect(StatusCode::OK);
        let client = client.with_token(&text(&session.data()["accessToken"]));
        let mut next = Some(format!(
            "/api/v1/organizations/{}/projects?cursor=&pageSize=100",
            self.organization
        ));
        let mut ids = Vec::new();
        while let Some(path) = next {
            let page = client.get(&path).await;
            page.expect(StatusCode::OK);
            ids.extend(
                page.data()
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|project| text(&project["id"])),
            );
            next = page.json()["links"]["next"].as_str().map(str::to_owned);
        }
        ids
    }
}

/// That each project has the one event of its creation, and each such event its project.
async fn nothing_is_half_written(folder: &DataFolder, projects: usize) {
    let mut connection = connect(&folder.superuser_url()).await;
    let (pairs, torn): (i64, i64) = sqlx::query_as(
        "select count(*) filter (where p.id is not null and e.id is not null),
                count(*) filter (where p.id is null or e.id is null)
         from projects p
         full join (select * from events where type = 'project.created') e
             on e.organization_id = p.organization_id and e.resource_id = p.id",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert_eq!((usize::try_from(pairs).unwrap(), torn), (projects, 0));
}

/// Kills `dev` in the middle of writes and starts it again; with `orphan`, the process that would have stopped its
/// database is killed first.
async fn nothing_confirmed_is_lost(orphan: bool) {
    let folder = DataFolder::new();
    let dev = folder.start(false).await;
    let mut work = Work::begin(dev.client()).await;
    let postmaster = folder.postmaster();
    let started = descendants(dev.process.pid());
    if orphan {
        let sessions = descendants(postmaster);
        for guardian in started
            .iter()
            .filter(|process| **process != postmaster && !sessions.contains(process))
        {
            kill(*guardian, Signal::SIGKILL).unwrap();
        }
    }
    dev.process.kill().await;
    let confirmed = work.confirmed().await;

    let again = folder.start(false).await;
    assert_ne!(folder.postmaster(), postmaster);
    if orphan {
        let taken_over = format!("left running (process {postmaster})");
        again.process.stderr_with(&taken_over).await;
    }
    all_end(&started).await;
    let listed = work.listed(&again.client()).await;
    let lost: Vec<_> = confirmed.iter().filter(|id| !listed.contains(id)).collect();
    assert!(lost.is_empty(), "{lost:?} of {}", confirmed.len());
    // What was under way when the blow came may have been committed or not.
    assert!(
        listed.len() <= confirmed.len() + WRITERS,
        "{} {}",
        listed.len(),
        confirmed.len()
    );
    nothing_is_half_written(&folder, listed.len()).await;
    again.stop().await.keeps(&folder.secrets());
}

#[tokio::test]
async fn a_killed_dev_has_lost_nothing_that_it_confirmed() {
    nothing_confirmed_is_lost(false).await;
}

#[tokio::test]
async fn an_orphaned_database_is_taken_over() {
    nothing_confirmed_is_lost(true).await;
}

#[tokio::test]
async fn a_killed_database_ends_dev_and_the_next_start_recovers() {
    let folder = DataFolder::new();
    let dev = folder.start(false).await;
    let mut work = Work::begin(dev.client()).await;
    let started = descendants(dev.process.pid());
    kill(folder.postmaster(), Signal::SIGKILL).unwrap();
    let ended = dev.process.ended(PATIENCE).await;
    ended
        .expect(1)
        .complains("PostgreSQL ended by itself")
        .keeps(&folder.secrets());
    all_end(&started).await;
    let confirmed = work.confirmed().await;

    let again = folder.start(false).await;
    let listed = work.listed(&again.client()).await;
    assert!(confirmed.iter().all(|id| listed.contains(id)));
    nothing_is_half_written(&folder, listed.len()).await;
    again.stop().await;
}

#[tokio::test]
async fn told_to_stop_dev_finishes_what_it_began() {
    let folder = DataFolder::new();
    let dev = folder.start(false).await;
    let mut work = Work::begin(dev.client()).await;
    dev.stop().await;
    let confirmed = work.confirmed().await;

    let again = folder.start(false).await;
    let listed = work.listed(&again.client()).await;
    assert!(confirmed.iter().all(|id| listed.contains(id)));
    nothing_is_half_written(&folder, listed.len()).await;
    again.stop().await;
}
