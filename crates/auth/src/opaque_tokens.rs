//! Opaque tokens: 256 random bits, of which a hash is stored.
//!
//! To add a kind: an empty enum with a [`Kind`] of its own prefix, and a name for the token of that kind.

use std::{fmt, marker::PhantomData};

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::SecretString;
use subtle::ConstantTimeEq as _;
use tenantry_domain::environment::Environment;
use zeroize::Zeroizing;

/// Random bytes of a token.
const SECRET_BYTES: usize = 32;

/// Bytes of a token's hash, a SHA-256.
pub const HASH_BYTES: usize = 32;

/// What a token is for.
pub trait Kind {
    /// What its text begins with, so that people and scanners recognise a leaked one.
    const PREFIX: &'static str;
}

/// A token as its owner holds it. It is never printed.
pub struct OpaqueToken<K>(Zeroizing<[u8; SECRET_BYTES]>, PhantomData<K>);

impl<K: Kind> OpaqueToken<K> {
    /// How long each is: the prefix and the base64url of the secret, without padding.
    const TEXT_BYTES: usize = K::PREFIX.len() + (SECRET_BYTES * 4).div_ceil(3);

    /// A new token of 256 random bits.
    #[must_use]
    pub fn generate(environment: &Environment) -> Self {
        Self(Zeroizing::new(environment.random()), PhantomData)
    }

    /// The token that a client sent, or `None` when the text cannot be one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != Self::TEXT_BYTES {
            return None;
        }
        let secret = Zeroizing::new(URL_SAFE_NO_PAD.decode(text.strip_prefix(K::PREFIX)?).ok()?);
        let secret = secret.as_slice().try_into().ok().map(Zeroizing::new)?;
        Some(Self(secret, PhantomData))
    }

    /// The text for the client.
    #[must_use]
    pub fn secret(&self) -> SecretString {
        SecretString::from(format!("{}{}", K::PREFIX, URL_SAFE_NO_PAD.encode(self.0.as_slice())))
    }

    /// What is stored of it. A plain hash does: 256 random bits cannot be guessed.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(self.0.as_slice())
    }
}

impl<K> fmt::Debug for OpaqueToken<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpaqueToken")
    }
}

/// The SHA-256 of a token's secret, by which it is found.
#[derive(Clone, Copy)]
pub struct TokenHash([u8; HASH_BYTES]);

impl TokenHash {
    /// The hash of a secret.
    pub(crate) fn of(secret: &[u8]) -> Self {
        let mut hash = [0; HASH_BYTES];
        hash.iter_mut()
            .zip(digest(&SHA256, secret).as_ref())
            .for_each(|(to, from)| *to = *from);
        Self(hash)
    }

    /// The bytes to store.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; HASH_BYTES] {
        &self.0
    }
}

/// A hash that was stored.
impl From<[u8; HASH_BYTES]> for TokenHash {
    fn from(bytes: [u8; HASH_BYTES]) -> Self {
        Self(bytes)
    }
}

/// In constant time.
impl PartialEq for TokenHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for TokenHash {}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash")
    }
}

#[cfg(test)]
mod tests;
