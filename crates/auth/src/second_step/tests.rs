#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use proptest::prelude::*;
use secrecy::ExposeSecret as _;
use tenantry_domain::{
    environment::Timestamp,
    ids::{LinkId, UserId},
    links::LinkPurpose,
};

use super::{LIFE, PREFIX, SIGNED_FOR, TEXT_BYTES, issue, mark, read};
use crate::{keys::Keyring, mailed_links, test_environment::test_environment};

const HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$aGFzaGhhc2hoYXNoaGFzaA";
const MILLISECOND: TimeDelta = TimeDelta::milliseconds(1);

fn keyring(seed: u64) -> Keyring {
    Keyring::generate_in_memory(&test_environment(seed).0).unwrap()
}

fn user() -> UserId {
    UserId::new(&test_environment(3).0)
}

fn now() -> Timestamp {
    test_environment(1).0.now()
}

/// What a token of [`user`] holds that ends at a moment, in milliseconds.
fn message(ends: i64) -> Vec<u8> {
    [user().as_uuid().as_bytes().as_slice(), &ends.to_be_bytes(), &mark(HASH)].concat()
}

/// A token of a message that was signed for something.
fn signed(keyring: &Keyring, signed_for: &'static str, message: &[u8]) -> String {
    let all = [message, keyring.sign(signed_for, message).as_bytes()].concat();
    format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(all))
}

#[test]
fn a_token_leads_to_its_user_in_its_installation() {
    let (keyring, other) = (keyring(1), keyring(2));
    let text = issue(&keyring, user(), HASH, now());
    let text = text.expose_secret();
    assert!(text.starts_with("tnm_"));
    assert_eq!(text.len(), TEXT_BYTES);
    assert_eq!(text.len(), 68);
    assert_eq!(read(&keyring, text, now()).unwrap().user, user());
    assert_eq!(read(&other, text, now()), None);
    let another = issue(&keyring, UserId::new(&test_environment(4).0), HASH, now());
    assert_ne!(read(&keyring, another.expose_secret(), now()).unwrap().user, user());
}

#[test]
fn a_token_ends_after_five_minutes() {
    assert_eq!(LIFE, TimeDelta::seconds(300));
    let keyring = keyring(1);
    let (environment, clock) = test_environment(1);
    let text = issue(&keyring, user(), HASH, environment.now());
    let good = || read(&keyring, text.expose_secret(), environment.now()).is_some();
    assert!(good());
    clock.advance(LIFE - MILLISECOND);
    assert!(good());
    clock.advance(MILLISECOND);
    assert!(!good());
    clock.advance(TimeDelta::days(400));
    assert!(!good());
}

#[test]
fn a_token_ends_with_its_password() {
    let keyring = keyring(1);
    let text = issue(&keyring, user(), HASH, now());
    let step = read(&keyring, text.expose_secret(), now()).unwrap();
    assert!(step.is_of(HASH));
    for other in [
        "",
        "$argon2id$v=19$m=19456,t=2,p=1$b3RoZXJvdGhlcm90aGVyMQ$aGFzaGhhc2hoYXNoaGFzaA",
        &HASH[..HASH.len() - 1],
        &HASH[1..],
        &format!("{HASH} "),
        &HASH.to_ascii_uppercase(),
    ] {
        assert!(!step.is_of(other), "{other}");
    }
}

#[test]
fn every_letter_of_a_token_counts() {
    let keyring = keyring(1);
    let text = issue(&keyring, user(), HASH, now());
    let text = text.expose_secret();
    for position in 0..text.len() {
        for letter in ['A', 'B', '-', '~', ' '] {
            let edited: String = text
                .char_indices()
                .map(|(index, kept)| if index == position { letter } else { kept })
                .collect();
            let good = read(&keyring, &edited, now()).is_some();
            assert_eq!(good, edited == text, "{position} {letter}");
        }
    }
}

#[test]
fn one_token_has_one_spelling() {
    let keyring = keyring(1);
    let text = issue(&keyring, user(), HASH, now());
    let text = text.expose_secret();
    for other in [
        String::new(),
        PREFIX.to_owned(),
        text.strip_prefix(PREFIX).unwrap().to_owned(),
        text.replace(PREFIX, "TNM_"),
        format!("{text}A"),
        format!("{text}="),
        format!(" {text}"),
        format!("{text}\n"),
        text[..TEXT_BYTES - 1].to_owned(),
        format!("{PREFIX}{}", "é".repeat(32)),
        format!("tnmé{}", "A".repeat(63)),
        "x".repeat(1_000_000),
    ] {
        assert_eq!(read(&keyring, &other, now()), None, "{other:.80}");
    }
}

#[test]
fn what_was_signed_for_something_else_is_none() {
    let keyring = keyring(1);
    let message = message((now() + LIFE).timestamp_millis());
    let issued = issue(&keyring, user(), HASH, now());
    assert_eq!(signed(&keyring, SIGNED_FOR, &message), issued.expose_secret());
    for other in [
        "mailed link: verify e-mail",
        "mailed link: reset password",
        "mailed link: invitation",
        "",
    ] {
        assert_eq!(
            read(&keyring, &signed(&keyring, other, &message), now()),
            None,
            "{other}"
        );
    }
}

#[test]
fn a_mailed_link_is_no_token_and_a_token_no_mailed_link() {
    let keyring = keyring(1);
    let link = LinkId::from(user().as_uuid());
    let token = issue(&keyring, user(), HASH, now());
    for purpose in [LinkPurpose::VerifyEmail, LinkPurpose::ResetPassword] {
        let secret = mailed_links::secret(&keyring, purpose, link);
        let secret = secret.expose_secret();
        let renamed = secret.replace(mailed_links::PREFIX, PREFIX);
        for text in [secret, &renamed, &format!("{renamed:A<TEXT_BYTES$}")] {
            assert_eq!(read(&keyring, text, now()), None, "{text}");
        }
        let renamed = token.expose_secret().replace(PREFIX, mailed_links::PREFIX);
        for text in [token.expose_secret(), &renamed, &renamed[..mailed_links::TEXT_BYTES]] {
            assert!(mailed_links::read(&keyring, purpose, text).is_none(), "{text}");
        }
    }
}

#[test]
fn a_moment_that_is_none_is_refused() {
    let keyring = keyring(1);
    for (ends, good) in [
        (i64::MIN, false),
        (-1, false),
        (0, false),
        (now().timestamp_millis(), false),
        (now().timestamp_millis() + 1, true),
        (i64::MAX, false),
    ] {
        let text = signed(&keyring, SIGNED_FOR, &message(ends));
        assert_eq!(read(&keyring, &text, now()).is_some(), good, "{ends}");
    }
}

#[test]
fn a_token_tells_nothing_of_the_password() {
    let keyring = keyring(1);
    let text = issue(&keyring, user(), HASH, now());
    let step = read(&keyring, text.expose_secret(), now()).unwrap();
    assert_eq!(format!("{step:?}"), format!("SecondStep {{ user: {:?}, .. }}", user()));
    let all = URL_SAFE_NO_PAD
        .decode(text.expose_secret().strip_prefix(PREFIX).unwrap())
        .unwrap();
    let parts = HASH.as_bytes().windows(4);
    assert!(!all.windows(4).any(|part| parts.clone().any(|of_hash| of_hash == part)));
    assert!(!format!("{text:?}").contains(text.expose_secret()));
}

proptest! {
    #[test]
    fn no_other_text_is_one(text in ".{0,80}|tnm_[A-Za-z0-9_-]{64}|tnm_.{0,64}") {
        prop_assert_eq!(read(&keyring(1), &text, now()), None);
    }
}
