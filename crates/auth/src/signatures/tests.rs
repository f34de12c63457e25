#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

use std::fs;

use tempfile::TempDir;

use crate::{keys::Keyring, test_environment::test_environment};

fn keyring(seed: u64) -> Keyring {
    Keyring::generate_in_memory(&test_environment(seed).0).unwrap()
}

#[test]
fn what_was_signed_is_accepted_for_its_purpose_alone() {
    let keyring = keyring(1);
    let signature = keyring.sign("cursor", b"message");
    assert!(keyring.verify("cursor", b"message", signature.as_bytes()));
    assert!(!keyring.verify("cursors", b"message", signature.as_bytes()));
    assert!(!keyring.verify("", b"message", signature.as_bytes()));
    assert!(!keyring.verify("cursor", b"messagf", signature.as_bytes()));
    assert!(!keyring.verify("cursor", b"", signature.as_bytes()));
}

#[test]
fn every_bit_of_a_signature_counts() {
    let keyring = keyring(1);
    let signature = *keyring.sign("cursor", b"message").as_bytes();
    for position in 0..signature.len() * 8 {
        let mut edited = signature;
        edited[position / 8] ^= 1 << (position % 8);
        assert!(!keyring.verify("cursor", b"message", &edited), "bit {position}");
    }
    assert!(!keyring.verify("cursor", b"message", &signature[..15]));
    assert!(!keyring.verify("cursor", b"message", &[&signature[..], &[0]].concat()));
    assert!(!keyring.verify("cursor", b"message", &[]));
}

#[test]
fn another_installations_signature_is_refused() {
    let signature = keyring(1).sign("cursor", b"message");
    assert!(!keyring(2).verify("cursor", b"message", signature.as_bytes()));
}

#[test]
fn signatures_outlive_a_rotation_until_their_key_is_removed() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("keys");
    let now = test_environment(1).0.now();
    let before = Keyring::load_or_generate(&path, &test_environment(1).0).unwrap();
    let signature = before.sign("cursor", b"message");

    let other = dir.path().join("other");
    Keyring::load_or_generate(&other, &test_environment(2).0).unwrap();
    fs::copy(other.join("signing-key-0001.pem"), path.join("signing-key-0002.pem")).unwrap();
    let overlap = Keyring::load(&path, now).unwrap();
    assert_ne!(overlap.sign("cursor", b"message").as_bytes(), signature.as_bytes());
    assert!(overlap.verify("cursor", b"message", signature.as_bytes()));

    fs::remove_file(path.join("signing-key-0001.pem")).unwrap();
    let after = Keyring::load(&path, now).unwrap();
    assert!(!after.verify("cursor", b"message", signature.as_bytes()));
}
