//! What one proves oneself by beside one's password, and the second step of a sign-in.

use actix_web::{HttpRequest, delete, get, post};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use tenantry_services::{Error, second_factors::Shown};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::authentication::{SignedInView, credential, signed_in, wrong_credentials};
use crate::{
    cookies,
    errors::{ApiError, ApiResult},
    fields::{Fields, FromFields},
    guard::{Anyone, SignedIn, device},
    listing::no_parameters,
    parameters::TokenTransport,
    reply::{Data, NoContent, Reply},
    rules,
    transport::Transport,
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(get_mfa)
        .service(set_up_totp)
        .service(confirm_totp)
        .service(delete_totp)
        .service(replace_recovery_codes)
        .service(verify_mfa);
}

/// The second factors of the caller.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Mfa)]
pub(crate) struct MfaView {
    /// Whether one is asked for at sign-in.
    enabled: bool,
    /// Whether there is an authenticator app.
    totp: bool,
    /// How many passkeys there are.
    #[schema(minimum = 0, maximum = 20, example = 1)]
    passkeys: u64,
    /// How many recovery codes are left.
    #[schema(minimum = 0, maximum = 10, example = 10)]
    recovery_codes_left: u32,
}

/// What an authenticator app is set up with. It is shown this once.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = TotpSetup)]
pub(crate) struct TotpSetupView {
    /// To be typed into the app: base 32.
    #[schema(min_length = 32, max_length = 32, example = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")]
    secret: String,
    /// For apps on the same device.
    #[schema(
        format = "uri",
        max_length = 2048,
        example = "otpauth://totp/Tenantry:ann%40example.com?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Tenantry"
    )]
    otpauth_url: String,
    /// The same as a QR code: an SVG document.
    #[schema(max_length = 1_000_000, example = "<svg>…</svg>")]
    qr_svg: String,
}

impl From<Shown> for TotpSetupView {
    fn from(shown: Shown) -> Self {
        Self {
            secret: shown.secret.expose_secret().to_owned(),
            otpauth_url: shown.url.expose_secret().to_owned(),
            qr_svg: shown.picture.expose_secret().to_owned(),
        }
    }
}

/// Codes for the day on which the app is lost, each good once. They are shown this once.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = RecoveryCodes)]
pub(crate) struct RecoveryCodesView {
    /// Ten of them.
    #[schema(min_items = 10, max_items = 10, example = json!([
        "7k3m-9w2x-e5tq-v0bn", "q2d8-x6hs-0m4v-9ykc", "g5nb-1zrt-8e3w-j7pa", "m9vc-k4x0-s6dq-2h8y",
        "tz3e-7p1b-wn5r-0gjx", "4hxk-d8qm-y2vs-6c9t", "b0rw-5j7g-n3ze-k1pd", "x8sy-2c6t-h4am-q9vf",
        "9eqp-g3nk-7w0b-d5zr", "v6tj-m1yh-c8xs-4k2e"
    ]))]
    recovery_codes: Vec<RecoveryCodeView>,
}

/// A recovery code. Neither its case nor its hyphens matter.
#[derive(Serialize, ToSchema)]
#[schema(
    as = RecoveryCode,
    min_length = 19,
    max_length = 19,
    pattern = "^[0-9a-hjkmnp-tv-z]{4}(-[0-9a-hjkmnp-tv-z]{4}){3}$",
    example = "7k3m-9w2x-e5tq-v0bn"
)]
pub(crate) struct RecoveryCodeView(String);

impl From<&SecretString> for RecoveryCodeView {
    fn from(code: &SecretString) -> Self {
        Self(code.expose_secret().to_owned())
    }
}

fn shown(codes: &[SecretString]) -> Reply<RecoveryCodesView> {
    let recovery_codes = codes.iter().map(RecoveryCodeView::from).collect();
    Reply::ok(RecoveryCodesView { recovery_codes }).no_store()
}

/// A code of the authenticator app.
#[derive(ToSchema)]
#[schema(example = json!({"code": "492 039"}))]
pub(crate) struct CodeBody {
    /// Six digits; where the app is set up already, a recovery code will do.
    #[schema(value_type = String, max_length = 1000)]
    code: SecretString,
}

impl FromFields for CodeBody {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let code = fields.required("code", credential);
        Some(Self { code: code?.into() })
    }
}

/// A code of the authenticator app, where there is one.
#[derive(ToSchema)]
#[schema(example = json!({"code": "492 039"}))]
pub(crate) struct RecoveryCodesBody {
    /// Six digits, or a recovery code. Whoever has passkeys alone needs none.
    #[schema(value_type = Option<String>, max_length = 1000)]
    code: Option<SecretString>,
}

impl FromFields for RecoveryCodesBody {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let code = fields.optional("code", credential);
        Some(Self {
            code: code.map(Into::into),
        })
    }
}

/// What completes a sign-in.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase", example = json!({"mfaToken": "tnm_…", "code": "492 039", "trustDevice": false}))]
pub(crate) struct MfaBody {
    /// Of the answer to the password.
    #[schema(value_type = String, max_length = 1000)]
    mfa_token: SecretString,
    /// Six digits of the authenticator app, or a recovery code.
    #[schema(value_type = String, max_length = 1000)]
    code: SecretString,
    /// Whether no code is asked for on this device for 30 days.
    trust_device: Option<bool>,
}

impl FromFields for MfaBody {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let mfa_token = fields.required("mfaToken", credential);
        let code = fields.required("code", credential);
        let trust_device = fields.optional("trustDevice", rules::boolean);
        Some(Self {
            mfa_token: mfa_token?.into(),
            code: code?.into(),
            trust_device,
        })
    }
}

/// See my second factors
#[utoipa::path(
    tag = "Second factors",
    operation_id = "getMfa",
    responses((status = 200, description = "The second factors", body = Data<MfaView>)),
    security(("bearer" = [])),
)]
#[get("/api/v1/auth/mfa")]
pub(crate) async fn get_mfa(caller: SignedIn, request: HttpRequest) -> ApiResult<Reply<MfaView>> {
    no_parameters(&request)?;
    let factors = caller.services.factors(&caller.principal, caller.trace).await?;
    Ok(Reply::ok(MfaView {
        enabled: factors.totp,
        totp: factors.totp,
        passkeys: factors.passkeys,
        recovery_codes_left: factors.recovery_codes_left,
    })
    .no_store())
}

/// Begin to set up an authenticator app
///
/// Shows the app a secret (RFC 6238: SHA-1, six digits, 30 seconds). Nothing is asked for at sign-in before the app has proven
/// that it has it; one that was shown before is void. Needs a sign-in of the last ten minutes, by a second factor where one has one.
#[utoipa::path(
    tag = "Second factors",
    operation_id = "setUpTotp",
    responses(
        (status = 200, description = "What the app is set up with", body = Data<TotpSetupView>),
        (status = 403, description = "`REAUTHENTICATION_REQUIRED`", body = crate::openapi::ErrorEnvelope),
        (status = 409, description = "`CONFLICT` (`mfa_enabled`)", body = crate::openapi::ErrorEnvelope),
    ),
    security(("bearer" = [])),
)]
#[post("/api/v1/auth/mfa/totp")]
pub(crate) async fn set_up_totp(caller: SignedIn, request: HttpRequest) -> ApiResult<Reply<TotpSetupView>> {
    let SignedIn {
        principal,
        services,
        trace,
        ..
    } = caller;
    services.demand_fresh_sign_in(&principal, trace).await?;
    no_parameters(&request)?;
    let shown = services.begin_totp(&principal, trace).await?;
    Ok(Reply::ok(shown.into()).no_store())
}

/// Finish setting up an authenticator app
///
/// By a code that it shows. From now on one is asked for at sign-in; this session counts as having used one. The recovery codes
/// are shown this once; those that came with a passkey are void. Needs a sign-in of the last ten minutes, by a second factor where one
/// has one; a wrong code is refused as a field (code `incorrect`).
#[utoipa::path(
    tag = "Second factors",
    operation_id = "confirmTotp",
    request_body = CodeBody,
    responses(
        (status = 200, description = "The recovery codes", body = Data<RecoveryCodesView>),
        (status = 403, description = "`REAUTHENTICATION_REQUIRED`", body = crate::openapi::ErrorEnvelope),
        (status = 409, description = "`CONFLICT` (`mfa_enabled`, `mfa_not_begun`)", body = crate::openapi::ErrorEnvelope),
    ),
    security(("bearer" = [])),
)]
#[post("/api/v1/auth/mfa/totp/confirm")]
pub(crate) async fn confirm_totp(caller: SignedIn, request: HttpRequest) -> ApiResult<Reply<RecoveryCodesView>> {
    let SignedIn {
        principal,
        services,
        trace,
        body,
    } = caller;
    let body = body
        .read_once::<CodeBody>(services.demand_fresh_sign_in(&principal, trace))
        .await?;
    no_parameters(&request)?;
    let codes = services.confirm_totp(&principal, &body.value.code, trace).await?;
    Ok(shown(&codes))
}

/// Take my authenticator app away
///
/// By a code of it, or a recovery code. The trusted devices go with it, and so do the recovery codes where there are no passkeys; the
/// password alone signs in. Needs a sign-in of the last ten minutes, by a second factor; a wrong code is refused as a field (code
/// `incorrect`).
#[utoipa::path(
    tag = "Second factors",
    operation_id = "deleteTotp",
    request_body = CodeBody,
    responses(
        (status = 204, description = "It is gone"),
        (status = 403, description = "`REAUTHENTICATION_REQUIRED`", body = crate::openapi::ErrorEnvelope),
        (status = 404, description = "`NOT_FOUND`: there is none", body = crate::openapi::ErrorEnvelope),
    ),
    security(("bearer" = [])),
)]
#[delete("/api/v1/auth/mfa/totp")]
pub(crate) async fn delete_totp(caller: SignedIn, request: HttpRequest) -> ApiResult<NoContent> {
    let SignedIn {
        principal,
        services,
        trace,
        body,
    } = caller;
    let body = body
        .read_once::<CodeBody>(services.demand_totp_and_fresh_sign_in(&principal, trace))
        .await?;
    no_parameters(&request)?;
    services.remove_totp(&principal, &body.value.code, trace).await?;
    Ok(NoContent)
}

/// Replace my recovery codes
///
/// By a code of the authenticator app, or one of the recovery codes; whoever has passkeys alone needs none. Those before are void.
/// Needs a sign-in of the last ten minutes, by a second factor; a wrong code is refused as a field (code `incorrect`).
#[utoipa::path(
    tag = "Second factors",
    operation_id = "replaceRecoveryCodes",
    request_body = RecoveryCodesBody,
    responses(
        (status = 200, description = "The recovery codes", body = Data<RecoveryCodesView>),
        (status = 403, description = "`REAUTHENTICATION_REQUIRED`", body = crate::openapi::ErrorEnvelope),
        (status = 404, description = "`NOT_FOUND`: there is no second factor", body = crate::openapi::ErrorEnvelope),
    ),
    security(("bearer" = [])),
)]
#[post("/api/v1/auth/mfa/recovery-codes")]
pub(crate) async fn replace_recovery_codes(
    caller: SignedIn,
    request: HttpRequest,
) -> ApiResult<Reply<RecoveryCodesView>> {
    let SignedIn {
        principal,
        services,
        trace,
        body,
    } = caller;
    let body = body
        .read_once::<RecoveryCodesBody>(services.demand_factor_and_fresh_sign_in(&principal, trace))
        .await?;
    no_parameters(&request)?;
    let codes = services
        .replace_recovery_codes(&principal, body.value.code.as_ref(), trace)
        .await?;
    Ok(shown(&codes))
}

/// Complete a sign-in
///
/// By a code of the authenticator app or a recovery code, each good once. Ten wrong codes in a row, on whatever operation, and
/// none is looked at for 15 minutes (`RATE_LIMITED`), and for twice as long each further time. With `trustDevice` no code is
/// asked for on this device for 30 days: it shows the `trustedDeviceToken`, or the cookie that comes with the answer, at its
/// next sign-in.
#[utoipa::path(
    tag = "Second factors",
    operation_id = "verifyMfa",
    params(TokenTransport),
    request_body = MfaBody,
    responses(
        (status = 200, description = "The session", body = Data<SignedInView>, headers(("Set-Cookie" = String))),
        (status = 401, description = "`UNAUTHORIZED`: the token or the code is not good", body = crate::openapi::ErrorEnvelope),
        (status = 403, description = "`SSO_REQUIRED`: an organization demands to sign in through its own provider", body = crate::openapi::ErrorEnvelope),
        (status = 409, description = "`CONFLICT` (`email_not_in_domain`)", body = crate::openapi::ErrorEnvelope),
    ),
)]
#[post("/api/v1/auth/mfa/verify")]
pub(crate) async fn verify_mfa(caller: Anyone, request: HttpRequest) -> ApiResult<Reply<SignedInView>> {
    let Anyone { services, trace, body } = caller;
    let MfaBody {
        mfa_token,
        code,
        trust_device,
    } = body.read_once::<MfaBody>(async { Ok::<_, ApiError>(()) }).await?.value;
    no_parameters(&request)?;
    let transport = Transport::asked(&request)?;
    let trust = trust_device.unwrap_or_default();
    let outcome = services
        .complete_sign_in(mfa_token.expose_secret(), &code, trust, &device(&request), trace)
        .await;
    let session = outcome.map_err(|error| match error {
        Error::IncorrectCode => wrong_credentials(Error::Unauthenticated),
        error => wrong_credentials(error),
    })?;
    let of_device = session
        .trusted_device
        .as_ref()
        .map(|token| cookies::of_trusted_device(&services, token));
    let (session, cookies) = signed_in(&services, session, transport);
    Ok(Reply::ok(session).no_store().cookies(cookies).cookies(of_device))
}
