#![allow(clippy::unwrap_used, reason = "a failing test should stop where it fails")]

use std::{ffi::OsString, fs, os::unix::ffi::OsStringExt as _, path::Path, time::Duration};

use super::{Configuration, LogFormat, Problems, Purpose, RateLimits, Sources};

mod shown;
mod values;

fn load(variables: &[(&str, &str)], purpose: Purpose) -> Result<Configuration, Problems> {
    Configuration::load(&Sources::of(variables.iter().copied()), purpose)
}

/// The names of the problems, sorted.
fn names(outcome: Result<Configuration, Problems>) -> Vec<String> {
    let mut names: Vec<String> = outcome
        .unwrap_err()
        .iter()
        .map(|problem| problem.name.clone())
        .collect();
    names.sort();
    names
}

/// The only problem's text.
fn only(outcome: Result<Configuration, Problems>) -> String {
    let problems = outcome.unwrap_err();
    assert_eq!(problems.iter().count(), 1, "{problems}");
    problems.iter().next().unwrap().to_string()
}

fn with_file<T>(text: &str, read: impl FnOnce(&Path) -> T) -> T {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tenantry.toml");
    fs::write(&path, text).unwrap();
    read(&path)
}

#[test]
fn what_a_command_needs_is_all_named() {
    let needs = |purpose| names(load(&[], purpose));
    assert_eq!(
        needs(Purpose::Serve),
        ["TENANTRY_DATABASE_URL", "TENANTRY_SIGNING_KEYS"]
    );
    assert_eq!(needs(Purpose::Migrate), ["TENANTRY_DATABASE_OWNER_URL"]);
    assert_eq!(needs(Purpose::Doctor), ["TENANTRY_DATABASE_URL"]);
    assert_eq!(needs(Purpose::Seed), ["TENANTRY_DATABASE_URL"]);
}

#[test]
fn all_problems_come_at_once() {
    let problems = load(
        &[
            ("TENANTRY_LISTEN", "everywhere"),
            ("TENANTRY_DATABASE_MAX_CONNECTIONS", "many"),
            ("TENANTRY_CORS_ORIGINS", "https://a.example/b,https://fine.example,*"),
            ("TENANTRY_LOGS", "debug"),
            ("TENANTRY_CONFIG", "/no/such/file.toml"),
        ],
        Purpose::Serve,
    );
    assert_eq!(
        names(problems),
        [
            "TENANTRY_CONFIG",
            "TENANTRY_CORS_ORIGINS",
            "TENANTRY_CORS_ORIGINS",
            "TENANTRY_DATABASE_MAX_CONNECTIONS",
            "TENANTRY_DATABASE_URL",
            "TENANTRY_LISTEN",
            "TENANTRY_LOGS",
            "TENANTRY_SIGNING_KEYS",
        ]
    );
}

#[test]
fn the_environment_wins_over_the_file_and_the_file_over_defaults() {
    let text =
        "listen = '10.0.0.1:1'\nrequest_timeout_seconds = 7\ncors_origins = ['https://a.example', 'https://b.example']";
    with_file(text, |path| {
        let variables = [
            ("TENANTRY_CONFIG", path.to_str().unwrap()),
            ("TENANTRY_LISTEN", "10.0.0.2:2"),
        ];
        let configuration = load(&variables, Purpose::Dev).unwrap();
        assert_eq!(configuration.http.listen.to_string(), "10.0.0.2:2");
        assert_eq!(configuration.http.request_timeout, Duration::from_secs(7));
        assert_eq!(
            configuration.http.cors_origins,
            ["https://a.example", "https://b.example"]
        );
        assert_eq!(configuration.http.admin_listen.to_string(), "127.0.0.1:9090");
    });
}

#[test]
fn the_file_of_the_command_line_wins_over_the_one_of_the_environment() {
    with_file("listen = '10.0.0.1:1'", |path| {
        let sources = Sources::of([("TENANTRY_CONFIG", "/no/such/file.toml")]).with_file(Some(path.to_owned()));
        let configuration = Configuration::load(&sources, Purpose::Dev).unwrap();
        assert_eq!(configuration.http.listen.to_string(), "10.0.0.1:1");
    });
}

#[test]
fn an_empty_value_counts_as_not_set() {
    let configuration = load(&[("TENANTRY_LISTEN", ""), ("TENANTRY_CONFIG", "")], Purpose::Dev).unwrap();
    assert_eq!(configuration.http.listen.to_string(), "127.0.0.1:8080");
    with_file("database_url = ''", |path| {
        let variables = [("TENANTRY_CONFIG", path.to_str().unwrap())];
        assert_eq!(names(load(&variables, Purpose::Doctor)), ["TENANTRY_DATABASE_URL"]);
    });
}

#[test]
fn a_problem_in_the_file_is_named_with_the_file() {
    with_file(
        "database_url = {}\ncors_origins = [[]]\nlisten = 8080\nlisten_on = 1\nregistration = ['open', 'private']\n[log]\nformat = 'json'",
        |path| {
            let names = names(load(&[("TENANTRY_CONFIG", path.to_str().unwrap())], Purpose::Doctor));
            let path = path.display();
            assert_eq!(
                names,
                [
                    format!("TENANTRY_CORS_ORIGINS (cors_origins in {path})"),
                    format!("TENANTRY_DATABASE_URL (database_url in {path})"),
                    format!("TENANTRY_LISTEN (listen in {path})"),
                    format!("TENANTRY_LOG (log in {path})"),
                    format!("TENANTRY_REGISTRATION (registration in {path})"),
                    format!("listen_on in {path}"),
                ]
            );
        },
    );
}

#[test]
fn a_mistyped_name_is_a_problem_and_the_nearest_one_is_offered() {
    assert_eq!(
        only(load(&[("TENANTRY_DATABSE_URL", "x")], Purpose::Dev)),
        "TENANTRY_DATABSE_URL: is not a setting; did you mean TENANTRY_DATABASE_URL?"
    );
    assert_eq!(
        only(load(&[("TENANTRY_CONFG", "x")], Purpose::Dev)),
        "TENANTRY_CONFG: is not a setting; did you mean TENANTRY_CONFIG?"
    );
    assert_eq!(
        only(load(&[("TENANTRY_COFFEE_MACHINE", "x")], Purpose::Dev)),
        "TENANTRY_COFFEE_MACHINE: is not a setting"
    );
    with_file("cors_orgins = []", |path| {
        let problem = only(load(&[("TENANTRY_CONFIG", path.to_str().unwrap())], Purpose::Dev));
        assert!(
            problem.ends_with("is not a setting; did you mean cors_origins?"),
            "{problem}"
        );
    });
}

#[test]
fn names_of_tests_and_of_kubernetes_are_left_alone() {
    let variables = [
        ("TENANTRY_TEST_DATABASE_URL", "anything"),
        ("TENANTRY_SERVICE_HOST", "10.0.0.1"),
        ("TENANTRY_SERVICE_PORT_HTTP", "80"),
        ("TENANTRY_PORT", "tcp://10.0.0.1:80"),
        ("TENANTRY_PORT_80_TCP_ADDR", "10.0.0.1"),
        ("UNRELATED", "x"),
    ];
    assert!(load(&variables, Purpose::Dev).is_ok());
}

#[test]
fn bytes_that_are_no_text_are_a_problem() {
    let sources = Sources::of([(OsString::from("TENANTRY_LISTEN"), OsString::from_vec(vec![0xff, 0xfe]))]);
    let problem = only(Configuration::load(&sources, Purpose::Dev));
    assert!(
        problem.starts_with("TENANTRY_LISTEN: expects") && problem.ends_with("not UTF-8"),
        "{problem}"
    );
}

#[test]
fn limits_are_off_only_in_dev_or_when_said_twice() {
    let off = ("TENANTRY_RATE_LIMITS", "off");
    let serve = [
        ("TENANTRY_DATABASE_URL", "postgres://u:p@db/t"),
        ("TENANTRY_SIGNING_KEYS", "/"),
        off,
    ];
    let problem = only(load(&serve, Purpose::Serve));
    assert!(
        problem.starts_with("TENANTRY_RATE_LIMITS: `off` is refused"),
        "{problem}"
    );
    assert!(problem.contains("TENANTRY_RATE_LIMITS_OFF_ALLOWED=yes"), "{problem}");
    let twice: Vec<_> = serve
        .into_iter()
        .chain([("TENANTRY_RATE_LIMITS_OFF_ALLOWED", "yes")])
        .collect();
    assert_eq!(load(&twice, Purpose::Serve).unwrap().http.rate_limits, RateLimits::Off);
    assert_eq!(load(&[off], Purpose::Dev).unwrap().http.rate_limits, RateLimits::Off);
    // Allowing it is not asking for it.
    let allowed = [("TENANTRY_RATE_LIMITS_OFF_ALLOWED", "yes")];
    assert_eq!(load(&allowed, Purpose::Dev).unwrap().http.rate_limits, RateLimits::On);
}

#[test]
fn signing_keys_must_exist_for_serving_alone() {
    let keys = ("TENANTRY_SIGNING_KEYS", "/no/such/keys");
    let problem = only(load(
        &[("TENANTRY_DATABASE_URL", "postgres://u:p@db/t"), keys],
        Purpose::Serve,
    ));
    assert!(
        problem.starts_with("TENANTRY_SIGNING_KEYS: expects") && problem.contains("/no/such/keys"),
        "{problem}"
    );
    assert!(
        load(
            &[("TENANTRY_DATABASE_URL", "postgres://u:p@db/t"), keys],
            Purpose::Doctor
        )
        .is_ok()
    );
}

#[test]
fn a_schedule_for_signing_keys_takes_a_folder_and_encryption_keys_elsewhere() {
    let root = tempfile::tempdir().unwrap();
    let path = |name: &str| root.path().join(name).to_str().unwrap().to_owned();
    let [keys, others, file] = ["keys", "others", "keys/file.pem"].map(path);
    let [keys, others, file] = [&keys, &others, &file].map(String::as_str);
    for folder in [keys, others] {
        fs::create_dir(folder).unwrap();
    }
    fs::write(file, "").unwrap();
    let with = |purpose, signing: &str, encryption: &str| {
        let variables = [
            ("TENANTRY_DATABASE_URL", "postgres://u:p@db/t"),
            ("TENANTRY_SIGNING_KEY_DAYS", "90"),
            ("TENANTRY_SIGNING_KEYS", signing),
            ("TENANTRY_ENCRYPTION_KEYS", encryption),
        ];
        load(&variables, purpose)
    };
    for purpose in [Purpose::Serve, Purpose::Worker] {
        let sign_in = with(purpose, keys, others).unwrap().sign_in;
        assert_eq!(sign_in.signing_key_days, Some(90));
        assert_eq!(sign_in.rotatable_keys().unwrap().0, Path::new(keys));
        for (signing, encryption) in [(keys, ""), (file, others), (keys, keys), (keys, file)] {
            let problem = only(with(purpose, signing, encryption));
            assert!(
                problem.starts_with("TENANTRY_SIGNING_KEY_DAYS: expects a folder in TENANTRY_SIGNING_KEYS")
                    && problem.contains("TENANTRY_ENCRYPTION_KEYS"),
                "{problem}"
            );
        }
    }
    // It has a folder of signing keys by itself.
    assert!(with(Purpose::Dev, "", others).is_ok());
    assert_eq!(names(with(Purpose::Dev, "", "")), ["TENANTRY_SIGNING_KEY_DAYS"]);
    // Nothing is rotated by others.
    assert!(with(Purpose::Doctor, "", "").is_ok());
}

#[test]
fn logs_are_for_programs_unless_in_dev() {
    let url = ("TENANTRY_DATABASE_URL", "postgres://u:p@db/t");
    assert_eq!(load(&[url], Purpose::Doctor).unwrap().log.format, LogFormat::Json);
}

#[test]
fn each_setting_without_effect_gets_a_sentence() {
    let notices = |variables: &[(&str, &str)]| load(variables, Purpose::Dev).unwrap().notices;
    for (name, value) in [
        ("TENANTRY_REDIS_URL", "redis://cache"),
        ("TENANTRY_DATABASE_REPLICA_URL", "postgres://u:p@db/t"),
        ("TENANTRY_BASE_DOMAIN", "a.example"),
        ("TENANTRY_ADMIN_LISTEN", "127.0.0.1:9999"),
        ("TENANTRY_REGISTRATION", "private"),
        ("TENANTRY_DATABASE_URL", "postgres://u:p@db/t"),
        ("TENANTRY_SHUTDOWN_GRACE_SECONDS", "1"),
    ] {
        let notices = notices(&[(name, value)]);
        assert_eq!(notices.len(), 1, "{name}");
        assert!(notices.iter().all(|notice| notice.starts_with(name)), "{notices:?}");
    }
    // A default that is written out changes nothing, so that there is nothing to say.
    assert!(notices(&[("TENANTRY_REGISTRATION", "open")]).is_empty());
}

#[test]
fn a_wildcard_address_is_no_place_to_go_to() {
    let http = load(&[], Purpose::Dev).unwrap().http;
    assert_eq!(http.public_url("0.0.0.0:80".parse().unwrap()), "http://127.0.0.1:80");
    assert_eq!(http.public_url("[::]:80".parse().unwrap()), "http://127.0.0.1:80");
    assert_eq!(http.public_url("[::1]:80".parse().unwrap()), "http://[::1]:80");
}
