//! The `Idempotency-Key` header.

use actix_web::HttpRequest;
use tenantry_services::idempotency::IdempotencyKey;

use crate::errors::{ApiError, ApiResult};

/// The most characters of a key.
const MAX: usize = 255;

/// The key of a request with this body, where it has one.
pub(crate) fn key(request: &HttpRequest, body: &[u8]) -> ApiResult<Option<IdempotencyKey>> {
    let Some(header) = request.headers().get("idempotency-key") else {
        return Ok(None);
    };
    let text = header
        .to_str()
        .ok()
        .filter(|text| !text.is_empty() && text.len() <= MAX);
    let key = text.ok_or_else(|| {
        ApiError::malformed(
            "header.Idempotency-Key",
            format!("Idempotency-Key must have 1 to {MAX} ASCII characters."),
        )
    })?;
    Ok(Some(IdempotencyKey::of(
        request.method().as_str(),
        request.path(),
        key,
        body,
    )))
}
