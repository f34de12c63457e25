//! One private key and what is derived from it.
//!
//! To add a kind of key: a `match` arm in each of the constructors, and its public form in `jwks.rs`.

use std::fmt;

use aws_lc_rs::{
    encoding::AsBigEndian as _,
    hmac,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _},
};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use zeroize::Zeroizing;

use super::jwks::Jwk;

const UNKNOWN_KIND: &str = "is neither an Ed25519 nor a P-256 private key";

/// The salt of the derivation of keys for [`crate::signatures`], which sets it apart from any other that may come.
const MAC_SALT: &[u8] = b"tenantry/signatures/v1";

/// Bytes of a derived key: a whole HMAC-SHA256.
const DERIVED_BYTES: usize = 32;

/// A key that signs, and verifies what it signed.
pub(crate) struct SigningKey {
    jwk: Jwk,
    algorithm: Algorithm,
    encoding: EncodingKey,
    decoding: DecodingKey,
    mac_root: hmac::Key,
}

impl SigningKey {
    /// The key in a PEM text. The error is what is wrong, to be read after the file's name.
    pub(super) fn from_pem(pem: &[u8]) -> Result<Self, &'static str> {
        let encoded = EncodingKey::from_ed_pem(pem).or_else(|_| EncodingKey::from_ec_pem(pem));
        let encoded = encoded.map_err(|_| pem_problem(pem))?;
        Self::from_pkcs8(encoded.as_bytes())
    }

    /// The key in a PKCS#8 document.
    pub(super) fn from_pkcs8(der: &[u8]) -> Result<Self, &'static str> {
        if let Ok(pair) = Ed25519KeyPair::from_pkcs8(der) {
            let seed = pair
                .seed()
                .and_then(|seed| seed.as_be_bytes())
                .map_err(|_| UNKNOWN_KIND)?;
            return Ok(Self {
                jwk: Jwk::ed25519(pair.public_key().as_ref()),
                algorithm: Algorithm::EdDSA,
                encoding: EncodingKey::from_ed_der(der),
                decoding: DecodingKey::from_ed_der(pair.public_key().as_ref()),
                mac_root: mac_root(seed.as_ref()),
            });
        }
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der).map_err(|_| UNKNOWN_KIND)?;
        let scalar = pair.private_key().as_be_bytes().map_err(|_| UNKNOWN_KIND)?;
        // SEC 1, section 2.3.3: 0x04, x, y.
        let point = pair.public_key().as_ref();
        let coordinates = point
            .strip_prefix(&[4])
            .and_then(|coordinates| coordinates.split_at_checked(32));
        let (x, y) = coordinates.ok_or(UNKNOWN_KIND)?;
        Ok(Self {
            jwk: Jwk::p256(x, y),
            algorithm: Algorithm::ES256,
            encoding: EncodingKey::from_ec_der(der),
            decoding: DecodingKey::from_ec_der(point),
            mac_root: mac_root(scalar.as_ref()),
        })
    }

    pub(crate) fn jwk(&self) -> &Jwk {
        &self.jwk
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub(crate) fn encoding(&self) -> &EncodingKey {
        &self.encoding
    }

    pub(crate) fn decoding(&self) -> &DecodingKey {
        &self.decoding
    }

    /// The key that authenticates messages of `purpose`.
    pub(crate) fn mac_key(&self, purpose: &str) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, self.derived(purpose).as_slice())
    }

    /// A key for `purpose`, by HKDF-Expand (RFC 5869, section 2.3): its first block, a whole key long, is a single HMAC.
    pub(crate) fn derived(&self, purpose: &str) -> Zeroizing<[u8; DERIVED_BYTES]> {
        let mut context = hmac::Context::with_key(&self.mac_root);
        context.update(purpose.as_bytes());
        context.update(&[1]);
        let mut derived = Zeroizing::new([0; DERIVED_BYTES]);
        derived
            .iter_mut()
            .zip(context.sign().as_ref())
            .for_each(|(to, from)| *to = *from);
        derived
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("kid", &self.jwk.kid)
            .field("alg", &self.jwk.alg)
            .finish_non_exhaustive()
    }
}

/// HKDF-Extract (RFC 5869, section 2.2) of the bare private key, so that another encoding of it derives the same.
fn mac_root(private_key: &[u8]) -> hmac::Key {
    let extracted = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, MAC_SALT), private_key);
    hmac::Key::new(hmac::HMAC_SHA256, extracted.as_ref())
}

/// Why a text holds no key, as exactly as its first PEM label (RFC 7468) tells.
fn pem_problem(pem: &[u8]) -> &'static str {
    let label = std::str::from_utf8(pem)
        .ok()
        .and_then(|text| text.split_once("-----BEGIN "))
        .and_then(|(_, rest)| rest.split_once("-----"))
        .map(|(label, _)| label);
    match label {
        None => "is not a PEM file",
        Some("ENCRYPTED PRIVATE KEY") => {
            "is encrypted; signing keys are kept as plain files, guarded by their permissions"
        }
        Some("EC PRIVATE KEY" | "EC PARAMETERS") => {
            "is not in PKCS#8 form; convert it with: openssl pkcs8 -topk8 -nocrypt -in FILE"
        }
        Some("PUBLIC KEY" | "CERTIFICATE") => "holds no private key",
        Some(_) => UNKNOWN_KIND,
    }
}

#[cfg(test)]
mod tests;
