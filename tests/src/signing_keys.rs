//! Keys that sign the tokens of those whom the server trusts (RFC 7515, 7517 and 7518), and tokens that others have signed.

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

/// Who signs a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signer {
    /// The key that is announced.
    Own,
    /// The key from before the last rotation, which is announced no more.
    Previous,
    /// Nobody: the algorithm is `none`.
    Nobody,
    /// HS256 by the bytes of the public key.
    PublicKey,
    /// HS256 by the client's secret.
    ClientSecret,
    /// Another key by the name of the one that is announced.
    Impostor,
    /// Another key by a name that is not announced.
    Stranger,
    /// The same, and the token says where it is found (`jku`).
    StrangerWithAddress,
    /// The same, and the token holds it (`jwk`).
    StrangerWithKey,
}

enum Pair {
    Es256(EcdsaKeyPair),
    Rs256(RsaKeyPair),
}

/// A key with its name.
pub(crate) struct SigningKey {
    /// Its name.
    kid: String,
    pair: Pair,
}

impl SigningKey {
    fn new(algorithm: Algorithm) -> Self {
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
    const fn algorithm(&self) -> &'static str {
        match self.pair {
            Pair::Es256(_) => "ES256",
            Pair::Rs256(_) => "RS256",
        }
    }

    /// The bytes of its public half, as the library writes them.
    fn public_bytes(&self) -> &[u8] {
        match &self.pair {
            Pair::Es256(pair) => pair.public_key().as_ref(),
            Pair::Rs256(pair) => pair.public_key().as_ref(),
        }
    }

    /// Its public half as a JSON Web Key.
    pub(crate) fn jwk(&self) -> Value {
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

    /// The header of a token that it signs.
    pub(crate) fn header(&self) -> Value {
        json!({ "typ": "JWT", "alg": self.algorithm(), "kid": self.kid })
    }

    /// A token that it has signed, with a header that may say anything.
    pub(crate) fn signed(&self, header: &Value, claims: &Value) -> String {
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

/// The keys of somebody who signs, and one that is somebody else's.
pub(crate) struct KeyRing {
    /// The newest is last, and alone announced.
    own: Vec<SigningKey>,
    stranger: SigningKey,
    /// What a client is known by, which signs nothing that is good.
    secret: String,
}

impl KeyRing {
    pub(crate) fn new(secret: String) -> Self {
        Self {
            own: vec![SigningKey::new(Algorithm::Es256)],
            stranger: SigningKey::new(Algorithm::Es256),
            secret,
        }
    }

    /// Signs by another key from now on, which alone is announced.
    pub(crate) fn rotate(&mut self, algorithm: Algorithm) {
        self.own.push(SigningKey::new(algorithm));
    }

    /// The key that is announced.
    pub(crate) fn newest(&self) -> &SigningKey {
        self.own.last().expect("a key from the start")
    }

    /// The key that was announced before it.
    fn previous(&self) -> &SigningKey {
        self.own.iter().rev().nth(1).expect("a key before this one")
    }

    /// The announced key, as it is published (RFC 7517, section 5).
    pub(crate) fn published(&self) -> Value {
        json!({ "keys": [self.newest().jwk()] })
    }

    /// The key that is somebody else's, where that publishes it.
    pub(crate) fn published_elsewhere(&self) -> Value {
        json!({ "keys": [self.stranger.jwk()] })
    }

    /// A token that somebody has signed; `elsewhere` is where the key of somebody else is found.
    pub(crate) fn signed(&self, signer: Signer, elsewhere: &str, claims: &Value) -> String {
        let (own, stranger) = (self.newest(), &self.stranger);
        let mut own_header = own.header();
        let mut foreign_header = stranger.header();
        match signer {
            Signer::Own => own.signed(&own_header, claims),
            Signer::Previous => {
                let before = self.previous();
                before.signed(&before.header(), claims)
            }
            Signer::Nobody => {
                own_header["alg"] = "none".into();
                by_nobody(&own_header, claims)
            }
            Signer::PublicKey => {
                own_header["alg"] = "HS256".into();
                by_secret(own.public_bytes(), &own_header, claims)
            }
            Signer::ClientSecret => {
                let header = json!({ "typ": "JWT", "alg": "HS256" });
                by_secret(self.secret.as_bytes(), &header, claims)
            }
            Signer::Impostor => {
                foreign_header["kid"] = own.kid.as_str().into();
                stranger.signed(&foreign_header, claims)
            }
            Signer::Stranger => stranger.signed(&foreign_header, claims),
            Signer::StrangerWithAddress => {
                foreign_header["jku"] = elsewhere.into();
                stranger.signed(&foreign_header, claims)
            }
            Signer::StrangerWithKey => {
                foreign_header["jwk"] = stranger.jwk();
                stranger.signed(&foreign_header, claims)
            }
        }
    }
}

/// A token that a secret has signed.
fn by_secret(secret: &[u8], header: &Value, claims: &Value) -> String {
    let told = told(header, claims);
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let tag = hmac::sign(&key, told.as_bytes());
    format!("{told}.{}", encoded(tag.as_ref()))
}

/// A token that nobody has signed.
fn by_nobody(header: &Value, claims: &Value) -> String {
    format!("{}.", told(header, claims))
}

/// What is signed of a token.
fn told(header: &Value, claims: &Value) -> String {
    let part = |json: &Value| encoded(json.to_string().as_bytes());
    format!("{}.{}", part(header), part(claims))
}

/// An object with other members; those that are null are left out.
pub(crate) fn otherwise(mut object: Value, members: &[(&str, Value)]) -> Value {
    for (name, value) in members {
        object[*name] = value.clone();
        if let (true, Some(members)) = (value.is_null(), object.as_object_mut()) {
            members.remove(*name);
        }
    }
    object
}
