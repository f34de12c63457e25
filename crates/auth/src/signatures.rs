//! Signatures on what clients carry back to us, such as the cursors of lists: whoever holds one cannot edit it.
//!
//! HMAC-SHA256 (RFC 2104), cut to 128 bits, with a key derived from each signing key for each purpose, so that nothing
//! signed for one purpose is accepted for another. To add a purpose: a constant string of its own at its one user.

use std::fmt;

use aws_lc_rs::hmac;
use subtle::{Choice, ConstantTimeEq as _};

use crate::keys::{Keyring, SigningKey};

/// Bytes of a signature.
pub const SIGNATURE_BYTES: usize = 16;

/// A signature, to be sent along with the message.
#[derive(Clone, Copy)]
pub struct Signature([u8; SIGNATURE_BYTES]);

impl Signature {
    /// The bytes to send.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; SIGNATURE_BYTES] {
        &self.0
    }

    fn new(key: &SigningKey, purpose: &str, message: &[u8]) -> Self {
        let tag = hmac::sign(&key.mac_key(purpose), message);
        let mut signature = [0; SIGNATURE_BYTES];
        signature
            .iter_mut()
            .zip(tag.as_ref())
            .for_each(|(to, from)| *to = *from);
        Self(signature)
    }
}

/// Shows no byte: a log must not hold what would let its reader pass off a message as ours.
impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signature")
    }
}

impl Keyring {
    /// Signs `message` for `purpose`.
    #[must_use]
    pub fn sign(&self, purpose: &'static str, message: &[u8]) -> Signature {
        Signature::new(&self.signer(), purpose, message)
    }

    /// Whether any of the keys made `signature` for `message` and `purpose`, in a time that does not tell how far it is
    /// right.
    #[must_use]
    pub fn verify(&self, purpose: &'static str, message: &[u8], signature: &[u8]) -> bool {
        let matches = |key: &SigningKey| Signature::new(key, purpose, message).0.as_slice().ct_eq(signature);
        self.present()
            .all()
            .fold(Choice::from(0), |found, key| found | matches(key))
            .into()
    }
}

#[cfg(test)]
mod tests;
