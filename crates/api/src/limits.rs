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
const BY_ADDRESS: [(&str, Limit); 3] = [
    ("/api/v1/auth/register", Limit::Register),
    ("/api/v1/auth/login", Limit::SignIn),
    ("/api/v1/auth/", Limit::Session),
];

/// Charges the limit by address that a path has, before anything is looked up for the request.
pub(crate) async fn by_address(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let limit = BY_ADDRESS
        .iter()
        .find(|(path, _)| request.path().starts_with(path))
        .map(|&(_, limit)| limit);
    if let Some(limit) = limit.filter(|_| request.method() != Method::OPTIONS) {
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
