//! Whether the service lives and serves, and the public keys of its tokens.

use actix_web::{HttpRequest, HttpResponse, get, http::header::CACHE_CONTROL};
use serde::Serialize;
use serde_json::json;
use tenantry_domain::environment::Timestamp;
use tenantry_services::health::Check;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    errors::{ApiError, ApiResult},
    guard::Anyone,
    listing::no_parameters,
    reply::NO_STORE,
    timestamps,
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(live).service(ready).service(jwks);
}

/// That the process lives.
#[derive(Serialize, ToSchema)]
pub(crate) struct Liveness {
    status: HealthStatus,
}

/// Whether the service can serve.
#[derive(Serialize, ToSchema)]
pub(crate) struct Readiness {
    status: HealthStatus,
    checks: Checks,
    #[serde(serialize_with = "timestamps::serialize")]
    #[schema(value_type = String, format = DateTime, max_length = 24, example = "2026-01-31T09:30:00.123Z")]
    timestamp: Timestamp,
}

/// That the service cannot serve, and the error of the envelope.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "read by the derive alone: the body is put together from the two it is made of"
)]
pub(crate) struct NotReady {
    status: HealthStatus,
    checks: Checks,
    #[schema(value_type = String, format = DateTime, max_length = 24, example = "2026-01-31T09:30:00.123Z")]
    timestamp: Timestamp,
    error: crate::openapi::ErrorInfo,
}

/// What the service rests on.
#[derive(Serialize, ToSchema)]
pub(crate) struct Checks {
    database: CheckView,
}

/// What a dependency answered.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Check)]
pub(crate) struct CheckView {
    status: HealthStatus,
    /// Milliseconds until it answered, or was given up.
    #[schema(minimum = 0, example = 0.7)]
    latency_ms: f64,
}

/// How it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HealthStatus {
    /// All is well.
    Healthy,
    /// It serves, with something away that it can do without.
    #[expect(
        dead_code,
        reason = "part of the contract; nothing that can be done without is checked yet"
    )]
    Degraded,
    /// It cannot serve.
    Unhealthy,
}

impl From<Check> for CheckView {
    fn from(check: Check) -> Self {
        Self {
            status: if check.up {
                HealthStatus::Healthy
            } else {
                HealthStatus::Unhealthy
            },
            latency_ms: (check.latency.as_secs_f64() * 1_000_000.0).round() / 1000.0,
        }
    }
}

/// Whether the process lives
#[utoipa::path(
    tag = "Health",
    operation_id = "getLiveness",
    responses((status = 200, description = "It does", body = Liveness)),
)]
#[get("/health/live")]
pub(crate) async fn live(request: HttpRequest) -> ApiResult<HttpResponse> {
    no_parameters(&request)?;
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, NO_STORE))
        .json(Liveness {
            status: HealthStatus::Healthy,
        }))
}

/// Whether the service can serve
#[utoipa::path(
    tag = "Health",
    operation_id = "getReadiness",
    responses(
        (status = 200, description = "It can", body = Readiness),
        (status = 503, description = "`SERVICE_UNAVAILABLE`: it cannot; the same body with the `error` of the envelope", body = NotReady),
    ),
)]
#[get("/health/ready")]
pub(crate) async fn ready(caller: Anyone, request: HttpRequest) -> ApiResult<HttpResponse> {
    no_parameters(&request)?;
    let database = caller.services.check_database().await;
    let status = if database.up {
        HealthStatus::Healthy
    } else {
        HealthStatus::Unhealthy
    };
    let readiness = Readiness {
        status,
        checks: Checks {
            database: database.into(),
        },
        timestamp: caller.services.environment().now(),
    };
    if database.up {
        return Ok(HttpResponse::Ok()
            .insert_header((CACHE_CONTROL, NO_STORE))
            .json(readiness));
    }
    let mut response = ApiError::Unavailable.respond(caller.trace);
    let mut body = ApiError::Unavailable.envelope(caller.trace);
    if let (Some(body), Ok(serde_json::Value::Object(readiness))) =
        (body.as_object_mut(), serde_json::to_value(&readiness))
    {
        body.extend(readiness);
    }
    let (head, _) = response.into_parts();
    response = head.set_body(actix_web::body::BoxBody::new(json!(body).to_string()));
    Ok(response)
}

/// A set of public keys (RFC 7517).
#[derive(ToSchema)]
#[schema(as = JsonWebKeySet)]
#[expect(
    dead_code,
    reason = "read by the derive alone: the keys themselves come from the key ring"
)]
pub(crate) struct KeySet {
    #[schema(value_type = Vec<Object>, max_items = 32)]
    keys: Vec<serde_json::Value>,
}

/// The keys that access tokens are signed with
///
/// A JSON Web Key Set (RFC 7517).
#[utoipa::path(
    tag = "Health",
    operation_id = "getKeys",
    responses((status = 200, description = "The keys", body = KeySet)),
)]
#[get("/.well-known/jwks.json")]
pub(crate) async fn jwks(caller: Anyone, request: HttpRequest) -> ApiResult<HttpResponse> {
    no_parameters(&request)?;
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "public, max-age=300"))
        .json(caller.services.keyring().jwks()))
}
