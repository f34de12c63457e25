//! Where the tokens of an issuer say what.

use serde_json::{Map, Value};
use tenantry_domain::environment::Timestamp;

/// Where a token says something: a claim by its name, or a place inside of one by a JSON pointer (RFC 6901).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimPath(String);

/// Where the tokens of an issuer say what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimNames {
    /// Whom they mean.
    pub subject: ClaimPath,
    /// Their address.
    pub email: ClaimPath,
    /// Whether the issuer has seen that it is theirs.
    pub email_verified: ClaimPath,
    /// Their name.
    pub name: ClaimPath,
    /// An `https` URL of a picture of them.
    pub picture: ClaimPath,
    /// The language that they read.
    pub locale: ClaimPath,
    /// The issuer's session; the first of these that there is.
    pub session: Vec<ClaimPath>,
}

impl Default for ClaimNames {
    /// Those of OpenID Connect Core 1.0, section 5.1; the session as Keycloak and Clerk name it, and as Supabase does.
    fn default() -> Self {
        let [subject, email, email_verified, name, picture, locale] =
            ["sub", "email", "email_verified", "name", "picture", "locale"].map(ClaimPath::new);
        Self {
            subject,
            email,
            email_verified,
            name,
            picture,
            locale,
            session: ["sid", "session_id"].map(ClaimPath::new).into(),
        }
    }
}

impl ClaimPath {
    /// A claim of this name, or the place that it points to where it begins with a slash.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    fn value<'c>(&self, claims: &'c Map<String, Value>) -> Option<&'c Value> {
        let Some(pointer) = self.0.strip_prefix('/') else {
            return claims.get(&self.0);
        };
        let (claim, rest) = match pointer.split_once('/') {
            Some((claim, _)) => (claim, pointer.get(claim.len()..).unwrap_or_default()),
            None => (pointer, ""),
        };
        claims.get(&claim.replace("~1", "/").replace("~0", "~"))?.pointer(rest)
    }

    pub(super) fn text<'c>(&self, claims: &'c Map<String, Value>) -> Option<&'c str> {
        self.value(claims)?.as_str().filter(|text| !text.is_empty())
    }

    pub(super) fn is_true(&self, claims: &Map<String, Value>) -> bool {
        match self.value(claims) {
            Some(Value::Bool(value)) => *value,
            // As Cognito and Auth0's older rules write it.
            Some(Value::String(value)) => value == "true",
            _ => false,
        }
    }
}

/// One text, or all of a list of them (RFC 7519, section 4.1.3).
pub(super) fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// Seconds since 1970, which may have a fraction (RFC 7519, section 2).
pub(super) fn moment(value: &Value) -> Option<Timestamp> {
    let seconds = match value.as_i64() {
        Some(seconds) => seconds,
        None => format!("{:.0}", value.as_f64()?.floor()).parse().ok()?,
    };
    // Far ends of time are left out, where sums with them would have none.
    Timestamp::from_timestamp(seconds, 0).filter(|at| (0..=253_402_300_799).contains(&at.timestamp()))
}
