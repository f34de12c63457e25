//! Entity tags (RFC 9110, section 8.8.3): a resource's version, in quotes.

use actix_web::{
    HttpRequest,
    http::header::{EntityTag, Header as _, IfMatch, IfNoneMatch},
};
use tenantry_services::preconditions::Precondition;

use crate::errors::{ApiError, ApiResult};

pub(crate) fn tag(version: i64) -> EntityTag {
    EntityTag::new_strong(version.to_string())
}

/// What `If-Match` demands.
pub(crate) fn precondition(request: &HttpRequest) -> ApiResult<Precondition> {
    if !request.headers().contains_key("if-match") {
        return Ok(Precondition::None);
    }
    let malformed = |_| ApiError::malformed("header.If-Match", "If-Match must be entity tags or *.");
    Ok(match IfMatch::parse(request).map_err(malformed)? {
        // The resource is found first, so it exists.
        IfMatch::Any => Precondition::None,
        // A tag that is weak, or not one of ours, matches no version.
        IfMatch::Items(tags) => Precondition::Versions(
            tags.iter()
                .filter(|tag| !tag.weak)
                .filter_map(|tag| tag.tag().parse().ok())
                .collect(),
        ),
    })
}

/// Whether the client holds this version already, by `If-None-Match`. One that does not parse holds nothing.
pub(crate) fn is_fresh(request: &HttpRequest, current: &EntityTag) -> bool {
    if !request.headers().contains_key("if-none-match") {
        return false;
    }
    match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => true,
        Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|tag| tag.weak_eq(current)),
        Err(_) => false,
    }
}
