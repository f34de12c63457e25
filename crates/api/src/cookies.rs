//! Cookies: what a browser keeps for us that scripts cannot read.

use actix_web::{
    HttpRequest,
    cookie::{Cookie, SameSite, time::Duration},
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

/// The token of the trusted device that a request came from, as its cookie has it.
pub(crate) fn trusted_device(request: &HttpRequest, services: &Services) -> Option<SecretString> {
    let cookie = request.cookie(device_cookie_name(services))?;
    Some(SecretString::from(cookie.value()))
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
