//! Entity tags (RFC 9110, section 8.8.3): a resource's version, in quotes.

use actix_web::{
    HttpRequest,
    http::header::{EntityTag, Header as _, HeaderValue, IfMatch, IfNoneMatch},
};
use tenantry_domain::environment::Timestamp;
use tenantry_services::preconditions::Precondition;

use crate::errors::{ApiError, ApiResult};

/// The most bytes of `If-Match`. Our tags have a few digits, and a client holds one of them.
const MAX: usize = 255;

pub(crate) fn tag(version: i64) -> EntityTag {
    EntityTag::new_strong(version.to_string())
}

/// The tag of a version that somebody was seen at: another one at any other time.
pub(crate) fn tag_seen(version: i64, last_seen: Option<Timestamp>) -> EntityTag {
    match last_seen {
        Some(moment) => EntityTag::new_strong(format!("{version}.{}", moment.timestamp_millis())),
        None => tag(version),
    }
}

/// What `If-Match` demands.
pub(crate) fn precondition(request: &HttpRequest) -> ApiResult<Precondition> {
    precondition_by(request, number)
}

/// The same of a [`tag_seen`]: being seen is no change that another one could be lost in.
pub(crate) fn precondition_unless_seen(request: &HttpRequest) -> ApiResult<Precondition> {
    precondition_by(request, |tag| {
        let (version, last_seen) = tag.split_once('.').unwrap_or((tag, "0"));
        number(last_seen)?;
        number(version)
    })
}

/// A number as a tag has it: only one that is written like that is the same tag.
fn number(text: &str) -> Option<i64> {
    text.parse().ok().filter(|number: &i64| number.to_string() == text)
}

/// What `If-Match` demands, by what a strong tag says of the version.
fn precondition_by(request: &HttpRequest, version: impl Fn(&str) -> Option<i64>) -> ApiResult<Precondition> {
    let malformed = |problem: &str| ApiError::malformed("header.If-Match", format!("If-Match must {problem}."));
    let headers = request.headers();
    if !headers.contains_key("if-match") {
        return Ok(Precondition::None);
    }
    let bytes: usize = headers.get_all("if-match").map(HeaderValue::len).sum();
    if !(1..=MAX).contains(&bytes) {
        return Err(malformed(&format!("have 1 to {MAX} bytes")));
    }
    Ok(
        match IfMatch::parse(request).map_err(|_| malformed("be entity tags or *"))? {
            // The resource is found first, so it exists.
            IfMatch::Any => Precondition::None,
            // A tag that is weak, or not one of ours, matches no version.
            IfMatch::Items(tags) => Precondition::Versions(
                tags.iter()
                    .filter(|tag| !tag.weak)
                    .filter_map(|tag| version(tag.tag()))
                    .collect(),
            ),
        },
    )
}

/// Whether the client holds this version already, by `If-None-Match`. It is a hint: one that does not parse holds nothing.
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
