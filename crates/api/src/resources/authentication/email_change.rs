//! Another address in place of one's own.

use actix_web::{HttpRequest, delete, get, http::StatusCode, post};
use secrecy::ExposeSecret as _;
use serde::Serialize;
use tenantry_domain::{
    email_changes::{EmailChange, Side},
    emails::Email,
    environment::Timestamp,
    ids::EmailChangeId,
};
use tenantry_services::limits::{Limit, LimitKey};
use utoipa::ToSchema;

use super::links::{AddressBody, LinkBody};
use crate::{
    errors::{ApiError, ApiResult},
    etags,
    guard::{Anyone, SignedIn},
    limits,
    listing::no_parameters,
    parameters::IfMatch,
    reply::{Data, NoContent, Reply},
    timestamps, words,
};

/// A change of one's address that is under way.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = EmailChange)]
pub(crate) struct EmailChangeView {
    #[schema(value_type = uuid::Uuid)]
    id: EmailChangeId,
    /// The address that is wanted.
    #[schema(value_type = String, format = "email", max_length = 254, example = "olivia@acme.example")]
    email: Email,
    /// What is still to be confirmed, by the link that was mailed there.
    #[schema(value_type = Vec<words::EmailChangeSide>, max_items = 2)]
    awaits: Vec<Side>,
    /// When it comes to nothing.
    #[serde(serialize_with = "timestamps::serialize")]
    #[schema(value_type = String, format = DateTime, max_length = 24, example = "2026-01-31T09:30:00.123Z")]
    expires_at: Timestamp,
    #[serde(serialize_with = "timestamps::serialize")]
    #[schema(value_type = String, format = DateTime, max_length = 24, example = "2026-01-31T09:30:00.123Z")]
    created_at: Timestamp,
    /// The last change: when one of both was confirmed, or it was asked for.
    #[serde(serialize_with = "timestamps::serialize")]
    #[schema(value_type = String, format = DateTime, max_length = 24, example = "2026-01-31T09:30:00.123Z")]
    updated_at: Timestamp,
}

impl From<EmailChange> for EmailChangeView {
    fn from(change: EmailChange) -> Self {
        Self {
            id: change.id,
            awaits: change.awaits(),
            email: change.email,
            expires_at: change.expires_at,
            created_at: change.created_at,
            updated_at: change.updated_at,
        }
    }
}

/// What following a link came to.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = EmailChangeOutcome)]
pub(crate) struct EmailChangeOutcomeView {
    status: EmailChangeStatus,
    /// The address that is wanted.
    #[schema(value_type = String, format = "email", max_length = 254, example = "olivia@acme.example")]
    email: Email,
    /// What is still to be confirmed.
    #[schema(value_type = Vec<words::EmailChangeSide>, max_items = 2)]
    awaits: Vec<Side>,
}

/// How far a change of address is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum EmailChangeStatus {
    /// The other address is still to be confirmed.
    Pending,
    /// The new address is the person's.
    Changed,
}

impl From<EmailChange> for EmailChangeOutcomeView {
    fn from(change: EmailChange) -> Self {
        let awaits = change.awaits();
        Self {
            status: if awaits.is_empty() {
                EmailChangeStatus::Changed
            } else {
                EmailChangeStatus::Pending
            },
            email: change.email,
            awaits,
        }
    }
}

fn reply(change: EmailChange) -> Reply<EmailChangeView> {
    let version = change.revision();
    Reply::ok(change.into()).version(version).no_store()
}

/// Ask for another address
///
/// A link is mailed to the new address and, where it is proven, to the present one. Once both were followed, within 24 hours, the new
/// address takes the place of the other; until then nothing changes. Whether somebody else has it is not told here. Takes the place of
/// a change that is under way. The sign-in must be of the last 10 minutes.
#[utoipa::path(
    tag = "Authentication",
    operation_id = "requestEmailChange",
    request_body = AddressBody,
    responses(
        (status = 202, description = "Links are on their way", body = Data<EmailChangeView>, headers(("ETag" = String))),
        (status = 403, description = "`REAUTHENTICATION_REQUIRED`: the sign-in is too old", body = crate::openapi::ErrorEnvelope),
        (status = 409, description = "`CONFLICT`: it is the present address (`email_unchanged`), or an organization demands to sign in by the present one (`sso_required`)", body = crate::openapi::ErrorEnvelope),
    ),
    security(("bearer" = [])),
)]
#[post("/api/v1/auth/email/change")]
pub(crate) async fn request_email_change(caller: SignedIn, request: HttpRequest) -> ApiResult<Reply<EmailChangeView>> {
    let SignedIn {
        principal,
        services,
        trace,
        body,
    } = caller;
    let fresh = services.demand_fresh_sign_in(&principal, trace);
    let AddressBody { email } = body.read_once(fresh).await?.value;
    no_parameters(&request)?;
    let address = LimitKey::address(request.peer_addr().map(|address| address.ip()));
    limits::charge(&request, &services, Limit::Mail, &address)?;
    let change = services.request_email_change(&principal, &email, trace).await?;
    Ok(reply(change).status(StatusCode::ACCEPTED))
}

/// Get the change of my address
///
/// The one that is under way.
#[utoipa::path(
    tag = "Authentication",
    operation_id = "getEmailChange",
    responses(
        (status = 200, description = "The change", body = Data<EmailChangeView>, headers(("ETag" = String))),
        (status = 404, description = "`NOT_FOUND`: none is under way", body = crate::openapi::ErrorEnvelope),
    ),
    security(("bearer" = [])),
)]
#[get("/api/v1/auth/email/change")]
pub(crate) async fn get_email_change(caller: SignedIn, request: HttpRequest) -> ApiResult<Reply<EmailChangeView>> {
    no_parameters(&request)?;
    let change = caller.services.email_change(&caller.principal, caller.trace).await?;
    Ok(reply(change))
}

/// Keep my address
///
/// The change that is under way comes to nothing, and its links are good no longer.
#[utoipa::path(
    tag = "Authentication",
    operation_id = "cancelEmailChange",
    params(IfMatch),
    responses(
        (status = 204, description = "The address stays"),
        (status = 404, description = "`NOT_FOUND`: no change is under way", body = crate::openapi::ErrorEnvelope),
    ),
    security(("bearer" = [])),
)]
#[delete("/api/v1/auth/email/change")]
pub(crate) async fn cancel_email_change(caller: SignedIn, request: HttpRequest) -> ApiResult<NoContent> {
    no_parameters(&request)?;
    let precondition = etags::precondition(&request)?;
    caller
        .services
        .cancel_email_change(&caller.principal, &precondition, caller.trace)
        .await?;
    Ok(NoContent)
}

/// Confirm a change of address
///
/// By the `token` of a link that was mailed to one of its two addresses, which is good for 24 hours and for one use. With the last one
/// the address is changed; sessions go on.
#[utoipa::path(
    tag = "Authentication",
    operation_id = "confirmEmailChange",
    request_body = LinkBody,
    responses(
        (status = 200, description = "It is confirmed", body = Data<EmailChangeOutcomeView>),
        (status = 409, description = "`CONFLICT`: somebody else has the new address (`email_taken`), or an organization demands to sign in by the present one (`sso_required`)", body = crate::openapi::ErrorEnvelope),
        (status = 410, description = "`GONE`: it was used, has expired, or never was", body = crate::openapi::ErrorEnvelope),
    ),
)]
#[post("/api/v1/auth/email/change/confirm")]
pub(crate) async fn confirm_email_change(
    caller: Anyone,
    request: HttpRequest,
) -> ApiResult<Reply<EmailChangeOutcomeView>> {
    let Anyone { services, trace, body } = caller;
    let body = body.read_once::<LinkBody>(async { Ok::<_, ApiError>(()) }).await?;
    no_parameters(&request)?;
    let token = body.value.token.expose_secret();
    let change = services.confirm_email_change(token, trace).await?;
    Ok(Reply::ok(change.into()).no_store())
}
