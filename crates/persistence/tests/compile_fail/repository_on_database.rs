//! Repositories exist on a tenant's transaction, never on the database.

use tenantry_domain::lists::{ListQuery, ResourceField};
use tenantry_persistence::{Database, projects::ProjectFilter};

async fn all(database: &Database, query: &ListQuery<ResourceField>) {
    let _ = database.projects(query, &ProjectFilter::default()).await;
}

fn main() {}
