//! The devices on which one is signed in.

use std::net::IpAddr;

use actix_web::{HttpRequest, delete, get};
use serde::Serialize;
use tenantry_domain::{
    environment::Timestamp,
    ids::SessionId,
    lists::{Direction, SessionField},
    sessions::{Session, device_name},
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
        .service(list_sessions)
        .service(revoke_session)
        .service(revoke_other_sessions);
}

/// A device on which one is signed in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Device)]
pub(crate) struct SessionView {
    #[schema(value_type = uuid::Uuid)]
    id: SessionId,
    #[serde(serialize_with = "timestamps::serialize")]
    #[schema(value_type = String, format = DateTime, max_length = 24, example = "2026-01-31T09:30:00.123Z")]
    created_at: Timestamp,
    /// The last change: when it was last seen.
    #[serde(serialize_with = "timestamps::serialize")]
    #[schema(value_type = String, format = DateTime, max_length = 24, example = "2026-01-31T09:30:00.123Z")]
    updated_at: Timestamp,
    /// To within a minute.
    #[serde(serialize_with = "timestamps::serialize")]
    #[schema(value_type = String, format = DateTime, max_length = 24, example = "2026-01-31T09:30:00.123Z")]
    last_seen_at: Timestamp,
    /// Where it signed in from.
    #[schema(value_type = Option<String>, max_length = 45, example = "203.0.113.7")]
    ip: Option<IpAddr>,
    /// What it signed in with, as that named itself.
    #[schema(max_length = 512)]
    user_agent: Option<String>,
    /// The same for people, as far as it can be told.
    #[schema(max_length = 63, example = "Firefox on Linux")]
    device: Option<String>,
    /// Whether it is the one that asks.
    current: bool,
}

/// List my sessions
///
/// The devices on which the caller is signed in.
#[utoipa::path(
    tag = "Sessions",
    operation_id = "listSessions",
    params(ListParameters, words::SessionSort),
    responses((status = 200, description = "A page of sessions", body = List<SessionView>)),
    security(("bearer" = [])),
)]
#[get("/api/v1/auth/sessions")]
pub(crate) async fn list_sessions(caller: SignedIn, request: HttpRequest) -> ApiResult<List<SessionView>> {
    let SignedIn {
        principal,
        services,
        trace,
        ..
    } = caller;
    let order = (SessionField::CreatedAt, Direction::Descending);
    let asked = ListRequest::parse(&request, &services, principal.user(), order, Filters(&[]))?;
    let page = services.list_sessions(&principal, &asked.query, trace).await?;
    let current = principal.session();
    Ok(asked.answer_with(&services, page, |session: Session| SessionView {
        device: session.user_agent.as_deref().and_then(device_name),
        current: session.id == current,
        id: session.id,
        created_at: session.created_at,
        updated_at: session.last_seen_at,
        last_seen_at: session.last_seen_at,
        ip: session.ip,
        user_agent: session.user_agent,
    }))
}

/// End one of my sessions
///
/// Its tokens are good for nothing from now on.
#[utoipa::path(
    tag = "Sessions",
    operation_id = "revokeSession",
    params(("sessionId" = uuid::Uuid, Path, description = "Id of the session")),
    responses((status = 204, description = "It has ended")),
    security(("bearer" = [])),
)]
#[delete("/api/v1/auth/sessions/{sessionId}")]
pub(crate) async fn revoke_session(caller: SignedIn, request: HttpRequest) -> ApiResult<NoContent> {
    let id = path_id(&request, "sessionId")?;
    no_parameters(&request)?;
    caller
        .services
        .revoke_session(&caller.principal, id, caller.trace)
        .await?;
    Ok(NoContent)
}

/// End all my other sessions
///
/// The one that asks stays.
#[utoipa::path(
    tag = "Sessions",
    operation_id = "revokeOtherSessions",
    responses((status = 204, description = "They have ended")),
    security(("bearer" = [])),
)]
#[delete("/api/v1/auth/sessions")]
pub(crate) async fn revoke_other_sessions(caller: SignedIn, request: HttpRequest) -> ApiResult<NoContent> {
    no_parameters(&request)?;
    caller
        .services
        .revoke_other_sessions(&caller.principal, caller.trace)
        .await?;
    Ok(NoContent)
}
