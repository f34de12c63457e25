//! What is remembered of a sign-in at a provider until the browser comes back: sealed, in the `state` that it carries, and good in
//! that browser alone, by a cookie.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use tenantry_domain::{
    environment::{Environment, Timestamp},
    identities::FLOW_LIFE,
};
use uuid::Uuid;

use crate::{
    opaque_tokens::{Kind, OpaqueToken},
    vault::{Purpose, Vault, VaultError},
};

/// What sets tokens of browsers apart from others.
#[derive(Debug, Clone, Copy)]
pub enum Browser {}

impl Kind for Browser {
    const PREFIX: &'static str = "tnb_";
}

/// What a browser shows that it is the one in which a sign-in began.
pub type BrowserToken = OpaqueToken<Browser>;

/// Random bytes of a nonce, and of a verifier.
const NONCE_BYTES: usize = 16;
const VERIFIER_BYTES: usize = 32;

/// What an app asks for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Wanted {
    /// Where the browser goes in the end.
    pub redirect_uri: String,
    /// What the app gets back as it gave it.
    pub state: Option<String>,
    /// What the app proves by that it began this (RFC 7636, S256).
    pub code_challenge: Option<String>,
}

/// A sign-in at a provider.
#[derive(Serialize, Deserialize)]
pub struct Flow {
    provider: String,
    wanted: Wanted,
    nonce: String,
    verifier: String,
    browser: String,
    ends: i64,
}

impl Flow {
    /// Begins one, in the browser that has this token.
    #[must_use]
    pub fn begin(provider: &str, wanted: Wanted, browser: &BrowserToken, environment: &Environment) -> Self {
        Self {
            provider: provider.to_owned(),
            wanted,
            nonce: URL_SAFE_NO_PAD.encode(environment.random::<NONCE_BYTES>()),
            verifier: URL_SAFE_NO_PAD.encode(environment.random::<VERIFIER_BYTES>()),
            browser: mark(browser),
            ends: (environment.now() + FLOW_LIFE).timestamp_millis(),
        }
    }

    /// The `state` that the browser carries.
    ///
    /// # Errors
    /// When it cannot be sealed.
    pub fn seal(&self, vault: &Vault, environment: &Environment) -> Result<String, VaultError> {
        let text = serde_json::to_vec(self).map_err(|_| VaultError::Sealing)?;
        let sealed = vault.seal(Purpose::ProviderFlow, Uuid::nil(), &text, environment)?;
        Ok(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// The sign-in of a `state` that was begun at this provider and in this browser, and is good at `now`. `None` for any other.
    #[must_use]
    pub fn open(vault: &Vault, state: &str, provider: &str, browser: &BrowserToken, now: Timestamp) -> Option<Self> {
        let sealed = URL_SAFE_NO_PAD.decode(state).ok()?;
        let text = vault.open(Purpose::ProviderFlow, Uuid::nil(), &sealed).ok()?;
        let flow: Self = serde_json::from_slice(&text).ok()?;
        let is_of_browser: bool = flow.browser.as_bytes().ct_eq(mark(browser).as_bytes()).into();
        (is_of_browser && flow.provider == provider && now.timestamp_millis() < flow.ends).then_some(flow)
    }

    /// What the app asked for.
    #[must_use]
    pub const fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    pub(super) fn nonce(&self) -> &str {
        &self.nonce
    }

    pub(super) fn verifier(&self) -> &str {
        &self.verifier
    }

    pub(super) fn code_challenge(&self) -> String {
        challenge_of(&self.verifier)
    }
}

impl fmt::Debug for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flow")
            .field("provider", &self.provider)
            .finish_non_exhaustive()
    }
}

fn mark(browser: &BrowserToken) -> String {
    URL_SAFE_NO_PAD.encode(browser.hash().as_bytes())
}

/// The challenge of a verifier (RFC 7636, section 4.2).
pub(super) fn challenge_of(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

    use std::sync::Arc;

    use chrono::TimeDelta;

    use super::{BrowserToken, Flow, Wanted, challenge_of};
    use crate::{keys::Keyring, test_environment::test_environment, vault::Vault};

    #[test]
    fn a_state_is_of_one_provider_and_one_browser_and_ten_minutes() {
        let (environment, _) = test_environment(1);
        let keys = || Arc::new(Keyring::generate_in_memory(&environment).unwrap());
        let (ours, other) = (keys(), keys());
        let vault = Vault::new(Arc::clone(&ours), ours);
        let another = Vault::new(Arc::clone(&other), other);
        let [browser, stranger] = [1, 2].map(|_| BrowserToken::generate(&environment));
        let wanted = Wanted {
            redirect_uri: "https://app.example/signed-in".to_owned(),
            state: Some("its own".to_owned()),
            code_challenge: None,
        };
        let flow = Flow::begin("google", wanted, &browser, &environment);
        let state = flow.seal(&vault, &environment).unwrap();
        let now = environment.now();
        let opened = Flow::open(&vault, &state, "google", &browser, now).unwrap();
        assert_eq!(opened.wanted().redirect_uri, "https://app.example/signed-in");
        assert_eq!(opened.code_challenge(), challenge_of(flow.verifier()));
        assert!(Flow::open(&vault, &state, "github", &browser, now).is_none());
        assert!(Flow::open(&vault, &state, "google", &stranger, now).is_none());
        assert!(Flow::open(&another, &state, "google", &browser, now).is_none());
        let last = now + TimeDelta::minutes(10) - TimeDelta::milliseconds(1);
        assert!(Flow::open(&vault, &state, "google", &browser, last).is_some());
        assert!(Flow::open(&vault, &state, "google", &browser, now + TimeDelta::minutes(10)).is_none());
        for bad in ["", "AAAA", &state[1..], &format!("{state}A"), "not base64url!"] {
            assert!(Flow::open(&vault, bad, "google", &browser, now).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_challenge_is_that_of_the_standard() {
        // RFC 7636, appendix B.
        assert_eq!(
            challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }
}
