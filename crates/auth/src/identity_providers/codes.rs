//! What a sign-in at a provider came to, sealed in a code that the app exchanges: within a minute, once, and where it began the
//! sign-in with a challenge, by whoever has the verifier alone (RFC 7636).
//!
//! Whoever takes a code makes sure that its [`SignInCode::hash`] is used once.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use tenantry_domain::{
    environment::{Environment, Timestamp},
    identities::{CODE_LIFE, ExternalIdentity},
};
use uuid::Uuid;

use super::flow::challenge_of;
use crate::{
    opaque_tokens::TokenHash,
    vault::{Purpose, Vault, VaultError},
};

/// What a code begins with, so that people and scanners recognise a leaked one.
pub const PREFIX: &str = "tno_";

/// The most characters of a code.
pub const MAX_TEXT: usize = 8192;

#[derive(Serialize, Deserialize)]
struct Content {
    identity: ExternalIdentity,
    challenge: Option<String>,
    ends: i64,
}

/// Whom a provider vouched for, as an app shows it.
pub struct SignInCode {
    identity: ExternalIdentity,
    has_challenge: bool,
    hash: TokenHash,
    ends: Timestamp,
}

impl SignInCode {
    /// The code of somebody whom a provider vouched for.
    ///
    /// # Errors
    /// When it cannot be sealed.
    pub fn issue(
        vault: &Vault,
        environment: &Environment,
        identity: ExternalIdentity,
        challenge: Option<String>,
    ) -> Result<SecretString, VaultError> {
        let content = Content {
            identity,
            challenge,
            ends: (environment.now() + CODE_LIFE).timestamp_millis(),
        };
        let text = serde_json::to_vec(&content).map_err(|_| VaultError::Sealing)?;
        let sealed = vault.seal(Purpose::SignInCode, Uuid::nil(), &text, environment)?;
        Ok(SecretString::from(format!(
            "{PREFIX}{}",
            URL_SAFE_NO_PAD.encode(sealed)
        )))
    }

    /// The code that an app shows, with the verifier where it began with a challenge, where that is good at `now`. `None` for any
    /// other; a verifier of no challenge is no good either (RFC 9700, section 2.1.1).
    #[must_use]
    pub fn read(vault: &Vault, text: &str, verifier: Option<&str>, now: Timestamp) -> Option<Self> {
        if text.len() > MAX_TEXT {
            return None;
        }
        let sealed = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok()?;
        let opened = vault.open(Purpose::SignInCode, Uuid::nil(), &sealed).ok()?;
        let content: Content = serde_json::from_slice(&opened).ok()?;
        let proven = match (&content.challenge, verifier) {
            (None, None) => true,
            (Some(challenge), Some(verifier)) => {
                bool::from(challenge.as_bytes().ct_eq(challenge_of(verifier).as_bytes()))
            }
            (None, Some(_)) | (Some(_), None) => false,
        };
        let ends = Timestamp::from_timestamp_millis(content.ends)?;
        (proven && now < ends).then(|| Self {
            identity: content.identity,
            has_challenge: content.challenge.is_some(),
            hash: TokenHash::of(&sealed),
            ends,
        })
    }

    /// Whom the provider vouched for.
    #[must_use]
    pub const fn identity(&self) -> &ExternalIdentity {
        &self.identity
    }

    /// Whether it was shown by the app that began the sign-in, and by no other.
    #[must_use]
    pub const fn is_of_its_app(&self) -> bool {
        self.has_challenge
    }

    /// What is written down of it once it was used.
    #[must_use]
    pub const fn hash(&self) -> TokenHash {
        self.hash
    }

    /// When it cannot be used any more.
    #[must_use]
    pub const fn ends(&self) -> Timestamp {
        self.ends
    }
}

impl fmt::Debug for SignInCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignInCode")
            .field("ends", &self.ends)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

    use std::sync::Arc;

    use chrono::TimeDelta;
    use secrecy::ExposeSecret as _;
    use tenantry_domain::identities::ExternalIdentity;

    use super::{MAX_TEXT, SignInCode, challenge_of};
    use crate::{keys::Keyring, test_environment::test_environment, vault::Vault};

    fn identity(length: usize) -> ExternalIdentity {
        ExternalIdentity {
            provider: "google".to_owned(),
            issuer: "https://accounts.google.com".to_owned(),
            subject: "s".repeat(length.min(512)),
            connection: None,
            email: Some("ann@example.com".parse().unwrap()),
            email_verified: true,
            name: Some("\u{1f600}".repeat(length.min(255))),
            picture: Some("p".repeat(length.min(500))),
            locale: None,
        }
    }

    #[test]
    fn a_code_is_good_for_a_minute_and_for_its_app() {
        let (environment, _) = test_environment(1);
        let keys = Arc::new(Keyring::generate_in_memory(&environment).unwrap());
        let vault = Vault::new(Arc::clone(&keys), keys);
        let now = environment.now();
        let issue = |challenge| {
            let code = SignInCode::issue(&vault, &environment, identity(9), challenge).unwrap();
            code.expose_secret().to_owned()
        };
        let read = |code: &str, verifier, now| SignInCode::read(&vault, code, verifier, now);

        let plain = issue(None);
        assert_eq!(read(&plain, None, now).unwrap().identity(), &identity(9));
        assert!(read(&plain, Some("verifier"), now).is_none());
        let last = now + TimeDelta::seconds(60) - TimeDelta::milliseconds(1);
        assert!(read(&plain, None, last).is_some());
        assert!(read(&plain, None, now + TimeDelta::seconds(60)).is_none());

        let bound = issue(Some(challenge_of("verifier")));
        assert!(read(&bound, Some("verifier"), now).unwrap().is_of_its_app());
        assert!(read(&bound, Some("another"), now).is_none());
        assert!(read(&bound, None, now).is_none());
        for bad in ["", "tno_", "tno_AAAA", &plain[4..], &format!("{plain}A")] {
            assert!(read(bad, None, now).is_none(), "{bad}");
        }
    }

    #[test]
    fn the_longest_code_can_be_shown() {
        let (environment, _) = test_environment(1);
        let keys = Arc::new(Keyring::generate_in_memory(&environment).unwrap());
        let vault = Vault::new(Arc::clone(&keys), keys);
        let mut longest = identity(1000);
        longest.issuer = "i".repeat(512);
        let code = SignInCode::issue(&vault, &environment, longest, Some(challenge_of("v"))).unwrap();
        assert!(code.expose_secret().len() < MAX_TEXT, "{}", code.expose_secret().len());
    }
}
