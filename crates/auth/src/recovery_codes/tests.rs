#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use secrecy::ExposeSecret as _;
use tenantry_domain::ids::UserId;
use uuid::Uuid;

use super::{ALPHABET, MAX_TEXT, RecoveryCode};
use crate::{opaque_tokens::TokenHash, test_environment::test_environment};

const TEXT: &str = "0123-4567-89ab-cdef";

/// Whose the codes are.
fn owner() -> UserId {
    Uuid::nil().into()
}

fn hash_of(text: &str) -> Option<TokenHash> {
    RecoveryCode::parse(text).map(|code| code.hash(owner()))
}

#[test]
fn a_code_comes_back_from_its_text() {
    let (environment, _) = test_environment(1);
    let code = RecoveryCode::generate(&environment);
    let text = code.secret();
    let groups: Vec<_> = text.expose_secret().split('-').map(str::len).collect();
    assert_eq!(groups, [4, 4, 4, 4]);
    let parsed = RecoveryCode::parse(text.expose_secret()).unwrap();
    assert_eq!(parsed.hash(owner()), code.hash(owner()));
    assert_eq!(parsed.secret().expose_secret(), text.expose_secret());
    assert_ne!(RecoveryCode::generate(&environment).hash(owner()), code.hash(owner()));
}

#[test]
fn every_letter_comes_back() {
    for text in [TEXT, "ghjk-mnpq-rstv-wxyz"] {
        assert_eq!(RecoveryCode::parse(text).unwrap().secret().expose_secret(), text);
    }
}

/// What is in the database must be found again by whatever version comes.
#[test]
fn the_hash_is_that_of_the_owner_and_the_letters_in_lower_case_without_hyphens() {
    let hash = hash_of("0123-4567-89AB-CDEF").unwrap();
    // SHA-256 of 16 zero bytes, the owner, and of `0123456789abcdef`.
    assert_eq!(hash.as_bytes()[..8], [0xc7, 0x14, 0x26, 0x96, 0x29, 0x41, 0x1a, 0xf8]);
    let other = RecoveryCode::parse(TEXT).unwrap().hash(Uuid::max().into());
    assert_ne!(other, hash, "of another owner");
}

#[test]
fn a_code_is_read_however_it_was_written_down() {
    let hash = hash_of(TEXT);
    assert!(hash.is_some());
    for other in [
        "0123456789abcdef".to_owned(),
        "0123-4567-89AB-CDEF".to_owned(),
        "0123-4567-89aB-CdEf".to_owned(),
        "0123 4567 89ab cdef".to_owned(),
        "  0123-4567-89ab-cdef\r\n".to_owned(),
        "0-1-2-3-4-5-6-7-8-9-a-b-c-d-e-f".to_owned(),
        "--01 -\t234567--89abcd- -ef-".to_owned(),
        "0123\u{a0}4567\u{2003}89ab\u{3000}cdef".to_owned(),
        "o123-4567-89ab-cdef".to_owned(),
        "O123-4567-89ab-cdef".to_owned(),
        "0i23-4567-89ab-cdef".to_owned(),
        "0I23-4567-89ab-cdef".to_owned(),
        "0l23-4567-89ab-cdef".to_owned(),
        "0L23-4567-89ab-cdef".to_owned(),
        format!("{TEXT}{}", " ".repeat(MAX_TEXT - TEXT.len())),
        format!("{}{TEXT}", "-".repeat(MAX_TEXT - TEXT.len())),
    ] {
        assert_eq!(hash_of(&other), hash, "{other:?}");
    }
    assert_eq!(
        RecoveryCode::parse("OIL2-4567-89AB-CDEF")
            .unwrap()
            .secret()
            .expose_secret(),
        "0112-4567-89ab-cdef"
    );
}

#[test]
fn every_letter_of_a_code_counts() {
    let bare = TEXT.replace('-', "");
    let mut hashes = vec![*hash_of(&bare).unwrap().as_bytes()];
    for position in 0..bare.len() {
        let edited: String = bare
            .char_indices()
            .map(|(index, kept)| if index == position { 'z' } else { kept })
            .collect();
        hashes.push(*hash_of(&edited).unwrap().as_bytes());
    }
    assert_eq!(hashes.len(), 17);
    assert_eq!(hashes.iter().collect::<BTreeSet<_>>().len(), hashes.len());
}

#[test]
fn what_is_too_short_or_too_long_is_none() {
    for other in [
        String::new(),
        "-".to_owned(),
        "--- - ---".to_owned(),
        "0".to_owned(),
        "0123-4567-89ab-cde".to_owned(),
        "0123-4567-89ab-cdef-0".to_owned(),
        "0123-4567-89ab-cdef-0123".to_owned(),
        format!("{TEXT}{}", " ".repeat(MAX_TEXT + 1 - TEXT.len())),
        format!("{}{TEXT}", "-".repeat(MAX_TEXT + 1 - TEXT.len())),
        // Fewer characters than bytes.
        format!("{TEXT}{}", "\u{3000}".repeat(16)),
        TEXT.repeat(100_000),
    ] {
        assert!(hash_of(&other).is_none(), "{other:.80}");
    }
    assert_eq!(MAX_TEXT, 64);
}

#[test]
fn foreign_letters_are_none() {
    let bare = TEXT.replace('-', "");
    // Among them letters that are `i` and `k` in another case, other digits, and hyphens that are not the plain one.
    let foreign = "uUéÉßµ_+./:!@[`{\0\u{7f}\u{ad}\u{200b}\u{130}\u{131}\u{212a}\u{ff11}\u{661}\u{2010}\u{2013}\u{2212}";
    for letter in foreign.chars() {
        for position in 0..bare.len() {
            let edited: String = bare
                .char_indices()
                .map(|(index, kept)| if index == position { letter } else { kept })
                .collect();
            assert!(hash_of(&edited).is_none(), "{edited:?}");
        }
        assert!(hash_of(&format!("{bare}{letter}")).is_none(), "{letter:?}");
        assert!(hash_of(&format!("{letter}{bare}")).is_none(), "{letter:?}");
    }
}

#[test]
fn all_letters_are_drawn_about_as_often_as_one_another() {
    let (environment, _) = test_environment(1);
    let mut codes = BTreeSet::new();
    let mut drawn: BTreeMap<u8, u32> = BTreeMap::new();
    for _ in 0..200 {
        let text = RecoveryCode::generate(&environment)
            .secret()
            .expose_secret()
            .replace('-', "");
        for letter in text.bytes() {
            *drawn.entry(letter).or_default() += 1;
        }
        codes.insert(text);
    }
    assert_eq!(codes.len(), 200);
    assert_eq!(drawn.keys().copied().collect::<Vec<_>>(), ALPHABET);
    // 100 of each are to be expected.
    assert!(drawn.values().all(|times| (60..=140).contains(times)), "{drawn:?}");
}

#[test]
fn a_code_is_not_printed() {
    let code = RecoveryCode::generate(&test_environment(1).0);
    assert_eq!(format!("{code:?} {:?}", code.hash(owner())), "RecoveryCode TokenHash");
}

proptest! {
    #[test]
    fn one_code_has_one_hash(text in "[0-9a-tv-zA-TV-Z]{16}") {
        let code = RecoveryCode::parse(&text).unwrap();
        let shown = code.secret();
        prop_assert_eq!(hash_of(shown.expose_secret()), Some(code.hash(owner())));
        prop_assert_eq!(hash_of(&text.to_ascii_uppercase()), Some(code.hash(owner())));
        prop_assert_eq!(hash_of(&text.to_ascii_lowercase()), Some(code.hash(owner())));
    }

    #[test]
    fn what_is_no_code_is_refused(text in ".{0,80}") {
        let letters = text.chars().filter(char::is_ascii_alphanumeric).count();
        prop_assert!(letters == 16 || RecoveryCode::parse(&text).is_none());
    }
}
