#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

use super::{Encryption, Parts, check_smtp_url};

#[test]
fn a_url_says_where_and_how() {
    for (url, host, port, encryption) in [
        ("smtp://mail.example.com", "mail.example.com", 587, Encryption::Required),
        (
            "smtp://mail.example.com/",
            "mail.example.com",
            587,
            Encryption::Required,
        ),
        (
            "smtp://mail.example.com:2525",
            "mail.example.com",
            2525,
            Encryption::Required,
        ),
        (
            "smtp://mail.example.com?tls=required",
            "mail.example.com",
            587,
            Encryption::Required,
        ),
        (
            "smtp://10.0.0.7?tls=opportunistic",
            "10.0.0.7",
            587,
            Encryption::Opportunistic,
        ),
        ("smtp://localhost?tls=none", "localhost", 25, Encryption::None),
        (
            "smtp://mail_catcher:1025?tls=none",
            "mail_catcher",
            1025,
            Encryption::None,
        ),
        ("smtps://mail.example.com", "mail.example.com", 465, Encryption::Wrapper),
        (
            "smtps://mail.example.com:4650?tls=required",
            "mail.example.com",
            4650,
            Encryption::Wrapper,
        ),
    ] {
        let parts = Parts::parse(url).unwrap();
        assert_eq!(
            (parts.host.as_str(), parts.port, parts.encryption),
            (host, port, encryption),
            "{url}"
        );
        assert!(parts.credentials.is_none(), "{url}");
    }
}

#[test]
fn credentials_are_decoded() {
    for (url, user, password) in [
        ("smtp://user:pass@host", "user", "pass"),
        (
            "smtps://ann%40example.com:a%3Ab%2Fc%25@host",
            "ann@example.com",
            "a:b/c%",
        ),
        ("smtp://user:gr%C3%BC%C3%9Fe+x@host", "user", "grüße+x"),
    ] {
        let credentials = Parts::parse(url).unwrap().credentials.unwrap();
        assert_eq!(credentials, (user.to_owned(), password.to_owned()), "{url}");
    }
}

#[test]
fn other_urls_are_refused() {
    for url in [
        "",
        "mail.example.com",
        "mail.example.com:587",
        "http://mail.example.com",
        "SMTP//mail.example.com",
        "smtp:mail.example.com",
        "smtp://",
        "smtp://:587",
        "smtp://user:pass@",
        "smtp://host:0",
        "smtp://host:65536",
        "smtp://host:port",
        "smtp://ho st",
        "smtp://host\n",
        "smtp://ho%20st",
        "smtp://[::1]:25",
        "smtp://host/name",
        "smtp://host#fragment",
        "smtp://host?tls",
        "smtp://host?tls=",
        "smtp://host?tls=off",
        "smtp://host?tls=Required",
        "smtp://host?tls=none&tls=required",
        "smtp://host?tls=required&x=1",
        "smtp://host?TLS=required",
        "smtps://host?tls=none",
        "smtps://host?tls=opportunistic",
        "smtp://user@host",
        "smtp://:pass@host",
        "smtp://user:50%@host",
        "smtp://user:%zz@host",
        "smtp://user:%FF@host",
        "smtp://us%00er:pass@host",
    ] {
        assert!(!check_smtp_url(url), "{url:?}");
    }
}
