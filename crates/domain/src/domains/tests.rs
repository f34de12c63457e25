#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use chrono::DateTime;
use proptest::prelude::*;
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::{
    emails::Email,
    events::{Event, EventType},
    lists::{DomainField, Listed as _, SortValue},
};

fn name(text: &str) -> DomainName {
    text.parse().unwrap()
}

fn domain() -> Domain {
    let moment = DateTime::from_timestamp_millis(1_769_851_800_123).unwrap();
    Domain {
        id: Uuid::from_u128(1).into(),
        organization_id: Uuid::from_u128(2).into(),
        name: name("example.com"),
        token: "AAECAwQFBgcICQoLDA0ODw".to_owned(),
        verified_at: None,
        version: 1,
        created_at: moment,
        updated_at: moment,
    }
}

#[test]
fn a_name_is_as_the_dns_knows_it() {
    for (typed, kept) in [
        ("example.com", "example.com"),
        ("EXAMPLE.Com", "example.com"),
        ("example.com.", "example.com"),
        ("mail.eu-west.example.co.uk", "mail.eu-west.example.co.uk"),
        ("3com.com", "3com.com"),
        ("1.2.3.example", "1.2.3.example"),
        ("a--b.example", "a--b.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("XN--bcher-kva.EXAMPLE", "xn--bcher-kva.example"),
        ("пример.рф", "xn--e1afmkfd.xn--p1ai"),
        ("ｅｘａｍｐｌｅ．ｃｏｍ", "example.com"),
        ("example。com。", "example.com"),
    ] {
        assert_eq!(name(typed).as_str(), kept, "{typed:?}");
    }
}

#[test]
fn what_is_no_name_of_a_domain_is_refused() {
    for text in [
        "",
        ".",
        "..",
        "com",
        "com.",
        ".com",
        "localhost",
        "example..com",
        "example.com..",
        ".example.com",
        "-example.com",
        "example-.com",
        "example.com-",
        "exa_mple.com",
        "_tenantry.example.com",
        "*.example.com",
        "example.com:443",
        "https://example.com",
        "example.com/",
        "ann@example.com",
        "@example.com",
        "exam ple.com",
        " example.com",
        "example.com ",
        "example.com\n",
        "example\0.com",
        "exa%6dple.com",
        "xn--a.example",
        "xn--\u{fc}.example",
        "\u{301}.example",
    ] {
        assert_eq!(text.parse::<DomainName>(), Err(DomainNameError), "{text:?}");
    }
}

#[test]
fn addresses_of_the_network_are_refused_however_they_are_written() {
    for text in [
        "192.0.2.1",
        "192.0.2.1.",
        "192.0.2.1:443",
        "0300.0.2.1",
        "0xc0.0x0.0x2.0x1",
        "192.0.513",
        "１９２.０.２.１",
        "1.2.3.4.5",
        "example.1",
        "example.0x1f",
        "::1",
        "2001:db8::1",
        "[2001:db8::1]",
        "[::ffff:192.0.2.1]",
        "::ffff:192.0.2.1",
    ] {
        assert_eq!(text.parse::<DomainName>(), Err(DomainNameError), "{text:?}");
    }
}

#[test]
fn labels_and_the_whole_are_bounded() {
    let label = |length: usize| "a".repeat(length);
    assert!(format!("{}.example", label(63)).parse::<DomainName>().is_ok());
    assert!(format!("{}.example", label(64)).parse::<DomainName>().is_err());

    let longest = format!("{}.{}.{}.{}", label(63), label(63), label(63), label(51));
    assert_eq!(longest.len(), DomainName::MAX);
    assert_eq!(name(&longest).as_str(), longest);
    assert_eq!(name(&format!("{longest}.")).as_str(), longest);
    assert!(format!("{longest}a").parse::<DomainName>().is_err());
    assert!("a".repeat(1 << 20).parse::<DomainName>().is_err());
    assert!("a.".repeat(1 << 19).parse::<DomainName>().is_err());

    // Fewer characters as typed than as the DNS has it.
    let short = format!("{}example", "ü.".repeat(40));
    assert!(short.len() < DomainName::MAX);
    assert!(short.parse::<DomainName>().is_err());
    assert!(format!("{}.example", "ü".repeat(63)).parse::<DomainName>().is_err());
}

/// Domains of different people: whoever proves the one has not proven the other.
#[test]
fn names_that_look_alike_stay_apart() {
    for (one, other) in [
        ("example.com", "examp1e.com"),
        ("example.com", "ехample.com"),
        ("github.example", "gıthub.example"),
        ("ΑΣ.example", "ας.example"),
        ("strasse.example", "straße.example"),
        ("bucher.example", "bücher.example"),
    ] {
        assert_ne!(name(one), name(other));
    }
    assert_eq!(name("ΑΣ.example"), name("ασ.example"));
    assert_eq!(name("\u{212a}elvin.example"), name("kelvin.example"));
}

#[test]
fn json_cannot_go_round_the_check() {
    let read: DomainName = serde_json::from_value(json!("Example.COM.")).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), json!("example.com"));
    assert!(serde_json::from_value::<DomainName>(json!("localhost")).is_err());
    assert_eq!(DomainName::from_stored("localhost".to_owned()).as_str(), "localhost");
}

#[test]
fn a_domain_says_which_record_proves_it() {
    let domain = domain();
    assert_eq!(domain.record_name(), "_tenantry.example.com");
    assert_eq!(
        domain.record_value(),
        "tenantry-domain-verification=AAECAwQFBgcICQoLDA0ODw"
    );
}

#[test]
fn a_domain_is_pending_until_it_was_found_proven() {
    let pending = domain();
    let verified = Domain {
        verified_at: Some(pending.created_at),
        ..pending.clone()
    };
    assert_eq!(pending.status(), DomainStatus::Pending);
    assert_eq!(verified.status(), DomainStatus::Verified);
}

#[test]
fn events_tell_of_a_domain_but_not_what_proves_it() {
    let domain = domain();
    let added = Event::created(EventType::DomainAdded, &domain);
    assert_eq!(
        (added.resource_type, added.resource_id),
        ("domain", domain.id.as_uuid())
    );
    let told = added.after.unwrap();
    assert_eq!(told["name"], "example.com");
    assert_eq!(told["verified_at"], json!(null));
    let verified = Event::changed(EventType::DomainVerified, &domain, &domain);
    let removed = Event::deleted(EventType::DomainRemoved, &domain);
    for told in [Some(told), verified.before, verified.after, removed.before] {
        assert!(!told.unwrap().to_string().contains(&domain.token));
    }
}

#[test]
fn domains_are_listed_by_their_names_and_times() {
    let domain = domain();
    let text = SortValue::Text("example.com".to_owned());
    assert_eq!(domain.sort_value(DomainField::Name), text);
    assert_eq!(
        domain.sort_value(DomainField::CreatedAt),
        SortValue::Time(domain.created_at)
    );
    assert_eq!(
        domain.sort_value(DomainField::UpdatedAt),
        SortValue::Time(domain.updated_at)
    );
    assert_eq!(domain.sort_id(), domain.id.as_uuid());
}

/// Names of letters with and without case, of several scripts.
fn names() -> impl Strategy<Value = String> {
    "([a-zA-Z0-9äöüÄÖÜéßдждΣς]{1,8}\\.){1,3}[a-zA-Z]{2,6}"
}

proptest! {
    #[test]
    fn a_name_and_the_domain_of_an_address_there_are_the_same(text in names()) {
        let name: DomainName = text.parse().unwrap();
        let email: Email = format!("ann@{text}").parse().unwrap();
        prop_assert_eq!(name.as_str(), email.domain());
    }

    #[test]
    fn the_name_of_a_name_is_itself_whatever_its_case_and_its_end(text in names()) {
        let name: DomainName = text.parse().unwrap();
        prop_assert_eq!(&name.as_str().parse::<DomainName>().unwrap(), &name);
        prop_assert_eq!(&name.as_str().to_ascii_uppercase().parse::<DomainName>().unwrap(), &name);
        prop_assert_eq!(&format!("{text}.").parse::<DomainName>().unwrap(), &name);
    }

    #[test]
    fn anything_may_come_in_and_only_names_of_hosts_stay(text: String) {
        let dotted = format!("{text}.example");
        for text in [text, dotted] {
            if let Ok(name) = text.parse::<DomainName>() {
                let labels: Vec<&str> = name.as_str().split('.').collect();
                prop_assert!(labels.len() >= 2);
                prop_assert!(name.as_str().len() <= DomainName::MAX);
                prop_assert!(labels.iter().all(|label| (1..=63).contains(&label.len())));
                let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
                prop_assert!(name.as_str().chars().all(letter));
                prop_assert!(name.as_str().parse::<std::net::IpAddr>().is_err());
            }
        }
    }
}
