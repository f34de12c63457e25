//! What of a request is parsed, reachable for whoever feeds it anything at all: the fuzz targets, and the test that
//! replays their corpus.
//!
//! Hidden from the documentation, since it is no interface: it follows the parsers behind it.

use actix_web::HttpRequest;
use tenantry_domain::{
    ids::UserId,
    lists::{Direction, ListQuery, Place, ResourceField},
};
use tenantry_services::{Keyring, idempotency::IdempotencyKey, preconditions::Precondition};

use crate::{
    cursors::{self, ListIdentity},
    errors::ApiError,
    etags, guard, idempotency,
    listing::{Filters, ListRequest},
    middleware,
};

/// The request was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused;

impl From<ApiError> for Refused {
    fn from(_: ApiError) -> Self {
        Self
    }
}

/// The list that a cursor belongs to.
pub struct List(ListIdentity);

impl List {
    /// A list by its path, its parameters and its caller.
    #[must_use]
    pub fn new(path: &str, parameters: Vec<(String, String)>, caller: UserId) -> Self {
        let path = path.to_owned();
        Self(ListIdentity {
            path,
            parameters,
            caller,
        })
    }

    /// The cursor of a place in it.
    #[must_use]
    pub fn cursor(&self, keyring: &Keyring, place: Place) -> Option<String> {
        cursors::encode(keyring, &self.0, place)
    }

    /// The place of a cursor.
    #[must_use]
    pub fn place(&self, keyring: &Keyring, cursor: &str) -> Option<Place> {
        cursors::decode(keyring, &self.0, cursor)
    }
}

/// The query string of a list of resources that is searched and filtered.
///
/// # Errors
/// When the parameters are refused.
pub fn list_query(
    request: &HttpRequest,
    keyring: &Keyring,
    caller: UserId,
) -> Result<ListQuery<ResourceField>, Refused> {
    let order = (ResourceField::CreatedAt, Direction::Descending);
    let parsed = ListRequest::signed_by(keyring, request, caller, order, Filters(&["q", "status"]))?;
    Ok(parsed.query)
}

/// `Authorization: Bearer …`.
#[must_use]
pub fn bearer_token(request: &HttpRequest) -> Option<&str> {
    guard::bearer_token(request)
}

/// `Accept`: whether JSON is among what it names.
#[must_use]
pub fn accepts_json(request: &HttpRequest) -> bool {
    middleware::demand_json_is_accepted(request.headers()).is_ok()
}

/// `Idempotency-Key`.
///
/// # Errors
/// When it is none.
pub fn idempotency_key(request: &HttpRequest, body: &[u8]) -> Result<Option<IdempotencyKey>, Refused> {
    Ok(idempotency::key(request, body)?)
}

/// `If-Match`.
///
/// # Errors
/// When it is refused.
pub fn precondition(request: &HttpRequest) -> Result<Precondition, Refused> {
    Ok(etags::precondition(request)?)
}

/// `If-None-Match`: whether the client holds this version.
#[must_use]
pub fn is_fresh(request: &HttpRequest, version: i64) -> bool {
    etags::is_fresh(request, &etags::tag(version))
}
