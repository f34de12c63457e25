//! Secrets that must be read again, and are therefore stored sealed instead of hashed.
//!
//! AES-256-GCM (NIST SP 800-38D) with a random nonce, by a key that is derived from an installation's key for each purpose.
//! Whose secret it is is sealed along: one that was put into the row of another opens nothing. The key is named in what is
//! sealed, so that what an older key sealed is opened while that key is kept.
//!
//! What is sealed: a version (1 byte), the key's name (8), the nonce (12), the encrypted secret, and its tag (16).

use std::{fmt, sync::Arc};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use tenantry_domain::environment::Environment;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::keys::{Keyring, SigningKey};

/// The version of what is sealed.
const VERSION: u8 = 1;

/// Bytes of a key's name.
const NAME_BYTES: usize = 8;

/// What a secret is, so that one does not pass for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// What an authenticator app shares with us.
    Totp,
    /// What is shown to an organization's own provider.
    ClientSecret,
    /// What is remembered of a sign-in at a provider until the browser comes back.
    ProviderFlow,
    /// What a sign-in at a provider came to.
    SignInCode,
}

impl Purpose {
    const fn derived_for(self) -> &'static str {
        match self {
            Self::Totp => "vault: totp secret",
            Self::ClientSecret => "vault: client secret",
            Self::ProviderFlow => "vault: sign-in at a provider",
            Self::SignInCode => "vault: code of a sign-in",
        }
    }
}

/// Why a secret was not sealed or opened. Says nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The cipher failed.
    #[error("a secret could not be sealed")]
    Sealing,
    /// It was sealed by a key that is not here.
    #[error("a secret was sealed by an encryption key that is not among those that are configured")]
    UnknownKey,
    /// It was not sealed for this, or was changed since.
    #[error("a sealed secret is not what was sealed")]
    Opening,
}

/// Seals and opens secrets; one for a process.
pub struct Vault {
    keys: Arc<Keyring>,
    former: Arc<Keyring>,
}

impl Vault {
    /// A vault that seals by the first of `keys`, and opens what any of them sealed, or any of `former`: those that sealed before
    /// there were keys of their own for it.
    #[must_use]
    pub const fn new(keys: Arc<Keyring>, former: Arc<Keyring>) -> Self {
        Self { keys, former }
    }

    /// Seals a secret of `owner`.
    ///
    /// # Errors
    /// [`VaultError::Sealing`].
    pub fn seal(
        &self,
        purpose: Purpose,
        owner: Uuid,
        secret: &[u8],
        environment: &Environment,
    ) -> Result<Vec<u8>, VaultError> {
        let signer = self.keys.signer();
        let nonce: [u8; NONCE_LEN] = environment.random();
        let mut sealed = Zeroizing::new(secret.to_vec());
        let tag = cipher(&signer, purpose)
            .ok_or(VaultError::Sealing)?
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(owner.as_bytes()),
                sealed.as_mut_slice(),
            )
            .map_err(|_| VaultError::Sealing)?;
        Ok([&[VERSION], &name(&signer)[..], &nonce, sealed.as_slice(), tag.as_ref()].concat())
    }

    /// Whether the key that seals now sealed this.
    #[must_use]
    pub fn is_current(&self, sealed: &[u8]) -> bool {
        let named = sealed
            .strip_prefix(&[VERSION])
            .and_then(<[u8]>::first_chunk::<NAME_BYTES>);
        named == Some(&name(&self.keys.signer()))
    }

    /// Opens what was sealed of `owner`.
    ///
    /// # Errors
    /// [`VaultError::UnknownKey`], [`VaultError::Opening`].
    pub fn open(&self, purpose: Purpose, owner: Uuid, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let rest = sealed.strip_prefix(&[VERSION]).ok_or(VaultError::Opening)?;
        let (named, rest) = rest.split_first_chunk::<NAME_BYTES>().ok_or(VaultError::Opening)?;
        let (nonce, encrypted) = rest.split_first_chunk::<NONCE_LEN>().ok_or(VaultError::Opening)?;
        let (keys, former) = (self.keys.present(), self.former.present());
        let mut keys = keys.all().chain(former.all());
        let key = keys.find(|key| name(key) == *named).ok_or(VaultError::UnknownKey)?;
        let mut opened = Zeroizing::new(encrypted.to_vec());
        let length = cipher(key, purpose)
            .ok_or(VaultError::Opening)?
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(owner.as_bytes()),
                opened.as_mut_slice(),
            )
            .map_err(|_| VaultError::Opening)?
            .len();
        opened.truncate(length);
        Ok(opened)
    }
}

fn cipher(key: &SigningKey, purpose: Purpose) -> Option<LessSafeKey> {
    let key = UnboundKey::new(&AES_256_GCM, key.derived(purpose.derived_for()).as_slice()).ok()?;
    Some(LessSafeKey::new(key))
}

/// What a key is called in what it sealed: it tells nothing of the key.
fn name(key: &SigningKey) -> [u8; NAME_BYTES] {
    let derived = key.derived("vault: name of the key");
    derived.first_chunk().copied().unwrap_or_default()
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault")
    }
}

#[cfg(test)]
mod tests;
