//! The built binary with a pooler in between, told of it and not.

use reqwest::StatusCode;
use serde_json::json;
use tenantry::{configuration::Pooler, system::SystemSource};
use tenantry_persistence::{Database, Error, database::Settings, doctor};
use tenantry_tests::database::{PgBouncer, TestDatabase, pooler};

use super::SESSIONS;
use crate::binary::{
    process::password_of,
    serving::{Deployment, Serving},
};

/// How the setting is called.
const SETTING: &str = "TENANTRY_DATABASE_POOLER";

/// What somebody may have PgBouncer pass over so that it takes connections from whoever does not know of it.
const LENIENT: &str = "ignore_startup_parameters = extra_float_digits,options";

/// Somebody signs up, writes and reads.
async fn use_it(serving: &Serving) {
    let account = serving.client().register("Ada", Some("Acme")).await;
    let organization = account.organization().await;
    let workspace = account.default_workspace(&organization).await;
    for number in 0..10 {
        let body = json!({ "name": format!("Project {number}") });
        let project = account.create_project(&organization, &workspace, &body).await;
        let path = format!(
            "/api/v1/organizations/{organization}/projects/{}",
            project["id"].as_str().unwrap()
        );
        account.client.get(&path).await.expect(StatusCode::OK);
    }
    serving.client().get("/health/ready").await.expect(StatusCode::OK);
}

#[tokio::test]
async fn what_is_told_of_a_pooler_serves_with_it_and_without() {
    let database = TestDatabase::narrow(SESSIONS).await;
    let deployment = Deployment::new(database.runtime_url(), database.owner_url());
    let command = |line: &str| deployment.command(line).env(SETTING, "transaction");
    command("doctor").run().await.expect(0).says("Nothing found");
    command("seed").run().await.expect(0);
    let serving = Serving::of(deployment.serve().env(SETTING, "transaction").start()).await;
    use_it(&serving).await;
    let outcome = serving.stop().await;
    outcome.keeps(&deployment.secrets());
    assert!(!outcome.stderr.contains(SETTING), "{outcome}");
}

/// Without a pooler, what is not told of one serves.
#[tokio::test]
async fn what_is_not_told_of_a_pooler_says_what_to_tell_it() {
    let database = TestDatabase::narrow(SESSIONS).await;
    match pooler() {
        Pooler::None => {
            let deployment = Deployment::new(database.runtime_url(), database.owner_url());
            deployment.command("doctor").env(SETTING, "none").run().await.expect(0);
            let serving = Serving::of(deployment.serve().env(SETTING, "none").start()).await;
            use_it(&serving).await;
            serving.stop().await;
        }
        Pooler::Transaction => {
            for more in ["", LENIENT] {
                let pooler = PgBouncer::start(database.superuser_url(), SESSIONS, more)
                    .await
                    .unwrap();
                let deployment = Deployment::new(&pooler.through(database.runtime_url()), database.owner_url());
                let secrets = [password_of(database.runtime_url())];
                for line in ["doctor", "serve"] {
                    let refused = deployment.command(line).env(SETTING, "none").run().await;
                    refused
                        .expect(3)
                        .complains(&format!("{SETTING} must be `transaction`"))
                        .keeps(&secrets);
                }
            }
        }
    }
}

/// Where it had no chance of being noticed at the start. Without a pooler, a session that is gone takes its statements with
/// it, and whoever comes next begins anew.
#[tokio::test]
async fn statements_that_are_gone_are_taken_for_what_they_are() {
    let database = TestDatabase::narrow(SESSIONS).await;
    let lenient = match pooler() {
        Pooler::None => None,
        Pooler::Transaction => Some(
            PgBouncer::start(database.superuser_url(), SESSIONS, LENIENT)
                .await
                .unwrap(),
        ),
    };
    let url = match &lenient {
        Some(pooler) => pooler.through(database.runtime_url()),
        None => database.runtime_url().to_owned(),
    };
    let untold = Database::new(&Settings::new(url, 1), SystemSource::environment()).unwrap();
    let names = tenantry_migrations::names();
    assert_eq!(doctor::examine(&untold, &names).await.unwrap(), []);
    match &lenient {
        Some(pooler) => {
            pooler.command("RECONNECT").await;
            let error = doctor::examine(&untold, &names).await.unwrap_err();
            assert!(matches!(error, Error::Pooled(_)), "{error}");
            assert!(error.to_string().contains(SETTING), "{error}");
        }
        None => {
            super::end_sessions(&database).await;
            assert_eq!(doctor::examine(&untold, &names).await.unwrap(), []);
        }
    }
}

/// Without a pooler, they find themselves where they have to be.
#[tokio::test]
async fn migrations_do_not_go_through_a_pooler() {
    let database = TestDatabase::narrow(SESSIONS).await;
    match pooler() {
        Pooler::None => {
            let deployment = Deployment::new(database.runtime_url(), database.owner_url());
            deployment.command("migrate up").run().await.expect(0);
        }
        Pooler::Transaction => {
            for more in ["", LENIENT] {
                let pooler = PgBouncer::start(database.superuser_url(), SESSIONS, more)
                    .await
                    .unwrap();
                let deployment = Deployment::new(database.runtime_url(), &pooler.through(database.owner_url()));
                let secrets = [password_of(database.owner_url())];
                for line in ["migrate status", "migrate up"] {
                    let refused = deployment.command(line).run().await;
                    refused
                        .expect(3)
                        .complains("TENANTRY_DATABASE_OWNER_URL")
                        .keeps(&secrets);
                }
            }
        }
    }
}
