//! How the members of an organization sign in.

use actix_web::{HttpRequest, delete, get, put};
use serde::Serialize;
use tenantry_domain::{
    environment::Timestamp,
    ids::OrganizationId,
    permissions::{Required as _, perm},
    sign_on::{MfaPolicy, SignOnPolicy},
};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    errors::ApiResult,
    etags,
    fields::{Fields, FromFields},
    guard::Guard,
    listing::no_parameters,
    parameters::{IfMatch, OrganizationPath},
    reply::{Data, NoContent, Reply},
    rules, timestamps, words,
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(get_sign_on)
        .service(replace_sign_on)
        .service(delete_sign_on);
}

/// How the members of an organization sign in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SignOn)]
pub(crate) struct SignOnView {
    /// The organization.
    #[schema(value_type = uuid::Uuid)]
    id: OrganizationId,
    #[schema(value_type = words::MfaPolicyName)]
    mfa: MfaPolicy,
    /// When the organization was founded.
    #[serde(serialize_with = "timestamps::serialize")]
    #[schema(value_type = String, format = DateTime, max_length = 24, example = "2026-01-31T09:30:00.123Z")]
    created_at: Timestamp,
    #[serde(serialize_with = "timestamps::serialize")]
    #[schema(value_type = String, format = DateTime, max_length = 24, example = "2026-01-31T09:30:00.123Z")]
    updated_at: Timestamp,
}

/// How the members of an organization shall sign in: what is absent is as in an organization that never chose.
#[derive(ToSchema)]
#[schema(as = SignOnReplaceBody, example = json!({"mfa": "everyone"}))]
pub(crate) struct SignOnBody {
    #[schema(value_type = Option<words::MfaPolicyName>, nullable = false)]
    mfa: Option<MfaPolicy>,
}

impl FromFields for SignOnBody {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        Some(Self {
            mfa: fields.patched("mfa", rules::text),
        })
    }
}

fn reply(policy: &SignOnPolicy) -> Reply<SignOnView> {
    Reply::ok(SignOnView {
        id: policy.id,
        mfa: policy.mfa,
        created_at: policy.created_at,
        updated_at: policy.updated_at,
    })
    .version(policy.version)
}

/// See how members sign in
#[utoipa::path(
    tag = "Organizations",
    operation_id = "getSignOn",
    params(OrganizationPath),
    responses((status = 200, description = "The policy", body = Data<SignOnView>, headers(("ETag" = String)))),
    security(("bearer" = [])),
    extensions(("x-permission" = json!(perm::SettingsView::NAME))),
)]
#[get("/api/v1/organizations/{orgId}/sso")]
pub(crate) async fn get_sign_on(
    guard: Guard<perm::SettingsView>,
    request: HttpRequest,
) -> ApiResult<Reply<SignOnView>> {
    guard.services.may_touch_organization(&guard.access).await?;
    no_parameters(&request)?;
    Ok(reply(&guard.services.sign_on_policy(&guard.access).await?))
}

/// Say how members sign in
///
/// A session of whom a second factor is demanded, and that used none, gets `MFA_REQUIRED` from everything in the organization but
/// leaving it. Demanded it is from the end of the grace on, which begins with the founding (`mfaRequiredFrom` of the context).
/// Needs a sign-in of the last ten minutes.
#[utoipa::path(
    tag = "Organizations",
    operation_id = "replaceSignOn",
    params(OrganizationPath, IfMatch),
    request_body = SignOnBody,
    responses(
        (status = 200, description = "The policy", body = Data<SignOnView>, headers(("ETag" = String))),
        (status = 403, description = "`FORBIDDEN` or `TENANT_SUSPENDED` or `MFA_REQUIRED` or `REAUTHENTICATION_REQUIRED`", body = crate::openapi::ErrorEnvelope),
    ),
    security(("bearer" = [])),
    extensions(("x-permission" = json!(perm::SettingsManage::NAME))),
)]
#[put("/api/v1/organizations/{orgId}/sso")]
pub(crate) async fn replace_sign_on(
    guard: Guard<perm::SettingsManage>,
    request: HttpRequest,
) -> ApiResult<Reply<SignOnView>> {
    let Guard { access, services, body } = guard;
    let body = body
        .read_once::<SignOnBody>(services.may_change_sign_on(&access))
        .await?;
    no_parameters(&request)?;
    let precondition = etags::precondition(&request)?;
    let mfa = body.value.mfa.unwrap_or(MfaPolicy::Admins);
    let changed = services.change_sign_on_policy(&access, mfa, &precondition).await?;
    Ok(reply(&changed))
}

/// Let members sign in as by default
///
/// As in an organization that never chose. Needs a sign-in of the last ten minutes.
#[utoipa::path(
    tag = "Organizations",
    operation_id = "deleteSignOn",
    params(OrganizationPath, IfMatch),
    responses(
        (status = 204, description = "It is as by default"),
        (status = 403, description = "`FORBIDDEN` or `TENANT_SUSPENDED` or `MFA_REQUIRED` or `REAUTHENTICATION_REQUIRED`", body = crate::openapi::ErrorEnvelope),
    ),
    security(("bearer" = [])),
    extensions(("x-permission" = json!(perm::SettingsManage::NAME))),
)]
#[delete("/api/v1/organizations/{orgId}/sso")]
pub(crate) async fn delete_sign_on(guard: Guard<perm::SettingsManage>, request: HttpRequest) -> ApiResult<NoContent> {
    let Guard { access, services, .. } = guard;
    services.may_change_sign_on(&access).await?;
    no_parameters(&request)?;
    let precondition = etags::precondition(&request)?;
    services
        .change_sign_on_policy(&access, MfaPolicy::Admins, &precondition)
        .await?;
    Ok(NoContent)
}
