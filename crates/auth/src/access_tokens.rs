//! Access tokens: JSON Web Tokens (RFC 7519) that say who is calling and on which session, for as long as they live.
//!
//! They hold no roles and no organizations, so that they say nothing that can change while they live. Checking one takes
//! no I/O; whether its session still stands is for the caller to ask.
//!
//! To add a claim: a field of `Claims`, and of [`AccessClaims`] if a caller needs it. A token that was issued before has
//! no such claim and is refused unless the field is an `Option`.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use jsonwebtoken::{Header, Validation, decode, decode_header, encode, errors::ErrorKind};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tenantry_domain::{
    environment::{Environment, Timestamp},
    ids::{SessionId, UserId},
};
use uuid::Uuid;

use crate::keys::Keyring;

/// The longest token that is looked at, in bytes; ours have some 500.
pub const MAX_BYTES: usize = 4096;

/// How far in the future a token may have been issued, for nodes whose clocks disagree. Its end is not stretched.
pub const CLOCK_SKEW: TimeDelta = TimeDelta::seconds(60);

/// Issues and checks access tokens; one for a process.
#[derive(Debug)]
pub struct AccessTokens {
    keyring: Arc<Keyring>,
    issuer: String,
    audience: String,
    life: Duration,
}

/// A new token.
#[derive(Debug)]
pub struct IssuedToken {
    /// The token, for its owner alone.
    pub token: SecretString,
    /// How long it lives from its issue on.
    pub expires_in: Duration,
}

/// What a valid token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessClaims {
    /// Who is calling (`sub`).
    pub user: UserId,
    /// The session that the token was issued to (`sid`).
    pub session: SessionId,
    /// When it was issued (`iat`).
    pub issued_at: Timestamp,
    /// When it ends (`exp`).
    pub expires_at: Timestamp,
    /// The token's own id (`jti`).
    pub token_id: Uuid,
}

/// Why a token is refused. All of these are one answer to a client; the difference is for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not a token of our form: too long, not a JWT, a claim missing or of another type.
    #[error("the access token is malformed")]
    Malformed,
    /// It names no key, or none that we have (any more).
    #[error("the access token was signed with an unknown key")]
    UnknownKey,
    /// It claims another algorithm than that of the key it names.
    #[error("the access token names another algorithm than its key's")]
    WrongAlgorithm,
    /// The key that it names did not sign it.
    #[error("the access token's signature is wrong")]
    BadSignature,
    /// It is another issuer's, or meant for another audience.
    #[error("the access token is another issuer's or for another audience")]
    WrongAudienceOrIssuer,
    /// It was issued more than [`CLOCK_SKEW`] in the future.
    #[error("the access token was issued in the future")]
    IssuedInFuture,
    /// Its life is over.
    #[error("the access token has expired")]
    Expired,
}

/// Why no token was issued.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// The key did not sign.
    #[error("the access token could not be signed")]
    Signing(#[from] jsonwebtoken::errors::Error),
    /// The life of a token would not end in any year that can be written down.
    #[error("access tokens are configured to live too long")]
    EndlessLife,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: UserId,
    aud: String,
    exp: i64,
    iat: i64,
    jti: Uuid,
    sid: SessionId,
}

impl AccessTokens {
    /// Tokens of `issuer` for `audience` that live for `life` (counted in whole seconds).
    #[must_use]
    pub fn new(keyring: Arc<Keyring>, issuer: String, audience: String, life: Duration) -> Self {
        Self {
            keyring,
            issuer,
            audience,
            life: Duration::from_secs(life.as_secs()),
        }
    }

    /// A new token for `user` on `session`.
    ///
    /// # Errors
    /// When the key fails to sign, or the life of tokens is out of all bounds.
    pub fn issue(
        &self,
        user: UserId,
        session: SessionId,
        environment: &Environment,
    ) -> Result<IssuedToken, IssueError> {
        let iat = environment.now().timestamp();
        let life = i64::try_from(self.life.as_secs()).map_err(|_| IssueError::EndlessLife)?;
        let exp = iat.checked_add(life).ok_or(IssueError::EndlessLife)?;
        let claims = Claims {
            iss: self.issuer.clone(),
            sub: user,
            aud: self.audience.clone(),
            exp,
            iat,
            jti: environment.new_uuid(),
            sid: session,
        };
        let key = self.keyring.signer();
        let mut header = Header::new(key.algorithm());
        header.kid = Some(key.jwk().kid.clone());
        let token = encode(&header, &claims, key.encoding())?;
        Ok(IssuedToken {
            token: SecretString::from(token),
            expires_in: self.life,
        })
    }

    /// What `token` says, if we issued it and it lives at `now`.
    ///
    /// The algorithm is that of the key which the token names, never the token's own choice (RFC 8725, section 3.1).
    ///
    /// # Errors
    /// Why it is refused.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<AccessClaims, TokenError> {
        if token.len() > MAX_BYTES {
            return Err(TokenError::Malformed);
        }
        let header = decode_header(token).map_err(|_| TokenError::Malformed)?;
        // RFC 7515, section 4.1.11: extensions that must be understood, of which we understand none.
        if header.crit.is_some() {
            return Err(TokenError::Malformed);
        }
        let key = header
            .kid
            .and_then(|key_id| self.keyring.find(&key_id))
            .ok_or(TokenError::UnknownKey)?;
        if header.alg != key.algorithm() {
            return Err(TokenError::WrongAlgorithm);
        }
        // The library is left the form and the signature: it would judge time by a clock of its own.
        let mut signature_alone = Validation::new(key.algorithm());
        signature_alone.required_spec_claims.clear();
        signature_alone.validate_exp = false;
        signature_alone.validate_aud = false;
        let decoded =
            decode::<Claims>(token, key.decoding(), &signature_alone).map_err(|error| match error.kind() {
                ErrorKind::InvalidSignature => TokenError::BadSignature,
                _ => TokenError::Malformed,
            })?;
        self.judge(&decoded.claims, now)
    }

    fn judge(&self, claims: &Claims, now: Timestamp) -> Result<AccessClaims, TokenError> {
        if claims.iss != self.issuer || claims.aud != self.audience {
            return Err(TokenError::WrongAudienceOrIssuer);
        }
        let issued_at = Timestamp::from_timestamp(claims.iat, 0).ok_or(TokenError::Malformed)?;
        let expires_at = Timestamp::from_timestamp(claims.exp, 0).ok_or(TokenError::Malformed)?;
        if now >= expires_at {
            return Err(TokenError::Expired);
        }
        if issued_at.signed_duration_since(now) > CLOCK_SKEW {
            return Err(TokenError::IssuedInFuture);
        }
        Ok(AccessClaims {
            user: claims.sub,
            session: claims.sid,
            issued_at,
            expires_at,
            token_id: claims.jti,
        })
    }
}

#[cfg(test)]
mod tests;
