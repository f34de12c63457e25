//! Tenants of very great size: that they can be seeded, and that no list and no search reads more of one than a page needs.
//!
//! The plans are those of the very statements that the service sends, as PostgreSQL ran them: its module `auto_explain`
//! tells each as a notice, which the kit keeps with the request's trace. A new list operation fails here until
//! [`lists`] says how it is asked for.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a failing test should stop where it fails; the table is for whoever asks for it with --nocapture"
)]

mod lists;
mod plans;
mod seeding;
mod walls;

use std::{sync::Arc, time::Instant};

use lists::{Asker, Lists};
use secrecy::SecretString;
use serde_json::json;
use tenantry::{
    application::{self, SeedSummary, SeedTarget},
    system::SystemSource,
};
use tenantry_services::seeding::{Progress, Size};
use tenantry_tests::{
    app::{Options, TestApp},
    client::{Client, text},
    database::TestDatabase,
};

/// Makes every session that begins from now on tell its plans.
const TELL_PLANS: &str = "\
    set session_preload_libraries = 'auto_explain';
    set auto_explain.log_level = 'notice';
    set auto_explain.log_format = 'json';
    set auto_explain.log_min_duration = 0;
    set auto_explain.log_analyze = on;
    set auto_explain.log_timing = off;
    set auto_explain.log_nested_statements = on";

/// People signed in beside those of the seed, so that nobody's sessions are most of them.
const MANY_SESSIONS: &str = "\
    insert into sessions (user_id, id, last_seen_at, expires_at, created_at)
    select u.id, gen_random_uuid(), now(), now() + interval '30 days', now() - i * interval '1 minute'
    from users u, generate_series(1, 20) i;
    analyze sessions";

/// Seeds a database as `tenantry seed` does.
async fn seed(database: &TestDatabase, size: Size, beside_others: bool) -> anyhow::Result<SeedSummary> {
    seed_with(database, size, beside_others, Arc::new(|_| {})).await
}

async fn seed_with(
    database: &TestDatabase,
    size: Size,
    beside_others: bool,
    progress: Progress,
) -> anyhow::Result<SeedSummary> {
    let target = SeedTarget {
        runtime_url: SecretString::from(database.runtime_url()),
        pooler: tenantry_tests::database::pooler(),
        owner_url: SecretString::from(database.owner_url()),
        beside_others,
    };
    application::seed_at_size(&target, size, &SystemSource::environment(), progress).await
}

/// Signs in to the large organization in a role.
async fn sign_in(client: &Client, seeded: &SeedSummary, role: &str) -> Client {
    let account = seeded.accounts.iter().find(|account| account.role == role).unwrap();
    let body = json!({ "email": account.email, "password": seeded.password });
    let session = client.post("/api/v1/auth/login", &body).await.data();
    client.with_token(&text(&session["accessToken"]))
}

#[tokio::test]
async fn no_list_reads_more_of_a_large_tenant_than_its_page() {
    let database = TestDatabase::new().await;
    let begun = Instant::now();
    let seeded = Box::pin(seed(&database, Size::LARGE, false)).await.unwrap();
    eprintln!("seeded in {:?}", begun.elapsed());
    database.owner(MANY_SESSIONS).await;
    let settings = |sets: &str| sets.replace("set ", &format!("alter database {} set ", database.name()));
    database.superuser(settings(TELL_PLANS)).await;
    database.renew_sessions().await;

    let mut lists = Lists::of_the_document();
    // One connection, which would before long plan for any tenant alike if it were not told to plan for this one.
    let options = Options {
        max_connections: 1,
        ..Options::default()
    };
    let app = TestApp::with(&database, options).await;
    let owner = sign_in(&app.client(), &seeded, "owner").await;
    let member = sign_in(&app.client(), &seeded, "member").await;
    let guest = lists::guest(&app, &database, &owner).await;
    lists::invite_many(&database, &owner).await;
    lists::claim_many(&database).await;
    let owner = Asker::new("owner", owner).await;
    lists.look(&owner).await;
    lists.look(&Asker::new("member", member).await).await;
    lists.look(&Asker::new("guest", guest).await).await;
    eprintln!("{lists}in {:?} in all", begun.elapsed());
    lists.expect_nothing_found();

    // And it would have been noticed.
    for (index, filter, sort) in [
        ("projects_by_updated_at", "", "-updatedAt"),
        ("projects_archived_by_created_at", "status=archived", "-createdAt"),
        ("projects_named", "q=no such name", "-createdAt"),
    ] {
        database.owner(format!("drop index {index}")).await;
        lists.expect_found_without(index, filter, sort, &owner).await;
    }
}
