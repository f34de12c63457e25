//! A keyring follows its files, and keeps what it has where they are no keyring any more.

use std::{fs, path::Path};

use chrono::{SubsecRound as _, TimeDelta};
use tempfile::TempDir;

use super::{ed25519_pem, key_ids, load};
use crate::{
    keys::{KeyError, Keyring, files::file_name},
    test_environment::test_environment,
};

fn folder(names: &[&str]) -> TempDir {
    let dir = TempDir::new().unwrap();
    for (seed, name) in (1..).zip(names) {
        fs::write(dir.path().join(name), ed25519_pem(seed)).unwrap();
    }
    dir
}

fn id_of(file: &Path) -> String {
    key_ids(&load(file).unwrap()).remove(0)
}

#[test]
fn a_key_signs_from_the_moment_in_its_name_on_with_no_file_changed() {
    let now = test_environment(1).0.now();
    let start = now.trunc_subsecs(0) + TimeDelta::hours(1);
    let dir = folder(&["signing-key-0001.pem"]);
    let keyring = Keyring::load(dir.path(), now).unwrap();
    let signature = keyring.sign("cursor", b"message");
    assert!(!keyring.reload(now).unwrap());

    let coming = dir.path().join(file_name(start));
    fs::write(&coming, ed25519_pem(2)).unwrap();
    let (old, new) = (id_of(&dir.path().join("signing-key-0001.pem")), id_of(&coming));
    assert!(keyring.reload(now).unwrap());
    assert_eq!(key_ids(&keyring), [old.as_str(), &new], "published, and does not sign");
    assert!(!keyring.reload(start - TimeDelta::milliseconds(1)).unwrap());
    assert_eq!(keyring.signer().jwk().kid, old);

    assert!(keyring.reload(start).unwrap());
    assert_eq!(key_ids(&keyring), [new, old]);
    assert!(!keyring.reload(start + TimeDelta::days(365)).unwrap());
    assert!(keyring.verify("cursor", b"message", signature.as_bytes()));
    assert_ne!(
        keyring.sign("cursor", b"message").as_bytes(),
        signature.as_bytes(),
        "the new key signs"
    );
}

#[test]
fn a_key_that_is_removed_is_accepted_no_more() {
    let now = test_environment(1).0.now();
    let dir = folder(&["1.pem", "2.pem"]);
    let keyring = Keyring::load(dir.path(), now).unwrap();
    let old = id_of(&dir.path().join("1.pem"));
    assert!(keyring.find(&old).is_some());
    fs::remove_file(dir.path().join("1.pem")).unwrap();
    assert!(keyring.reload(now).unwrap());
    assert!(keyring.find(&old).is_none());
}

#[test]
fn where_no_moment_has_come_the_first_key_signs() {
    let now = test_environment(1).0.now();
    let [first, second] = [1, 2].map(|hours| file_name(now + TimeDelta::hours(hours)));
    let dir = folder(&[&second, &first]);
    let keyring = Keyring::load(dir.path(), now).unwrap();
    assert_eq!(keyring.signer().jwk().kid, id_of(&dir.path().join(first)));
}

#[test]
fn what_is_no_keyring_leaves_the_keys_in_use() {
    let now = test_environment(1).0.now();
    let dir = folder(&["1.pem"]);
    let keyring = Keyring::load(dir.path(), now).unwrap();
    let before = key_ids(&keyring);

    let broken = dir.path().join("2.pem");
    fs::write(&broken, "marmalade").unwrap();
    for _ in 0..2 {
        let error = keyring.reload(now).unwrap_err().to_string();
        assert!(error.starts_with(&broken.display().to_string()), "{error}");
        assert_eq!(key_ids(&keyring), before);
    }
    fs::write(&broken, ed25519_pem(2)).unwrap();
    assert!(keyring.reload(now).unwrap());
    let both = key_ids(&keyring);
    assert_eq!(both.len(), 2);

    for name in ["1.pem", "2.pem"] {
        fs::remove_file(dir.path().join(name)).unwrap();
    }
    assert!(matches!(keyring.reload(now), Err(KeyError::NoKeys { .. })));
    let path = dir.path().to_owned();
    drop(dir);
    assert!(matches!(keyring.reload(now), Err(KeyError::Read { path: named, .. }) if named == path));
    assert_eq!(key_ids(&keyring), both);
}

#[test]
fn another_file_in_the_place_of_a_single_one_is_read() {
    let now = test_environment(1).0.now();
    let dir = folder(&["key", "another"]);
    let (file, another) = (dir.path().join("key"), dir.path().join("another"));
    let keyring = Keyring::load(&file, now).unwrap();
    let new = id_of(&another);
    fs::rename(&another, &file).unwrap();
    assert!(keyring.reload(now).unwrap());
    assert_eq!(key_ids(&keyring), [new]);
}

#[test]
fn keys_in_memory_stay() {
    let (environment, _) = test_environment(1);
    let keyring = Keyring::generate_in_memory(&environment).unwrap();
    let before = key_ids(&keyring);
    assert!(!keyring.reload(environment.now() + TimeDelta::days(365)).unwrap());
    assert_eq!(key_ids(&keyring), before);
}
