//! How a session's refresh token travels: in bodies, or in a cookie that no script of a browser can read.
//!
//! In browser mode (`X-Token-Transport: cookie`) a second cookie has what `refresh` and `logout` are to show against
//! cross-site requests, for pages of the same origin that lost the answer's `csrfToken` at a reload.

use actix_web::{
    HttpRequest,
    cookie::{Cookie, SameSite, time::Duration},
};
use secrecy::{ExposeSecret as _, SecretString};
use tenantry_services::sessions::Carried;

use crate::{
    cookies,
    errors::{ApiError, ApiResult, FieldFailure},
};

/// The header that asks for a way.
const ASKED: &str = "x-token-transport";

/// The header that shows a session's token against cross-site requests.
const CSRF: &str = "x-csrf-token";

/// Browsers take a cookie of such a name from its own host alone, and send it nowhere without TLS, but to `localhost` (RFC 6265bis,
/// section 4.1.3.2).
const REFRESH_COOKIE: &str = "__Host-tenantry-refresh";
const CSRF_COOKIE: &str = "__Host-tenantry-csrf";

/// How a refresh token travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Body,
    Cookie,
}

impl Transport {
    /// What a request asks for.
    pub(crate) fn asked(request: &HttpRequest) -> ApiResult<Self> {
        let mut values = request.headers().get_all(ASKED);
        match (values.next().map(|value| value.as_bytes()), values.next()) {
            (None | Some(b"body"), None) => Ok(Self::Body),
            (Some(b"cookie"), None) => Ok(Self::Cookie),
            _ => Err(ApiError::malformed(
                "header.X-Token-Transport",
                "X-Token-Transport must be body or cookie.",
            )),
        }
    }
}

/// A refresh token that a request has, and how it came.
pub(crate) enum Received {
    InBody(SecretString),
    InCookie { token: SecretString, csrf: Option<String> },
}

impl Received {
    /// The refresh token of a body, or else of the cookie.
    pub(crate) fn of(request: &HttpRequest, in_body: Option<SecretString>) -> ApiResult<Self> {
        if let Some(token) = in_body {
            return Ok(Self::InBody(token));
        }
        let Some(token) = cookies::value(request, REFRESH_COOKIE) else {
            return Err(ApiError::Validation(vec![FieldFailure {
                field: "/refreshToken".to_owned(),
                code: "required".into(),
                message: "is required where there is no cookie".to_owned(),
            }]));
        };
        let mut shown = request.headers().get_all(CSRF);
        let csrf = match (shown.next(), shown.next()) {
            (Some(csrf), None) => csrf.to_str().ok().map(str::to_owned),
            _ => None,
        };
        Ok(Self::InCookie { token, csrf })
    }

    /// The same for the use cases.
    pub(crate) fn carried(&self) -> Carried<'_> {
        match self {
            Self::InBody(token) => Carried::InBody(token.expose_secret()),
            Self::InCookie { token, csrf } => Carried::InCookie {
                token: token.expose_secret(),
                csrf: csrf.as_deref(),
            },
        }
    }

    /// How the next one travels: what was in a cookie once, no script gets hold of.
    pub(crate) fn then(&self, asked: Transport) -> Transport {
        match self {
            Self::InBody(_) => asked,
            Self::InCookie { .. } => Transport::Cookie,
        }
    }
}

/// The cookies of a session whose tokens are good for so many seconds.
pub(crate) fn cookies(refresh_token: &SecretString, csrf_token: &str, seconds: i64) -> [Cookie<'static>; 2] {
    let life = Duration::seconds(seconds);
    [
        cookie(REFRESH_COOKIE, refresh_token.expose_secret().to_owned(), true, life),
        cookie(CSRF_COOKIE, csrf_token.to_owned(), false, life),
    ]
}

/// What takes these cookies from a browser.
pub(crate) fn cleared() -> [Cookie<'static>; 2] {
    [(REFRESH_COOKIE, true), (CSRF_COOKIE, false)]
        .map(|(name, http_only)| cookie(name, String::new(), http_only, Duration::ZERO))
}

fn cookie(name: &'static str, value: String, http_only: bool, life: Duration) -> Cookie<'static> {
    Cookie::build(name, value)
        .path("/")
        .max_age(life)
        .http_only(http_only)
        .same_site(SameSite::Strict)
        .secure(true)
        .finish()
}
