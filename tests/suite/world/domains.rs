//! Domains of organizations: those that both tenants have all along, and what comes and goes beside them.

use reqwest::StatusCode;
use serde_json::json;
use tenantry_tests::client::{Client, text};

use super::{Tenant, new_id, new_text};

/// A domain that nobody has.
pub(super) fn new_domain_name() -> String {
    format!("{}.example", new_text())
}

/// What an organization says of this domain, and the id of that.
pub(super) async fn claim(owner: &Client, organization: &str, domain: &str) -> String {
    let path = format!("/api/v1/organizations/{organization}/domains");
    let answer = owner.post(&path, &json!({ "domain": domain })).await;
    answer.expect(StatusCode::CREATED);
    text(&answer.data()["id"])
}

/// Takes this domain for proven, as if its record had been found.
pub(super) fn proven(id: &str) -> String {
    format!("update domains set verified_at = now() where id = '{id}';")
}

impl Tenant {
    /// A domain that the tenant says is its own, and that nobody will miss.
    pub(super) async fn new_domain(&self) -> String {
        let id = new_id();
        self.sql(&format!(
            "insert into domains (organization_id, id, name, token, created_at, updated_at)
             values ('{organization}', '{id}', '{name}', '{token}', now(), now())",
            organization = self.organization,
            name = new_domain_name(),
            token = new_text(),
        ))
        .await;
        id
    }

    /// Leaves the tenant the domains that it began with: it cannot have many.
    pub(super) async fn take_new_domains(&self) {
        let [proven, pending] = &self.domains;
        self.sql(&format!(
            "delete from domains where organization_id = '{}' and id not in ('{proven}', '{pending}')",
            self.organization
        ))
        .await;
    }
}
