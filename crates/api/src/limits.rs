//! Rate limits of a request, and the headers that tell of them.

use actix_web::{
    Error, HttpMessage as _, HttpRequest,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method,
        header::{HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
};
use tenantry_services::{
    Services,
    limits::{Charge, Limit, LimitKey},
};

use crate::{
    errors::{ApiError, ApiResult},
    guard,
};

/// The tightest limit that a request was charged for.
struct Tightest(Charge);

/// The limit by address of everything under a path; a new route below it has that limit without asking for it.
const BY_ADDRESS: [(&str, Limit); 11] = [
    ("/api/v1/auth/register", Limit::Register),
    ("/api/v1/auth/login", Limit::SignIn),
    ("/api/v1/auth/mfa/verify", Limit::SignIn),
    ("/api/v1/auth/passkeys/login/options", Limit::Session),
    ("/api/v1/auth/passkeys/login", Limit::SignIn),
    ("/api/v1/auth/oidc/exchange", Limit::SignIn),
    ("/api/v1/auth/reauthenticate", Limit::SignIn),
    ("/api/v1/auth/password/forgot", Limit::Mail),
    ("/api/v1/auth/email/resend", Limit::Mail),
    ("/api/v1/auth/", Limit::Session),
    ("/api/v1/invitations/", Limit::Invitation),
];

/// The limit by address that a path has.
pub(crate) fn of_path(path: &str) -> Option<Limit> {
    let known = BY_ADDRESS.iter().find(|(start, _)| path.starts_with(start));
    known.map(|&(_, limit)| limit)
}

/// Charges the limit by address that a path has, before anything is looked up for the request.
pub(crate) async fn by_address(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    // The path as routes are matched with it, which another spelling (`%61uth`) does not change.
    let limit = of_path(request.match_info().as_str()).filter(|_| request.method() != Method::OPTIONS);
    if let Some(limit) = limit {
        let address = LimitKey::address(request.peer_addr().map(|address| address.ip()));
        let charged = guard::services(request.request())
            .and_then(|services| charge(request.request(), services, limit, &address));
        if let Err(refusal) = charged {
            return Ok(request.error_response(refusal).map_into_right_body());
        }
    }
    Ok(next.call(request).await?.map_into_left_body())
}

/// Charges a limit.
pub(crate) fn charge(request: &HttpRequest, services: &Services, limit: Limit, key: &LimitKey) -> ApiResult<()> {
    let Some(charge) = services.charge(limit, key) else {
        return Ok(());
    };
    note(request, charge);
    if charge.allowed {
        Ok(())
    } else {
        Err(ApiError::RateLimited(charge))
    }
}

/// The same, telling nothing of what is left: that would tell how often others asked.
pub(crate) fn charge_quietly(
    request: &HttpRequest,
    services: &Services,
    limit: Limit,
    key: &LimitKey,
) -> ApiResult<()> {
    match services.charge(limit, key) {
        Some(charge) if !charge.allowed => {
            note(request, charge);
            Err(ApiError::RateLimited(charge))
        }
        _ => Ok(()),
    }
}

fn note(request: &HttpRequest, charge: Charge) {
    let mut extensions = request.extensions_mut();
    let before = extensions.get::<Tightest>().map(|tightest| tightest.0);
    if let Some(tightest) = Charge::tightest(before.into_iter().chain([charge])) {
        extensions.insert(Tightest(tightest));
    }
}

/// Writes the headers of the tightest limit.
pub(crate) fn write_headers(request: &HttpRequest, headers: &mut HeaderMap) {
    let extensions = request.extensions();
    let Some(Tightest(charge)) = extensions.get::<Tightest>() else {
        return;
    };
    let values = [
        ("ratelimit-limit", "x-ratelimit-limit", u64::from(charge.limit)),
        (
            "ratelimit-remaining",
            "x-ratelimit-remaining",
            u64::from(charge.remaining),
        ),
        ("ratelimit-reset", "x-ratelimit-reset", charge.reset.as_secs()),
    ];
    for (name, legacy, value) in values {
        let value = HeaderValue::from(value);
        headers.insert(HeaderName::from_static(name), value.clone());
        headers.insert(HeaderName::from_static(legacy), value);
    }
}
