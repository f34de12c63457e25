#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

fn email(address: &str) -> Email {
    address.parse().unwrap()
}

#[test]
fn an_address_is_kept_as_typed_and_compared_without_case() {
    let typed = email("Ann.Example+Tag@Mail.Example.COM");
    assert_eq!(typed.as_str(), "Ann.Example+Tag@Mail.Example.COM");
    assert_eq!(typed.canonical(), "ann.example+tag@mail.example.com");
    assert_eq!(typed, email("ann.example+tag@mail.example.com"));
    assert_ne!(typed, email("annexample+tag@mail.example.com"));
    assert_eq!(
        HashSet::from([typed, email("ANN.EXAMPLE+TAG@MAIL.EXAMPLE.COM")]).len(),
        1
    );
}

#[test]
fn a_domain_is_compared_as_the_dns_knows_it() {
    assert_eq!(email("ann@bücher.example").canonical(), "ann@xn--bcher-kva.example");
    assert_eq!(email("ann@BÜCHER.example"), email("ann@XN--bcher-kva.EXAMPLE"));
    assert_eq!(email("ann@\u{212a}elvin.example"), email("ann@kelvin.example"));
    assert_eq!(email("ann@example。com"), email("ann@example.com"));
}

#[test]
fn the_domain_of_an_address_is_that_of_its_canonical_form() {
    assert_eq!(email("Ann@Mail.Example.COM").domain(), "mail.example.com");
    assert_eq!(email("ann@BÜCHER.example").domain(), "xn--bcher-kva.example");
    assert_eq!(Email::from_stored("ann".to_owned()).domain(), "");
}

/// Lower-casing alone would write the capital sigma at a word's end as the final one, which is another domain.
#[test]
fn domains_of_different_people_stay_apart() {
    assert_ne!(email("ann@ΑΣ.example"), email("ann@ας.example"));
    assert_eq!(email("ann@ΑΣ.example"), email("ann@ασ.example"));
    assert_ne!(email("ann@gıthub.example"), email("ann@github.example"));
}

#[test]
fn what_is_no_address_is_refused() {
    for address in [
        "",
        "@",
        "ann",
        "ann@",
        "@example.com",
        "ann@example.com\n",
        "ann@example.com\r\nBcc: all@example.com",
        "\0ann@example.com",
        "ann\u{7f}@example.com",
        "ann@exa\0mple.com",
        "ann @example.com",
        " ann@example.com",
        "ann@example.com ",
        "Ann <ann@example.com>",
        "ann@bob@example.com",
        "ann,bob@example.com",
        "\"ann\"@example.com",
        "änn@example.com",
        "ann@-example.com",
        "ann@example..com",
        "ann@exa_mple.com",
        "ann@xn--\u{fc}.example",
        "ann@xn--a.example",
        &format!("{}@example.com", "a".repeat(65)),
        &format!("ann@{}.com", "a".repeat(64)),
    ] {
        assert_eq!(address.parse::<Email>().err(), Some(EmailError::Format), "{address:?}");
    }
}

#[test]
fn every_control_character_is_refused_everywhere() {
    for code in (0..=0x1f).chain(0x7f..=0x9f) {
        let c = char::from_u32(code).unwrap();
        for address in [
            format!("a{c}nn@example.com"),
            format!("ann@exa{c}mple.com"),
            format!("ann@bü{c}cher.example"),
            format!("ann@bücher.example{c}"),
        ] {
            assert_eq!(address.parse::<Email>().err(), Some(EmailError::Format), "{address:?}");
        }
    }
}

#[test]
fn address_literals_are_refused_however_they_are_written() {
    for address in [
        "ann@[127.0.0.1]",
        "ann@[::1]",
        "ann@,x[127.0.0.1]",
        "ann@a b[127.0.0.1]",
        "ann@［127.0.0.1］",
    ] {
        assert_eq!(address.parse::<Email>().err(), Some(EmailError::Format), "{address:?}");
    }
}

#[test]
fn both_forms_are_bounded() {
    let labels = |count: usize| vec!["a".repeat(59); count].join(".");
    let longest = format!("{}@{}", "x".repeat(14), labels(4));
    assert_eq!(longest.len(), Email::MAX);
    assert!(longest.parse::<Email>().is_ok());
    assert_eq!(format!("x{longest}").parse::<Email>().err(), Some(EmailError::TooLong));
    assert_eq!("a".repeat(1 << 20).parse::<Email>().err(), Some(EmailError::TooLong));

    // Fewer bytes as typed than as the DNS has it.
    let short = format!("{}@{}example", "x".repeat(60), "ü.".repeat(30));
    assert!(short.len() < Email::MAX);
    assert_eq!(short.parse::<Email>().err(), Some(EmailError::TooLong));
}

#[test]
fn nothing_that_is_printed_shows_an_address() {
    assert_eq!(format!("{:?}", email("ann@example.com")), "Email(redacted)");
    assert_eq!(EmailError::Format.to_string(), "must be an e-mail address");
    assert_eq!(EmailError::TooLong.to_string(), "must have 254 or fewer bytes");
    assert_eq!(
        [EmailError::Format.code(), EmailError::TooLong.code()],
        ["format", "length"]
    );
}

#[test]
fn json_is_the_typed_form_and_cannot_go_round_the_check() {
    let typed: Email = serde_json::from_str(r#""Ann@Example.com""#).unwrap();
    assert_eq!(serde_json::to_string(&typed).unwrap(), r#""Ann@Example.com""#);
    assert!(serde_json::from_str::<Email>(r#""ann""#).is_err());
}

#[test]
fn a_stored_address_is_read_whatever_the_rule_says_now() {
    assert_eq!(
        Email::from_stored("Ann@Example.com".to_owned()),
        email("ann@example.com")
    );
    assert_eq!(
        Email::from_stored("Not An Address".to_owned()).canonical(),
        "not an address"
    );
}

/// Addresses of letters with and without case, in domains of several scripts.
fn addresses() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]{1,20}@([a-zA-Zäöüéßдж0-9]{1,8}\\.){0,2}[a-zA-Z]{2,6}"
}

proptest! {
    #[test]
    fn an_address_is_kept_and_its_canonical_form_is_its_own(address in addresses()) {
        let typed: Email = address.parse().unwrap();
        prop_assert_eq!(typed.as_str(), &address);
        let again: Email = typed.canonical().parse().unwrap();
        prop_assert_eq!(again.canonical(), typed.canonical());
        prop_assert_eq!(&again, &typed);
        prop_assert_eq!(Email::from_stored(address), typed);
    }

    #[test]
    fn changing_the_case_of_ascii_letters_changes_nothing(address in addresses(), upper: Vec<bool>) {
        let flipped: String = address
            .chars()
            .zip(upper.iter().copied().chain(std::iter::repeat(false)))
            .map(|(c, upper)| if upper { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
            .collect();
        prop_assert_eq!(flipped.parse::<Email>().unwrap(), address.parse::<Email>().unwrap());
    }

    #[test]
    fn anything_may_come_in_and_only_printable_bounded_text_stays(address: String) {
        let bracketed = format!("{address}@{address}");
        for address in [address, bracketed] {
            if let Ok(email) = address.parse::<Email>() {
                prop_assert!(email.canonical().is_ascii());
                prop_assert!(email.canonical().len() <= Email::MAX && email.as_str().len() <= Email::MAX);
                prop_assert!(!email.as_str().contains(char::is_control));
                prop_assert!(!email.as_str().contains(char::is_whitespace));
                prop_assert_eq!(email.canonical().matches('@').count(), 1);
            }
        }
    }
}
