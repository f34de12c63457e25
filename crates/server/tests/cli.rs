//! The built binary as whoever starts it sees it: help, exit codes, and what is wrong with a configuration.

#![allow(clippy::unwrap_used, reason = "a failing test should stop where it fails")]

use std::process::Command;

struct Outcome {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

/// Runs the binary with this command line and, of this process's environment, with nothing but these variables.
fn run(line: &str, variables: &[(&str, &str)]) -> Outcome {
    let output = Command::new(env!("CARGO_BIN_EXE_tenantry"))
        .args(line.split(' ').filter(|argument| !argument.is_empty()))
        .env_clear()
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Outcome {
        code: output.status.code(),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

#[test]
fn help_is_a_result() {
    let help = run("--help", &[]);
    assert_eq!(help.code, Some(0));
    assert_eq!(help.stderr, "");
    for part in [
        "serve",
        "dev",
        "migrate",
        "seed",
        "openapi",
        "config",
        "doctor",
        "Exit codes:",
        "Examples:",
    ] {
        assert!(help.stdout.contains(part), "{part} is not in {}", help.stdout);
    }
    for command in [
        "serve",
        "dev",
        "migrate",
        "migrate down",
        "migrate new",
        "seed",
        "openapi",
        "config check",
        "doctor",
    ] {
        let help = run(&format!("{command} --help"), &[]);
        assert_eq!(help.code, Some(0), "{command}");
        assert!(help.stdout.contains("Usage: tenantry "), "{command}: {}", help.stdout);
    }
}

#[test]
fn what_is_not_understood_is_a_usage_error() {
    for line in ["", "fly", "serve --fast", "dev --listen nowhere", "migrate"] {
        let outcome = run(line, &[]);
        assert_eq!(outcome.code, Some(2), "{line}");
        assert!(
            outcome.stderr.contains("--help") || outcome.stderr.contains("Usage:"),
            "{line}: {}",
            outcome.stderr
        );
    }
}

#[test]
fn seeding_at_size_says_what_is_missing() {
    let outcome = run("seed --size large", &[]);
    assert_eq!(outcome.code, Some(3));
    for name in ["TENANTRY_DATABASE_URL", "TENANTRY_DATABASE_OWNER_URL"] {
        assert!(
            outcome.stderr.contains(&format!("{name}: ")),
            "{name}: {}",
            outcome.stderr
        );
    }
    assert_eq!(run("seed --size enormous", &[]).code, Some(2));
}

#[test]
fn serve_says_what_is_missing() {
    let outcome = run("serve", &[]);
    assert_eq!(outcome.code, Some(3));
    for name in ["TENANTRY_DATABASE_URL", "TENANTRY_SIGNING_KEYS"] {
        assert!(
            outcome.stderr.contains(&format!("{name}: is not set; expects ")),
            "{}",
            outcome.stderr
        );
    }
}

#[test]
fn check_names_every_problem_and_no_secret() {
    let broken = [
        ("TENANTRY_DATABASE_URL", "mysql://app:hunter2-a@db/t"),
        ("TENANTRY_DATABASE_OWNER_URL", "postgres://owner:hunter2-b@db/t"),
        ("TENANTRY_DATABASE_ULR", "postgres://app:hunter2-c@db/t"),
        ("TENANTRY_REDIS_URL", "hunter2-d"),
        ("TENANTRY_LISTEN", "postgres://app:hunter2-e@db/t"),
        ("TENANTRY_DATABASE_MAX_CONNECTIONS", "0"),
        ("TENANTRY_CORS_ORIGINS", "*"),
        ("TENANTRY_PUBLIC_URL", "ftp://files.example"),
        ("TENANTRY_SIGNING_KEYS", "/no/such/keys"),
        ("TENANTRY_RATE_LIMITS", "off"),
        ("TENANTRY_CONFIG", "/no/such/file.toml"),
    ];
    let outcome = run("config check", &broken);
    assert_eq!(outcome.code, Some(3));
    for (name, _) in broken.iter().filter(|(name, _)| *name != "TENANTRY_DATABASE_OWNER_URL") {
        assert!(
            outcome.stderr.contains(&format!("  {name}: ")),
            "{name} is not in {}",
            outcome.stderr
        );
    }
    assert!(
        outcome.stdout.contains("postgres://owner:[redacted]@db/t"),
        "{}",
        outcome.stdout
    );
    assert!(
        !outcome.stderr.contains("hunter2") && !outcome.stdout.contains("hunter2"),
        "a secret was shown"
    );
}

#[test]
fn check_passes_what_is_right() {
    let right = [
        ("TENANTRY_DATABASE_URL", "postgres://app:hunter2@db/t"),
        ("TENANTRY_SIGNING_KEYS", "/"),
    ];
    let outcome = run("config check", &right);
    assert_eq!(
        (outcome.code, outcome.stderr.as_str()),
        (Some(0), ""),
        "{}",
        outcome.stdout
    );
    assert!(
        outcome.stdout.contains("The configuration is valid."),
        "{}",
        outcome.stdout
    );
    assert!(
        outcome.stdout.contains("postgres://app:[redacted]@db/t"),
        "{}",
        outcome.stdout
    );
    assert_eq!(run("config check --for dev", &[]).code, Some(0));
    assert_eq!(run("config check --for migrate", &right).code, Some(3));
}

#[test]
fn a_database_that_is_not_there_has_a_code_of_its_own() {
    // Port 1 is reserved, nothing listens there.
    let nowhere = [("TENANTRY_DATABASE_URL", "postgres://app:hunter2@127.0.0.1:1/t")];
    let outcome = run("doctor", &nowhere);
    assert_eq!(outcome.code, Some(5), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("hunter2"), "{}", outcome.stderr);
}

#[test]
fn dev_says_which_address_is_taken() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let outcome = run(&format!("dev --listen {address} --data-dir {}", data.display()), &[]);
    assert_eq!(outcome.code, Some(5), "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains(&format!("{address} is taken")),
        "{}",
        outcome.stderr
    );
    assert!(!data.exists(), "nothing was started");
}

#[test]
fn the_document_needs_no_database_and_is_compared_with_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("openapi.json");
    let printed = run("openapi", &[]);
    assert_eq!(printed.code, Some(0), "{}", printed.stderr);
    assert_eq!(run(&format!("openapi --out {}", file.display()), &[]).code, Some(0));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), printed.stdout);
    let check = format!("openapi --check {}", file.display());
    assert_eq!(run(&check, &[]).code, Some(0));

    let other = printed.stdout.replacen("\"openapi\"", "\"opanepi\"", 1);
    std::fs::write(&file, other).unwrap();
    let outcome = run(&check, &[]);
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stdout.contains("removed  /opanepi"), "{}", outcome.stdout);
    assert!(
        outcome
            .stderr
            .contains(&format!("tenantry openapi --out {}", file.display())),
        "{}",
        outcome.stderr
    );
}
