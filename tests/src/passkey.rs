//! An authenticator with the browser around it, as people have them (WebAuthn Level 3). It takes the JSON that
//! `PublicKeyCredential.parseCreationOptionsFromJSON` and `parseRequestOptionsFromJSON` do, answers with the JSON that
//! `toJSON` gives, and shares nothing with the server but that.
//!
//! It is honest, unless its [`Behaviour`] says otherwise. What is not signed is changed in the answer itself, and a
//! clone is a copy of the device, keys included.

mod base64url;
mod cbor;

use std::{net::IpAddr, sync::Arc};

use aws_lc_rs::{
    digest::{SHA256, digest},
    rand::{self, SystemRandom},
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use serde_json::{Value, json};
use url::Url;

pub use self::base64url::{decoded, encoded};
use crate::client::text;

/// ECDSA on P-256 with SHA-256, in the registry of COSE algorithms.
pub const ES256: i64 = -7;

/// The fewest bytes of a challenge (section 13.4.3).
const SHORTEST_CHALLENGE: usize = 16;

/// The flags of authenticator data (section 6.1).
const PRESENT: u8 = 1;
const VERIFIED: u8 = 1 << 2;
const BACKUP_ELIGIBLE: u8 = 1 << 3;
const BACKED_UP: u8 = 1 << 4;
const ATTESTED: u8 = 1 << 6;

/// What comes before the point in the `SubjectPublicKeyInfo` of a key on P-256 (RFC 5480).
const SPKI_HEAD: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// How an authenticator and its browser behave from now on.
#[derive(Debug, Clone)]
pub struct Behaviour {
    /// The origin that is told, where it is not that of the page.
    pub origin: Option<String>,
    /// Whether the page is told to be inside of another origin's.
    pub cross_origin: bool,
    /// The type that is told, where it is not that of what was done.
    pub kind: Option<&'static str>,
    /// The challenge that is answered, where it is not the one that was put.
    pub challenge: Option<Vec<u8>>,
    /// Whether the client data has a member more, as some browsers add one at times.
    pub remark: bool,
    /// The relying party that is answered, where it is not the one that asks.
    pub rp_id: Option<String>,
    /// Whether somebody touched it.
    pub present: bool,
    /// Whether it knows whose finger, face or PIN that was.
    pub verified: bool,
    /// Whether its keys can be on more than one device.
    pub backup_eligible: bool,
    /// Whether they are.
    pub backed_up: bool,
    /// By how much the counter of a key grows at each use. Those that are synced count nothing.
    pub counts_by: u32,
    /// By what the next key is known, where it is not by chance.
    pub credential_id: Option<Vec<u8>>,
    /// The algorithm that the next key is said to be for.
    pub algorithm: i64,
    /// The public key that is shown for the next key, in COSE, where it is not its own.
    pub cose_key: Option<Vec<u8>>,
    /// The format of attestations.
    pub format: &'static str,
    /// The statement of attestations, in CBOR.
    pub statement: Vec<u8>,
    /// Whether it signs with another key than its own.
    pub other_key: bool,
}

/// A key that an authenticator holds.
#[derive(Debug, Clone)]
pub struct Passkey {
    /// By what it is known.
    pub id: Vec<u8>,
    /// Whose users it signs in.
    pub rp_id: String,
    /// Whom it signs in, as the relying party knows them.
    pub user_handle: Vec<u8>,
    /// How often it was used, as far as it counts.
    pub counter: u32,
    key: Arc<EcdsaKeyPair>,
}

/// A device that holds passkeys, and a browser with a page in it.
#[derive(Debug, Clone)]
pub struct Authenticator {
    /// What it does.
    pub behaviour: Behaviour,
    /// The keys that it holds, newest last.
    pub passkeys: Vec<Passkey>,
    origin: Url,
    attachment: &'static str,
    transports: &'static [&'static str],
}

impl Authenticator {
    /// A phone, whose keys are synced and count nothing, with a page of an origin.
    #[must_use]
    pub fn new(origin: &str) -> Self {
        Self {
            behaviour: Behaviour {
                origin: None,
                cross_origin: false,
                kind: None,
                challenge: None,
                remark: false,
                rp_id: None,
                present: true,
                verified: true,
                backup_eligible: true,
                backed_up: true,
                counts_by: 0,
                credential_id: None,
                algorithm: ES256,
                cose_key: None,
                format: "none",
                statement: cbor::map(&[]),
                other_key: false,
            },
            passkeys: Vec::new(),
            origin: origin.parse().unwrap_or_else(|error| panic!("{error}: {origin}")),
            attachment: "platform",
            transports: &["hybrid", "internal"],
        }
    }

    /// A security key, whose keys stay in it and count their uses, with a page of an origin.
    #[must_use]
    pub fn security_key(origin: &str) -> Self {
        let mut key = Self::new(origin);
        key.behaviour.backup_eligible = false;
        key.behaviour.backed_up = false;
        key.behaviour.counts_by = 1;
        key.attachment = "cross-platform";
        key.transports = &["nfc", "usb"];
        key
    }

    /// `navigator.credentials.create()`: makes a key, and gives what `toJSON()` does. Panics where a browser would
    /// refuse the options, or a device that has one of the excluded keys would. A key of the same user is replaced.
    pub fn create(&mut self, options: &Value) -> Value {
        let rp_id = self.rp_id(&options["rp"]["id"]);
        let user_handle = decoded(&text(&options["user"]["id"]));
        assert!((1..=64).contains(&user_handle.len()), "user.id: {options}");
        for shown in [
            &options["rp"]["name"],
            &options["user"]["name"],
            &options["user"]["displayName"],
        ] {
            assert!(!text(shown).is_empty(), "nothing to be shown: {options}");
        }
        let mut algorithms = elements(&options["pubKeyCredParams"]);
        assert!(
            algorithms.any(|one| one["type"] == "public-key" && one["alg"] == ES256),
            "no algorithm that is known: {options}"
        );
        assert!(options["timeout"].is_u64(), "timeout: {options}");
        assert_eq!(options["attestation"], "none", "no other is made: {options}");
        let behaviour = &self.behaviour;
        if behaviour.credential_id.is_none() {
            let excluded = credential_ids(&options["excludeCredentials"]);
            let is_there = self.passkeys.iter().any(|passkey| excluded.contains(&passkey.id));
            assert!(!is_there, "excluded: one of these keys is here");
        }
        let passkey = Passkey {
            id: behaviour.credential_id.clone().unwrap_or_else(|| random(32)),
            rp_id,
            user_handle,
            counter: behaviour.counts_by,
            key: Arc::new(new_key()),
        };

        let client_data = self.client_data("webauthn.create", &challenge(options));
        let own_key = || passkey.cose_key(behaviour.algorithm);
        let cose_key = behaviour.cose_key.clone().unwrap_or_else(own_key);
        let mut data = self.authenticator_data(&passkey, ATTESTED);
        // An AAGUID that tells nothing, as it is where nothing is attested.
        data.extend([0_u8; 16]);
        data.extend(
            u16::try_from(passkey.id.len())
                .expect("a credential's id")
                .to_be_bytes(),
        );
        data.extend(&passkey.id);
        data.extend(cose_key);
        let attestation_object = attestation_object(behaviour.format, &behaviour.statement, &data);
        let mut extensions = json!({});
        if options["extensions"]["credProps"] == true {
            extensions["credProps"] = json!({ "rk": true });
        }
        let answer = json!({
            "id": encoded(&passkey.id),
            "rawId": encoded(&passkey.id),
            "type": "public-key",
            "authenticatorAttachment": self.attachment,
            "clientExtensionResults": extensions,
            "response": {
                "clientDataJSON": encoded(&client_data),
                "attestationObject": encoded(&attestation_object),
                "authenticatorData": encoded(&data),
                "publicKey": encoded(&[&SPKI_HEAD[..], passkey.key.public_key().as_ref()].concat()),
                "publicKeyAlgorithm": ES256,
                "transports": self.transports,
            },
        });
        let of_the_same = |held: &Passkey| held.rp_id == passkey.rp_id && held.user_handle == passkey.user_handle;
        self.passkeys.retain(|held| !of_the_same(held));
        self.passkeys.push(passkey);
        answer
    }

    /// `navigator.credentials.get()`: answers with the newest key that may, and gives what `toJSON()` does. Panics
    /// where a browser would refuse the options, or there is no such key.
    pub fn get(&mut self, options: &Value) -> Value {
        let rp_id = self.rp_id(&options["rpId"]);
        assert!(options["timeout"].is_u64(), "timeout: {options}");
        let allowed = credential_ids(&options["allowCredentials"]);
        let may = |held: &Passkey| held.rp_id == rp_id && (allowed.is_empty() || allowed.contains(&held.id));
        let index = self.passkeys.iter().rposition(may).expect("a key that may answer");
        self.passkeys[index].counter += self.behaviour.counts_by;

        let passkey = &self.passkeys[index];
        let client_data = self.client_data("webauthn.get", &challenge(options));
        let data = self.authenticator_data(passkey, 0);
        let signed = [&data[..], digest(&SHA256, &client_data).as_ref()].concat();
        let signature = if self.behaviour.other_key {
            new_key().sign(&SystemRandom::new(), &signed)
        } else {
            passkey.key.sign(&SystemRandom::new(), &signed)
        };
        json!({
            "id": encoded(&passkey.id),
            "rawId": encoded(&passkey.id),
            "type": "public-key",
            "authenticatorAttachment": self.attachment,
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": encoded(&client_data),
                "authenticatorData": encoded(&data),
                "signature": encoded(signature.expect("a signature").as_ref()),
                "userHandle": encoded(&passkey.user_handle),
            },
        })
    }

    /// A relying party's id that the page may use: its host, or a domain above it that is nobody's registry.
    fn rp_id(&self, rp_id: &Value) -> String {
        let rp_id = text(rp_id);
        let host = self.origin.host_str().expect("a host");
        let above = host.strip_suffix(&rp_id).is_some_and(|rest| rest.ends_with('.'));
        assert!(host == rp_id || above, "{rp_id} is not of the origin {}", self.origin);
        assert!(
            rp_id == "localhost" || rp_id.contains('.') && rp_id.parse::<IpAddr>().is_err(),
            "{rp_id} is no domain"
        );
        rp_id
    }

    /// In the order of section 5.8.1.1, which browsers keep to.
    fn client_data(&self, kind: &str, challenge: &[u8]) -> Vec<u8> {
        let behaviour = &self.behaviour;
        let kind = json!(behaviour.kind.unwrap_or(kind));
        let challenge = json!(encoded(behaviour.challenge.as_deref().unwrap_or(challenge)));
        let own = || self.origin.origin().ascii_serialization();
        let origin = json!(behaviour.origin.clone().unwrap_or_else(own));
        let cross_origin = behaviour.cross_origin;
        let remark = if behaviour.remark {
            r#","other_keys_can_be_added_here":"do not compare clientDataJSON against a template""#
        } else {
            ""
        };
        let told = format!(
            r#"{{"type":{kind},"challenge":{challenge},"origin":{origin},"crossOrigin":{cross_origin}{remark}}}"#
        );
        told.into_bytes()
    }

    /// Section 6.1, without what is attested.
    fn authenticator_data(&self, passkey: &Passkey, more: u8) -> Vec<u8> {
        let behaviour = &self.behaviour;
        let flags = [
            (behaviour.present, PRESENT),
            (behaviour.verified, VERIFIED),
            (behaviour.backup_eligible, BACKUP_ELIGIBLE),
            (behaviour.backed_up, BACKED_UP),
        ];
        let set = flags.into_iter().filter(|(is_set, _)| *is_set);
        let flags = set.fold(more, |flags, (_, flag)| flags | flag);
        let rp_id = behaviour.rp_id.as_ref().unwrap_or(&passkey.rp_id);
        let mut data = digest(&SHA256, rp_id.as_bytes()).as_ref().to_vec();
        data.push(flags);
        data.extend(passkey.counter.to_be_bytes());
        data
    }
}

impl Passkey {
    /// Its public key as authenticators write it, said to be for an algorithm.
    #[must_use]
    pub fn cose_key(&self, algorithm: i64) -> Vec<u8> {
        // Uncompressed (SEC 1, section 2.3.3): after the first byte, the coordinates.
        let point = self.key.public_key().as_ref().split_at(33);
        cose_key(algorithm, &point.0[1..], point.1)
    }
}

/// A public key on P-256 with these coordinates (RFC 9053, section 7.1.1), in canonical CBOR.
#[must_use]
pub fn cose_key(algorithm: i64, x: &[u8], y: &[u8]) -> Vec<u8> {
    cbor::map(&[
        (cbor::integer(1), cbor::integer(2)),
        (cbor::integer(3), cbor::integer(algorithm)),
        (cbor::integer(-1), cbor::integer(1)),
        (cbor::integer(-2), cbor::bytes(x)),
        (cbor::integer(-3), cbor::bytes(y)),
    ])
}

/// An attestation object (section 6.5) of these authenticator data, and of a statement that is CBOR already.
#[must_use]
pub fn attestation_object(format: &str, statement: &[u8], authenticator_data: &[u8]) -> Vec<u8> {
    cbor::map(&[
        (cbor::text("fmt"), cbor::text(format)),
        (cbor::text("attStmt"), statement.to_vec()),
        (cbor::text("authData"), cbor::bytes(authenticator_data)),
    ])
}

/// Bytes by chance.
#[must_use]
pub fn random(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    rand::fill(&mut bytes).expect("randomness");
    bytes
}

fn new_key() -> EcdsaKeyPair {
    EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key")
}

fn challenge(options: &Value) -> Vec<u8> {
    let challenge = decoded(&text(&options["challenge"]));
    assert!(challenge.len() >= SHORTEST_CHALLENGE, "challenge: {options}");
    challenge
}

fn elements(array: &Value) -> impl Iterator<Item = &Value> {
    array.as_array().into_iter().flatten()
}

/// The ids of a list of descriptors, which may be absent.
fn credential_ids(descriptors: &Value) -> Vec<Vec<u8>> {
    assert!(descriptors.is_array() || descriptors.is_null(), "{descriptors}");
    elements(descriptors)
        .map(|one| {
            assert_eq!(one["type"], "public-key", "{one}");
            decoded(&text(&one["id"]))
        })
        .collect()
}

#[cfg(test)]
mod tests;
