//! That seeding gives what it says, again and again the same, whatever it is interrupted by.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use sqlx::{AssertSqlSafe, Row as _};
use tenantry::application::NotEmpty;
use tenantry_services::seeding::Size;
use tenantry_tests::{
    database::{TestDatabase, connect},
    scene::Scene,
};
use tokio::{sync::Notify, time::timeout};

use super::{seed, seed_with, sign_in};

/// As large as a test needs that looks at how it is done.
const SMALL: Size = Size {
    organizations: 12,
    workspaces: 3,
    projects: 40,
    large_workspaces: 5,
    large_projects: 3500,
    people: 20,
};

/// What a table holds, in one line that tells it from any other.
async fn contents(database: &TestDatabase, rows: &str) -> String {
    let sql = format!(
        "select count(*) || ' ' || coalesce(md5(string_agg(t::text, '|' order by t::text)), '') from ({rows}) t"
    );
    let mut connection = connect(database.superuser_url()).await;
    let row = sqlx::query(AssertSqlSafe(sql))
        .fetch_one(&mut connection)
        .await
        .unwrap();
    row.get(0)
}

/// What does not depend on when and how often it was seeded.
async fn seeded_rows(database: &TestDatabase) -> Vec<String> {
    let mut rows = Vec::new();
    for table in [
        "organizations",
        "workspaces",
        "projects",
        "roles",
        "members",
        "grants",
        "users",
    ] {
        rows.push(contents(database, &format!("select * from {table}")).await);
    }
    rows.push(contents(database, "select organization_id, id, type, resource_id from events").await);
    rows
}

/// Organizations that are not as they should be.
async fn broken(database: &TestDatabase) -> i64 {
    let counts = |table: &str, condition: &str| {
        format!("(select count(*) from {table} t where t.organization_id = o.id {condition})")
    };
    let large = format!("o.name = 'Colossus' and {} = 3500", counts("projects", ""));
    let ordinary = format!("o.name <> 'Colossus' and {} = 40", counts("projects", ""));
    database
        .count(&format!(
            "organizations o where not ({large} or {ordinary})
             or {} <> 1 or {} < 3 or {} <> 4 or {} < 5 or {} <> 1
             or not exists (select 1 from grants g join roles r using (organization_id)
                            where g.organization_id = o.id and g.role_id = r.id and r.key = 'owner')",
            counts("workspaces", "and t.is_default"),
            counts("workspaces", ""),
            counts("roles", ""),
            counts("members", ""),
            counts("events", ""),
        ))
        .await
}

#[tokio::test]
async fn seeding_again_changes_nothing() {
    let database = TestDatabase::new().await;
    let seeded = seed(&database, SMALL, false).await.unwrap();
    assert_eq!((seeded.founded, seeded.found), (13, 0));
    assert_eq!(broken(&database).await, 0);
    for (table, rows) in [
        ("organizations", 13),
        ("workspaces", 41),
        ("projects", 3980),
        ("users", 20),
    ] {
        assert_eq!(database.count(table).await, rows, "{table}");
    }
    assert!(database.count("projects where visibility = 'private'").await > 100);
    assert!(database.count("projects where status = 'archived'").await > 50);
    assert!(database.count("projects where name ~ '[^[:ascii:]]'").await > 1000);

    let before = (
        seeded_rows(&database).await,
        contents(&database, "select * from events").await,
    );
    let again = seed(&database, SMALL, false).await.unwrap();
    assert_eq!((again.founded, again.found), (0, 13));
    let after = (
        seeded_rows(&database).await,
        contents(&database, "select * from events").await,
    );
    assert_eq!(after, before);

    let app = tenantry_tests::app::TestApp::start(&database).await;
    for account in &seeded.accounts {
        let client = sign_in(&app.client(), &seeded, &account.role).await;
        let organizations = client.get("/api/v1/organizations?q=Colossus").await.data();
        assert_eq!(organizations.as_array().unwrap().len(), 1, "{}", account.email);
    }
}

#[tokio::test]
async fn interrupted_seeding_goes_on_where_it_was() {
    let (database, whole) = tokio::join!(TestDatabase::new(), TestDatabase::new());
    let (projects, enough) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let progress = {
        let (projects, enough) = (Arc::clone(&projects), Arc::clone(&enough));
        Arc::new(move |more| {
            if projects.fetch_add(more, Ordering::SeqCst) + more >= 1100 {
                enough.notify_one();
            }
        })
    };
    // In the middle of the large one, while others are under way beside it.
    tokio::select! {
        ended = seed_with(&database, SMALL, false, progress) => panic!("it was over first: {ended:?}"),
        () = enough.notified() => {}
    }
    // What was under way is rolled back, as soon as its connections are let go.
    let rolled_back = async {
        while database
            .count(&format!(
                "pg_stat_activity where datname = '{}' and usename = 'tenantry_app' and state <> 'idle'",
                database.name()
            ))
            .await
            > 0
        {}
    };
    timeout(Duration::from_secs(30), rolled_back).await.unwrap();
    assert_eq!(broken(&database).await, 0);
    let organizations = database.count("organizations").await;
    assert!(
        organizations < 13,
        "{organizations} of 13 were founded: nothing was interrupted"
    );

    let seeded = seed(&database, SMALL, false).await.unwrap();
    assert_eq!(i64::try_from(seeded.found).unwrap(), organizations);
    assert_eq!(seeded.founded + seeded.found, 13);
    assert_eq!(broken(&database).await, 0);
    // As if nothing had come between.
    seed(&whole, SMALL, false).await.unwrap();
    assert_eq!(seeded_rows(&database).await, seeded_rows(&whole).await);
}

#[tokio::test]
async fn nothing_is_seeded_beside_others_unless_that_is_meant() {
    let scene = Scene::new().await;
    let refused = seed(&scene.database, SMALL, false).await.unwrap_err();
    assert_eq!(refused.downcast_ref::<NotEmpty>(), Some(&NotEmpty(1)));
    assert_eq!(scene.database.count("organizations").await, 1);
    assert_eq!(scene.database.count("users").await, 1);

    let seeded = seed(&scene.database, SMALL, true).await.unwrap();
    assert_eq!(seeded.founded, 13);
    let mine = scene.client().get("/api/v1/organizations").await.data();
    assert_eq!(mine.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_address_of_somebody_else_is_left_alone() {
    let scene = Scene::new().await;
    let statement = format!(
        "update users set email = 'admin@colossus.example', email_canonical = 'admin@colossus.example' where id = '{}'",
        scene.owner.user_id
    );
    scene.database.owner(statement).await;
    assert!(seed(&scene.database, SMALL, true).await.is_err());
    assert_eq!(scene.database.count("organizations").await, 1);
}
