//! Keys that sign ID tokens (RFC 7515, 7517 and 7518), and tokens that others have signed.

use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair},
};
use serde_json::{Value, json};

use crate::passkey::{encoded, random};

/// Where the modulus of 2048 bits and the exponent are in an `RSAPublicKey` (RFC 8017, appendix A.1.1).
const MODULUS: std::ops::Range<usize> = 9..265;
const EXPONENT: std::ops::Range<usize> = 267..270;

/// What tokens are signed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
}

enum Pair {
    Es256(EcdsaKeyPair),
    Rs256(RsaKeyPair),
}

/// A key with its name.
pub(super) struct SigningKey {
    /// Its name.
    pub(super) kid: String,
    pair: Pair,
}

impl SigningKey {
    pub(super) fn new(algorithm: Algorithm) -> Self {
        let pair = match algorithm {
            Algorithm::Es256 => Pair::Es256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key")),
            Algorithm::Rs256 => Pair::Rs256(RsaKeyPair::generate(KeySize::Rsa2048).expect("a key")),
        };
        Self {
            kid: encoded(&random(9)),
            pair,
        }
    }

    /// The name of its algorithm.
    pub(super) const fn algorithm(&self) -> &'static str {
        match self.pair {
            Pair::Es256(_) => "ES256",
            Pair::Rs256(_) => "RS256",
        }
    }

    /// The bytes of its public half, as the library writes them.
    pub(super) fn public_bytes(&self) -> &[u8] {
        match &self.pair {
            Pair::Es256(pair) => pair.public_key().as_ref(),
            Pair::Rs256(pair) => pair.public_key().as_ref(),
        }
    }

    /// Its public half as a JSON Web Key.
    pub(super) fn jwk(&self) -> Value {
        let bytes = self.public_bytes();
        let mut jwk = match self.pair {
            Pair::Es256(_) => {
                // Uncompressed (SEC 1, section 2.3.3): after the first byte, the coordinates.
                let (x, y) = bytes[1..].split_at(32);
                json!({ "kty": "EC", "crv": "P-256", "x": encoded(x), "y": encoded(y) })
            }
            Pair::Rs256(_) => {
                assert_eq!(bytes.len(), EXPONENT.end, "another encoding of an RSA key");
                json!({ "kty": "RSA", "n": encoded(&bytes[MODULUS]), "e": encoded(&bytes[EXPONENT]) })
            }
        };
        jwk["kid"] = self.kid.as_str().into();
        jwk["alg"] = self.algorithm().into();
        jwk["use"] = "sig".into();
        jwk
    }

    /// A token that it has signed, with a header that may say anything.
    pub(super) fn signed(&self, header: &Value, claims: &Value) -> String {
        let told = told(header, claims);
        let random = SystemRandom::new();
        let signature = match &self.pair {
            Pair::Es256(pair) => pair
                .sign(&random, told.as_bytes())
                .expect("a signature")
                .as_ref()
                .to_vec(),
            Pair::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, told.as_bytes(), &mut signature)
                    .expect("a signature");
                signature
            }
        };
        format!("{told}.{}", encoded(&signature))
    }
}

/// A token that a secret has signed.
pub(super) fn by_secret(secret: &[u8], header: &Value, claims: &Value) -> String {
    let told = told(header, claims);
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let tag = hmac::sign(&key, told.as_bytes());
    format!("{told}.{}", encoded(tag.as_ref()))
}

/// A token that nobody has signed.
pub(super) fn by_nobody(header: &Value, claims: &Value) -> String {
    format!("{}.", told(header, claims))
}

/// What is signed of a token.
fn told(header: &Value, claims: &Value) -> String {
    let part = |json: &Value| encoded(json.to_string().as_bytes());
    format!("{}.{}", part(header), part(claims))
}
