#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failing test should stop where it fails"
)]

use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::{DATABASE_SQL, Error, ROLES_SQL, RolePasswords, prepare, roles, url_of};

fn runtime_url(administrator: &str, password: &str, database: &str) -> String {
    let administrator = Url::parse(administrator).unwrap();
    url_of(&administrator, "tenantry_app", &password.into(), database)
        .unwrap()
        .expose_secret()
        .to_owned()
}

#[test]
fn every_variable_is_filled_in() {
    // `psql` knows a variable by a colon before a quote; a cast has two colons.
    let variables = |sql: &str| {
        sql.lines()
            .filter(|line| !line.starts_with("--") && line.contains(":'"))
            .count()
    };
    assert_eq!(variables(ROLES_SQL), 2);
    assert_eq!(variables(DATABASE_SQL), 0);
    let filled = roles("'one'", "'two'");
    assert_eq!(variables(&filled), 0);
    assert!(filled.contains("alter role tenantry_owner login password 'one';"));
    assert!(filled.contains("alter role tenantry_app login password 'two';"));
}

#[test]
fn a_password_that_names_the_other_variable_is_data() {
    // What PostgreSQL's quote_literal makes of the text `:'runtime_password'`.
    let filled = roles("':''runtime_password'''", "'two'");
    assert!(filled.contains("login password ':''runtime_password''';"));
}

#[test]
fn urls_keep_host_port_and_tls() {
    assert_eq!(
        runtime_url(
            "postgres://postgres:secret@db.example:6432/postgres?sslmode=require",
            "new",
            "tenantry"
        ),
        "postgres://tenantry_app:new@db.example:6432/tenantry?sslmode=require"
    );
    assert_eq!(
        runtime_url("postgres://postgres@%2Frun%2Fpg/postgres", "new", "tenantry"),
        "postgres://tenantry_app:new@%2Frun%2Fpg/tenantry"
    );
}

#[test]
fn urls_do_not_keep_the_administrators_login() {
    let url = runtime_url(
        "postgres://h/postgres?user=root&password=secret&dbname=postgres&sslmode=disable",
        "p",
        "t",
    );
    assert_eq!(url, "postgres://tenantry_app:p@h/t?sslmode=disable");
}

#[test]
fn odd_characters_survive_the_way_through_a_url() {
    let url = Url::parse(&runtime_url(
        "postgres://postgres@h/postgres",
        "p@ss/w:rd?#%",
        "my db/x",
    ))
    .unwrap();
    assert_eq!(url.host_str(), Some("h"));
    assert_eq!(url.path(), "/my%20db%2Fx");
    assert_eq!(url.password(), Some("p%40ss%2Fw%3Ard%3F%23%25"));
}

#[tokio::test]
async fn what_cannot_be_is_refused_before_connecting() {
    let passwords = RolePasswords {
        owner: "a".into(),
        runtime: "b".into(),
    };
    let somewhere = SecretString::from("postgres://postgres:hidden@127.0.0.1:1/postgres");
    for name in ["", "x".repeat(64).as_str()] {
        assert!(matches!(prepare(&somewhere, &passwords, name).await, Err(Error::Name)));
    }
    for url in ["", "nonsense", "postgres:///postgres?host=/run"] {
        let refused = prepare(&url.into(), &passwords, "tenantry").await;
        assert!(matches!(refused, Err(Error::Url)), "{url}");
    }
}

#[tokio::test]
async fn an_unreachable_server_is_told_without_the_password() {
    let passwords = RolePasswords {
        owner: "owners-secret".into(),
        runtime: "runtimes-secret".into(),
    };
    let nobody_listens = SecretString::from("postgres://postgres:hidden-one@127.0.0.1:1/postgres");
    let error = prepare(&nobody_listens, &passwords, "tenantry").await.unwrap_err();
    let told = format!("{error} {error:?} {passwords:?}");
    assert!(matches!(error, Error::Database { .. }));
    for secret in ["hidden-one", "owners-secret", "runtimes-secret"] {
        assert!(!told.contains(secret), "{told}");
    }
}
