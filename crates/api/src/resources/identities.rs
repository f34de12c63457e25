//! What providers know one by, who signs in through them.

use actix_web::{HttpRequest, delete, get, post};
use secrecy::SecretString;
use serde::Serialize;
use tenantry_domain::{
    emails::Email,
    environment::Timestamp,
    identities::Identity,
    ids::IdentityId,
    lists::{Direction, IdentityField},
};
use tenantry_services::identities::ShownCode;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{authentication::credential, identity_providers::code};
use crate::{
    errors::ApiResult,
    etags,
    fields::{Fields, FromFields},
    guard::{SignedIn, path_id, path_value},
    listing::{Filters, List, ListParameters, ListRequest, no_parameters},
    parameters::IfMatch,
    reply::{Data, NoContent, Reply},
    timestamps, words,
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(list_identities)
        .service(get_identity)
        .service(link_identity)
        .service(unlink_identity);
}

/// What a provider knows one by.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Identity)]
pub(crate) struct IdentityView {
    #[schema(value_type = uuid::Uuid)]
    id: IdentityId,
    /// The key of the provider; of an organization's own, the organization's id.
    #[schema(max_length = 63, example = "google")]
    provider: String,
    /// The address that the provider knew when it was last used.
    #[schema(value_type = Option<String>, format = "email", max_length = 254)]
    email: Option<Email>,
    #[serde(serialize_with = "timestamps::serialize")]
    #[schema(value_type = String, format = DateTime, max_length = 24, example = "2026-01-31T09:30:00.123Z")]
    created_at: Timestamp,
    /// The last change: when it last signed in, or was linked.
    #[serde(serialize_with = "timestamps::serialize")]
    #[schema(value_type = String, format = DateTime, max_length = 24, example = "2026-01-31T09:30:00.123Z")]
    updated_at: Timestamp,
    /// When it last signed in.
    #[serde(serialize_with = "timestamps::optional::serialize")]
    #[schema(value_type = Option<String>, format = DateTime, max_length = 24, example = "2026-01-31T09:30:00.123Z")]
    last_used_at: Option<Timestamp>,
}

impl From<Identity> for IdentityView {
    fn from(identity: Identity) -> Self {
        Self {
            id: identity.id,
            updated_at: identity.updated_at(),
            provider: identity.provider,
            email: identity.email,
            created_at: identity.created_at,
            last_used_at: identity.last_used_at,
        }
    }
}

/// List my linked identities
#[utoipa::path(
    tag = "Identity providers",
    operation_id = "listIdentities",
    params(ListParameters, words::IdentitySort),
    responses((status = 200, description = "A page of identities", body = List<IdentityView>)),
    security(("bearer" = [])),
)]
#[get("/api/v1/auth/identities")]
pub(crate) async fn list_identities(caller: SignedIn, request: HttpRequest) -> ApiResult<List<IdentityView>> {
    let SignedIn {
        principal,
        services,
        trace,
        ..
    } = caller;
    let order = (IdentityField::CreatedAt, Direction::Descending);
    let asked = ListRequest::parse(&request, &services, principal.user(), order, Filters(&[]))?;
    let page = services.list_identities(&principal, &asked.query, trace).await?;
    Ok(asked.answer_with(&services, page, IdentityView::from))
}

/// Get one of my linked identities
#[utoipa::path(
    tag = "Identity providers",
    operation_id = "getIdentity",
    params(("identity" = String, Path, description = "Id of the identity", min_length = 1, max_length = 63,
        example = "01935d2c-8f4e-7b31-9c55-0242ac120002")),
    responses((status = 200, description = "The identity", body = Data<IdentityView>, headers(("ETag" = String)))),
    security(("bearer" = [])),
)]
#[get("/api/v1/auth/identities/{identity}")]
pub(crate) async fn get_identity(caller: SignedIn, request: HttpRequest) -> ApiResult<Reply<IdentityView>> {
    let id = path_id(&request, "identity")?;
    no_parameters(&request)?;
    let identity = caller.services.identity(&caller.principal, id, caller.trace).await?;
    let version = identity.revision();
    Ok(Reply::ok(identity.into()).version(version).no_store())
}

/// What a sign-in at a provider came to, by the app that began it.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase", example = json!({
    "code": "tno_…", "codeVerifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
}))]
pub(crate) struct NewIdentityBody {
    /// What the browser brought back to the `redirectUri`.
    #[schema(value_type = String, max_length = 8192)]
    code: SecretString,
    /// What the `codeChallenge` is the SHA-256 of.
    #[schema(value_type = String, max_length = 1000)]
    code_verifier: SecretString,
}

impl FromFields for NewIdentityBody {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let code = fields.required("code", code);
        let code_verifier = fields.required("codeVerifier", credential);
        Some(Self {
            code: code?.into(),
            code_verifier: code_verifier?.into(),
        })
    }
}

/// Link an identity to my account
///
/// With the code of a sign-in at the provider that the app began with a `codeChallenge`: without one, whoever gets a code of their own
/// into somebody's app would have their account. Needs a sign-in of the last 10 minutes.
#[utoipa::path(
    tag = "Identity providers",
    operation_id = "linkIdentity",
    params(("identity" = String, Path, description = "Key of the provider; of an organization's own, the organization's id", min_length = 1, max_length = 63,
        example = "google")),
    request_body = NewIdentityBody,
    responses(
        (status = 201, description = "The identity", body = Data<IdentityView>, headers(("Location" = String), ("ETag" = String))),
        (status = 403, description = "`REAUTHENTICATION_REQUIRED`", body = crate::openapi::ErrorEnvelope),
        (status = 404, description = "`NOT_FOUND`: there is no such provider", body = crate::openapi::ErrorEnvelope),
        (status = 409, description = "`CONFLICT` (`identity_taken`, `too_many_identities`, `email_not_in_domain`)", body = crate::openapi::ErrorEnvelope),
    ),
    security(("bearer" = [])),
)]
#[post("/api/v1/auth/identities/{identity}")]
pub(crate) async fn link_identity(caller: SignedIn, request: HttpRequest) -> ApiResult<Reply<IdentityView>> {
    let SignedIn {
        principal,
        services,
        trace,
        body,
    } = caller;
    let provider = path_value(&request, "identity");
    let NewIdentityBody { code, code_verifier } = body
        .read_once::<NewIdentityBody>(services.demand_provider_and_fresh_sign_in(&principal, provider, trace))
        .await?
        .value;
    no_parameters(&request)?;
    let shown = ShownCode {
        code,
        verifier: Some(code_verifier),
    };
    let identity = services.link_identity(&principal, provider, shown, trace).await?;
    let (version, location) = (identity.revision(), format!("/api/v1/auth/identities/{}", identity.id));
    Ok(Reply::created(identity.into(), location).version(version).no_store())
}

/// Unlink one of my identities
///
/// Sessions that it opened by signing in go on; those that stand for a trusted issuer's end, and those that an organization's connection
/// opened. The last way to sign in stays. Needs a sign-in of the last 10 minutes.
#[utoipa::path(
    tag = "Identity providers",
    operation_id = "unlinkIdentity",
    params(
        ("identity" = String, Path, description = "Id of the identity", min_length = 1, max_length = 63,
        example = "01935d2c-8f4e-7b31-9c55-0242ac120002"),
        IfMatch,
    ),
    responses(
        (status = 204, description = "It is unlinked"),
        (status = 403, description = "`REAUTHENTICATION_REQUIRED`", body = crate::openapi::ErrorEnvelope),
        (status = 409, description = "`CONFLICT` (`last_sign_in_method`)", body = crate::openapi::ErrorEnvelope),
    ),
    security(("bearer" = [])),
)]
#[delete("/api/v1/auth/identities/{identity}")]
pub(crate) async fn unlink_identity(caller: SignedIn, request: HttpRequest) -> ApiResult<NoContent> {
    let SignedIn {
        principal,
        services,
        trace,
        ..
    } = caller;
    let id = path_id(&request, "identity")?;
    services
        .demand_identity_and_fresh_sign_in(&principal, id, trace)
        .await?;
    no_parameters(&request)?;
    let precondition = etags::precondition_unless_seen(&request)?;
    services.unlink_identity(&principal, id, &precondition, trace).await?;
    Ok(NoContent)
}
