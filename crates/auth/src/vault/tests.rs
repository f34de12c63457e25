#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

use std::{fs, sync::Arc};

use proptest::prelude::*;
use tempfile::TempDir;
use uuid::Uuid;

use super::{NAME_BYTES, NONCE_LEN, Purpose, VERSION, Vault, VaultError};
use crate::{keys::Keyring, test_environment::test_environment};

const OWNER: Uuid = Uuid::from_u128(7);
const SECRET: &[u8] = b"12345678901234567890";

/// Bytes that sealing adds: the version, the key's name, the nonce and the tag.
const ADDED: usize = 1 + NAME_BYTES + NONCE_LEN + 16;

fn keyring(seed: u64) -> Arc<Keyring> {
    Arc::new(Keyring::generate_in_memory(&test_environment(seed).0).unwrap())
}

fn vault(seed: u64) -> Vault {
    Vault::new(keyring(seed), keyring(seed))
}

fn seal(vault: &Vault, owner: Uuid, secret: &[u8]) -> Vec<u8> {
    vault
        .seal(Purpose::Totp, owner, secret, &test_environment(9).0)
        .unwrap()
}

fn open(vault: &Vault, owner: Uuid, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
    vault.open(Purpose::Totp, owner, sealed).map(|opened| opened.to_vec())
}

#[test]
fn a_secret_comes_back_for_its_owner_alone() {
    let vault = vault(1);
    let sealed = seal(&vault, OWNER, SECRET);
    assert_eq!(sealed.len(), SECRET.len() + ADDED);
    assert_eq!(sealed.first(), Some(&VERSION));
    assert!(
        !sealed
            .windows(4)
            .any(|part| SECRET.windows(4).any(|of_secret| of_secret == part))
    );
    assert_eq!(open(&vault, OWNER, &sealed), Ok(SECRET.to_vec()));
    assert_eq!(
        open(&vault, OWNER, &sealed),
        Ok(SECRET.to_vec()),
        "as often as it is asked for"
    );
    for other in [Uuid::from_u128(8), Uuid::nil(), Uuid::max()] {
        assert_eq!(open(&vault, other, &sealed), Err(VaultError::Opening), "{other}");
    }
}

#[test]
fn an_empty_secret_comes_back() {
    let vault = vault(1);
    let sealed = seal(&vault, OWNER, b"");
    assert_eq!(sealed.len(), ADDED);
    assert_eq!(open(&vault, OWNER, &sealed), Ok(Vec::new()));
}

#[test]
fn no_two_sealings_are_alike() {
    let vault = vault(1);
    let (environment, _) = test_environment(9);
    let sealing = || vault.seal(Purpose::Totp, OWNER, SECRET, &environment).unwrap();
    let (first, second) = (sealing(), sealing());
    let (nonce, secret) = (1 + NAME_BYTES, 1 + NAME_BYTES + NONCE_LEN);
    assert_eq!(first[..nonce], second[..nonce]);
    assert_ne!(first[nonce..secret], second[nonce..secret]);
    assert_ne!(first[secret..], second[secret..]);
    for sealed in [first, second] {
        assert_eq!(open(&vault, OWNER, &sealed), Ok(SECRET.to_vec()));
    }
}

#[test]
fn every_bit_of_what_is_sealed_counts() {
    let vault = vault(1);
    let sealed = seal(&vault, OWNER, SECRET);
    for position in 0..sealed.len() {
        let why = if (1..=NAME_BYTES).contains(&position) {
            VaultError::UnknownKey
        } else {
            VaultError::Opening
        };
        for bit in 0..8 {
            let mut changed = sealed.clone();
            changed[position] ^= 1 << bit;
            assert_eq!(open(&vault, OWNER, &changed), Err(why), "{position} {bit}");
        }
    }
}

#[test]
fn what_was_cut_or_prolonged_is_refused() {
    let vault = vault(1);
    for secret in [SECRET, b""] {
        let sealed = seal(&vault, OWNER, secret);
        for length in 0..sealed.len() {
            assert_eq!(
                open(&vault, OWNER, &sealed[..length]),
                Err(VaultError::Opening),
                "{length}"
            );
        }
        for start in 1..sealed.len() {
            assert!(open(&vault, OWNER, &sealed[start..]).is_err(), "{start}");
        }
        let longer = [sealed.as_slice(), &[0]].concat();
        assert_eq!(open(&vault, OWNER, &longer), Err(VaultError::Opening));
        let twice = [sealed.as_slice(), &sealed].concat();
        assert_eq!(open(&vault, OWNER, &twice), Err(VaultError::Opening));
    }
}

#[test]
fn another_installation_says_that_it_lacks_the_key() {
    let sealed = seal(&vault(1), OWNER, SECRET);
    assert_eq!(open(&vault(2), OWNER, &sealed), Err(VaultError::UnknownKey));
}

#[test]
fn a_former_key_opens_what_it_sealed_and_seals_no_more() {
    let old = seal(&vault(1), OWNER, SECRET);
    let both = Vault::new(keyring(2), keyring(1));
    assert_eq!(open(&both, OWNER, &old), Ok(SECRET.to_vec()));
    assert_eq!(open(&both, Uuid::from_u128(8), &old), Err(VaultError::Opening));

    let new = seal(&both, OWNER, SECRET);
    assert_eq!(open(&both, OWNER, &new), Ok(SECRET.to_vec()));
    assert_eq!(open(&vault(2), OWNER, &new), Ok(SECRET.to_vec()));
    assert_eq!(open(&vault(1), OWNER, &new), Err(VaultError::UnknownKey));
}

#[test]
fn secrets_outlive_a_rotation_until_their_key_is_removed() {
    let dir = TempDir::new().unwrap();
    let (keys, other) = (dir.path().join("keys"), dir.path().join("other"));
    let vault_of = |keyring: Keyring| {
        let keyring = Arc::new(keyring);
        Vault::new(Arc::clone(&keyring), keyring)
    };
    let now = test_environment(1).0.now();
    let before = vault_of(Keyring::load_or_generate(&keys, &test_environment(1).0).unwrap());
    let old = seal(&before, OWNER, SECRET);

    Keyring::load_or_generate(&other, &test_environment(2).0).unwrap();
    fs::copy(other.join("signing-key-0001.pem"), keys.join("signing-key-0002.pem")).unwrap();
    let overlap = vault_of(Keyring::load(&keys, now).unwrap());
    let new = seal(&overlap, OWNER, SECRET);
    assert_eq!(open(&overlap, OWNER, &old), Ok(SECRET.to_vec()));
    assert_eq!(open(&overlap, OWNER, &new), Ok(SECRET.to_vec()));
    assert_eq!(open(&before, OWNER, &new), Err(VaultError::UnknownKey));

    fs::remove_file(keys.join("signing-key-0001.pem")).unwrap();
    let after = vault_of(Keyring::load(&keys, now).unwrap());
    assert_eq!(open(&after, OWNER, &old), Err(VaultError::UnknownKey));
    assert_eq!(open(&after, OWNER, &new), Ok(SECRET.to_vec()));
}

#[test]
fn a_vault_is_not_printed() {
    assert_eq!(format!("{:?}", vault(1)), "Vault");
    assert_eq!(format!("{:#?}", vault(1)), "Vault");
}

proptest! {
    #[test]
    fn any_secret_comes_back(secret in prop::collection::vec(any::<u8>(), 0..200), owner in any::<u128>()) {
        let vault = vault(1);
        let owner = Uuid::from_u128(owner);
        let sealed = seal(&vault, owner, &secret);
        prop_assert_eq!(sealed.len(), secret.len() + ADDED);
        prop_assert_eq!(open(&vault, owner, &sealed), Ok(secret));
    }

    #[test]
    fn arbitrary_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        let vault = vault(1);
        prop_assert!(open(&vault, OWNER, &bytes).is_err());
        let versioned = [&[VERSION][..], bytes.as_slice()].concat();
        prop_assert!(open(&vault, OWNER, &versioned).is_err());
        let sealed = seal(&vault, OWNER, SECRET);
        let named = [&sealed[..=NAME_BYTES], bytes.as_slice()].concat();
        prop_assert_eq!(open(&vault, OWNER, &named), Err(VaultError::Opening));
    }
}

#[test]
fn what_the_present_key_did_not_seal_is_told() {
    let (environment, _) = test_environment(1);
    let [old, new] = [2, 3].map(|seed| Arc::new(Keyring::generate_in_memory(&test_environment(seed).0).unwrap()));
    let before = Vault::new(Arc::clone(&old), Arc::clone(&old));
    let after = Vault::new(new, old);
    let sealed = before
        .seal(Purpose::Totp, Uuid::nil(), b"secret", &environment)
        .unwrap();
    assert!(before.is_current(&sealed) && !after.is_current(&sealed));
    let again = after.seal(Purpose::Totp, Uuid::nil(), b"secret", &environment).unwrap();
    assert!(after.is_current(&again) && !before.is_current(&again));
    assert!(!after.is_current(b"") && !after.is_current(&again[..5]));
}
