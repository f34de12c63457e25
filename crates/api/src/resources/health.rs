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
    timestamps, words,
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
    #[schema(minimum = 0, maximum = 60_000, example = 0.7)]
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
///
/// Asks nothing else: it answers as long as the process does.
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

/// What is said of a process that is about to end, whatever its dependencies answer.
const STOPPING: &str = "The server is about to stop: send requests to another one.";

/// Whether the service can serve
///
/// Asks what it needs. Traffic belongs here while the status is `200`; a server that was told to stop says `503` first,
/// and goes on answering for a while.
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
    let draining = caller.services.is_draining();
    let ready = database.up && !draining;
    let status = if ready {
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
    if ready {
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
    if draining && let Some(message) = body.pointer_mut("/error/message") {
        *message = STOPPING.into();
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
    /// The keys, the one that signs first.
    #[schema(max_items = 32)]
    keys: Vec<KeyView>,
}

/// A public key (RFC 7517, RFC 8037).
#[derive(ToSchema)]
#[schema(as = JsonWebKey)]
#[expect(
    dead_code,
    reason = "read by the derive alone: the keys themselves come from the key ring"
)]
pub(crate) struct KeyView {
    kty: words::KeyType,
    crv: words::KeyCurve,
    /// The public key, or its x coordinate, in base64url.
    #[schema(max_length = 255, example = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")]
    x: String,
    /// The y coordinate in base64url, of `EC` alone.
    #[schema(nullable = false, max_length = 255)]
    y: Option<String>,
    /// The id of the key, as tokens name it: its thumbprint (RFC 7638).
    #[schema(max_length = 255, example = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")]
    kid: String,
    alg: words::KeyAlgorithm,
    #[schema(rename = "use")]
    usage: words::KeyUse,
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
