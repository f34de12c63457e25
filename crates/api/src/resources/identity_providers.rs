//! Signing in through providers: going there and coming back are navigations of a browser, the rest is called by the app.

mod navigation;

use actix_web::{HttpRequest, get, post};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use serde_json::Value;
use tenantry_services::identities::{Preset, ProviderSettings, ShownCode};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    authentication::{SignInView, credential, links::LinkBody, sign_in_answer},
    identities::IdentityView,
};
use crate::{
    cookies,
    errors::{ApiError, ApiResult},
    fields::{Failure, Fields, FromFields},
    guard::{Anyone, device},
    listing::{List, no_parameters},
    parameters::TokenTransport,
    reply::{Data, Reply},
    rules,
    transport::Transport,
    words,
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(list_identity_providers)
        .service(exchange_sign_in_code)
        .service(confirm_identity)
        .service(navigation::authorize_with_provider)
        .service(navigation::return_from_provider);
}

/// The most characters of a code: what a provider tells of a person is sealed in it.
const MAX_CODE: usize = 8192;

/// A provider that people sign in through.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = IdentityProvider)]
pub(crate) struct IdentityProviderView {
    /// By which it is known in paths.
    #[schema(min_length = 1, max_length = 63, example = "google")]
    key: String,
    /// What people call it.
    #[schema(min_length = 1, max_length = 255, example = "Google")]
    name: String,
    /// What kind of provider it is.
    #[serde(rename = "type")]
    #[schema(value_type = words::IdentityProviderType)]
    preset: Preset,
    /// Where a browser goes to sign in there, with a `redirectUri`.
    #[schema(
        format = "uri-reference",
        max_length = 255,
        example = "/api/v1/auth/oidc/google/authorize"
    )]
    authorize_url: String,
}

impl From<&ProviderSettings> for IdentityProviderView {
    fn from(provider: &ProviderSettings) -> Self {
        Self {
            key: provider.key.clone(),
            name: provider.name.clone(),
            preset: provider.preset,
            authorize_url: format!("/api/v1/auth/oidc/{}/authorize", provider.key),
        }
    }
}

/// List the providers that one can sign in through
///
/// All there are, in one answer, by their keys.
#[utoipa::path(
    tag = "Identity providers",
    operation_id = "listIdentityProviders",
    responses((status = 200, description = "The providers", body = List<IdentityProviderView>)),
)]
#[get("/api/v1/auth/oidc/providers")]
pub(crate) async fn list_identity_providers(
    caller: Anyone,
    request: HttpRequest,
) -> ApiResult<List<IdentityProviderView>> {
    no_parameters(&request)?;
    let providers = caller.services.identity_providers().map(Into::into).collect();
    Ok(List::whole(providers, request.path()))
}

/// What a code of a sign-in may look like.
pub(super) fn code(value: Value) -> Result<String, Failure> {
    let text = rules::string(value)?;
    if text.chars().count() > MAX_CODE {
        return Err(Failure::new(
            "length",
            format!("must have {MAX_CODE} or fewer characters"),
        ));
    }
    Ok(text)
}

/// What a sign-in at a provider came to.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase", example = json!({
    "code": "tno_…", "codeVerifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
}))]
pub(crate) struct ExchangeBody {
    /// What the browser brought back to the `redirectUri`.
    #[schema(value_type = String, max_length = 8192)]
    code: SecretString,
    /// What the `codeChallenge` is the SHA-256 of, where there was one.
    #[schema(value_type = Option<String>, max_length = 1000)]
    code_verifier: Option<SecretString>,
    /// Of a device on which no second factor is asked for, where its cookie does not tell.
    #[schema(value_type = Option<String>, max_length = 1000)]
    trusted_device_token: Option<SecretString>,
}

impl FromFields for ExchangeBody {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let code = fields.required("code", code);
        let code_verifier = fields.optional("codeVerifier", credential);
        let trusted_device_token = fields.optional("trustedDeviceToken", credential);
        Some(Self {
            code: code?.into(),
            code_verifier: code_verifier.map(Into::into),
            trusted_device_token: trusted_device_token.map(Into::into),
        })
    }
}

/// Exchange the code of a sign-in at a provider
///
/// Within a minute, once, and where the sign-in began with a `codeChallenge`, with its verifier alone. Somebody whom nobody knows gets
/// an account, without a password. An address that has an account already is linked by its owner alone: they are mailed a link, where
/// both they and the provider have proven it, and the answer is the same where nobody has it. Through an organization's connection
/// addresses of its verified domains alone count, and somebody unknown becomes a member at once, where it has a `defaultRole`.
#[utoipa::path(
    tag = "Identity providers",
    operation_id = "exchangeSignInCode",
    params(TokenTransport),
    request_body = ExchangeBody,
    responses(
        (status = 200, description = "The session, or what is missing for one", body = Data<SignInView>,
            headers(("Set-Cookie" = String))),
        (status = 401, description = "`UNAUTHORIZED`: the code is not good", body = crate::openapi::ErrorEnvelope),
        (status = 402, description = "`QUOTA_EXCEEDED`: the organization has no seat free", body = crate::openapi::ErrorEnvelope),
        (status = 403, description = "`SSO_REQUIRED`: an organization demands to sign in through its own provider", body = crate::openapi::ErrorEnvelope),
        (status = 409, description = "`CONFLICT` (`identity_not_linked`, `email_missing`, `email_not_in_domain`)", body = crate::openapi::ErrorEnvelope),
    ),
)]
#[post("/api/v1/auth/oidc/exchange")]
pub(crate) async fn exchange_sign_in_code(caller: Anyone, request: HttpRequest) -> ApiResult<Reply<SignInView>> {
    let Anyone { services, trace, body } = caller;
    let ExchangeBody {
        code,
        code_verifier: verifier,
        trusted_device_token,
    } = body
        .read_once::<ExchangeBody>(async { Ok::<_, ApiError>(()) })
        .await?
        .value;
    no_parameters(&request)?;
    let transport = Transport::asked(&request)?;
    let trusted_devices = trusted_device_token
        .into_iter()
        .chain(cookies::trusted_device(&request, &services))
        .collect();
    let outcome = services
        .exchange_code(ShownCode { code, verifier }, trusted_devices, &device(&request), trace)
        .await;
    sign_in_answer(&services, outcome, transport)
}

/// Link an identity by a mailed link
///
/// The link goes to the address of an account whose owner signed in through a provider for the first time. It works for an hour, and
/// once.
#[utoipa::path(
    tag = "Identity providers",
    operation_id = "confirmIdentity",
    request_body = LinkBody,
    responses(
        (status = 200, description = "The identity", body = Data<IdentityView>),
        (status = 409, description = "`CONFLICT` (`identity_taken`, `too_many_identities`, `email_not_in_domain`)", body = crate::openapi::ErrorEnvelope),
        (status = 410, description = "`GONE`: the link was used, has expired, or is none", body = crate::openapi::ErrorEnvelope),
    ),
)]
#[post("/api/v1/auth/oidc/confirm")]
pub(crate) async fn confirm_identity(caller: Anyone, request: HttpRequest) -> ApiResult<Reply<IdentityView>> {
    let Anyone { services, trace, body } = caller;
    let body = body.read_once::<LinkBody>(async { Ok::<_, ApiError>(()) }).await?;
    no_parameters(&request)?;
    let identity = services
        .confirm_identity(body.value.token.expose_secret(), trace)
        .await?;
    Ok(Reply::ok(identity.into()).no_store())
}
