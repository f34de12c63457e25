//! Rate limits of a request, and the headers that tell of them.

use std::cell::Cell;

use actix_web::{
    HttpMessage as _, HttpRequest,
    http::header::{HeaderMap, HeaderName, HeaderValue},
};
use tenantry_services::{
    Services,
    limits::{Charge, Limit, LimitKey},
};

use crate::errors::{ApiError, ApiResult};

/// The tightest limit that a request was charged for.
#[derive(Default)]
struct Tightest(Cell<Option<Charge>>);

/// Charges a limit by the client's address.
pub(crate) fn charge_address(request: &HttpRequest, services: &Services, limit: Limit) -> ApiResult<()> {
    charge(
        request,
        services,
        limit,
        &LimitKey::address(request.peer_addr().map(|address| address.ip())),
    )
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
    if let Some(tightest) = extensions.get::<Tightest>() {
        let tighter = tightest
            .0
            .get()
            .is_none_or(|before| !charge.allowed || charge.remaining < before.remaining);
        if tighter {
            tightest.0.set(Some(charge));
        }
    } else {
        extensions.insert(Tightest(Cell::new(Some(charge))));
    }
}

/// Writes the headers of the tightest limit.
pub(crate) fn write_headers(request: &HttpRequest, headers: &mut HeaderMap) {
    let extensions = request.extensions();
    let Some(charge) = extensions.get::<Tightest>().and_then(|tightest| tightest.0.get()) else {
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
