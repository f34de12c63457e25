//! Access tokens of other issuers, which an operator trusts: this service is their resource server (RFC 9068, RFC 8725).
//!
//! What such a token says counts where a key signed it that the issuer publishes (RFC 7517), by an algorithm that no verifier could
//! sign with, too; where it is of that very issuer, for us, and good now. Keys are fetched when they are needed, kept for an hour, and
//! fetched anew where a token names one that is not among them, once in ten seconds at most. An issuer that is away is trusted by the
//! keys that it had for a day.

mod claims;
mod keys;

use std::fmt;

use chrono::TimeDelta;
use jsonwebtoken::{Algorithm, Validation, decode, decode_header, errors::ErrorKind};
use serde_json::{Map, Value};
use tenantry_domain::{
    environment::{Environment, Timestamp},
    identities::ExternalIdentity,
};

pub use self::claims::{ClaimNames, ClaimPath};
use self::{
    claims::{moment, texts},
    keys::KeySet,
};
use crate::{http_client::HttpClient, identity_providers::claims as shapes, opaque_tokens::TokenHash};

/// The longest token that is looked at, in bytes.
pub const MAX_BYTES: usize = 16 * 1024;

/// How long a token counts after its issue, whatever it says of its end: what ended its session is known for as long.
pub const MAX_LIFE: TimeDelta = TimeDelta::hours(24);

/// How far clocks may be apart.
const LEEWAY: TimeDelta = TimeDelta::seconds(60);

/// What tokens may be signed with: nothing that a verifier could sign with, too.
pub const ALGORITHMS: [(&str, Algorithm); 9] = [
    ("RS256", Algorithm::RS256),
    ("RS384", Algorithm::RS384),
    ("RS512", Algorithm::RS512),
    ("PS256", Algorithm::PS256),
    ("PS384", Algorithm::PS384),
    ("PS512", Algorithm::PS512),
    ("ES256", Algorithm::ES256),
    ("ES384", Algorithm::ES384),
    ("EdDSA", Algorithm::EdDSA),
];

/// What is configured of an issuer.
#[derive(Debug, Clone)]
pub struct IssuerSettings {
    /// By what it is told apart from others, here.
    pub key: String,
    /// What people call it.
    pub name: String,
    /// Its `iss`, to the character.
    pub issuer: String,
    /// For whom its tokens are to be (`aud`): one of these. Where there is none, `authorized_parties` says who may bring them.
    pub audiences: Vec<String>,
    /// To whom they were issued (`azp`): one of these, or whoever where there is none.
    pub authorized_parties: Vec<String>,
    /// Where its keys are.
    pub jwks_url: String,
    /// By what its tokens are signed.
    pub algorithms: Vec<Algorithm>,
    /// Whether every address that it names is proven, whatever it says of that.
    pub trusts_email: bool,
    /// Where its tokens say what.
    pub claims: ClaimNames,
}

/// An issuer whose tokens count.
pub struct TrustedIssuer {
    settings: IssuerSettings,
    keys: KeySet,
}

/// What a token of another issuer says.
#[derive(Debug, Clone)]
pub struct ExternalToken {
    /// Whom it means.
    pub identity: ExternalIdentity,
    /// By what the issuer's session is known that it belongs to.
    pub session: TokenHash,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When its owner last proved to the issuer who they are, where it says so.
    pub authenticated_at: Option<Timestamp>,
}

/// Why a token does not count.
#[derive(Debug, thiserror::Error)]
pub enum IssuerError {
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// It proves nothing.
    #[error("{0}")]
    Refused(&'static str),
    /// The issuer's keys cannot be had.
    #[error("the issuer's keys cannot be had: {0}")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl fmt::Debug for TrustedIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrustedIssuer")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// Whose token a text says that it is. Nothing of it is proven.
#[must_use]
pub fn claimed_issuer(token: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Claimed {
        iss: String,
    }
    if token.len() > MAX_BYTES {
        return None;
    }
    let claimed = jsonwebtoken::dangerous::insecure_decode::<Claimed>(token).ok()?;
    Some(claimed.claims.iss)
}

impl TrustedIssuer {
    /// An issuer of which nothing was learned yet.
    #[must_use]
    pub fn new(settings: IssuerSettings) -> Self {
        Self {
            settings,
            keys: KeySet::default(),
        }
    }

    /// What is configured of it.
    #[must_use]
    pub const fn settings(&self) -> &IssuerSettings {
        &self.settings
    }

    /// What a token says that counts.
    ///
    /// # Errors
    /// [`IssuerError`].
    pub async fn verify(
        &self,
        token: &str,
        http: &dyn HttpClient,
        environment: &Environment,
    ) -> Result<ExternalToken, IssuerError> {
        let claims = self.signed(token, http, environment).await?;
        self.judged(&claims, environment.now())
    }

    /// The claims of a token that a key of the issuer's signed.
    async fn signed(
        &self,
        token: &str,
        http: &dyn HttpClient,
        environment: &Environment,
    ) -> Result<Map<String, Value>, IssuerError> {
        if token.len() > MAX_BYTES {
            return Err(IssuerError::Refused("the token is too long"));
        }
        let header = decode_header(token).map_err(|_| IssuerError::Refused("the token is none"))?;
        // RFC 7515, section 4.1.11: extensions that must be understood, of which we understand none.
        if header.crit.is_some() {
            return Err(IssuerError::Refused("the token needs extensions to be understood"));
        }
        // RFC 8725, section 3.11: no other kind of token passes for one of these.
        if !header.typ.as_deref().is_none_or(is_access_token) {
            return Err(IssuerError::Refused("the token is of another kind"));
        }
        if !self.settings.algorithms.contains(&header.alg) {
            return Err(IssuerError::Refused(
                "the token is signed by an algorithm that does not count",
            ));
        }
        // The header's `jwk`, `jku` and `x5u` are whoever's who made it.
        let id = header.kid.ok_or(IssuerError::Refused("the token names no key"))?;
        let key = self
            .keys
            .find(&id, header.alg, &self.settings.jwks_url, http, environment)
            .await?
            .ok_or(IssuerError::Refused("the token is signed by no key of the issuer's"))?;
        // The library is left the form and the signature: it would judge time by a clock of its own.
        let mut signature_alone = Validation::new(header.alg);
        signature_alone.required_spec_claims.clear();
        signature_alone.validate_exp = false;
        signature_alone.validate_aud = false;
        match decode::<Map<String, Value>>(token, &key, &signature_alone) {
            Ok(decoded) => Ok(decoded.claims),
            Err(error) => Err(IssuerError::Refused(match error.kind() {
                ErrorKind::InvalidSignature => "the signature of the token is wrong",
                _ => "the token is none",
            })),
        }
    }

    fn judged(&self, claims: &Map<String, Value>, now: Timestamp) -> Result<ExternalToken, IssuerError> {
        let settings = &self.settings;
        if claims.get("iss").and_then(Value::as_str) != Some(&settings.issuer) {
            return Err(IssuerError::Refused("the token is of another issuer"));
        }
        let any_of = |claim: &str, wanted: &[String]| {
            let said = claims.get(claim).map(texts).unwrap_or_default();
            wanted.is_empty() || said.iter().any(|said| wanted.iter().any(|wanted| wanted == said))
        };
        if !any_of("aud", &settings.audiences) || !any_of("azp", &settings.authorized_parties) {
            return Err(IssuerError::Refused("the token is for somebody else"));
        }
        let at = |claim: &str| match claims.get(claim) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => moment(value)
                .map(Some)
                .ok_or(IssuerError::Refused("the token names a moment that is none")),
        };
        let expires_at = at("exp")?.ok_or(IssuerError::Refused("the token does not end"))?;
        let issued_at = at("iat")?.ok_or(IssuerError::Refused("the token does not say when it was issued"))?;
        if now >= expires_at + LEEWAY || now >= issued_at + MAX_LIFE {
            return Err(IssuerError::Expired);
        }
        if issued_at > now + LEEWAY || at("nbf")?.is_some_and(|from| from > now + LEEWAY) {
            return Err(IssuerError::Refused("the token is of the future"));
        }
        let identity = self.identity(claims)?;
        let session = settings.claims.session.iter().find_map(|path| path.text(claims));
        Ok(ExternalToken {
            session: session_of(&identity, session.unwrap_or_default()),
            identity,
            issued_at,
            // Of the future it would count for longer than it may.
            authenticated_at: at("auth_time")?.map(|at| at.min(issued_at).min(now)),
        })
    }

    fn identity(&self, claims: &Map<String, Value>) -> Result<ExternalIdentity, IssuerError> {
        let settings = &self.settings;
        let ClaimNames {
            subject,
            email,
            email_verified,
            name,
            picture,
            locale,
            ..
        } = &settings.claims;
        let subject = subject.text(claims).and_then(shapes::subject);
        let subject = subject.ok_or(IssuerError::Refused("the subject is none that can be kept"))?;
        let email = email.text(claims).and_then(shapes::email);
        Ok(ExternalIdentity {
            provider: settings.key.clone(),
            issuer: settings.issuer.clone(),
            subject,
            connection: None,
            email_verified: email.is_some() && (settings.trusts_email || email_verified.is_true(claims)),
            email,
            name: name.text(claims).and_then(shapes::name),
            picture: picture.text(claims).and_then(shapes::picture),
            locale: locale.text(claims).and_then(shapes::locale),
        })
    }
}

/// Whether the `typ` of a header is that of an access token (RFC 9068, section 2.1) or of a JWT at large (RFC 7519, section 5.1).
fn is_access_token(typ: &str) -> bool {
    let typ = typ.to_ascii_lowercase();
    matches!(typ.strip_prefix("application/").unwrap_or(&typ), "jwt" | "at+jwt")
}

/// By what a session of an issuer's is known: the same for all of its tokens, and no other's.
fn session_of(identity: &ExternalIdentity, session: &str) -> TokenHash {
    let mut named = Vec::new();
    for part in [&identity.issuer, &identity.subject, session] {
        // With its length before it, no part passes for a piece of another.
        named.extend_from_slice(&part.len().to_be_bytes());
        named.extend_from_slice(part.as_bytes());
    }
    TokenHash::of(&named)
}

#[cfg(test)]
mod tests;
