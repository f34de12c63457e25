//! Nothing that is shown of a configuration holds a secret.

use super::{super::Table, Configuration, Purpose, Sources, load, only, with_file};

fn table(variables: &[(&str, &str)]) -> Table {
    Configuration::examine(&Sources::of(variables.iter().copied()), Purpose::Serve).table
}

fn value(variables: &[(&str, &str)], name: &str) -> String {
    table(variables)
        .rows()
        .find(|row| row.variable == name)
        .unwrap()
        .value
        .clone()
}

#[test]
fn a_url_is_shown_without_its_password() {
    for (given, shown) in [
        (
            "postgres://app:hunter2@db:5432/t?sslmode=require",
            "postgres://app:[redacted]@db:5432/t?sslmode=require",
        ),
        ("postgres://app@db/t", "postgres://app@db/t"),
        (
            "postgres://db/t?user=app&password=hunter2",
            "postgres://db/t?user=app&[redacted]=[redacted]",
        ),
        (
            "postgres://app:hunter2@%2Frun%2Fpg/t",
            "postgres://app:[redacted]@%2Frun%2Fpg/t",
        ),
        ("postgres://:hunter2@db/t", "postgres://:[redacted]@db/t"),
        // Whatever is not surely understood is not shown at all.
        ("postgres://app:hunt#er2@db/t", "[redacted]"),
        ("postgres://app:12#hunter2@db/t", "[redacted]"),
        ("postgres://app:12/hunter2@db/t", "[redacted]"),
        ("postgres://app:12?hunter2@db/t", "[redacted]"),
        ("hunter2://db", "[redacted]"),
        ("hunter2", "[redacted]"),
        ("postgres:hunter2", "[redacted]"),
    ] {
        assert_eq!(
            value(&[("TENANTRY_DATABASE_URL", given)], "TENANTRY_DATABASE_URL"),
            shown,
            "{given}"
        );
    }
    let redis = [("TENANTRY_REDIS_URL", "redis://:hunter2@cache:6379")];
    assert_eq!(value(&redis, "TENANTRY_REDIS_URL"), "redis://:[redacted]@cache:6379");
}

#[test]
fn a_secret_that_does_not_fit_is_not_repeated() {
    let problem = only(load(
        &[("TENANTRY_DATABASE_URL", "mysql://app:hunter2@db/t")],
        Purpose::Dev,
    ));
    assert!(
        problem.starts_with("TENANTRY_DATABASE_URL: expects the database"),
        "{problem}"
    );
    assert!(!problem.contains("hunter2"), "{problem}");
}

#[test]
fn a_secret_in_the_wrong_place_is_not_repeated() {
    for name in ["TENANTRY_LISTEN", "TENANTRY_PUBLIC_URL", "TENANTRY_DATABASE_ULR"] {
        let given = [(name, "postgres://app:hunter2@db/t")];
        let problem = only(load(&given, Purpose::Dev));
        assert!(problem.starts_with(name) && !problem.contains("hunter2"), "{problem}");
        assert!(!table(&given).to_string().contains("hunter2"), "{name}");
    }
}

#[test]
fn a_broken_file_is_told_by_line_without_its_text() {
    with_file(
        "listen = '10.0.0.1:1'\ndatabase_url = 'postgres://app:hunter2@db/t\n",
        |path| {
            let problem = only(load(&[("TENANTRY_CONFIG", path.to_str().unwrap())], Purpose::Dev));
            assert!(problem.contains("line 2"), "{problem}");
            assert!(!problem.contains("hunter2"), "{problem}");
        },
    );
}

#[test]
fn the_configuration_itself_prints_no_password() {
    let given = [
        ("TENANTRY_DATABASE_URL", "postgres://app:hunter2@db/t"),
        ("TENANTRY_REDIS_URL", "redis://:hunter2@cache:6379"),
    ];
    let printed = format!("{:?}", load(&given, Purpose::Doctor).unwrap());
    assert!(!printed.contains("hunter2"), "{printed}");
}

#[test]
fn values_are_short_and_cannot_move_the_cursor() {
    let long = "x".repeat(5000);
    let problem = only(load(
        &[("TENANTRY_LISTEN", &format!("\u{1b}[2J\n{long}"))],
        Purpose::Dev,
    ));
    assert!(problem.len() < 400, "{problem}");
    assert!(!problem.contains('\u{1b}') && !problem.contains('\n'), "{problem}");
}

#[test]
fn the_table_says_where_each_value_comes_from() {
    with_file("rate_limits = 'off'", |path| {
        let path = path.to_str().unwrap();
        let table = table(&[("TENANTRY_CONFIG", path), ("TENANTRY_LISTEN", "10.0.0.1:1")]);
        let origin = |name: &str| table.rows().find(|row| row.variable == name).unwrap().origin.clone();
        assert_eq!(origin("TENANTRY_LISTEN"), "environment");
        assert_eq!(origin("TENANTRY_RATE_LIMITS"), path);
        assert_eq!(origin("TENANTRY_LOG"), "default");
        assert_eq!(origin("TENANTRY_DATABASE_URL"), "not set");
        let text = table.to_string();
        assert!(
            text.lines()
                .any(|line| line.starts_with("TENANTRY_LISTEN ") && line.ends_with(" 10.0.0.1:1")),
            "{text}"
        );
    });
}
