//! Passkeys, made beside the API: by an authenticator that answers what the server would have asked.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};
use tenantry::system::SystemSource;
use tenantry_auth::passkeys::{Registration, RelyingParty};
use tenantry_domain::{
    ids::{SessionId, UserId},
    passkeys::NewPasskey,
    text::Name,
    users::User,
};
use tenantry_tests::{
    app::{PUBLIC_URL, keyring},
    client::Client,
    passkey::{Authenticator, decoded},
};

use super::{Caller, Person, Tenant, new_id};
use crate::operations::Operation;

fn relying_party() -> RelyingParty {
    RelyingParty::of(PUBLIC_URL, &[], None).unwrap().unwrap()
}

/// The session of a token, whether that is good or not.
fn session(client: &Client) -> SessionId {
    let claims = client
        .token()
        .and_then(|token| token.split('.').nth(1))
        .and_then(|claims| URL_SAFE_NO_PAD.decode(claims).ok())
        .and_then(|claims| serde_json::from_slice::<Value>(&claims).ok());
    let session = claims.and_then(|claims| claims["sid"].as_str()?.parse().ok());
    session.unwrap_or_else(|| SessionId::new(&SystemSource::environment()))
}

/// What an authenticator makes that is asked for a passkey of somebody's, in a session.
fn made(authenticator: &mut Authenticator, person: &Person, session: SessionId) -> Value {
    let environment = SystemSource::environment();
    let now = environment.now();
    let user = User {
        id: person.id.parse().unwrap(),
        email: person.email.parse().unwrap(),
        email_verified_at: None,
        name: Name::from_stored("Somebody".to_owned()),
        avatar_url: None,
        locale: None,
        mfa_enabled: false,
        preferences: Map::new(),
        current_organization_id: None,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let asked = relying_party()
        .creation_options(&keyring(), &environment, (&user, session), Vec::new())
        .unwrap();
    let algorithms = asked.algorithms.iter();
    authenticator.create(&json!({
        "rp": { "id": asked.rp_id, "name": asked.rp_name },
        "user": { "id": asked.user_handle, "name": asked.user_name, "displayName": asked.user_display_name },
        "challenge": asked.challenge,
        "pubKeyCredParams": algorithms.map(|alg| json!({ "type": "public-key", "alg": alg })).collect::<Vec<_>>(),
        "timeout": asked.timeout,
        "excludeCredentials": [],
        "authenticatorSelection": {
            "residentKey": "required", "requireResidentKey": true, "userVerification": "required",
        },
        "attestation": "none",
        "extensions": { "credProps": true },
    }))
}

impl Tenant {
    /// What an authenticator answers for an operation of somebody's: a passkey that it made, or the use of one.
    pub(super) async fn answered(&self, caller: &Caller, operation: &Operation) -> Value {
        let mut authenticator = Authenticator::new(PUBLIC_URL);
        if operation.name == "registerPasskey" {
            return made(&mut authenticator, &caller.person, session(&caller.client));
        }
        self.registered(&mut authenticator, &caller.person).await;
        let environment = SystemSource::environment();
        let asked = relying_party().request_options(&keyring(), &environment);
        authenticator.get(&json!({
            "challenge": asked.challenge, "timeout": asked.timeout, "rpId": asked.rp_id,
            "allowCredentials": [], "userVerification": "required",
        }))
    }

    /// Registers a new passkey of somebody's.
    async fn registered(&self, authenticator: &mut Authenticator, person: &Person) {
        let session = SessionId::new(&SystemSource::environment());
        let answer = made(authenticator, person, session);
        let user: UserId = person.id.parse().unwrap();
        let bytes = |place: &str| decoded(answer.pointer(place).and_then(Value::as_str).unwrap());
        let registration = Registration {
            credential_id: bytes("/rawId"),
            client_data_json: bytes("/response/clientDataJSON"),
            attestation_object: bytes("/response/attestationObject"),
        };
        let now = SystemSource::environment().now();
        let (new, _) = relying_party()
            .register(&keyring(), now, (user, session), registration)
            .unwrap();
        self.sql(&passkey(&person.id, &new_id(), &new)).await;
    }

    /// A passkey of somebody's that nobody holds, and their sessions as those of somebody who used one. Whoever has one owes it at
    /// some operations, so nobody of the world has any of their own.
    pub(crate) async fn new_passkey(&self, person: &Person) -> String {
        let id = new_id();
        let rows = lost_passkey(&person.id, &id);
        let used = format!(
            "update sessions set factor_used_at = now() where user_id = '{}'",
            person.id
        );
        self.sql(&format!("{rows} {used}")).await;
        id
    }
}

/// Gives somebody a passkey that nobody holds, and a challenge that it has answered.
fn lost_passkey(user: &str, id: &str) -> String {
    let new = NewPasskey {
        credential_id: id.as_bytes().to_vec(),
        credential: json!({}),
        synced: false,
    };
    let answered = format!(
        "insert into answered_challenges (user_id, challenge_hash, expires_at)
         values ('{user}', sha256('{id}'), now() + interval '10 years');"
    );
    passkey(user, id, &new) + &answered
}

/// Gives somebody a passkey of this id.
fn passkey(user: &str, id: &str, new: &NewPasskey) -> String {
    let hex: String = new.credential_id.iter().map(|byte| format!("{byte:02x}")).collect();
    format!(
        "insert into passkeys (user_id, id, name, credential_id, credential, synced, created_at, updated_at)
         values ('{user}', '{id}', 'Key {id}', '\\x{hex}', '{credential}', false, now(), now());",
        credential = new.credential
    )
}
