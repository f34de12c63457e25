#![allow(clippy::unwrap_used, reason = "a failing test should stop where it fails")]

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use proptest::prelude::*;
use serde_json::json;
use tenantry_domain::{
    environment::Environment,
    ids::{SessionId, UserId},
    passkeys::CHALLENGE_LIFE,
};
use url::Url;

use super::{Challenge, PasskeyError, RelyingParty, challenge::Ceremony, is_within};
use crate::{keys::Keyring, test_environment::test_environment};

fn origins(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

/// The domain and the origins of a relying party.
fn party(public_url: &str, others: &[&str], id: Option<&str>) -> Option<(String, Vec<String>)> {
    let party = RelyingParty::of(public_url, &origins(others), id).unwrap()?;
    let accepted = party.webauthn.get_allowed_origins().iter();
    Some((
        party.id.clone(),
        accepted.map(|url| url.origin().ascii_serialization()).collect(),
    ))
}

#[test]
fn passkeys_are_for_the_domain_that_people_reach() {
    for (public_url, others, id, expected) in [
        (
            "https://api.example.com/tenantry",
            ["https://app.example.com", "https://app.api.example.com"],
            None,
            (
                "api.example.com",
                vec!["https://api.example.com", "https://app.api.example.com"],
            ),
        ),
        (
            "https://api.example.com",
            ["https://app.example.com", "https://badexample.com"],
            Some("example.com"),
            (
                "example.com",
                vec!["https://api.example.com", "https://app.example.com"],
            ),
        ),
        (
            "http://127.0.0.1:8080",
            ["http://localhost:5173", "https://app.example.com"],
            None,
            ("localhost", vec!["http://localhost:8080", "http://localhost:5173"]),
        ),
        (
            "http://[::1]:8080",
            ["http://127.0.0.1:5173", "https://other.example"],
            None,
            ("localhost", vec!["http://localhost:8080"]),
        ),
        (
            "https://192.0.2.1",
            ["https://app.example.com", "https://other.example"],
            Some("app.example.com"),
            ("app.example.com", vec!["https://app.example.com"]),
        ),
    ] {
        let (domain, accepted) = party(public_url, &others, id).unwrap();
        assert_eq!(
            (domain.as_str(), accepted),
            (expected.0, origins(&expected.1)),
            "{public_url}"
        );
    }
}

#[test]
fn an_address_has_no_passkeys() {
    for public_url in [
        "https://192.0.2.1",
        "https://[2001:db8::1]:8443",
        "urn:tenantry:command",
    ] {
        assert_eq!(
            party(public_url, &["https://app.example.com"], None),
            None,
            "{public_url}"
        );
    }
}

#[test]
fn a_domain_without_a_page_on_it_is_refused() {
    let refused = RelyingParty::of("https://api.example.com", &[], Some("example.org"));
    assert!(matches!(refused, Err(PasskeyError::Configuration(_))), "{refused:?}");
}

#[test]
fn an_origin_is_on_a_domain_or_below_it() {
    for (origin, expected) in [
        ("https://example.com", true),
        ("https://app.example.com:8443", true),
        ("https://badexample.com", false),
        ("https://example.com.evil.example", false),
        ("https://com", false),
        ("https://127.0.0.1", false),
    ] {
        assert_eq!(
            is_within("example.com", &Url::parse(origin).unwrap()),
            expected,
            "{origin}"
        );
    }
}

/// What a browser says that it had signed.
fn client_data(challenge: &[u8]) -> Vec<u8> {
    let challenge = URL_SAFE_NO_PAD.encode(challenge);
    json!({ "type": "webauthn.get", "challenge": challenge, "origin": "https://example.com" })
        .to_string()
        .into_bytes()
}

fn ids(environment: &Environment) -> (UserId, SessionId) {
    (UserId::new(environment), SessionId::new(environment))
}

#[test]
fn a_challenge_is_good_for_five_minutes_and_its_ceremony() {
    let (environment, _) = test_environment(1);
    let keyring = Keyring::generate_in_memory(&environment).unwrap();
    let ((user, session), (other_user, other_session)) = (ids(&environment), ids(&environment));
    let ceremonies = [
        Ceremony::Assertion,
        Ceremony::Registration(user, session),
        Ceremony::Registration(user, other_session),
        Ceremony::Registration(other_user, session),
    ];
    let now = environment.now();
    for (asked, ceremony) in ceremonies.into_iter().enumerate() {
        let challenge = Challenge::new(&keyring, &environment, ceremony);
        let said = client_data(&challenge.bytes);
        for (answered, ceremony) in ceremonies.into_iter().enumerate() {
            let read = Challenge::read(&keyring, ceremony, &said, now);
            assert_eq!(read.is_some(), asked == answered, "{asked} {answered}");
        }
        let last = now + CHALLENGE_LIFE - TimeDelta::milliseconds(1);
        let read = Challenge::read(&keyring, ceremony, &said, last).unwrap();
        assert_eq!(read.hash().as_bytes(), challenge.hash().as_bytes());
        assert_eq!(read.ends(), now + CHALLENGE_LIFE);
        assert!(Challenge::read(&keyring, ceremony, &said, now + CHALLENGE_LIFE).is_none());
        let other = Keyring::generate_in_memory(&test_environment(2).0).unwrap();
        assert!(Challenge::read(&other, ceremony, &said, now).is_none());
    }
}

proptest! {
    #[test]
    fn a_challenge_that_was_changed_is_none(bit in 0_usize..40 * 8) {
        let (environment, _) = test_environment(1);
        let keyring = Keyring::generate_in_memory(&environment).unwrap();
        let mut challenge = Challenge::new(&keyring, &environment, Ceremony::Assertion).bytes;
        prop_assert_eq!(challenge.len(), 40);
        challenge[bit / 8] ^= 1 << (bit % 8);
        let read = Challenge::read(&keyring, Ceremony::Assertion, &client_data(&challenge), environment.now());
        prop_assert!(read.is_none());
    }

    #[test]
    fn whatever_a_browser_says_is_read_without_harm(said in prop::collection::vec(any::<u8>(), 0..200)) {
        let (environment, _) = test_environment(1);
        let keyring = Keyring::generate_in_memory(&environment).unwrap();
        let now = environment.now();
        prop_assert!(Challenge::read(&keyring, Ceremony::Assertion, &said, now).is_none());
        prop_assert!(Challenge::read(&keyring, Ceremony::Assertion, &client_data(&said), now).is_none());
    }
}
