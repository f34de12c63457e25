//! Cookies: what a browser keeps for us that scripts cannot read.

use actix_web::{
    HttpRequest,
    cookie::{Cookie, SameSite, time::Duration},
    http::header,
};
use secrecy::{ExposeSecret as _, SecretString};
use tenantry_domain::second_factors::TRUST;
use tenantry_services::Services;

/// The cookie of a trusted device, by whether browsers reach the service over TLS: a cookie of the first name is taken by them
/// from nobody else (RFC 6265bis, section 4.1.3.2), and is kept nowhere without TLS.
fn device_cookie_name(services: &Services) -> &'static str {
    if services.is_reached_over_tls() {
        "__Host-tenantry-device"
    } else {
        "tenantry-device"
    }
}

/// The value of a cookie: the first of exactly this name (RFC 6265bis, section 4.2.1).
///
/// Names are taken as they are. actix-web decodes them, so that another host of the site could pass `%5F_Host-…` for what browsers let
/// nobody else set; and it sees no cookie at all beside one that is no text.
pub(crate) fn value(request: &HttpRequest, name: &str) -> Option<SecretString> {
    let headers = request.headers().get_all(header::COOKIE);
    let mut cookies = headers.flat_map(|header| header.as_bytes().split(|byte| *byte == b';'));
    cookies.find_map(|cookie| {
        let value = trimmed(cookie).strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
        Some(SecretString::from(String::from_utf8_lossy(value).into_owned()))
    })
}

/// Without the blanks around it.
fn trimmed(bytes: &[u8]) -> &[u8] {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = bytes.iter().position(|byte| !is_blank(byte)).unwrap_or(bytes.len());
    let end = bytes
        .iter()
        .rposition(|byte| !is_blank(byte))
        .map_or(start, |last| last + 1);
    bytes.get(start..end).unwrap_or_default()
}

/// The token of the trusted device that a request came from, as its cookie has it.
pub(crate) fn trusted_device(request: &HttpRequest, services: &Services) -> Option<SecretString> {
    value(request, device_cookie_name(services))
}

/// The cookie by which a device shows from now on that it is trusted.
pub(crate) fn of_trusted_device(services: &Services, token: &SecretString) -> Cookie<'static> {
    Cookie::build(device_cookie_name(services), token.expose_secret().to_owned())
        .path("/")
        .max_age(Duration::seconds(TRUST.num_seconds()))
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(services.is_reached_over_tls())
        .finish()
}
