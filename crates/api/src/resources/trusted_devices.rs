//! The devices on which one is not asked for a second factor.

use std::net::IpAddr;

use actix_web::{HttpRequest, delete, get};
use serde::Serialize;
use tenantry_domain::{
    environment::Timestamp,
    ids::TrustedDeviceId,
    lists::{Direction, TrustedDeviceField},
    second_factors::TrustedDevice,
    sessions::device_name,
};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    errors::ApiResult,
    guard::{SignedIn, path_id},
    listing::{Filters, List, ListParameters, ListRequest, no_parameters},
    reply::NoContent,
    timestamps, words,
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(list_trusted_devices)
        .service(revoke_trusted_device)
        .service(revoke_trusted_devices);
}

/// A device on which one is not asked for a second factor.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = TrustedDevice)]
pub(crate) struct TrustedDeviceView {
    #[schema(value_type = uuid::Uuid)]
    id: TrustedDeviceId,
    #[serde(serialize_with = "timestamps::serialize")]
    #[schema(value_type = String, format = DateTime, max_length = 24, example = "2026-01-31T09:30:00.123Z")]
    created_at: Timestamp,
    /// The last change: when somebody last signed in on it.
    #[serde(serialize_with = "timestamps::serialize")]
    #[schema(value_type = String, format = DateTime, max_length = 24, example = "2026-01-31T09:30:00.123Z")]
    updated_at: Timestamp,
    /// When somebody last signed in on it.
    #[serde(serialize_with = "timestamps::serialize")]
    #[schema(value_type = String, format = DateTime, max_length = 24, example = "2026-01-31T09:30:00.123Z")]
    last_used_at: Timestamp,
    /// When it is trusted no longer.
    #[serde(serialize_with = "timestamps::serialize")]
    #[schema(value_type = String, format = DateTime, max_length = 24, example = "2026-01-31T09:30:00.123Z")]
    expires_at: Timestamp,
    /// Where it was trusted from.
    #[schema(value_type = Option<String>, max_length = 45, example = "203.0.113.7")]
    ip: Option<IpAddr>,
    /// What it named itself then.
    #[schema(max_length = 512)]
    user_agent: Option<String>,
    /// The same for people, as far as it can be told.
    #[schema(max_length = 63, example = "Firefox on Linux")]
    device: Option<String>,
}

impl From<TrustedDevice> for TrustedDeviceView {
    fn from(device: TrustedDevice) -> Self {
        Self {
            id: device.id,
            created_at: device.created_at,
            updated_at: device.last_used_at,
            last_used_at: device.last_used_at,
            expires_at: device.expires_at,
            ip: device.ip,
            device: device.user_agent.as_deref().and_then(device_name),
            user_agent: device.user_agent,
        }
    }
}

/// List my trusted devices
#[utoipa::path(
    tag = "Second factors",
    operation_id = "listTrustedDevices",
    params(ListParameters, words::TrustedDeviceSort),
    responses((status = 200, description = "A page of trusted devices", body = List<TrustedDeviceView>)),
    security(("bearer" = [])),
)]
#[get("/api/v1/auth/trusted-devices")]
pub(crate) async fn list_trusted_devices(caller: SignedIn, request: HttpRequest) -> ApiResult<List<TrustedDeviceView>> {
    let SignedIn {
        principal,
        services,
        trace,
        ..
    } = caller;
    let order = (TrustedDeviceField::CreatedAt, Direction::Descending);
    let asked = ListRequest::parse(&request, &services, principal.user(), order, Filters(&[]))?;
    let page = services.list_trusted_devices(&principal, &asked.query, trace).await?;
    Ok(asked.answer_with(&services, page, TrustedDeviceView::from))
}

/// Trust one of my devices no longer
///
/// At its next sign-in a second factor is asked for. Its sessions go on.
#[utoipa::path(
    tag = "Second factors",
    operation_id = "revokeTrustedDevice",
    params(("deviceId" = uuid::Uuid, Path, description = "Id of the trusted device")),
    responses((status = 204, description = "It is trusted no longer")),
    security(("bearer" = [])),
)]
#[delete("/api/v1/auth/trusted-devices/{deviceId}")]
pub(crate) async fn revoke_trusted_device(caller: SignedIn, request: HttpRequest) -> ApiResult<NoContent> {
    let id = path_id(&request, "deviceId")?;
    no_parameters(&request)?;
    caller
        .services
        .remove_trusted_device(&caller.principal, id, caller.trace)
        .await?;
    Ok(NoContent)
}

/// Trust none of my devices any longer
///
/// At the next sign-in on each a second factor is asked for. Sessions go on.
#[utoipa::path(
    tag = "Second factors",
    operation_id = "revokeTrustedDevices",
    responses((status = 204, description = "None is trusted any longer")),
    security(("bearer" = [])),
)]
#[delete("/api/v1/auth/trusted-devices")]
pub(crate) async fn revoke_trusted_devices(caller: SignedIn, request: HttpRequest) -> ApiResult<NoContent> {
    no_parameters(&request)?;
    caller
        .services
        .remove_trusted_devices(&caller.principal, caller.trace)
        .await?;
    Ok(NoContent)
}
