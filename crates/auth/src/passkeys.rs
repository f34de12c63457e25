//! Passkeys: registering them, and showing by them who one is (WebAuthn Level 3).
//!
//! The ceremonies are webauthn-rs's. What is ours is the challenge: it is signed and stored nowhere, so that nobody makes us write
//! something down by asking for one. Whoever takes an answer makes sure that its [`Challenge::hash`] is used once.

mod challenge;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize as _, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tenantry_domain::{
    environment::{Environment, Timestamp},
    ids::{SessionId, UserId},
    passkeys::{CHALLENGE_LIFE, NewPasskey, StoredPasskey},
    users::User,
};
use url::{Host, Url};
use uuid::Uuid;
use webauthn_rs::prelude::{
    COSEAlgorithm, COSEKey, COSEKeyType, Credential, ECDSACurve, ParsedAttestation, Passkey as Key,
    PublicKeyCredential, RegisterPublicKeyCredential, Webauthn, WebauthnBuilder, WebauthnError,
};
use webauthn_rs_proto::{AuthenticatorAssertionResponseRaw, AuthenticatorAttestationResponseRaw};

use self::challenge::Ceremony;
pub use self::challenge::Challenge;
use crate::keys::Keyring;

/// What people see that they sign in to.
const NAME: &str = "Tenantry";

/// What a loopback address is called.
const LOCALHOST: &str = "localhost";

/// What WebAuthn calls the only kind of credential that it knows.
const PUBLIC_KEY: &str = "public-key";

/// What is wrong with an answer, or with ourselves.
#[derive(Debug, thiserror::Error)]
pub enum PasskeyError {
    /// It answers no challenge of ours that is good, or not by the passkey that it names.
    #[error("the answer proves nothing: {0}")]
    Refused(Box<dyn std::error::Error + Send + Sync>),
    /// The passkey has counted no further than before: there may be a copy of it.
    #[error("the passkey has counted no further than before")]
    Cloned,
    /// There can be no passkeys under this domain and these origins.
    #[error("passkeys cannot be had: {0}")]
    Configuration(#[source] WebauthnError),
    /// What was stored, or is made by webauthn-rs, is not of the shape that it was.
    #[error("a ceremony is not of the shape that it was")]
    Shape(#[source] Option<serde_json::Error>),
}

impl From<serde_json::Error> for PasskeyError {
    fn from(error: serde_json::Error) -> Self {
        Self::Shape(Some(error))
    }
}

/// What a browser is asked to make a passkey by (WebAuthn Level 3, section 5.4). Bytes are base64url.
#[derive(Debug)]
pub struct CreationOptions {
    /// The domain that it is for.
    pub rp_id: String,
    /// What people call that.
    pub rp_name: String,
    /// Whose it will be: what an authenticator tells of them at a sign-in.
    pub user_handle: String,
    /// By what they tell their accounts apart.
    pub user_name: String,
    /// What they are called.
    pub user_display_name: String,
    /// What is to be signed.
    pub challenge: String,
    /// What it may sign with, the best first: numbers of IANA's registry of COSE algorithms.
    pub algorithms: Vec<i64>,
    /// How long that may take, in milliseconds.
    pub timeout: i64,
    /// Those that they have.
    pub excluded: Vec<String>,
}

/// What a browser is asked to use a passkey by (WebAuthn Level 3, section 5.5). Bytes are base64url.
#[derive(Debug)]
pub struct RequestOptions {
    /// The domain that it is for.
    pub rp_id: String,
    /// What is to be signed.
    pub challenge: String,
    /// How long that may take, in milliseconds.
    pub timeout: i64,
}

/// What a browser gives that has made a passkey.
#[derive(Debug)]
pub struct Registration {
    /// What the authenticator calls it.
    pub credential_id: Vec<u8>,
    /// What was signed, as JSON.
    pub client_data_json: Vec<u8>,
    /// The passkey, as CBOR.
    pub attestation_object: Vec<u8>,
}

/// What a browser gives that has used a passkey.
#[derive(Debug)]
pub struct Assertion {
    /// What the authenticator calls it.
    pub credential_id: Vec<u8>,
    /// What was signed, as JSON.
    pub client_data_json: Vec<u8>,
    /// What the authenticator adds to that.
    pub authenticator_data: Vec<u8>,
    /// The signature of both.
    pub signature: Vec<u8>,
    /// Whose it is, by the authenticator's account.
    pub user_handle: Vec<u8>,
}

impl Assertion {
    /// Whose passkey it is, by the authenticator's account.
    #[must_use]
    pub fn user(&self) -> Option<UserId> {
        Uuid::from_slice(&self.user_handle).ok().map(Into::into)
    }
}

/// The domain that passkeys are for, and where they may be used.
#[derive(Debug)]
pub struct RelyingParty {
    webauthn: Webauthn,
    id: String,
}

impl RelyingParty {
    /// The relying party of a service that people reach at `public_url`, and by pages of other origins: of the domain `id` where it
    /// is given, else of that of the URL. A loopback address is `localhost` to browsers, which know of no passkeys for any address;
    /// `None` for what has no domain. Origins of other domains are left out.
    ///
    /// # Errors
    /// [`PasskeyError::Configuration`] where no origin is the domain's.
    pub fn of(public_url: &str, others: &[String], id: Option<&str>) -> Result<Option<Self>, PasskeyError> {
        let public = Url::parse(public_url).ok().map(|mut url| {
            let is_loopback = match url.host() {
                Some(Host::Ipv4(address)) => address.is_loopback(),
                Some(Host::Ipv6(address)) => address.is_loopback(),
                Some(Host::Domain(_)) | None => false,
            };
            if is_loopback && let Err(problem) = url.set_host(Some(LOCALHOST)) {
                tracing::warn!(%problem, "a loopback address has no name");
            }
            url
        });
        let Some(id) = id.or_else(|| public.as_ref()?.domain()).map(str::to_owned) else {
            return Ok(None);
        };
        let others = others.iter().filter_map(|origin| Url::parse(origin).ok());
        let mut origins = public.into_iter().chain(others).filter(|origin| is_within(&id, origin));
        let first = origins
            .next()
            .ok_or(PasskeyError::Configuration(WebauthnError::Configuration))?;
        Self::new(&id, &first, &origins.collect::<Vec<_>>()).map(Some)
    }

    /// A relying party of a domain, whose passkeys are used by pages of these origins: on the domain or below it.
    ///
    /// # Errors
    /// [`PasskeyError::Configuration`] where an origin is none of the domain's.
    pub fn new(id: &str, first: &Url, others: &[Url]) -> Result<Self, PasskeyError> {
        let mut builder = WebauthnBuilder::new(id, first).map_err(PasskeyError::Configuration)?;
        for origin in others {
            // Alone to be checked: it is not looked at when it is added.
            WebauthnBuilder::new(id, origin).map_err(PasskeyError::Configuration)?;
            builder = builder.append_allowed_origin(origin);
        }
        Ok(Self {
            webauthn: builder
                .rp_name(NAME)
                .timeout(CHALLENGE_LIFE.to_std().unwrap_or_default())
                .build()
                .map_err(PasskeyError::Configuration)?,
            id: id.to_owned(),
        })
    }

    /// Asks for a passkey of a person's, in a session of theirs. Those that they have are not to be made again.
    ///
    /// # Errors
    /// [`PasskeyError::Configuration`].
    pub fn creation_options(
        &self,
        keyring: &Keyring,
        environment: &Environment,
        (user, session): (&User, SessionId),
        known: Vec<Vec<u8>>,
    ) -> Result<CreationOptions, PasskeyError> {
        let challenge = Challenge::new(keyring, environment, Ceremony::Registration(user.id, session));
        let (asked, _) = self
            .webauthn
            .start_passkey_registration(user.id.as_uuid(), user.email.as_str(), user.name.as_str(), Some(known))
            .map_err(PasskeyError::Configuration)?;
        let asked = asked.public_key;
        Ok(CreationOptions {
            rp_id: asked.rp.id,
            rp_name: asked.rp.name,
            user_handle: URL_SAFE_NO_PAD.encode(asked.user.id),
            user_name: asked.user.name,
            user_display_name: asked.user.display_name,
            challenge: URL_SAFE_NO_PAD.encode(&challenge.bytes),
            algorithms: asked.pub_key_cred_params.iter().map(|kind| kind.alg).collect(),
            timeout: CHALLENGE_LIFE.num_milliseconds(),
            excluded: asked
                .exclude_credentials
                .unwrap_or_default()
                .iter()
                .map(|credential| URL_SAFE_NO_PAD.encode(&credential.id))
                .collect(),
        })
    }

    /// Takes a passkey that a person made in a session, which has verified them.
    ///
    /// # Errors
    /// [`PasskeyError::Refused`].
    pub fn register(
        &self,
        keyring: &Keyring,
        now: Timestamp,
        (user, session): (UserId, SessionId),
        made: Registration,
    ) -> Result<(NewPasskey, Challenge), PasskeyError> {
        let ceremony = Ceremony::Registration(user, session);
        let challenge =
            Challenge::read(keyring, ceremony, &made.client_data_json, now).ok_or_else(no_good_challenge)?;
        let (_, state) = self
            .webauthn
            .start_passkey_registration(user.as_uuid(), NAME, NAME, None)
            .map_err(PasskeyError::Configuration)?;
        let state = with_challenge(&state, "rs", &challenge)?;
        let answer = RegisterPublicKeyCredential {
            id: URL_SAFE_NO_PAD.encode(&made.credential_id),
            raw_id: made.credential_id.clone(),
            response: AuthenticatorAttestationResponseRaw {
                attestation_object: made.attestation_object,
                client_data_json: made.client_data_json,
                transports: None,
            },
            type_: PUBLIC_KEY.to_owned(),
            // What a browser says of extensions is signed by nobody.
            extensions: Default::default(),
        };
        let key = self
            .webauthn
            .finish_passkey_registration(&answer, &state)
            .map_err(refused)?;
        let mut credential = Credential::from(key);
        if credential.cred_id.as_slice() != made.credential_id {
            return Err(PasskeyError::Refused("another credential than it says".into()));
        }
        if !can_sign(&credential.cred) {
            return Err(PasskeyError::Refused("a key that is none of its algorithm's".into()));
        }
        // Nobody asked for it, and certificates would be read again at each use.
        credential.attestation = ParsedAttestation::default();
        let new = NewPasskey {
            credential_id: made.credential_id,
            synced: credential.backup_state,
            credential: serde_json::to_value(Key::from(credential))?,
        };
        Ok((new, challenge))
    }

    /// Asks for whatever passkey somebody has.
    #[must_use]
    pub fn request_options(&self, keyring: &Keyring, environment: &Environment) -> RequestOptions {
        let challenge = Challenge::new(keyring, environment, Ceremony::Assertion);
        RequestOptions {
            rp_id: self.id.clone(),
            challenge: URL_SAFE_NO_PAD.encode(&challenge.bytes),
            timeout: CHALLENGE_LIFE.num_milliseconds(),
        }
    }

    /// The challenge that was answered, where it is good: what is looked at before anything is looked up.
    ///
    /// # Errors
    /// [`PasskeyError::Refused`].
    pub fn challenge_of(
        &self,
        keyring: &Keyring,
        now: Timestamp,
        shown: &Assertion,
    ) -> Result<Challenge, PasskeyError> {
        Challenge::read(keyring, Ceremony::Assertion, &shown.client_data_json, now).ok_or_else(no_good_challenge)
    }

    /// Checks an answer to a challenge by the passkey that it names, and notes in that what is different since. Gives whether
    /// anything is.
    ///
    /// # Errors
    /// [`PasskeyError::Refused`], [`PasskeyError::Cloned`].
    pub fn verify(
        &self,
        challenge: &Challenge,
        shown: Assertion,
        stored: &mut StoredPasskey,
    ) -> Result<bool, PasskeyError> {
        let mut key = Key::deserialize(&stored.credential)?;
        let (_, state) = self
            .webauthn
            .start_discoverable_authentication()
            .map_err(PasskeyError::Configuration)?;
        let state = with_challenge(&state, "ast", challenge)?;
        let answer = PublicKeyCredential {
            id: URL_SAFE_NO_PAD.encode(&shown.credential_id),
            raw_id: shown.credential_id,
            response: AuthenticatorAssertionResponseRaw {
                authenticator_data: shown.authenticator_data,
                client_data_json: shown.client_data_json,
                signature: shown.signature,
                user_handle: Some(shown.user_handle),
            },
            extensions: Default::default(),
            type_: PUBLIC_KEY.to_owned(),
        };
        let result = self
            .webauthn
            .finish_discoverable_authentication_v2(&answer, state, &key)
            .map_err(refused)?;
        if result.needs_update() {
            key.update_credential(&result);
            stored.credential = serde_json::to_value(&key)?;
            stored.passkey.synced = result.backup_state();
        }
        Ok(result.needs_update())
    }
}

/// Whether a key is of the kind that its algorithm takes: webauthn-rs takes any, which then never verifies.
fn can_sign(key: &COSEKey) -> bool {
    let curve = match &key.key {
        COSEKeyType::EC_EC2(key) => Some(&key.curve),
        _ => None,
    };
    match key.type_ {
        COSEAlgorithm::ES256 => curve == Some(&ECDSACurve::SECP256R1),
        COSEAlgorithm::ES384 => curve == Some(&ECDSACurve::SECP384R1),
        COSEAlgorithm::RS256 => matches!(key.key, COSEKeyType::RSA(_)),
        _ => false,
    }
}

/// Whether an origin is on a domain or below it.
fn is_within(domain: &str, origin: &Url) -> bool {
    let below = |host: &str| host.strip_suffix(domain).is_some_and(|above| above.ends_with('.'));
    origin.domain().is_some_and(|host| host == domain || below(host))
}

fn no_good_challenge() -> PasskeyError {
    PasskeyError::Refused("no challenge that is good".into())
}

fn refused(error: WebauthnError) -> PasskeyError {
    match error {
        WebauthnError::CredentialPossibleCompromise => PasskeyError::Cloned,
        error => PasskeyError::Refused(Box::new(error)),
    }
}

/// A ceremony as webauthn-rs begins it, with our challenge in the place of its own: it draws that by itself and keeps it where
/// nobody else reaches it but through what it is stored as.
fn with_challenge<T: Serialize + DeserializeOwned>(
    state: &T,
    inside: &str,
    challenge: &Challenge,
) -> Result<T, PasskeyError> {
    let mut stored = serde_json::to_value(state)?;
    let place: &mut Value = stored
        .get_mut(inside)
        .and_then(|inside| inside.get_mut("challenge"))
        .ok_or(PasskeyError::Shape(None))?;
    *place = json!(URL_SAFE_NO_PAD.encode(&challenge.bytes));
    Ok(serde_json::from_value(stored)?)
}

#[cfg(test)]
mod tests;
