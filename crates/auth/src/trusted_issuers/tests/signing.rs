//! Keys that sign, with headers that may say anything.

use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
        RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512,
        RsaKeyPair, RsaSignatureEncoding,
    },
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

/// Where the modulus of 2048 bits and the exponent are in an `RSAPublicKey` (RFC 8017, appendix A.1.1).
const MODULUS: std::ops::Range<usize> = 9..265;
const EXPONENT: std::ops::Range<usize> = 267..270;

/// What a key signs by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    Ed25519,
}

impl Kind {
    pub(super) const ALL: [Self; 9] = [
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::Ed25519,
    ];

    pub(super) const fn algorithm(self) -> Algorithm {
        match self {
            Self::Rs256 => Algorithm::RS256,
            Self::Rs384 => Algorithm::RS384,
            Self::Rs512 => Algorithm::RS512,
            Self::Ps256 => Algorithm::PS256,
            Self::Ps384 => Algorithm::PS384,
            Self::Ps512 => Algorithm::PS512,
            Self::Es256 => Algorithm::ES256,
            Self::Es384 => Algorithm::ES384,
            Self::Ed25519 => Algorithm::EdDSA,
        }
    }

    fn padding(self) -> Option<&'static RsaSignatureEncoding> {
        Some(match self {
            Self::Rs256 => &RSA_PKCS1_SHA256,
            Self::Rs384 => &RSA_PKCS1_SHA384,
            Self::Rs512 => &RSA_PKCS1_SHA512,
            Self::Ps256 => &RSA_PSS_SHA256,
            Self::Ps384 => &RSA_PSS_SHA384,
            Self::Ps512 => &RSA_PSS_SHA512,
            Self::Es256 | Self::Es384 | Self::Ed25519 => return None,
        })
    }
}

enum Pair {
    Rsa(RsaKeyPair, &'static RsaSignatureEncoding),
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// A key with its name.
pub(super) struct SigningKey {
    kid: String,
    kind: Kind,
    pair: Pair,
}

impl SigningKey {
    pub(super) fn new(kid: &str, kind: Kind) -> Self {
        let pair = match (kind, kind.padding()) {
            (_, Some(padding)) => Pair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap(), padding),
            (Kind::Es256, _) => Pair::Ecdsa(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()),
            (Kind::Es384, _) => Pair::Ecdsa(EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap()),
            _ => Pair::Ed25519(Ed25519KeyPair::generate().unwrap()),
        };
        Self {
            kid: kid.to_owned(),
            kind,
            pair,
        }
    }

    /// The bytes of its public half, as the library writes them.
    pub(super) fn public_bytes(&self) -> Vec<u8> {
        match &self.pair {
            Pair::Rsa(pair, _) => pair.public_key().as_ref().to_vec(),
            Pair::Ecdsa(pair) => pair.public_key().as_ref().to_vec(),
            Pair::Ed25519(pair) => pair.public_key().as_ref().to_vec(),
        }
    }

    /// Its public half as a JSON Web Key, which says all that one can.
    pub(super) fn jwk(&self) -> Value {
        let bytes = self.public_bytes();
        let mut jwk = match self.pair {
            Pair::Rsa(..) => {
                assert_eq!(bytes.len(), EXPONENT.end, "another encoding of an RSA key");
                json!({ "kty": "RSA", "n": encoded(&bytes[MODULUS]), "e": encoded(&bytes[EXPONENT]) })
            }
            Pair::Ecdsa(_) => {
                // Uncompressed (SEC 1, section 2.3.3): after the first byte, the coordinates.
                let (x, y) = bytes[1..].split_at(bytes.len() / 2);
                let curve = if self.kind == Kind::Es256 { "P-256" } else { "P-384" };
                json!({ "kty": "EC", "crv": curve, "x": encoded(x), "y": encoded(y) })
            }
            Pair::Ed25519(_) => json!({ "kty": "OKP", "crv": "Ed25519", "x": encoded(&bytes) }),
        };
        jwk["kid"] = self.kid.as_str().into();
        jwk["alg"] = self.alg();
        jwk["use"] = "sig".into();
        jwk
    }

    /// The same but for one member; a null is left out.
    pub(super) fn jwk_but(&self, name: &str, value: Value) -> Value {
        let mut jwk = self.jwk();
        let members = jwk.as_object_mut().unwrap();
        members.remove(name);
        if !value.is_null() {
            members.insert(name.to_owned(), value);
        }
        jwk
    }

    fn alg(&self) -> Value {
        serde_json::to_value(self.kind.algorithm()).unwrap()
    }

    /// The header of a token that it signs.
    pub(super) fn header(&self) -> Value {
        json!({ "typ": "JWT", "alg": self.alg(), "kid": self.kid })
    }

    /// A token that it has signed.
    pub(super) fn token(&self, claims: &Value) -> String {
        self.signed(&self.header(), claims)
    }

    /// The same with a header that may say anything.
    pub(super) fn signed(&self, header: &Value, claims: &Value) -> String {
        let told = told(header, claims);
        let random = SystemRandom::new();
        let signature = match &self.pair {
            Pair::Rsa(pair, padding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*padding, &random, told.as_bytes(), &mut signature).unwrap();
                signature
            }
            Pair::Ecdsa(pair) => pair.sign(&random, told.as_bytes()).unwrap().as_ref().to_vec(),
            Pair::Ed25519(pair) => pair.sign(told.as_bytes()).as_ref().to_vec(),
        };
        format!("{told}.{}", encoded(&signature))
    }
}

/// What is signed of a token.
pub(super) fn told(header: &Value, claims: &Value) -> String {
    let part = |json: &Value| encoded(json.to_string().as_bytes());
    format!("{}.{}", part(header), part(claims))
}

/// What a secret has signed, by HS256.
pub(super) fn by_secret(told: &str, secret: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    format!("{told}.{}", encoded(hmac::sign(&key, told.as_bytes()).as_ref()))
}

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
