//! A provider through which people sign in, on a socket of its own: OpenID Connect Core 1.0 with Discovery, PKCE (RFC
//! 7636) and the issuer in its answers (RFC 9207), or what GitHub has instead. It shares nothing with the server but that.
//!
//! It signs in whoever it was last told to, without asking them. It is honest and strict, unless its [`Behaviour`] says
//! otherwise: what a client does wrong is refused, and kept as a [complaint](IdentityProvider::complaints).

mod behaviour;
mod browser;
mod github;
mod openid;
mod people;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{net::TcpListener, task::JoinHandle};

pub use self::{
    behaviour::{Behaviour, Endpoint},
    browser::{Browser, Pkce, Returned, authorize_path},
    people::Person,
};
use crate::{
    app::PUBLIC_URL,
    environment::TestClock,
    http_server::{self, Reply, Request},
    passkey,
    signing_keys::KeyRing,
};
pub use crate::{
    http_server::Fault,
    signing_keys::{Algorithm, Signer},
};

/// What a provider speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    OpenId,
    GitHub,
}

/// What a code was given for.
#[derive(Debug, Clone)]
struct Grant {
    person: Person,
    redirect_uri: String,
    challenge: String,
    nonce: Option<String>,
}

/// All that a provider remembers.
struct State {
    protocol: Protocol,
    issuer: String,
    /// What is before the paths of its endpoints.
    path: String,
    client_id: String,
    client_secret: String,
    behaviour: Behaviour,
    clock: TestClock,
    person: Option<Person>,
    keys: KeyRing,
    callbacks: HashSet<String>,
    codes: HashMap<String, Grant>,
    tokens: HashMap<String, Person>,
    asked: Vec<Endpoint>,
    authorization: BTreeMap<String, String>,
    complaints: Vec<String>,
}

type Shared = Arc<Mutex<State>>;

/// What a provider remembers, whoever panicked while they held it.
fn locked(state: &Shared) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A provider that answers until it is dropped.
pub struct IdentityProvider {
    state: Shared,
    server: JoinHandle<()>,
}

impl IdentityProvider {
    /// An OpenID provider whose issuer is the root of a host.
    pub async fn start() -> Self {
        Self::start_at("").await
    }

    /// The same with a path after the host, which is empty or begins with a slash.
    pub async fn start_at(path: &str) -> Self {
        Self::listening(Protocol::OpenId, path).await
    }

    /// A GitHub Enterprise Server.
    pub async fn github() -> Self {
        Self::listening(Protocol::GitHub, "").await
    }

    async fn listening(protocol: Protocol, path: &str) -> Self {
        let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = TcpListener::bind(any_port).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let client_secret = passkey::encoded(&passkey::random(24));
        let state = Arc::new(Mutex::new(State {
            protocol,
            issuer: format!("http://{address}{path}"),
            path: path.trim_end_matches('/').to_owned(),
            client_id: format!("client-{}", passkey::encoded(&passkey::random(9))),
            client_secret: client_secret.clone(),
            behaviour: Behaviour::default(),
            clock: TestClock::default(),
            person: None,
            keys: KeyRing::new(client_secret),
            callbacks: HashSet::new(),
            codes: HashMap::new(),
            tokens: HashMap::new(),
            asked: Vec::new(),
            authorization: BTreeMap::new(),
            complaints: Vec::new(),
        }));
        let answering = Arc::clone(&state);
        let reply_to = move |request: &Request| locked(&answering).answer(request);
        let server = tokio::spawn(http_server::serve(listener, reply_to));
        Self { state, server }
    }

    /// Its issuer, or GitHub's URL.
    #[must_use]
    pub fn issuer(&self) -> String {
        locked(&self.state).issuer.clone()
    }

    /// The id by which it knows the server.
    #[must_use]
    pub fn client_id(&self) -> String {
        locked(&self.state).client_id.clone()
    }

    /// What the server proves by that it is the client.
    #[must_use]
    pub fn client_secret(&self) -> String {
        locked(&self.state).client_secret.clone()
    }

    /// Takes the callback of a key of the server's configuration from now on, as an operator registers it.
    pub fn register(&self, key: &str) {
        let callback = format!("{PUBLIC_URL}/api/v1/auth/oidc/{key}/callback");
        locked(&self.state).callbacks.insert(callback);
    }

    /// Registers the callback of a key, and gives what an operator writes in the file of providers.
    #[must_use]
    pub fn configured(&self, key: &str) -> String {
        self.register(key);
        let state = locked(&self.state);
        let place = match state.protocol {
            Protocol::OpenId => format!("preset = \"oidc\"\nissuer = \"{}\"", state.issuer),
            Protocol::GitHub => format!("preset = \"github\"\nurl = \"{}\"", state.issuer),
        };
        let secret = if state.behaviour.public_client {
            String::new()
        } else {
            format!("client_secret = \"{}\"\n", state.client_secret)
        };
        format!("[{key}]\n{place}\nclient_id = \"{}\"\n{secret}", state.client_id)
    }

    /// Goes by a clock from now on.
    pub fn follow(&self, clock: &TestClock) {
        locked(&self.state).clock = clock.clone();
    }

    /// Has somebody sign in whenever a browser comes, from now on.
    pub fn signs_in(&self, person: &Person) {
        locked(&self.state).person = Some(person.clone());
    }

    /// Changes how it behaves.
    pub fn behave(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut locked(&self.state).behaviour);
    }

    /// Makes it honest again.
    pub fn behave_well(&self) {
        self.behave(|behaviour| *behaviour = Behaviour::default());
    }

    /// Signs by another key from now on, which alone is announced.
    pub fn rotate(&self, algorithm: Algorithm) {
        locked(&self.state).keys.rotate(algorithm);
    }

    /// How often an endpoint was asked.
    #[must_use]
    pub fn times_asked(&self, endpoint: Endpoint) -> usize {
        let state = locked(&self.state);
        state.asked.iter().filter(|asked| **asked == endpoint).count()
    }

    /// What the last browser was sent here with.
    #[must_use]
    pub fn authorization(&self) -> BTreeMap<String, String> {
        locked(&self.state).authorization.clone()
    }

    /// What it refused, oldest first.
    #[must_use]
    pub fn complaints(&self) -> Vec<String> {
        locked(&self.state).complaints.clone()
    }

    /// Goes away: from now on nobody listens where it was.
    pub async fn stop(&mut self) {
        self.server.abort();
        // The task was told to end, and that it did is no news.
        let _ = (&mut self.server).await;
    }
}

impl Drop for IdentityProvider {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl State {
    /// Answers a request, but for what is said to go wrong.
    fn answer(&mut self, request: &Request) -> Reply {
        let Some(below) = request.path.strip_prefix(&self.path) else {
            return Reply::text(404, "not here");
        };
        let endpoint = match self.protocol {
            Protocol::OpenId => openid::endpoint(below),
            Protocol::GitHub => github::endpoint(below),
        };
        let Some(endpoint) = endpoint else {
            return Reply::text(404, "not here");
        };
        self.asked.push(endpoint);
        let fault = self.behaviour.faults.get(&endpoint).copied();
        if let Some(instead) = fault.and_then(|fault| fault.instead(&self.url("/elsewhere"))) {
            return instead;
        }
        let answer = match self.protocol {
            Protocol::OpenId => self.openid(endpoint, request),
            Protocol::GitHub => self.github(endpoint, request),
        };
        let reply = answer.unwrap_or_else(|refused| {
            let complaint = format!("{endpoint:?}: {}", refused.why);
            self.complaints.push(complaint);
            refused.reply
        });
        match fault {
            Some(fault) => fault.spoiled(reply),
            None => reply,
        }
    }

    /// The URL of a path below the issuer.
    fn url(&self, below: &str) -> String {
        format!("{}{below}", self.issuer.trim_end_matches('/'))
    }

    /// Whether a request shows who the client is: its id, and its secret where it has one.
    fn is_client(&self, request: &Request) -> bool {
        let allows = |way| self.behaviour.client_auth.contains(&way);
        let id = request.form.get("client_id");
        let secret = request.form.get("client_secret");
        if self.behaviour.public_client {
            return id == Some(&self.client_id) && secret.is_none() && request.basic().is_none();
        }
        if let Some((id, secret)) = request.basic() {
            return allows("client_secret_basic") && id == self.client_id && secret == self.client_secret;
        }
        allows("client_secret_post") && id == Some(&self.client_id) && secret == Some(&self.client_secret)
    }

    /// What a code was given for, which it is good for no more.
    fn redeemed(&mut self, request: &Request) -> Result<Grant, &'static str> {
        let code = request.form.get("code").ok_or("no code")?;
        let grant = self.codes.remove(code).ok_or("a code that is not good")?;
        if request.form.get("redirect_uri") != Some(&grant.redirect_uri) {
            return Err("another redirect_uri");
        }
        let verifier = request.form.get("code_verifier").ok_or("no code_verifier")?;
        if Pkce::challenge_of(verifier) != grant.challenge {
            return Err("another code_verifier");
        }
        Ok(grant)
    }

    /// Gives a code to the browser of whoever signs in, and what it is sent back with.
    fn granted(&mut self, query: &BTreeMap<String, String>) -> Result<Vec<(&'static str, String)>, &'static str> {
        if query.get("client_id") != Some(&self.client_id) {
            return Err("an unknown client_id");
        }
        let redirect_uri = query.get("redirect_uri").ok_or("no redirect_uri")?;
        if !self.callbacks.contains(redirect_uri) {
            return Err("a redirect_uri that is not registered");
        }
        let state = query.get("state").filter(|state| !state.is_empty()).ok_or("no state")?;
        if query.get("code_challenge_method").map(String::as_str) != Some("S256") {
            return Err("a code_challenge_method that is not S256");
        }
        let challenge = query.get("code_challenge").filter(|challenge| challenge.len() == 43);
        let challenge = challenge.ok_or("no code_challenge of S256")?;
        let mut back = vec![("state", state.clone())];
        if let Some(refusal) = self.behaviour.refusal {
            back.push(("error", refusal.to_owned()));
        } else {
            let person = self.person.clone().ok_or("nobody to sign in")?;
            let code = passkey::encoded(&passkey::random(18));
            let grant = Grant {
                person,
                redirect_uri: redirect_uri.clone(),
                challenge: challenge.clone(),
                nonce: query.get("nonce").cloned(),
            };
            self.codes.insert(code.clone(), grant);
            back.push(("code", code));
        }
        back.extend(
            self.behaviour
                .remarks
                .iter()
                .map(|(name, value)| (*name, (*value).to_owned())),
        );
        Ok(back)
    }

    /// An access token for what is known of somebody.
    fn access_token(&mut self, person: Person) -> String {
        let token = passkey::encoded(&passkey::random(18));
        self.tokens.insert(token.clone(), person);
        token
    }
}

/// Why a request was refused, and what is answered to it.
struct Refused {
    why: String,
    reply: Reply,
}

type Answered = Result<Reply, Refused>;

/// Refuses with a status and an error of OAuth.
fn refused(status: u16, error: &str, why: &str) -> Refused {
    Refused {
        why: why.to_owned(),
        reply: Reply::json(status, &serde_json::json!({ "error": error, "error_description": why })),
    }
}

/// Sends a browser on to a URL with parameters.
fn sent_back(to: &str, parameters: &[(&str, String)]) -> Reply {
    let mut url: url::Url = to.parse().unwrap_or_else(|error| panic!("{error}: {to}"));
    url.query_pairs_mut().extend_pairs(parameters);
    Reply::redirect(302, url.as_str())
}

#[cfg(test)]
mod tests;
