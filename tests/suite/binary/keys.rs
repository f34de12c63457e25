//! Signing keys that are rotated under a server that runs.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;
use tenantry::system::SystemSource;
use tenantry_auth::keys::Keyring;
use tenantry_tests::{
    client::{Client, PASSWORD, text},
    database::TestDatabase,
};

use super::{
    process::{Invocation, eventually, tenantry},
    serving::{Deployment, Serving},
};

const FIRST: &str = "signing-key-0001.pem";

/// Puts a new key into a file.
fn put_key(file: &Path) {
    let folder = tempfile::tempdir().unwrap();
    Keyring::load_or_generate(folder.path(), &SystemSource::environment()).unwrap();
    fs::copy(folder.path().join(FIRST), file).unwrap();
    // As old as it says that it is, or older.
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_500_000_000);
    File::options()
        .write(true)
        .open(file)
        .unwrap()
        .set_modified(long_ago)
        .unwrap();
}

/// The name of a key that has signed for so many days.
fn name_of_age(days: i64) -> String {
    let start = SystemSource::environment().now() - TimeDelta::days(days);
    format!("signing-key-{}.pem", start.format("%Y%m%dT%H%M%SZ"))
}

/// The key files of a folder, in the order of their names.
fn key_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries
        .filter(|file| file.extension().is_some_and(|extension| extension == "pem"))
        .collect();
    files.sort();
    files
}

/// The ids of the published keys, that of the one that signs first.
async fn published(client: &Client) -> Vec<String> {
    let set = client.get("/.well-known/jwks.json").await.json();
    let keys = set["keys"].as_array().unwrap();
    keys.iter().map(|key| text(&key["kid"])).collect()
}

/// The id of the key that signed a token.
fn signed_by(token: &str) -> String {
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    text(&serde_json::from_slice::<Value>(&header).unwrap()["kid"])
}

/// `tenantry keys` on a folder, with encryption keys beside it.
struct Keys {
    signing: TempDir,
    encryption: TempDir,
}

impl Keys {
    fn new() -> Self {
        Self {
            signing: tempfile::tempdir().unwrap(),
            encryption: tempfile::tempdir().unwrap(),
        }
    }

    fn command(&self, line: &str) -> Invocation {
        tenantry(line)
            .env("TENANTRY_SIGNING_KEYS", self.signing.path())
            .env("TENANTRY_ENCRYPTION_KEYS", self.encryption.path())
    }
}

#[tokio::test]
async fn a_running_server_signs_by_a_new_key_and_nobody_is_signed_out() {
    let database = TestDatabase::new().await;
    let deployment = Deployment::new(database.runtime_url(), database.owner_url());
    let encryption_keys = tempfile::tempdir().unwrap();
    let with_both = |invocation: Invocation| invocation.env("TENANTRY_ENCRYPTION_KEYS", encryption_keys.path());
    let serving = Serving::of(with_both(deployment.serve()).start()).await;
    let client = serving.client();
    let ann = client.register("Ann", None).await;
    let old = signed_by(ann.client.token().unwrap());
    assert_eq!(published(&client).await, [old.as_str()]);

    let rotated = with_both(deployment.command("keys rotate --at-once")).run().await;
    rotated
        .expect(0)
        .says("which signs from now on")
        .keeps(&deployment.secrets());
    let keys = eventually("the new key to sign", async || {
        let keys = published(&client).await;
        (keys[0] != old).then_some(keys)
    })
    .await;
    assert_eq!(keys[1..], [old.as_str()]);

    let credentials = json!({ "email": ann.email, "password": PASSWORD });
    let session = client.post("/api/v1/auth/login", &credentials).await;
    let session = session.expect(StatusCode::OK).data();
    assert_eq!(signed_by(&text(&session["accessToken"])), keys[0]);
    ann.client.get("/api/v1/me").await.expect(StatusCode::OK);
    let refreshed = client
        .post("/api/v1/auth/refresh", &json!({ "refreshToken": ann.refresh_token }))
        .await;
    let refreshed = refreshed.expect(StatusCode::OK).data();
    assert_eq!(signed_by(&text(&refreshed["accessToken"])), keys[0]);

    let listed = deployment.command("keys list").run().await;
    listed.expect(0).keeps(&deployment.secrets());
    let lines: Vec<&str> = listed.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{listed}");
    assert!(
        lines[0].starts_with(&format!("{old}  EdDSA  {FIRST}  accepted")),
        "{listed}"
    );
    assert!(
        lines[1].starts_with(&keys[0]) && lines[1].contains("signs since"),
        "{listed}"
    );

    // A file that is no key changes nothing but the log.
    fs::write(deployment.keys().join("signing-key-9999.pem"), "marmalade").unwrap();
    serving.process.stderr_with("keys cannot be read again").await;
    assert_eq!(published(&client).await, keys);
    ann.client.get("/api/v1/me").await.expect(StatusCode::OK);
    serving.stop().await.keeps(&deployment.secrets());
}

#[tokio::test]
async fn a_schedule_makes_the_next_key_and_removes_what_has_expired() {
    let database = TestDatabase::new().await;
    let deployment = Deployment::new(database.runtime_url(), database.owner_url());
    let encryption_keys = tempfile::tempdir().unwrap();
    put_key(&encryption_keys.path().join(FIRST));
    let [expired, present] = [20, 9].map(|days| deployment.keys().join(name_of_age(days)));
    for file in [&expired, &present] {
        put_key(file);
    }
    let serve = deployment
        .serve()
        .env("TENANTRY_ENCRYPTION_KEYS", encryption_keys.path())
        .env("TENANTRY_SIGNING_KEY_DAYS", "1");
    let serving = Serving::of(serve.start()).await;
    let client = serving.client();
    let files = eventually("the rotation", async || {
        let files = key_files(deployment.keys());
        (files.len() == 2 && !files.contains(&expired)).then_some(files)
    })
    .await;
    assert_eq!(files[0], present);
    let ids = |file: &Path| {
        Keyring::load(file, SystemSource::environment().now())
            .unwrap()
            .jwks()
            .keys
    };
    let [present, next] = [&files[0], &files[1]].map(|file| ids(file)[0].kid.clone());
    // Published, and not yet signed with.
    eventually("the next key to be published", async || {
        (published(&client).await == [present.as_str(), &next]).then_some(())
    })
    .await;
    let ann = client.register("Ann", None).await;
    assert_eq!(signed_by(ann.client.token().unwrap()), present);
    let listed = deployment.command("keys list").run().await;
    listed.expect(0).says("signs since").says("signs from");
    let outcome = serving.stop().await;
    outcome
        .complains("made a signing key")
        .complains("removed a signing key")
        .keeps(&deployment.secrets());
}

#[tokio::test]
async fn a_key_that_is_to_come_is_made_once() {
    let keys = Keys::new();
    put_key(&keys.signing.path().join(FIRST));
    let made = keys.command("keys rotate").run().await;
    made.expect(0).says("and is published until then");
    let again = keys.command("keys rotate").run().await;
    again.expect(0).says("Made no key").says("--at-once");
    assert_eq!(key_files(keys.signing.path()).len(), 2);
    let listed = keys.command("keys list").run().await;
    listed.expect(0).says(FIRST).says("signs since").says("signs from");
}

#[tokio::test]
async fn days_decide_what_is_removed() {
    let keys = Keys::new();
    put_key(&keys.encryption.path().join(FIRST));
    let [old, present] = [30, 5].map(|days| keys.signing.path().join(name_of_age(days)));
    for file in [&old, &present] {
        put_key(file);
    }
    keys.command("keys rotate").run().await.expect(0);
    assert!(old.exists());
    let removed = keys.command("keys rotate --keep-days 4").run().await;
    removed.expect(0).says(&format!("Removed {}", old.display()));
    assert!(!old.exists() && present.exists());
}

#[tokio::test]
async fn a_key_that_was_there_before_the_encryption_keys_stays() {
    let keys = Keys::new();
    let [old, present] = [30, 20].map(|days| keys.signing.path().join(name_of_age(days)));
    for file in [&old, &present] {
        put_key(file);
    }
    Keyring::load_or_generate(keys.encryption.path(), &SystemSource::environment()).unwrap();
    let kept = keys.command("keys rotate").run().await;
    kept.expect(0).says(&format!("Kept {}", old.display()));
    assert!(old.exists());
}

#[tokio::test]
async fn what_cannot_be_rotated_is_said_and_left_alone() {
    let keys = Keys::new();
    let folder = keys.signing.path();
    put_key(&folder.join(FIRST));
    let single = keys.encryption.path().join("single.pem");
    put_key(&single);
    for (signing, encryption) in [
        (folder, Path::new("")),
        (folder, Path::new("/no/such/keys")),
        (folder, folder),
        (single.as_path(), keys.encryption.path()),
    ] {
        let refused = tenantry("keys rotate --at-once")
            .env("TENANTRY_SIGNING_KEYS", signing)
            .env("TENANTRY_ENCRYPTION_KEYS", encryption)
            .run()
            .await;
        refused
            .expect(3)
            .complains("expects a folder in TENANTRY_SIGNING_KEYS")
            .complains("TENANTRY_ENCRYPTION_KEYS");
    }
    for line in ["keys list", "keys rotate"] {
        tenantry(line).run().await.expect(3).complains("TENANTRY_SIGNING_KEYS");
    }
    let no_key = keys.signing.path().join("signing-key-0002.pem");
    fs::write(&no_key, "marmalade").unwrap();
    let broken = keys.command("keys list").run().await;
    broken
        .expect(1)
        .complains("is not a PEM file")
        .keeps(&["marmalade".to_owned()]);
    fs::remove_file(no_key).unwrap();
    assert_eq!(key_files(folder), [folder.join(FIRST)]);
}
