#![allow(clippy::unwrap_used, reason = "a failing test should stop where it fails")]

use std::{path::Path, process::Command};

use super::text;
use crate::application::{DemoAccount, DemoSummary};

fn demo() -> DemoSummary {
    let account = |role: &str| DemoAccount {
        email: format!("{role}@acme.example"),
        role: role.to_owned(),
        organization: "Acme".to_owned(),
    };
    DemoSummary {
        password: "a password with spaces".to_owned(),
        accounts: vec![account("owner"), account("viewer")],
    }
}

/// Runs the text's command with a `curl` that answers as the server would and writes down what it was asked.
fn pasted(text: &str) -> String {
    let command = text
        .lines()
        .map(str::trim)
        .find(|line| line.starts_with("curl "))
        .unwrap();
    let curl = r#"curl() {
        printf '<%s>' "$@" >&2; echo >&2
        case "$2" in */auth/login) echo '{"data":{"status":"authenticated","accessToken":"ey.J0.-_x","tokenType":"Bearer"}}';; esac
    }"#;
    let output = Command::new("sh")
        .arg("-euc")
        .arg(format!("{curl}\n{command}"))
        .output()
        .unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn the_line_to_paste_signs_in_and_uses_the_token() {
    let text = text("http://127.0.0.1:8080", Path::new("/data"), Some(&demo()));
    assert_eq!(
        pasted(&text),
        concat!(
            r#"<-s><http://127.0.0.1:8080/api/v1/auth/login><-H><Content-Type: application/json><-d>"#,
            r#"<{"email":"owner@acme.example","password":"a password with spaces"}>"#,
            "\n",
            r#"<-s><http://127.0.0.1:8080/api/v1/organizations><-H><Authorization: Bearer ey.J0.-_x>"#,
            "\n",
        )
    );
}

#[test]
fn the_accounts_and_the_docs_are_named() {
    let text = text("http://127.0.0.1:8080", Path::new("/data"), Some(&demo()));
    for part in [
        "http://127.0.0.1:8080/docs/",
        "viewer@acme.example",
        "a password with spaces",
        "/data",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[test]
fn without_demo_data_the_line_registers() {
    let asked = pasted(&text("http://127.0.0.1:1", Path::new("/data"), None));
    assert!(asked.contains("<http://127.0.0.1:1/api/v1/auth/register>"), "{asked}");
    assert!(asked.contains(r#""organizationName":"Example""#), "{asked}");
}
