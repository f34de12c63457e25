//! The keys that an issuer publishes.

use std::{collections::HashMap, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use chrono::TimeDelta;
use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse},
};
use serde::Deserialize;
use serde_json::Value;
use tenantry_domain::environment::{Environment, Timestamp};
use tokio::{sync::Mutex, time::timeout};

use super::IssuerError;
use crate::{http_client::HttpClient, identity_providers::Guarded};

/// How long keys are not asked for again.
const KNOWN_FOR: TimeDelta = TimeDelta::hours(1);

/// How long keys count of an issuer that is away.
const TRUSTED_FOR: TimeDelta = TimeDelta::hours(24);

/// How long an issuer is not asked again that was away, or has just said which keys it has.
const PAUSE: TimeDelta = TimeDelta::seconds(10);

/// How long an issuer may take to say which keys it has.
const PATIENCE: Duration = Duration::from_secs(8);

/// The most keys of an issuer that are kept.
const MAX_KEYS: usize = 100;

/// A key, and what it may have signed by.
struct Key {
    algorithms: Vec<Algorithm>,
    decoding: Arc<DecodingKey>,
}

/// What an issuer said.
#[derive(Default)]
struct Known {
    by_id: HashMap<String, Vec<Key>>,
    asked_at: Option<Timestamp>,
}

/// That an issuer was asked.
struct Asked {
    at: Timestamp,
    answered: bool,
}

/// The keys of an issuer, fetched when they are needed, by one at a time.
#[derive(Default)]
pub(super) struct KeySet {
    known: ArcSwap<Known>,
    /// When the issuer was last asked, and whether it answered; held while it is.
    last_asked: Mutex<Option<Asked>>,
}

impl Known {
    fn is_younger(&self, age: TimeDelta, now: Timestamp) -> bool {
        self.asked_at.is_some_and(|at| (now - at).abs() < age)
    }

    fn has(&self, id: &str) -> bool {
        self.by_id.contains_key(id)
    }

    fn find(&self, id: &str, algorithm: Algorithm) -> Option<Arc<DecodingKey>> {
        let key = self
            .by_id
            .get(id)?
            .iter()
            .find(|key| key.algorithms.contains(&algorithm))?;
        Some(Arc::clone(&key.decoding))
    }
}

impl KeySet {
    /// The key of this id that may sign by this algorithm. `None` where the issuer has none.
    pub(super) async fn find(
        &self,
        id: &str,
        algorithm: Algorithm,
        url: &str,
        http: &dyn HttpClient,
        environment: &Environment,
    ) -> Result<Option<Arc<DecodingKey>>, IssuerError> {
        let known = self.known.load();
        if known.has(id) && known.is_younger(KNOWN_FOR, environment.now()) {
            return Ok(known.find(id, algorithm));
        }
        drop(known);
        Ok(self.refreshed(id, url, http, environment).await?.find(id, algorithm))
    }

    /// What the issuer says now, or else said lately.
    async fn refreshed(
        &self,
        id: &str,
        url: &str,
        http: &dyn HttpClient,
        environment: &Environment,
    ) -> Result<Arc<Known>, IssuerError> {
        // Whoever comes meanwhile waits for the answer, or for the time that it may take, unless they can do without.
        let before = self.known.load_full();
        let mut last_asked = match self.last_asked.try_lock() {
            Ok(last_asked) => last_asked,
            Err(_) if before.has(id) && before.is_younger(TRUSTED_FOR, environment.now()) => return Ok(before),
            Err(_) => self.last_asked.lock().await,
        };
        let known = self.known.load_full();
        let now = environment.now();
        if known.has(id) && known.is_younger(KNOWN_FOR, now) {
            return Ok(known);
        }
        let counts = known.is_younger(TRUSTED_FOR, now);
        if let Some(asked) = last_asked.as_ref().filter(|asked| (now - asked.at).abs() < PAUSE) {
            // A key that is not among those that it has just named is none of its own; of one that is away nobody knows.
            return if counts && (asked.answered || known.has(id)) {
                Ok(known)
            } else {
                Err(IssuerError::Unavailable("it was away a moment ago".into()))
            };
        }
        // Before it is asked as well: whoever waits for the answer may go.
        let asked = |at, answered| Some(Asked { at, answered });
        *last_asked = asked(now, false);
        let answer = timeout(PATIENCE, fetch(url, http)).await;
        let answer = answer.unwrap_or_else(|_| Err("its keys take too long".into()));
        // From now on: it may have taken all of the time that it is given.
        *last_asked = asked(environment.now(), answer.is_ok());
        match answer {
            Ok(by_id) => {
                let asked_at = Some(now);
                let known = Arc::new(Known { by_id, asked_at });
                self.known.store(Arc::clone(&known));
                Ok(known)
            }
            Err(error) if counts && known.has(id) => {
                tracing::warn!(
                    url,
                    error = &*error as &dyn std::error::Error,
                    "keys of a trusted issuer are not to be had, and those of before count"
                );
                Ok(known)
            }
            Err(error) => Err(IssuerError::Unavailable(error)),
        }
    }
}

type Fetched = Result<HashMap<String, Vec<Key>>, Box<dyn std::error::Error + Send + Sync>>;

async fn fetch(url: &str, client: &dyn HttpClient) -> Fetched {
    #[derive(Deserialize)]
    struct Published {
        keys: Vec<Value>,
    }
    let request = http::Request::get(url)
        .header(http::header::ACCEPT, "application/jwk-set+json, application/json")
        .body(Vec::new())?;
    let answer = Guarded::new(client, url).send(request).await?;
    if answer.status() != http::StatusCode::OK {
        return Err(format!("its keys are answered {}", answer.status()).into());
    }
    // What it answered is not repeated: an issuer could write whatever it likes into our log.
    let published: Published = serde_json::from_slice(answer.body()).map_err(|_| "its keys are none")?;
    let mut by_id: HashMap<String, Vec<Key>> = HashMap::new();
    // Keys of kinds that we do not know are left out, one by one.
    for jwk in published.keys.into_iter().take(MAX_KEYS) {
        if let Some((id, key)) = serde_json::from_value(jwk).ok().and_then(|jwk| usable(&jwk)) {
            by_id.entry(id).or_default().push(key);
        }
    }
    if by_id.is_empty() {
        return Err("it has no key that can be used".into());
    }
    Ok(by_id)
}

/// A public key that verifies signatures, by its id.
fn usable(jwk: &Jwk) -> Option<(String, Key)> {
    let common = &jwk.common;
    if common
        .public_key_use
        .as_ref()
        .is_some_and(|usage| *usage != PublicKeyUse::Signature)
    {
        return None;
    }
    let mut algorithms = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => vec![
            Algorithm::RS256,
            Algorithm::RS384,
            Algorithm::RS512,
            Algorithm::PS256,
            Algorithm::PS384,
            Algorithm::PS512,
        ],
        AlgorithmParameters::EllipticCurve(key) => match key.curve {
            EllipticCurve::P256 => vec![Algorithm::ES256],
            EllipticCurve::P384 => vec![Algorithm::ES384],
            _ => return None,
        },
        AlgorithmParameters::OctetKeyPair(key) => match key.curve {
            EllipticCurve::Ed25519 => vec![Algorithm::EdDSA],
            _ => return None,
        },
        _ => return None,
    };
    if let Some(algorithm) = common.key_algorithm {
        algorithms.retain(|one| named(*one) == Some(algorithm));
    }
    let decoding = Arc::new(DecodingKey::from_jwk(jwk).ok()?);
    let id = common.key_id.clone()?;
    (!algorithms.is_empty()).then_some((id, Key { algorithms, decoding }))
}

/// What a published key calls an algorithm.
const fn named(algorithm: Algorithm) -> Option<KeyAlgorithm> {
    Some(match algorithm {
        Algorithm::RS256 => KeyAlgorithm::RS256,
        Algorithm::RS384 => KeyAlgorithm::RS384,
        Algorithm::RS512 => KeyAlgorithm::RS512,
        Algorithm::PS256 => KeyAlgorithm::PS256,
        Algorithm::PS384 => KeyAlgorithm::PS384,
        Algorithm::PS512 => KeyAlgorithm::PS512,
        Algorithm::ES256 => KeyAlgorithm::ES256,
        Algorithm::ES384 => KeyAlgorithm::ES384,
        Algorithm::EdDSA => KeyAlgorithm::EdDSA,
        _ => return None,
    })
}
