#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

use tenantry_domain::environment::Timestamp;
use uuid::Uuid;

use super::{build, check_from, one_line, parse_from};
use crate::mail::{Mail, Recipient, Refusal};

fn now() -> Timestamp {
    Timestamp::from_timestamp_millis(1_769_851_800_123).unwrap()
}

fn mail(name: &str, address: &str) -> Mail {
    Mail {
        id: Uuid::from_u128(7),
        to: Recipient {
            name: name.to_owned(),
            address: address.to_owned(),
        },
        subject: "Confirm".to_owned(),
        text: "Hello\n".to_owned(),
        html: "<p>Hello</p>\n".to_owned(),
    }
}

fn formatted(mail: &Mail) -> String {
    let from = parse_from("Tenantry <no-reply@example.com>").unwrap();
    String::from_utf8(build(mail, &from, now()).unwrap().formatted()).unwrap()
}

/// The headers, folded lines joined.
fn headers(message: &str) -> Vec<String> {
    let (headers, _) = message.split_once("\r\n\r\n").unwrap();
    headers.replace("\r\n ", " ").split("\r\n").map(str::to_owned).collect()
}

#[test]
fn a_message_has_its_headers() {
    let message = formatted(&mail("Ann", "ann@example.org"));
    let headers = headers(&message);
    for header in [
        "From: Tenantry <no-reply@example.com>",
        "To: Ann <ann@example.org>",
        "Subject: Confirm",
        "Date: Sat, 31 Jan 2026 09:30:00 +0000",
        "Message-ID: <00000000-0000-0000-0000-000000000007@example.com>",
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
    ] {
        assert!(headers.iter().any(|found| found == header), "{header} in {headers:?}");
    }
    assert!(
        headers
            .iter()
            .any(|header| header.starts_with("Content-Type: multipart/alternative;"))
    );
    let (plain, html) = (message.find("text/plain").unwrap(), message.find("text/html").unwrap());
    assert!(plain < html, "the preferred form comes last");
    assert_eq!(message.to_lowercase().matches("charset=utf-8").count(), 2);
}

#[test]
fn a_second_try_has_the_same_message_id() {
    let from = parse_from("no-reply@example.com").unwrap();
    let mail = mail("Ann", "ann@example.org");
    let later = now() + chrono::TimeDelta::hours(1);
    let ids: Vec<String> = [now(), later]
        .into_iter()
        .map(|now| {
            let message = build(&mail, &from, now).unwrap();
            message.headers().get_raw("Message-ID").unwrap().to_owned()
        })
        .collect();
    assert_eq!(ids[0], ids[1]);
}

#[test]
fn a_name_adds_no_header_and_no_recipient() {
    let from = parse_from("no-reply@example.com").unwrap();
    for name in [
        "Ann\r\nBcc: evil@example.com",
        "Ann\nBcc: evil@example.com",
        "Ann\rBcc: evil@example.com\r\n\r\nbody",
        "Ann <evil@example.com>, Bob",
        "\"Ann\" <evil@example.com>, \"",
        "evil@example.com,",
        "Ann\\",
        "=?utf-8?q?Ann=0D=0ABcc:_evil@example.com?=",
        "Zoë\u{2028}Bcc: evil@example.com",
        "\0\u{1b}[31m",
        "",
        "   ",
    ] {
        let message = build(&mail(name, "ann@example.org"), &from, now()).unwrap();
        let text = String::from_utf8(message.formatted()).unwrap();
        let headers = headers(&text);
        let named = |start: &str| {
            headers
                .iter()
                .filter(|header| header.to_lowercase().starts_with(start))
                .count()
        };
        assert_eq!(named("bcc"), 0, "{name:?}");
        assert_eq!(named("to:"), 1, "{name:?}");
        assert!(text.is_ascii(), "{name:?}");
        let to: Vec<&str> = message.envelope().to().iter().map(AsRef::as_ref).collect();
        assert_eq!(to, ["ann@example.org"], "{name:?}");
    }
}

#[test]
fn a_subject_is_one_line() {
    let mut mail = mail("Ann", "ann@example.org");
    mail.subject = "Hello\r\nBcc: evil@example.com\r\n\r\nbody".to_owned();
    let headers = headers(&formatted(&mail));
    assert!(
        headers.iter().all(|header| !header.to_lowercase().starts_with("bcc")),
        "{headers:?}"
    );
    assert!(
        headers.iter().any(|header| header.starts_with("Subject: Hello  Bcc:")),
        "{headers:?}"
    );
}

#[test]
fn addresses_that_mail_cannot_go_to_are_refused() {
    let from = parse_from("no-reply@example.com").unwrap();
    for address in [
        "",
        "ann",
        "@example.org",
        "ann@",
        "ann@example.org\r\nBcc: evil@example.com",
        "a b@example.org",
    ] {
        let refusal = build(&mail("Ann", address), &from, now()).unwrap_err();
        assert_eq!(refusal, Refusal::Address, "{address:?}");
    }
}

#[test]
fn a_domain_goes_out_as_the_dns_knows_it() {
    let from = parse_from("no-reply@müller.example").unwrap();
    let message = build(&mail("Ann", "ann@bücher.example"), &from, now()).unwrap();
    let to: &str = message.envelope().to()[0].as_ref();
    assert_eq!(to, "ann@xn--bcher-kva.example");
    let id = message.headers().get_raw("Message-ID").unwrap();
    assert!(id.ends_with("@xn--mller-kva.example>"), "{id}");
}

#[test]
fn a_date_is_written_for_every_moment() {
    let from = parse_from("no-reply@example.com").unwrap();
    for moment in [Timestamp::MIN_UTC, Timestamp::MAX_UTC] {
        assert!(build(&mail("Ann", "ann@example.org"), &from, moment).is_ok());
    }
}

#[test]
fn lines_are_joined_and_cut() {
    for (text, line) in [
        ("Ann", "Ann"),
        (" Ann ", "Ann"),
        ("A\r\nn", "A  n"),
        ("A\tn", "A n"),
        ("王小明", "王小明"),
        ("\n\n", ""),
        ("abcdefgh", "abcdef"),
    ] {
        assert_eq!(one_line(text, 6), line, "{text:?}");
    }
}

#[test]
fn senders_are_checked() {
    for from in [
        "no-reply@example.com",
        "Tenantry <no-reply@example.com>",
        "\"Tenantry, Inc.\" <no-reply@example.com>",
        "Müller GmbH <post@example.com>",
        "<no-reply@example.com>",
    ] {
        assert!(check_from(from), "{from}");
    }
    for from in [
        "",
        "Tenantry",
        "Tenantry <>",
        "Tenantry <no-reply>",
        "Tenantry <no-reply@example.com",
        "a@example.com, b@example.com",
        "Tenantry <no-reply@example.com>\r\nBcc: evil@example.com",
    ] {
        assert!(!check_from(from), "{from}");
    }
}
