#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

use proptest::prelude::*;
use secrecy::ExposeSecret as _;
use tenantry_domain::{ids::LinkId, links::LinkPurpose};

use super::{PREFIX, TEXT_BYTES, read, secret};
use crate::{keys::Keyring, test_environment::test_environment};

fn keyring(seed: u64) -> Keyring {
    Keyring::generate_in_memory(&test_environment(seed).0).unwrap()
}

#[test]
fn a_secret_leads_to_its_link_for_its_purpose_in_its_installation() {
    let (keyring, other) = (keyring(1), keyring(2));
    let link = LinkId::new(&test_environment(3).0);
    let text = secret(&keyring, LinkPurpose::ResetPassword, link);
    let text = text.expose_secret();
    assert_eq!(text.len(), TEXT_BYTES);
    let shown = read(&keyring, LinkPurpose::ResetPassword, text).unwrap();
    assert_eq!(shown.id(), link);
    assert_eq!(format!("{shown:?}"), "ShownLink");
    assert_eq!(secret(&keyring, LinkPurpose::ResetPassword, link).expose_secret(), text);
    assert!(read(&keyring, LinkPurpose::VerifyEmail, text).is_none());
    assert!(read(&other, LinkPurpose::ResetPassword, text).is_none());
}

#[test]
fn every_letter_of_a_secret_counts() {
    let keyring = keyring(1);
    let link = LinkId::new(&test_environment(3).0);
    let text = secret(&keyring, LinkPurpose::VerifyEmail, link);
    let text = text.expose_secret();
    for position in 0..text.len() {
        for letter in ['A', 'B', '-', '~', ' '] {
            let edited: String = text
                .char_indices()
                .map(|(index, kept)| if index == position { letter } else { kept })
                .collect();
            let good = read(&keyring, LinkPurpose::VerifyEmail, &edited).is_some();
            assert_eq!(good, edited == text, "{position} {letter}");
        }
    }
    assert!(read(&keyring, LinkPurpose::VerifyEmail, &format!("{text}A")).is_none());
    assert!(read(&keyring, LinkPurpose::VerifyEmail, text.strip_prefix(PREFIX).unwrap()).is_none());
}

proptest! {
    #[test]
    fn no_other_text_is_one(text in ".{0,60}") {
        prop_assert!(read(&keyring(1), LinkPurpose::VerifyEmail, &text).is_none());
    }
}
