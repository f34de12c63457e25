//! What an authenticator is asked to sign: good for a few minutes, for one ceremony, and once.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::DateTime;
use serde::Deserialize;
use tenantry_domain::{
    environment::{Environment, Timestamp},
    ids::{SessionId, UserId},
    passkeys::CHALLENGE_LIFE,
};

use crate::{keys::Keyring, opaque_tokens::TokenHash, signatures::SIGNATURE_BYTES};

/// What is signed with the keys.
const SIGNED_FOR: &str = "challenge of a passkey";

/// Bytes of a moment, and random ones beside them.
const TIME_BYTES: usize = 8;
const RANDOM_BYTES: usize = 16;

/// What a challenge is for. One for something else is not good.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ceremony {
    /// A passkey is registered by a person in a session.
    Registration(UserId, SessionId),
    /// Somebody shows who they are.
    Assertion,
}

impl Ceremony {
    fn context(self) -> Vec<u8> {
        match self {
            Self::Registration(user, session) => [
                b"registration".as_slice(),
                user.as_uuid().as_bytes(),
                session.as_uuid().as_bytes(),
            ]
            .concat(),
            Self::Assertion => b"assertion".to_vec(),
        }
    }
}

/// A challenge that was answered.
#[derive(Clone)]
pub struct Challenge {
    pub(super) bytes: Vec<u8>,
    ends: Timestamp,
}

impl Challenge {
    pub(super) fn new(keyring: &Keyring, environment: &Environment, ceremony: Ceremony) -> Self {
        let ends = environment.now() + CHALLENGE_LIFE;
        let stated = [
            ends.timestamp_millis().to_be_bytes().as_slice(),
            &environment.random::<RANDOM_BYTES>(),
        ]
        .concat();
        let signature = keyring.sign(SIGNED_FOR, &[stated.as_slice(), &ceremony.context()].concat());
        Self {
            bytes: [stated.as_slice(), signature.as_bytes()].concat(),
            ends,
        }
    }

    /// The challenge that a browser says it had signed (WebAuthn Level 3, section 5.8.1), where it is one of ours and good at `now`.
    /// What was signed in a frame on another site's page is no answer: webauthn-rs looks for that at registrations alone.
    pub(super) fn read(keyring: &Keyring, ceremony: Ceremony, client_data: &[u8], now: Timestamp) -> Option<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct ClientData {
            challenge: String,
            #[serde(default)]
            cross_origin: bool,
        }
        let said: ClientData = serde_json::from_slice(client_data).ok()?;
        if said.cross_origin {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(said.challenge).ok()?;
        if bytes.len() != TIME_BYTES + RANDOM_BYTES + SIGNATURE_BYTES {
            return None;
        }
        let (stated, signature) = bytes.split_at_checked(TIME_BYTES + RANDOM_BYTES)?;
        if !keyring.verify(SIGNED_FOR, &[stated, &ceremony.context()].concat(), signature) {
            return None;
        }
        let ends = i64::from_be_bytes(*stated.first_chunk::<TIME_BYTES>()?);
        let ends = DateTime::from_timestamp_millis(ends)?;
        (now < ends).then_some(Self { bytes, ends })
    }

    /// What is written down of it once it was answered.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(&self.bytes)
    }

    /// When it cannot be answered any more.
    #[must_use]
    pub const fn ends(&self) -> Timestamp {
        self.ends
    }
}

impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Challenge")
            .field("ends", &self.ends)
            .finish_non_exhaustive()
    }
}
