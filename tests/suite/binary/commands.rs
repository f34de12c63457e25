//! The commands beside serving: `doctor`, `seed`, `openapi`, `config check`.

use std::{fs, path::Path};

use serde_json::Value;
use tenantry_tests::database::TestDatabase;

use super::{
    process::{password_of, tenantry},
    serving::Deployment,
};

#[tokio::test]
async fn a_planted_defect_is_named_and_not_served_from() {
    let database = TestDatabase::new().await;
    let deployment = Deployment::new(database.runtime_url(), database.owner_url());
    deployment.command("doctor").run().await.expect(0).says("Nothing found");

    database.owner("alter table projects no force row level security").await;
    let secrets = [password_of(database.runtime_url()), password_of(database.owner_url())];
    let doctor = deployment.command("doctor").run().await;
    doctor
        .expect(4)
        .says("rls_not_forced")
        .says("projects")
        .says("to do: alter table")
        .says("1 finding")
        .keeps(&secrets);
    let serve = deployment.command("serve").run().await;
    serve
        .expect(4)
        .complains("rls_not_forced")
        .complains("projects")
        .keeps(&secrets);
}

#[tokio::test]
async fn a_login_with_too_many_rights_is_named() {
    let database = TestDatabase::new().await;
    let deployment = Deployment::new(database.bypass_url(), database.owner_url());
    deployment.command("doctor").run().await.expect(4).says("bypass");
    deployment.command("serve").run().await.expect(4);
}

#[tokio::test]
async fn demo_data_is_loaded_once() {
    let database = TestDatabase::new().await;
    let deployment = Deployment::new(database.runtime_url(), database.owner_url());
    let tables = ["organizations", "users", "members", "workspaces", "projects", "grants"];
    let mut counts = Vec::new();
    let mut outputs = Vec::new();
    for _ in 0..2 {
        let seeded = deployment.command("seed").run().await;
        seeded.expect(0).keeps(&[password_of(database.runtime_url())]);
        outputs.push(seeded.stdout);
        let mut rows = Vec::new();
        for table in tables {
            rows.push(database.count(table).await);
        }
        counts.push(rows);
    }
    assert_eq!(counts[0][..2], [2, 10], "two organizations with five people each");
    assert_eq!(counts[0], counts[1]);
    assert_eq!(outputs[0], outputs[1]);
}

#[tokio::test]
async fn without_a_schema_there_is_no_demo_data() {
    let database = TestDatabase::unmigrated().await;
    let deployment = Deployment::new(database.runtime_url(), database.owner_url());
    let refused = deployment.command("seed").run().await;
    refused.expect(1).keeps(&[password_of(database.runtime_url())]);
    assert!(!refused.stderr.is_empty());
}

#[tokio::test]
async fn a_document_that_moved_is_told_apart_and_adopted() {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi/openapi.json");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("openapi.json");
    let mut document: Value = serde_json::from_str(&fs::read_to_string(committed).unwrap()).unwrap();
    document["info"]["title"] = "Landlordry".into();
    fs::write(&file, document.to_string()).unwrap();

    let check = tenantry("openapi --check").arg(&file).run().await;
    let command = format!("tenantry openapi --out {}", file.display());
    check
        .expect(1)
        .says("changed  /info/title: \"Landlordry\" is now \"Tenantry\"")
        .complains(&command);

    tenantry("openapi --out").arg(&file).run().await.expect(0);
    tenantry("openapi --check")
        .arg(&file)
        .run()
        .await
        .expect(0)
        .says("is up to date");
}

#[tokio::test]
async fn every_problem_of_a_configuration_is_named_at_once() {
    let database = TestDatabase::unmigrated().await;
    let deployment = Deployment::new(database.runtime_url(), database.owner_url());
    let shown = deployment.command("config check").run().await;
    shown.expect(0).says("The configuration is valid.").says("[redacted]");
    shown.keeps(&[password_of(database.runtime_url()), password_of(database.owner_url())]);

    let broken = deployment
        .command("config check")
        .env("TENANTRY_LISTEN", "everywhere")
        .env("TENANTRY_SIGNING_KEYS", "/no/such/keys")
        .env("TENANTRY_LISTN", "127.0.0.1:80");
    let broken = broken.run().await;
    broken.expect(3);
    for name in ["TENANTRY_LISTEN", "TENANTRY_SIGNING_KEYS", "TENANTRY_LISTN"] {
        broken.complains(&format!("{name}: "));
    }
    broken.keeps(&[password_of(database.runtime_url()), password_of(database.owner_url())]);
}
