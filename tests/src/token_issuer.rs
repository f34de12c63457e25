//! An issuer whose access tokens the server takes, on a socket of its own: it publishes its keys (RFC 7517), and mints tokens with any
//! header and any claims (RFC 7519). It shares nothing with the server but that.
//!
//! What it mints is good, unless a test asks for something else; what it publishes comes at once, unless it is told to
//! [fail](TokenIssuer::fail).

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::TimeDelta;
use serde_json::{Value, json};
use tenantry_auth::trusted_issuers::{ALGORITHMS, ClaimNames, IssuerSettings};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{
    environment::TestClock,
    http_server::{self, Reply, Request},
    passkey,
    signing_keys::{KeyRing, otherwise},
};
pub use crate::{
    http_server::Fault,
    identity_provider::Person,
    signing_keys::{Algorithm, Signer},
};

/// For whom its tokens are.
pub const AUDIENCE: &str = "https://api.example.com";

/// For how long they are good.
pub const LIFE: TimeDelta = TimeDelta::minutes(5);

/// Where its keys are.
const KEYS: &str = "/.well-known/jwks.json";

/// Where keys are that are not its own, for those who follow an address in a token.
const FOREIGN_KEYS: &str = "/foreign-keys";

/// All that an issuer remembers.
struct State {
    issuer: String,
    keys: KeyRing,
    /// What is published, where it is not its own key.
    published: Option<Value>,
    fault: Option<Fault>,
    clock: TestClock,
    /// How often its keys were asked for, and anything else.
    asked: usize,
    asked_elsewhere: usize,
}

impl State {
    /// A URL of its own.
    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.issuer.trim_end_matches('/'))
    }

    fn answer(&mut self, request: &Request) -> Reply {
        if request.path != KEYS {
            self.asked_elsewhere += 1;
            return Reply::json(200, &self.keys.published_elsewhere());
        }
        self.asked += 1;
        if let Some(instead) = self.fault.and_then(|fault| fault.instead(&self.url(FOREIGN_KEYS))) {
            return instead;
        }
        let own = || self.keys.published();
        let reply = Reply::json(200, &self.published.clone().unwrap_or_else(own));
        match self.fault {
            Some(fault) => fault.spoiled(reply),
            None => reply,
        }
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An issuer that answers until it is dropped.
pub struct TokenIssuer {
    state: Arc<Mutex<State>>,
    server: JoinHandle<()>,
}

impl TokenIssuer {
    /// An issuer whose name ends with a slash, as some do.
    pub async fn start() -> Self {
        let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = TcpListener::bind(any_port).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(Mutex::new(State {
            issuer: format!("http://{address}/"),
            keys: KeyRing::new(passkey::encoded(&passkey::random(24))),
            published: None,
            fault: None,
            clock: TestClock::default(),
            asked: 0,
            asked_elsewhere: 0,
        }));
        let answering = Arc::clone(&state);
        let reply_to = move |request: &Request| locked(&answering).answer(request);
        let server = tokio::spawn(http_server::serve(listener, reply_to));
        Self { state, server }
    }

    /// Its `iss`.
    #[must_use]
    pub fn issuer(&self) -> String {
        locked(&self.state).issuer.clone()
    }

    /// What an operator writes of it who trusts it, under a key of theirs.
    #[must_use]
    pub fn settings(&self, key: &str) -> IssuerSettings {
        let state = locked(&self.state);
        IssuerSettings {
            key: key.to_owned(),
            name: key.to_owned(),
            issuer: state.issuer.clone(),
            audiences: vec![AUDIENCE.to_owned()],
            authorized_parties: Vec::new(),
            jwks_url: state.url(KEYS),
            algorithms: ALGORITHMS.map(|(_, algorithm)| algorithm).to_vec(),
            trusts_email: false,
            claims: ClaimNames::default(),
        }
    }

    /// Goes by a clock from now on.
    pub fn follow(&self, clock: &TestClock) {
        locked(&self.state).clock = clock.clone();
    }

    /// What a good token says of somebody that is issued now.
    #[must_use]
    pub fn claims(&self, person: &Person) -> Value {
        let state = locked(&self.state);
        let now = state.clock.environment().now();
        let mut claims = person.claims.clone();
        for (name, value) in [
            ("iss", json!(state.issuer)),
            ("aud", json!(AUDIENCE)),
            ("iat", json!(now.timestamp())),
            ("exp", json!((now + LIFE).timestamp())),
        ] {
            claims.entry(name).or_insert(value);
        }
        Value::Object(claims)
    }

    /// A good token of somebody that is issued now.
    #[must_use]
    pub fn token(&self, person: &Person) -> String {
        self.signed(Signer::Own, &self.claims(person))
    }

    /// The same but for some claims; a null is left out.
    #[must_use]
    pub fn token_but(&self, person: &Person, claims: &[(&str, Value)]) -> String {
        self.signed(Signer::Own, &otherwise(self.claims(person), claims))
    }

    /// A token that says this, by somebody who signs it.
    #[must_use]
    pub fn signed(&self, signer: Signer, claims: &Value) -> String {
        let state = locked(&self.state);
        state.keys.signed(signer, &state.url(FOREIGN_KEYS), claims)
    }

    /// A token that says this, signed by the announced key, with its header but for some members; a null is left out.
    #[must_use]
    pub fn headed(&self, header: &[(&str, Value)], claims: &Value) -> String {
        let state = locked(&self.state);
        let key = state.keys.newest();
        key.signed(&otherwise(key.header(), header), claims)
    }

    /// Its announced keys.
    #[must_use]
    pub fn keys(&self) -> Value {
        locked(&self.state).keys.published()
    }

    /// Publishes this from now on, whatever it signs by.
    pub fn publish(&self, keys: Value) {
        locked(&self.state).published = Some(keys);
    }

    /// Signs by another key from now on, which alone is published.
    pub fn rotate(&self, algorithm: Algorithm) {
        let mut state = locked(&self.state);
        state.keys.rotate(algorithm);
        state.published = None;
    }

    /// Fails whoever asks for its keys, from now on.
    pub fn fail(&self, fault: Fault) {
        locked(&self.state).fault = Some(fault);
    }

    /// Publishes its keys again.
    pub fn recover(&self) {
        locked(&self.state).fault = None;
    }

    /// How often its keys were asked for.
    #[must_use]
    pub fn times_asked(&self) -> usize {
        locked(&self.state).asked
    }

    /// How often anything else was asked for.
    #[must_use]
    pub fn times_asked_elsewhere(&self) -> usize {
        locked(&self.state).asked_elsewhere
    }
}

impl Drop for TokenIssuer {
    fn drop(&mut self) {
        self.server.abort();
    }
}

#[cfg(test)]
mod tests;
