#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

use std::{collections::BTreeSet, marker::PhantomData};

use proptest::prelude::*;
use secrecy::ExposeSecret as _;
use zeroize::Zeroizing;

use super::{Kind, OpaqueToken, TokenHash};
use crate::{
    mailed_links,
    refresh_tokens::{Refresh, RefreshToken},
    second_step,
    test_environment::test_environment,
    trusted_devices::{Device, DeviceToken},
};

#[test]
fn a_token_comes_back_from_its_text() {
    let (environment, _) = test_environment(1);
    let token = RefreshToken::generate(&environment);
    let text = token.secret();
    assert!(text.expose_secret().starts_with("tnr_"));
    assert_eq!(text.expose_secret().len(), 47);
    let parsed = RefreshToken::parse(text.expose_secret()).unwrap();
    assert_eq!(parsed.hash(), token.hash());
    assert_eq!(parsed.secret().expose_secret(), text.expose_secret());
    assert_ne!(RefreshToken::generate(&environment).hash(), token.hash());
}

#[test]
fn a_hash_comes_back_from_the_store() {
    let token = OpaqueToken::<Refresh>(Zeroizing::new([0; 32]), PhantomData);
    let stored = *token.hash().as_bytes();
    // SHA-256 of 32 zero bytes.
    assert_eq!(stored[..4], [0x66, 0x68, 0x7a, 0xad]);
    assert_eq!(TokenHash::from(stored), token.hash());
    for position in 0..stored.len() {
        let mut changed = stored;
        changed[position] ^= 1;
        assert_ne!(TokenHash::from(changed), token.hash(), "{position}");
    }
}

#[test]
fn one_token_has_one_spelling() {
    let text = RefreshToken::generate(&test_environment(1).0).secret();
    let text = text.expose_secret();
    for other in [
        String::new(),
        "tnr_".to_owned(),
        text[4..].to_owned(),
        text.replace("tnr_", "tnt_"),
        text.replace("tnr_", "TNR_"),
        format!("{text}="),
        format!(" {text}"),
        format!("{text}A"),
        text[..46].to_owned(),
        // The last character carries four bits; whatever else it says is not ignored.
        format!("tnr_{}B", "A".repeat(42)),
        format!("tnr_{}+", "A".repeat(42)),
        format!("tnr_{}=", "A".repeat(42)),
        format!("tnr_{}é", "A".repeat(41)),
        format!("tné{}", "A".repeat(43)),
        "x".repeat(1_000_000),
    ] {
        assert!(RefreshToken::parse(&other).is_none(), "{other:.60}");
    }
    assert!(RefreshToken::parse(&format!("tnr_{}", "A".repeat(43))).is_some());
}

#[test]
fn a_token_of_one_kind_is_none_of_another() {
    let (environment, _) = test_environment(1);
    let refresh = RefreshToken::generate(&environment).secret();
    let device = DeviceToken::generate(&environment).secret();
    assert!(device.expose_secret().starts_with("tnd_"));
    assert!(DeviceToken::parse(device.expose_secret()).is_some());
    assert!(DeviceToken::parse(refresh.expose_secret()).is_none());
    assert!(RefreshToken::parse(device.expose_secret()).is_none());
}

#[test]
fn no_two_kinds_begin_alike() {
    let prefixes = [
        Refresh::PREFIX,
        Device::PREFIX,
        mailed_links::PREFIX,
        second_step::PREFIX,
    ];
    assert_eq!(BTreeSet::from(prefixes).len(), prefixes.len());
}

#[test]
fn neither_a_token_nor_its_hash_is_printed() {
    let token = RefreshToken::generate(&test_environment(1).0);
    assert_eq!(format!("{token:?} {:?}", token.hash()), "OpaqueToken TokenHash");
}

proptest! {
    #[test]
    fn what_is_read_is_written_alike(text in "(tnr_)?[A-Za-z0-9_-]{42,44}") {
        if let Some(token) = RefreshToken::parse(&text) {
            let again = token.secret();
            prop_assert_eq!(again.expose_secret(), text.as_str());
        }
    }

    #[test]
    fn no_other_text_is_one(text in ".{0,60}") {
        prop_assert!(RefreshToken::parse(&text).is_none());
    }
}
