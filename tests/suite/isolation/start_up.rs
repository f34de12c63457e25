//! Nothing that the program is given lets it serve from a database that would not keep tenants apart.

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;
use tenantry::{
    configuration::{Setting, settings},
    exit_code::ExitCode,
};
use tenantry_tests::database::{TestDatabase, pooler_setting};

/// The binary, built beside this test.
fn binary() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).unwrap();
    let binary = profile.join(format!("tenantry{}", std::env::consts::EXE_SUFFIX));
    assert!(
        binary.is_file(),
        "{} is missing: `cargo build --workspace --bins`, which `cargo test --workspace` does by itself",
        binary.display()
    );
    binary
}

/// Runs `tenantry serve`, with these variables and no others.
fn serve(variables: &BTreeMap<&str, String>) -> Output {
    Command::new(binary())
        .arg("serve")
        .env_clear()
        .envs(variables)
        .output()
        .unwrap()
}

/// A provider that people sign in through, without TLS and without a secret.
const IDENTITY_PROVIDERS: &str = "\
    [acme-id]
    issuer = \"http://localhost:1\"
    client_id = \"tenantry\"
";

/// An issuer of access tokens, the same way, for whatever tokens it gives to an app.
const TRUSTED_ISSUERS: &str = "\
    [acme-tokens]
    issuer = \"http://localhost:2\"
    jwks_url = \"http://localhost:2/keys\"
    authorized_parties = \"http://localhost:3000\"
    trust_email = true
";

/// The most that each setting can be made to allow.
fn permissive(setting: &Setting, database: &TestDatabase, folder: &Path, providers: &Path) -> String {
    let encryption_keys = folder.join("encryption-keys");
    fs::create_dir_all(&encryption_keys).unwrap();
    let issuers = folder.join("issuers.toml");
    fs::write(&issuers, TRUSTED_ISSUERS).unwrap();
    let folder = folder.to_str().unwrap();
    let value = match setting.variable {
        "TENANTRY_DATABASE_URL" | "TENANTRY_DATABASE_REPLICA_URL" => database.bypass_url(),
        "TENANTRY_DATABASE_OWNER_URL" => database.superuser_url(),
        "TENANTRY_DATABASE_POOLER" => "transaction",
        "TENANTRY_DATABASE_MAX_CONNECTIONS" => "5",
        "TENANTRY_REDIS_URL" => "redis://127.0.0.1:6379",
        "TENANTRY_LISTEN" | "TENANTRY_ADMIN_LISTEN" => "127.0.0.1:0",
        "TENANTRY_PUBLIC_URL" => "http://localhost",
        "TENANTRY_BASE_DOMAIN" => "localhost",
        "TENANTRY_CORS_ORIGINS" => "http://localhost:3000",
        "TENANTRY_REQUEST_TIMEOUT_SECONDS" | "TENANTRY_SHUTDOWN_GRACE_SECONDS" => "300",
        "TENANTRY_RATE_LIMITS" => "off",
        "TENANTRY_RATE_LIMITS_OFF_ALLOWED" => "yes",
        "TENANTRY_REGISTRATION" => "open",
        "TENANTRY_MFA_GRACE_DAYS" => "365",
        "TENANTRY_WEBAUTHN_RP_ID" => "localhost",
        "TENANTRY_IDENTITY_PROVIDERS" => providers.to_str().unwrap(),
        "TENANTRY_REDIRECT_URIS" => "http://localhost:3000/signed-in,com.example.app:/signed-in",
        "TENANTRY_TRUSTED_ISSUERS" => issuers.to_str().unwrap(),
        "TENANTRY_DNS_SERVERS" => "127.0.0.1,[::1]:5353",
        "TENANTRY_CONNECTION_NETWORKS" => "0.0.0.0/0,::/0",
        "TENANTRY_SMTP_URL" => "smtp://127.0.0.1?tls=none",
        "TENANTRY_MAIL_FROM" => "no-reply@example.com",
        "TENANTRY_LOG" => "off",
        "TENANTRY_LOG_FORMAT" => "pretty",
        "TENANTRY_SIGNING_KEY_DAYS" => "1",
        "TENANTRY_ENCRYPTION_KEYS" => encryption_keys.to_str().unwrap(),
        "TENANTRY_SIGNING_KEYS" | "TENANTRY_DATA_DIR" | "TENANTRY_POSTGRES_BIN" => folder,
        new => panic!("what is the most that {new} can be made to allow?"),
    };
    value.to_owned()
}

#[tokio::test]
async fn no_setting_lets_it_serve_as_a_role_that_sees_every_tenant() {
    let database = TestDatabase::new().await;
    let folder = tempfile::tempdir().unwrap();
    let mut providers = tempfile::NamedTempFile::new().unwrap();
    providers.write_all(IDENTITY_PROVIDERS.as_bytes()).unwrap();
    // Whoever gets as far as listening finds the address taken, and ends with another code.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    let needed = BTreeMap::from([
        ("TENANTRY_LISTEN", listen.clone()),
        ("TENANTRY_DATABASE_POOLER", pooler_setting().to_owned()),
        ("TENANTRY_SIGNING_KEYS", folder.path().to_str().unwrap().to_owned()),
    ]);
    let mut all: BTreeMap<&str, String> = settings()
        .map(|setting| {
            (
                setting.variable,
                permissive(setting, &database, folder.path(), providers.path()),
            )
        })
        .collect();
    all.insert("TENANTRY_LISTEN", listen);
    // Nothing is decided for the whole program by a build for tests, nor by tools around it.
    for (name, value) in [
        ("RUST_LOG", "trace"),
        ("RUST_BACKTRACE", "1"),
        ("CI", "true"),
        ("TENANTRY_TEST_DATABASE_URL", "x"),
    ] {
        all.insert(name, value.to_owned());
    }

    for url in [database.bypass_url(), database.owner_url(), database.superuser_url()] {
        for variables in [&needed, &all] {
            let mut variables = variables.clone();
            variables.insert("TENANTRY_DATABASE_URL", url.to_owned());
            let ended = serve(&variables);
            assert_eq!(
                ended.status.code(),
                Some(ExitCode::UnsafeDatabase as i32),
                "{}",
                String::from_utf8_lossy(&ended.stderr)
            );
        }
    }
    // The same with a role that is held back: it gets as far as the address that is taken.
    for variables in [&needed, &all] {
        let mut variables = variables.clone();
        variables.insert("TENANTRY_DATABASE_URL", database.runtime_url().to_owned());
        let ended = serve(&variables);
        assert_eq!(
            ended.status.code(),
            Some(ExitCode::Unavailable as i32),
            "{}",
            String::from_utf8_lossy(&ended.stderr)
        );
    }
}

#[tokio::test]
async fn a_variable_that_is_none_is_refused_rather_than_obeyed() {
    let database = TestDatabase::new().await;
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "TENANTRY_SKIP_DOCTOR",
        "TENANTRY_DOCTOR",
        "TENANTRY_UNSAFE",
        "TENANTRY_ALLOW_UNSAFE_DATABASE",
        "TENANTRY_ISOLATION_PROOF",
        "TENANTRY_DEV",
    ] {
        let ended = serve(&BTreeMap::from([
            ("TENANTRY_DATABASE_URL", database.bypass_url().to_owned()),
            ("TENANTRY_LISTEN", "127.0.0.1:0".to_owned()),
            ("TENANTRY_SIGNING_KEYS", folder.path().to_str().unwrap().to_owned()),
            (name, "yes".to_owned()),
        ]));
        assert_eq!(ended.status.code(), Some(ExitCode::Configuration as i32), "{name}");
    }
}

#[test]
fn no_option_of_serve_reaches_the_walls() {
    let help = Command::new(binary())
        .args(["serve", "--help"])
        .env_clear()
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let options: Vec<&str> = help
        .split_whitespace()
        .filter(|word| word.starts_with("--"))
        .map(|word| word.trim_end_matches([',', '.']))
        .collect();
    assert_eq!(options, ["--config", "--no-worker", "--help", "--version"], "{help}");
}

/// Features are chosen when the program is built. The only one there is takes the first wall away, and nothing but this
/// suite asks for it.
#[test]
fn no_feature_of_the_program_reaches_the_walls() {
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    let metadata: Value = serde_json::from_slice(&cargo.output().unwrap().stdout).unwrap();
    let mut features = Vec::new();
    let mut asked_for = Vec::new();
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        for (feature, implied) in package["features"].as_object().unwrap() {
            features.push(format!("{name}/{feature} {implied}"));
        }
        for dependency in package["dependencies"].as_array().unwrap() {
            if dependency["features"].to_string().contains("isolation-proof") {
                asked_for.push(format!("{name} {}", dependency["kind"]));
            }
        }
    }
    assert_eq!(features, ["tenantry-persistence/isolation-proof []"]);
    assert_eq!(asked_for, ["tenantry-tests \"dev\""]);
}
