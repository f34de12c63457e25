#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::{Arc, Barrier},
    thread,
};

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use tempfile::TempDir;

use super::{KeyError, KeyState, Keyring, MAX_KEYS, generation::ed25519_pkcs8, list};
use crate::test_environment::test_environment;

mod following;

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

pub(super) fn ed25519_pem(seed: u64) -> String {
    pem("PRIVATE KEY", &ed25519_pkcs8(&test_environment(seed).0).unwrap())
}

fn p256_pem() -> String {
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
    pem("PRIVATE KEY", document.as_ref())
}

fn key_ids(keyring: &Keyring) -> Vec<String> {
    keyring.jwks().keys.into_iter().map(|key| key.kid).collect()
}

fn load(path: &Path) -> Result<Keyring, KeyError> {
    Keyring::load(path, test_environment(1).0.now())
}

fn failure(path: &Path) -> String {
    load(path).unwrap_err().to_string()
}

#[test]
fn a_single_file_is_a_keyring_whatever_its_name() {
    let dir = TempDir::new().unwrap();
    for (name, text, algorithm) in [("ed", ed25519_pem(1), "EdDSA"), ("ec.key", p256_pem(), "ES256")] {
        let file = dir.path().join(name);
        fs::write(&file, text).unwrap();
        let keys = load(&file).unwrap().jwks().keys;
        assert_eq!(keys.iter().map(|key| key.alg).collect::<Vec<_>>(), [algorithm]);
    }
}

#[test]
fn the_greatest_file_name_signs_and_all_are_published() {
    let dir = TempDir::new().unwrap();
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    let (first, second, third) = (ed25519_pem(1), p256_pem(), ed25519_pem(3));
    write("2026-03.pem", &third);
    write("2026-01.pem", &first);
    write("2026-02.pem", &second);
    write("2026-04.pem.bak", "not looked at");
    write(".2026-05.pem", "not looked at");
    write("README", "not looked at");

    let keyring = load(dir.path()).unwrap();
    let ids: Vec<_> = ["2026-03.pem", "2026-02.pem", "2026-01.pem"]
        .iter()
        .flat_map(|name| key_ids(&load(&dir.path().join(name)).unwrap()))
        .collect();
    assert_eq!(key_ids(&keyring), ids);
    assert_eq!(keyring.signer().jwk().kid, ids[0]);
    assert!(ids.iter().all(|id| keyring.find(id).is_some()));
    assert!(keyring.find("unknown").is_none());
}

#[test]
fn a_key_in_two_files_is_published_once() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("1.pem"), ed25519_pem(1)).unwrap();
    fs::write(dir.path().join("2.pem"), ed25519_pem(1)).unwrap();
    assert_eq!(key_ids(&load(dir.path()).unwrap()).len(), 1);
}

#[test]
fn the_key_set_holds_public_parts_alone() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("1.pem"), ed25519_pem(1)).unwrap();
    fs::write(dir.path().join("2.pem"), p256_pem()).unwrap();
    let set = serde_json::to_value(load(dir.path()).unwrap().jwks()).unwrap();
    let members: Vec<Vec<&String>> = set["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key.as_object().unwrap().keys().collect())
        .collect();
    assert_eq!(members[0], ["alg", "crv", "kid", "kty", "use", "x", "y"]);
    assert_eq!(members[1], ["alg", "crv", "kid", "kty", "use", "x"]);
}

#[test]
fn what_is_no_key_is_named_and_explained_but_not_shown() {
    let dir = TempDir::new().unwrap();
    let p384 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, &SystemRandom::new()).unwrap();
    let ed25519 = ed25519_pem(1);
    for (text, problem) in [
        (String::new(), "is not a PEM file"),
        ("marmalade".to_owned(), "is not a PEM file"),
        (
            pem("PRIVATE KEY", b"marmalade"),
            "is neither an Ed25519 nor a P-256 private key",
        ),
        (
            pem("PRIVATE KEY", p384.as_ref()),
            "is neither an Ed25519 nor a P-256 private key",
        ),
        (ed25519.replace("PRIVATE KEY", "PUBLIC KEY"), "holds no private key"),
        (pem("EC PRIVATE KEY", b"marmalade"), "openssl pkcs8 -topk8"),
        (pem("ENCRYPTED PRIVATE KEY", b"marmalade"), "is encrypted"),
        (
            ed25519.replace("MC4", "MD4"),
            "is neither an Ed25519 nor a P-256 private key",
        ),
        ("x".repeat(16 * 1024 + 1), "is larger than 16 KiB"),
    ] {
        let file = dir.path().join("broken.pem");
        fs::write(&file, &text).unwrap();
        let message = failure(&file);
        assert!(
            message.starts_with(&file.display().to_string()) && message.contains(problem),
            "{message}"
        );
        assert!(
            !message.contains("marmalade") && !message.contains(&STANDARD.encode("marmalade")),
            "{message}"
        );
        assert_eq!(
            failure(dir.path()),
            message,
            "one broken key of a folder is not passed over"
        );
    }
}

#[test]
fn a_keyring_that_is_not_there_is_named() {
    let dir = TempDir::new().unwrap();
    let missing = dir.path().join("missing");
    assert!(failure(&missing).starts_with(&format!("cannot read {}", missing.display())));
    assert_eq!(
        failure(dir.path()),
        format!("{} holds no *.pem file", dir.path().display())
    );
    for number in 0..=MAX_KEYS {
        fs::write(dir.path().join(format!("{number}.pem")), "").unwrap();
    }
    assert!(failure(dir.path()).contains("holds more than"));
}

#[test]
fn the_list_says_what_each_key_does() {
    let dir = TempDir::new().unwrap();
    let now = test_environment(1).0.now();
    for (seed, name) in (1..).zip([
        "signing-key-0001.pem",
        "signing-key-20260101T000000Z.pem",
        "signing-key-20260301T000000Z.pem",
    ]) {
        fs::write(dir.path().join(name), ed25519_pem(seed)).unwrap();
    }
    let listed = list(dir.path(), now).unwrap();
    let at = |text: &str| text.parse().unwrap();
    assert_eq!(
        listed.iter().map(|key| key.state).collect::<Vec<_>>(),
        [
            KeyState::Accepted,
            KeyState::Signs {
                since: at("2026-01-01T00:00:00Z")
            },
            KeyState::Upcoming {
                from: at("2026-03-01T00:00:00Z")
            },
        ]
    );
    let mut published = key_ids(&Keyring::load(dir.path(), now).unwrap());
    assert_eq!(published[0], listed[1].kid);
    published.sort();
    let mut ids: Vec<_> = listed.iter().map(|key| key.kid.clone()).collect();
    ids.sort();
    assert_eq!(ids, published);
    assert_eq!(listed[2].file, dir.path().join("signing-key-20260301T000000Z.pem"));

    let file = list(&listed[2].file, now).unwrap();
    assert_eq!(file.len(), 1);
    assert!(matches!(file[0].state, KeyState::Signs { .. }), "{file:?}");
    let empty = TempDir::new().unwrap();
    assert!(matches!(list(empty.path(), now), Err(KeyError::NoKeys { .. })));
}

#[test]
fn a_generated_key_is_kept_and_is_for_its_owner_alone() {
    let parent = TempDir::new().unwrap();
    let dir = parent.path().join("data/keys");
    let made = Keyring::load_or_generate(&dir, &test_environment(1).0).unwrap();
    let found = Keyring::load_or_generate(&dir, &test_environment(2).0).unwrap();
    assert_eq!(key_ids(&made), key_ids(&found));

    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dir), 0o700);
    for entry in fs::read_dir(&dir).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
}

#[test]
fn nothing_is_generated_beside_a_key() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("mine.pem"), ed25519_pem(1)).unwrap();
    let keyring = Keyring::load_or_generate(dir.path(), &test_environment(2).0).unwrap();
    assert_eq!(key_ids(&keyring), key_ids(&load(&dir.path().join("mine.pem")).unwrap()));
}

#[test]
fn what_a_killed_process_left_half_written_is_no_obstacle() {
    let dir = TempDir::new().unwrap();
    let unfinished = dir.path().join(".signing-key.unfinished");
    fs::write(&unfinished, "-----BEGIN PRI").unwrap();
    assert_eq!(
        key_ids(&Keyring::load_or_generate(dir.path(), &test_environment(1).0).unwrap()).len(),
        1
    );
    assert!(!unfinished.exists());
}

#[test]
fn many_that_start_at_once_share_one_key() {
    let parent = TempDir::new().unwrap();
    let dir = parent.path().join("keys");
    let barrier = Arc::new(Barrier::new(8));
    let starts: Vec<_> = (0..8)
        .map(|seed| {
            let (dir, barrier) = (dir.clone(), Arc::clone(&barrier));
            thread::spawn(move || {
                barrier.wait();
                key_ids(&Keyring::load_or_generate(&dir, &test_environment(seed).0).unwrap())
            })
        })
        .collect();
    let mut ids: Vec<_> = starts.into_iter().map(|start| start.join().unwrap()).collect();
    ids.dedup();
    assert_eq!(ids.len(), 1);
}

#[test]
fn keys_in_memory_differ() {
    let (environment, _) = test_environment(1);
    let one = Keyring::generate_in_memory(&environment).unwrap();
    let other = Keyring::generate_in_memory(&environment).unwrap();
    assert_ne!(key_ids(&one), key_ids(&other));
}
