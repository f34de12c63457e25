//! What surrounds every request, outermost first: the trace and its headers, the span, the clock and the envelope.

use std::{panic::AssertUnwindSafe, time::Duration};

use actix_web::{
    Error, HttpMessage as _,
    body::{BoxBody, MessageBody},
    dev::{ResponseHead, ServiceRequest, ServiceResponse},
    error::InternalError,
    http::{
        ConnectionType, Method,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
    web,
};
use futures_util::FutureExt as _;
use tenantry_domain::trace::TraceId;
use tenantry_services::Services;
use tracing_actix_web::{DefaultRootSpanBuilder, RootSpanBuilder};

use crate::{errors::ApiError, limits};

/// How long a request may take in all.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RequestTimeout(pub(crate) Duration);

/// Headers of every response. The docs page brings a policy of its own.
const SECURITY_HEADERS: &[(&str, &str)] = &[
    ("strict-transport-security", "max-age=31536000; includeSubDomains"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    (
        "permissions-policy",
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
    (
        "content-security-policy",
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    ),
    ("cross-origin-resource-policy", "same-site"),
];

/// Outermost: gives the request its trace, and the response the headers that every one carries.
pub(crate) async fn trace(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let parent = request
        .headers()
        .get("traceparent")
        .and_then(|value| value.to_str().ok());
    let continued = parent.and_then(TraceId::from_traceparent);
    let services = request
        .app_data::<web::Data<Services>>()
        .cloned()
        .ok_or(ApiError::Internal)?;
    let trace = continued.unwrap_or_else(|| TraceId::new(services.environment()));
    request.extensions_mut().insert(trace);
    if request.method() == Method::HEAD {
        // HEAD is GET without its body, and the connection leaves that out by itself.
        request.head_mut().method = Method::GET;
    }
    match next.call(request).await {
        Ok(response) => {
            let mut response = response.map_into_boxed_body();
            let own_request = response.request().clone();
            write_headers(response.headers_mut(), trace);
            limits::write_headers(&own_request, response.headers_mut());
            end_connection_if_draining(response.response_mut().head_mut(), &services);
            Ok(response)
        }
        // The request went down with a panic or a timeout, so there is no service response to be made of this.
        Err(error) => {
            let mut response = error.error_response();
            write_headers(response.headers_mut(), trace);
            end_connection_if_draining(response.head_mut(), &services);
            Err(InternalError::from_response(error, response).into())
        }
    }
}

/// Whoever keeps a connection to a process that is about to end is told to make the next request on another.
fn end_connection_if_draining(head: &mut ResponseHead, services: &Services) {
    if services.is_draining() {
        head.set_connection_type(ConnectionType::Close);
    }
}

fn write_headers(headers: &mut HeaderMap, trace: TraceId) {
    if !headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN) {
        // These are put on whatever the origin is: one that is not listed is told nothing.
        headers.remove(header::ACCESS_CONTROL_ALLOW_CREDENTIALS);
        headers.remove(header::ACCESS_CONTROL_EXPOSE_HEADERS);
    }
    for (name, value) in SECURITY_HEADERS {
        set_default(headers, name, value);
    }
    if let Ok(value) = HeaderValue::from_str(&trace.to_string()) {
        headers.insert(HeaderName::from_static("x-trace-id"), value);
    }
}

fn set_default(headers: &mut HeaderMap, name: &'static str, value: &'static str) {
    let name = HeaderName::from_static(name);
    if !headers.contains_key(&name) {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// The span of a request, by its route and not by its path, with the trace that its log lines carry.
pub(crate) struct RootSpan;

impl RootSpanBuilder for RootSpan {
    fn on_request_start(request: &ServiceRequest) -> tracing::Span {
        let trace = request.extensions().get::<TraceId>().map(ToString::to_string);
        let route = request.match_pattern();
        tracing::info_span!(
            "request",
            trace_id = trace,
            http.request.method = %request.method(),
            http.route = route,
            http.response.status_code = tracing::field::Empty,
        )
    }

    fn on_request_end<B: MessageBody>(span: tracing::Span, outcome: &Result<ServiceResponse<B>, Error>) {
        match outcome {
            Ok(response) => {
                span.record("http.response.status_code", response.status().as_u16());
                span.in_scope(|| tracing::info!("answered"));
            }
            Err(_) => DefaultRootSpanBuilder::on_request_end(span, outcome),
        }
    }
}

/// Inside the span: bounds the time, catches panics, and writes the envelope of whatever went wrong.
pub(crate) async fn outcome(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let trace = request
        .extensions()
        .get::<TraceId>()
        .copied()
        .ok_or(ApiError::Internal)?;
    let limit = request
        .app_data::<web::Data<RequestTimeout>>()
        .map_or(Duration::from_secs(30), |limit| limit.0);
    let call = AssertUnwindSafe(next.call(request)).catch_unwind();
    let error = match tokio::time::timeout(limit, call).await {
        Ok(Ok(Ok(response))) => {
            return Ok(match problem(&response) {
                None => response.map_into_boxed_body(),
                Some(error) => envelope(response, &error, trace),
            });
        }
        Ok(Ok(Err(error))) => known(&error),
        Ok(Err(panic)) => {
            let reason = panic
                .downcast_ref::<&str>()
                .map(|text| (*text).to_owned())
                .or_else(|| panic.downcast_ref::<String>().cloned())
                .unwrap_or_default();
            tracing::error!(reason, "a handler panicked");
            ApiError::Internal
        }
        Err(_) => ApiError::Timeout,
    };
    let response = error.respond(trace);
    Err(InternalError::from_response(error, response).into())
}

/// What a response is wrong about; `None` for one that is not, or that says so itself.
fn problem<B>(response: &ServiceResponse<B>) -> Option<ApiError> {
    if let Some(error) = response.response().error() {
        return Some(known(error));
    }
    let status = response.status();
    let says_so_itself = response.headers().contains_key(header::CONTENT_TYPE);
    ((status.is_client_error() || status.is_server_error()) && !says_so_itself).then(|| ApiError::from_status(status))
}

fn known(error: &Error) -> ApiError {
    error.as_error::<ApiError>().cloned().unwrap_or_else(|| {
        tracing::debug!(error = %error, "an error of the framework");
        ApiError::from_status(error.as_response_error().status_code())
    })
}

/// The answer with its body put in place of whatever it had.
fn envelope<B>(response: ServiceResponse<B>, error: &ApiError, trace: TraceId) -> ServiceResponse<BoxBody> {
    let (request, answered) = response.into_parts();
    let mut response = error.respond(trace);
    // What surrounds a handler, CORS first of all, has already said what browsers need.
    for (name, value) in answered.headers() {
        let of_cors = name.as_str().starts_with("access-control-") || *name == header::VARY;
        if of_cors {
            response.headers_mut().append(name.clone(), value.clone());
        }
    }
    ServiceResponse::new(request, response)
}

/// That the client accepts what this API answers with.
pub(crate) fn demand_json_is_accepted(headers: &HeaderMap) -> Result<(), ApiError> {
    // More than one of them are one list (RFC 9110, section 5.3).
    let accepts: Option<Vec<&str>> = headers
        .get_all(header::ACCEPT)
        .map(|accept| accept.to_str().ok())
        .collect();
    let Some(accepts) = accepts.filter(|accepts| !accepts.is_empty()) else {
        return Ok(());
    };
    let ranges = accepts.iter().flat_map(|accept| accept.split(',')).map(|range| {
        let mut parts = range.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
        let refused = parts.any(|part| {
            matches!(
                part.to_ascii_lowercase().as_str(),
                "q=0" | "q=0.0" | "q=0.00" | "q=0.000"
            )
        });
        (kind, refused)
    });
    let accepted = |(kind, refused): (String, bool)| {
        !refused && matches!(kind.as_str(), "" | "*/*" | "application/*" | "application/json")
    };
    if ranges.into_iter().any(accepted) {
        Ok(())
    } else {
        Err(ApiError::NotAcceptable)
    }
}

/// Refuses those who accept no JSON, under the paths that answer with nothing else.
pub(crate) async fn negotiate(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let is_route = request.path().starts_with("/api/") && request.match_pattern().is_some();
    if is_route
        && request.method() != Method::OPTIONS
        && let Err(refusal) = demand_json_is_accepted(request.headers())
    {
        return Ok(request.error_response(refusal).map_into_right_body());
    }
    Ok(next.call(request).await?.map_into_left_body())
}
