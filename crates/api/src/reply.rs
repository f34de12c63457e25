//! Answers that are one resource, or none.

use actix_web::{
    HttpRequest, HttpResponse, Responder,
    body::BoxBody,
    cookie::Cookie,
    http::{
        Method, StatusCode,
        header::{CACHE_CONTROL, ETAG, EntityTag, LOCATION},
    },
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::etags;

/// May be kept by the client, and must be asked about before it is used again.
pub(crate) const PRIVATE: &str = "private, no-cache";

/// Must not be kept.
pub(crate) const NO_STORE: &str = "no-store";

/// The envelope of one resource.
#[derive(Serialize, ToSchema)]
pub(crate) struct Data<T> {
    /// The resource.
    pub(crate) data: T,
}

/// An answer that is one resource.
pub(crate) struct Reply<T> {
    resource: T,
    status: StatusCode,
    tag: Option<EntityTag>,
    location: Option<String>,
    cache_control: &'static str,
    cookies: Vec<Cookie<'static>>,
    replayed: bool,
}

impl<T> Reply<T> {
    /// `200` with a resource of an organization.
    pub(crate) fn ok(resource: T) -> Self {
        Self {
            resource,
            status: StatusCode::OK,
            tag: None,
            location: None,
            cache_control: PRIVATE,
            cookies: Vec::new(),
            replayed: false,
        }
    }

    /// `201` with a resource that is at `location` from now on.
    pub(crate) fn created(resource: T, location: String) -> Self {
        Self {
            status: StatusCode::CREATED,
            location: Some(location),
            ..Self::ok(resource)
        }
    }

    /// With another status.
    pub(crate) fn status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// With the entity tag of a version.
    pub(crate) fn version(self, version: i64) -> Self {
        self.tag(etags::tag(version))
    }

    /// With an entity tag.
    pub(crate) fn tag(self, tag: EntityTag) -> Self {
        Self { tag: Some(tag), ..self }
    }

    /// Not to be kept by anyone.
    pub(crate) fn no_store(self) -> Self {
        Self {
            cache_control: NO_STORE,
            ..self
        }
    }

    /// With cookies for the client to keep, beside those that it has.
    pub(crate) fn cookies(mut self, cookies: impl IntoIterator<Item = Cookie<'static>>) -> Self {
        self.cookies.extend(cookies);
        self
    }

    /// Whether this is the answer to a request that was answered before.
    pub(crate) fn replayed(self, replayed: bool) -> Self {
        Self { replayed, ..self }
    }
}

impl<T: Serialize> Responder for Reply<T> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse<BoxBody> {
        let fresh = request.method() == Method::GET
            && self
                .tag
                .as_ref()
                .is_some_and(|current| etags::is_fresh(request, current));
        let mut response = HttpResponse::build(if fresh { StatusCode::NOT_MODIFIED } else { self.status });
        response.insert_header((CACHE_CONTROL, self.cache_control));
        if let Some(tag) = self.tag {
            response.insert_header((ETAG, tag.to_string()));
        }
        if let Some(location) = self.location {
            response.insert_header((LOCATION, location));
        }
        for cookie in self.cookies {
            response.cookie(cookie);
        }
        if self.replayed {
            response.insert_header(("Idempotency-Replayed", "true"));
        }
        if fresh {
            response.finish()
        } else {
            response.json(Data { data: self.resource })
        }
    }
}

/// `204`: done, and nothing to say.
pub(crate) struct NoContent;

impl Responder for NoContent {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse<BoxBody> {
        HttpResponse::NoContent()
            .insert_header((CACHE_CONTROL, NO_STORE))
            .finish()
    }
}

/// The same, with cookies for the client to keep or to drop.
pub(crate) struct NoContentButCookies(pub(crate) Vec<Cookie<'static>>);

impl Responder for NoContentButCookies {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse<BoxBody> {
        let mut response = NoContent.respond_to(request);
        for cookie in &self.0 {
            if let Err(error) = response.add_cookie(cookie) {
                tracing::error!(error = &error as &dyn std::error::Error, "a cookie cannot be written");
            }
        }
        response
    }
}
