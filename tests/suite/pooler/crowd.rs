//! Clients of several tenants who read and write at once, and hold each answer against what they know.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tenantry_tests::{
    app::TestApp,
    client::{Account, Answer, text},
};
use tokio::task::JoinSet;

use super::{CLIENTS, Narrow, OF_THE_APPLICATION, SESSIONS};

/// How many tenants the clients are of.
const TENANTS: usize = 4;

/// How often each client does what it does where nothing breaks.
const ROUNDS: usize = 5;

/// The most rows on a page.
const PAGE: usize = 100;

/// An organization and its owner, for whom several clients call.
#[derive(Clone)]
pub(super) struct Tenant {
    pub(super) owner: Account,
    pub(super) organization: String,
    workspace: String,
    /// What the names of all its projects begin with, and those of no other's.
    mark: String,
    /// Another organization, of which nobody here may know.
    other: String,
}

pub(super) async fn tenants(app: &TestApp) -> Vec<Tenant> {
    let mut tenants = Vec::new();
    for number in 0..TENANTS {
        let mark = format!("tenant {number}: ");
        let owner = app.client().register(&mark, Some(&mark)).await;
        let organization = owner.organization().await;
        tenants.push(Tenant {
            workspace: owner.default_workspace(&organization).await,
            other: String::new(),
            organization,
            owner,
            mark,
        });
    }
    let organizations: Vec<_> = tenants.iter().map(|tenant| tenant.organization.clone()).collect();
    for (tenant, other) in tenants.iter_mut().zip(organizations.into_iter().cycle().skip(1)) {
        tenant.other = other;
    }
    tenants
}

/// How it goes, for whoever breaks something meanwhile.
#[derive(Default)]
pub(super) struct Course {
    /// Answers as they should be.
    pub(super) good: AtomicUsize,
    /// Whether `SERVICE_UNAVAILABLE` is an answer, too.
    pub(super) breaking: bool,
    /// Whether to come to an end.
    pub(super) over: AtomicBool,
}

impl Course {
    /// The answer, where it is as it should be; none where the service was away, as it may be while something breaks.
    #[track_caller]
    fn take(&self, answer: Answer, expected: StatusCode) -> Option<Answer> {
        if self.breaking && answer.status == StatusCode::SERVICE_UNAVAILABLE {
            return None;
        }
        answer.expect(expected);
        self.good.fetch_add(1, Ordering::Relaxed);
        Some(answer)
    }
}

impl Tenant {
    fn path(&self, below: &str) -> String {
        format!("/api/v1/organizations/{}{below}", self.organization)
    }

    /// Panics where something of another tenant's is among these projects.
    #[track_caller]
    fn expect_own(&self, projects: &Value) {
        for project in projects.as_array().unwrap() {
            assert!(
                text(&project["name"]).starts_with(&self.mark),
                "{}: {project}",
                self.mark
            );
        }
    }

    /// Adds a project, changes it, and looks around, once; gives the id of the project where that was confirmed.
    async fn act(&self, course: &Course, name: &str) -> Option<String> {
        let client = &self.owner.client;
        let name = format!("{}{name}", self.mark);
        let projects = self.path(&format!("/workspaces/{}/projects", self.workspace));
        let created = client.post(&projects, &json!({ "name": name })).await;
        let created = course.take(created, StatusCode::CREATED)?;
        let id = text(&created.data()["id"]);
        let path = self.path(&format!("/projects/{id}"));

        let change = json!({ "description": name });
        if let Some(changed) = course.take(client.patch(&path, &change).await, StatusCode::OK) {
            assert_eq!(changed.data()["name"], *name);
            if let Some(read) = course.take(client.get(&path).await, StatusCode::OK) {
                assert_eq!(
                    (&read.data()["id"], &read.data()["description"]),
                    (&json!(id), &json!(name))
                );
            }
        }
        let list = client.get(&self.path(&format!("/projects?pageSize={PAGE}"))).await;
        if let Some(list) = course.take(list, StatusCode::OK) {
            self.expect_own(&list.data());
        }
        if let Some(me) = course.take(client.get("/api/v1/me").await, StatusCode::OK) {
            assert_eq!(me.data()["id"], *self.owner.user_id);
        }
        if let Some(mine) = course.take(client.get("/api/v1/organizations").await, StatusCode::OK) {
            let ids: Vec<_> = mine
                .data()
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one["id"].clone())
                .collect();
            assert_eq!(ids, [json!(self.organization)]);
        }
        let other = format!("/api/v1/organizations/{}", self.other);
        course.take(client.get(&other).await, StatusCode::NOT_FOUND);
        course.take(
            client.get(&format!("{other}/projects/{id}")).await,
            StatusCode::NOT_FOUND,
        );
        Some(id)
    }
}

/// All clients at once, each for `rounds` rounds or until the course is over; gives the projects that each tenant was
/// told it had made.
pub(super) async fn call(tenants: &[Tenant], course: &Arc<Course>, rounds: usize) -> Vec<(usize, Vec<String>)> {
    let mut clients = JoinSet::new();
    for (client, number) in (0..CLIENTS).zip((0..tenants.len()).cycle()) {
        let (tenant, course) = (tenants[number].clone(), Arc::clone(course));
        clients.spawn(async move {
            let mut confirmed = Vec::new();
            for round in 0..rounds {
                if course.over.load(Ordering::Relaxed) {
                    break;
                }
                confirmed.extend(tenant.act(&course, &format!("{client}-{round}")).await);
            }
            (number, confirmed)
        });
    }
    clients.join_all().await
}

/// Panics where a tenant has not each project that it was told it had.
pub(super) async fn expect_confirmed(tenants: &[Tenant], confirmed: &[(usize, Vec<String>)]) {
    for (number, ids) in confirmed {
        let tenant = &tenants[*number];
        for id in ids {
            let path = tenant.path(&format!("/projects/{id}"));
            let read = tenant
                .owner
                .client
                .send(tenant.owner.client.request(Method::GET, &path))
                .await;
            tenant.expect_own(&json!([read.expect(StatusCode::OK).data()]));
        }
    }
}

#[tokio::test]
async fn everybody_gets_their_own_answers() {
    let narrow = Narrow::start().await;
    let confirmed = call(&narrow.tenants, &Arc::default(), ROUNDS).await;

    let each = CLIENTS as usize / TENANTS * ROUNDS;
    for (number, tenant) in narrow.tenants.iter().enumerate() {
        let told = confirmed
            .iter()
            .filter(|(of, _)| *of == number)
            .map(|(_, ids)| ids.len());
        assert_eq!(told.sum::<usize>(), each);
        let organization = &tenant.organization;
        for rows in [
            "projects where true",
            "events where type = 'project.created'",
            "events where type = 'project.updated'",
        ] {
            let rows = format!("{rows} and organization_id = '{organization}'");
            assert_eq!(
                narrow.database.count(&rows).await,
                i64::try_from(each).unwrap(),
                "{rows}"
            );
        }
    }
    expect_confirmed(&narrow.tenants, &confirmed).await;
    assert_eq!(narrow.database.count(OF_THE_APPLICATION).await, i64::from(SESSIONS));
}
