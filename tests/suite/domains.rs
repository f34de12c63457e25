//! Domains of organizations: added, proven by a record in the DNS, listed and removed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test should stop where it fails"
)]

mod adding;
mod limits;
mod listing;
mod permissions;
mod proving;
mod racing;
mod removing;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::{
    app::Options,
    client::{Account, Answer, Client, text},
    dns_server::DnsServer,
    scene::Scene,
};

use crate::mfa::post_nothing;

/// What is before the token in the record that proves a domain.
const PROOF: &str = "tenantry-domain-verification=";

/// A scene whose application asks a DNS server of its own.
struct Zone {
    scene: Scene,
    dns: DnsServer,
}

impl Zone {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// The same with options.
    async fn with(change: impl FnOnce(&mut Options)) -> Self {
        let dns = DnsServer::start().await;
        let mut options = Options {
            dns_servers: vec![dns.address()],
            ..Options::default()
        };
        change(&mut options);
        Self {
            scene: Scene::with(options).await,
            dns,
        }
    }

    fn client(&self) -> &Client {
        self.scene.client()
    }

    /// The path of the domains of the scene's organization.
    fn domains(&self) -> String {
        domains(&self.scene.organization)
    }

    /// The path of one of them.
    fn domain(&self, domain: &Value) -> String {
        path_of(&self.scene.organization, domain)
    }

    async fn add(&self, name: &str) -> Answer {
        add(self.client(), &self.scene.organization, name).await
    }

    /// A domain that is added, and not proven yet.
    async fn added(&self, name: &str) -> Value {
        self.add(name).await.expect(StatusCode::CREATED).data()
    }

    /// A domain that is added and proven.
    async fn proven(&self, name: &str) -> Value {
        proven(self.client(), &self.scene.organization, &self.dns, name).await
    }

    async fn verify(&self, domain: &Value) -> Answer {
        verify(self.client(), &self.scene.organization, domain).await
    }

    /// A domain as it is now.
    async fn found(&self, domain: &Value) -> Value {
        let found = self.client().get(&self.domain(domain)).await;
        found.expect(StatusCode::OK).data()
    }

    /// Another organization with an owner of its own.
    async fn neighbour(&self) -> (Account, String) {
        let owner = self.scene.app.client().register("Nora Neighbour", Some("Globex")).await;
        let organization = owner.organization().await;
        (owner, organization)
    }

    /// How many events there are of a type about a domain.
    async fn events(&self, kind: &str, domain: &Value) -> i64 {
        let events = format!(
            "events where type = '{kind}' and resource_id = '{}'",
            text(&domain["id"])
        );
        self.scene.database.count(&events).await
    }
}

/// The path of the domains of an organization.
fn domains(organization: &str) -> String {
    format!("/api/v1/organizations/{organization}/domains")
}

/// The path of a domain.
pub(crate) fn path_of(organization: &str, domain: &Value) -> String {
    format!("{}/{}", domains(organization), text(&domain["id"]))
}

/// Adds a domain to an organization.
pub(crate) async fn add(client: &Client, organization: &str, name: &str) -> Answer {
    client.post(&domains(organization), &json!({ "domain": name })).await
}

/// Has the DNS show what proves a domain.
pub(crate) fn show(dns: &DnsServer, domain: &Value) {
    dns.set_text(&text(&domain["record"]["name"]), &[&text(&domain["record"]["value"])]);
}

/// Has a domain looked for in the DNS.
pub(crate) async fn verify(client: &Client, organization: &str, domain: &Value) -> Answer {
    post_nothing(client, &format!("{}/verify", path_of(organization, domain))).await
}

/// Adds a domain to an organization and proves it.
pub(crate) async fn proven(client: &Client, organization: &str, dns: &DnsServer, name: &str) -> Value {
    let added = add(client, organization, name).await;
    let domain = added.expect(StatusCode::CREATED).data();
    show(dns, &domain);
    let verified = verify(client, organization, &domain).await;
    verified.expect(StatusCode::OK).data()
}

/// The token of a domain's record.
fn token(domain: &Value) -> String {
    let value = text(&domain["record"]["value"]);
    value.strip_prefix(PROOF).expect("a proof").to_owned()
}

#[track_caller]
fn expect_unknown(answer: &Answer) {
    answer.expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
}

#[track_caller]
fn expect_forbidden(answer: &Answer, permission: &str) {
    answer.expect_error(StatusCode::FORBIDDEN, "FORBIDDEN");
    assert_eq!(
        answer.json()["error"]["details"],
        json!({ "requiredPermission": permission })
    );
}
