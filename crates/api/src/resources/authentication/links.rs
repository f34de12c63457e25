//! Links that are mailed: to prove an address by, and to choose another password by.

use std::time::Duration;

use actix_web::{HttpRequest, http::StatusCode, post};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use tenantry_domain::{emails::Email, links::LinkPurpose, users::User};
use tenantry_services::limits::{Limit, LimitKey};
use utoipa::ToSchema;

use super::credential;
use crate::{
    errors::{ApiError, ApiResult},
    fields::{Fields, FromFields},
    guard::{Anyone, principal},
    limits,
    listing::no_parameters,
    reply::{Data, Reply},
    rules,
};

/// How long it takes at least to answer who asks for a mail to an address: well over what either answer takes, so that the time
/// does not tell whether anybody has it.
const ALIKE: Duration = Duration::from_millis(100);

/// An address.
#[derive(ToSchema)]
#[schema(as = AddressBody, example = json!({"email": "olivia@acme.example"}))]
pub(crate) struct AddressBody {
    #[schema(value_type = String, format = "email", max_length = 254)]
    pub(crate) email: Email,
}

impl FromFields for AddressBody {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let email = fields.required("email", rules::email);
        Some(Self { email: email? })
    }
}

/// What a mailed link holds as `token`.
#[derive(ToSchema)]
#[schema(example = json!({"token": "tnl_…"}))]
pub(crate) struct LinkBody {
    #[schema(value_type = String, max_length = 1000)]
    pub(crate) token: SecretString,
}

impl FromFields for LinkBody {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let token = fields.required("token", credential);
        Some(Self { token: token?.into() })
    }
}

/// What a mailed link holds as `token`, and another password.
#[derive(ToSchema)]
#[schema(example = json!({"token": "tnl_…", "password": "another phrase, just as long"}))]
pub(crate) struct PasswordResetBody {
    #[schema(value_type = String, max_length = 1000)]
    token: SecretString,
    #[schema(value_type = String, format = "password", min_length = 12, max_length = 128)]
    password: SecretString,
}

impl FromFields for PasswordResetBody {
    /// How easily a password is guessed takes milliseconds to estimate.
    const IS_SLOW: bool = true;

    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let token = fields.required("token", credential);
        let password = fields.required("password", rules::new_password);
        Some(Self {
            token: token?.into(),
            password: password?,
        })
    }
}

/// That something was asked for. The same whether or not anything comes of it.
#[derive(Serialize, ToSchema)]
pub(crate) struct AcceptedView {
    status: Accepted,
}

/// What became of a request.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Accepted {
    /// If anybody is to get a mail, they will.
    Accepted,
}

/// An address that a link proved.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProvenAddressView {
    #[schema(value_type = String, format = "email", max_length = 254, example = "olivia@acme.example")]
    email: Email,
    email_verified: bool,
}

impl From<User> for ProvenAddressView {
    fn from(user: User) -> Self {
        Self {
            email: user.email,
            email_verified: user.email_verified_at.is_some(),
        }
    }
}

/// Asks for a mail to an address, and answers alike whatever comes of it.
async fn mail_to(caller: Anyone, request: &HttpRequest, purpose: LinkPurpose) -> ApiResult<Reply<AcceptedView>> {
    let Anyone { services, trace, body } = caller;
    let body = body.read_once::<AddressBody>(async { Ok::<_, ApiError>(()) }).await?;
    no_parameters(request)?;
    let email = body.value.email;
    limits::charge_quietly(
        request,
        &services,
        limit_of(purpose),
        &LimitKey::account(email.canonical()),
    )?;
    let asked = services.request_link(purpose, &email, trace);
    let (asked, ()) = tokio::join!(asked, tokio::time::sleep(ALIKE));
    asked?;
    Ok(accepted())
}

/// One for each purpose: whoever uses up the one keeps nobody from a new password.
const fn limit_of(purpose: LinkPurpose) -> Limit {
    match purpose {
        LinkPurpose::VerifyEmail => Limit::VerificationMail,
        LinkPurpose::ResetPassword => Limit::PasswordResetMail,
        LinkPurpose::ConfirmIdentity => Limit::IdentityMail,
        LinkPurpose::ApproveEmailChange | LinkPurpose::ProveNewEmail => Limit::EmailChangeMail,
    }
}

fn accepted() -> Reply<AcceptedView> {
    let accepted = AcceptedView {
        status: Accepted::Accepted,
    };
    Reply::ok(accepted).status(StatusCode::ACCEPTED).no_store()
}

/// Prove an address
///
/// By the `token` of the link that was mailed to it, which is good for 24 hours and for one use.
#[utoipa::path(
    tag = "Authentication",
    operation_id = "verifyEmail",
    request_body = LinkBody,
    responses(
        (status = 200, description = "The address is proven", body = Data<ProvenAddressView>),
        (status = 410, description = "`GONE`: it was used, has expired, or never was", body = crate::openapi::ErrorEnvelope),
    ),
)]
#[post("/api/v1/auth/email/verify")]
pub(crate) async fn verify_email(caller: Anyone, request: HttpRequest) -> ApiResult<Reply<ProvenAddressView>> {
    let Anyone { services, trace, body } = caller;
    let body = body.read_once::<LinkBody>(async { Ok::<_, ApiError>(()) }).await?;
    no_parameters(&request)?;
    let user = services.verify_email(body.value.token.expose_secret(), trace).await?;
    Ok(Reply::ok(user.into()).no_store())
}

/// Ask for another link to prove an address by
///
/// Without a body it is the signed-in caller's own address; with `email`, which needs no credentials, the answer is the same
/// whether or not anybody has it. Nothing is mailed to an address that is proven.
#[utoipa::path(
    tag = "Authentication",
    operation_id = "resendVerificationEmail",
    request_body = Option<AddressBody>,
    responses(
        (status = 202, description = "If anybody is to get a mail, they will", body = Data<AcceptedView>),
        (status = 401, description = "`UNAUTHORIZED`: there is neither a body nor a caller", body = crate::openapi::ErrorEnvelope),
    ),
)]
#[post("/api/v1/auth/email/resend")]
pub(crate) async fn resend_verification_email(caller: Anyone, request: HttpRequest) -> ApiResult<Reply<AcceptedView>> {
    if caller.body.is_there() {
        return mail_to(caller, &request, LinkPurpose::VerifyEmail).await;
    }
    let Anyone { services, trace, .. } = caller;
    let caller = principal(&request, &services, trace).await?;
    no_parameters(&request)?;
    let oneself = services.oneself(&caller, trace).await?;
    let address = LimitKey::account(oneself.email.canonical());
    limits::charge_quietly(&request, &services, limit_of(LinkPurpose::VerifyEmail), &address)?;
    services.request_own_verification(&caller, trace).await?;
    Ok(accepted())
}

/// Ask for a link to choose another password by
///
/// The answer is the same whether or not anybody has the address.
#[utoipa::path(
    tag = "Authentication",
    operation_id = "forgotPassword",
    request_body = AddressBody,
    responses((status = 202, description = "If anybody is to get a mail, they will", body = Data<AcceptedView>)),
)]
#[post("/api/v1/auth/password/forgot")]
pub(crate) async fn forgot_password(caller: Anyone, request: HttpRequest) -> ApiResult<Reply<AcceptedView>> {
    mail_to(caller, &request, LinkPurpose::ResetPassword).await
}

/// Choose another password by a mailed link
///
/// By the `token` of the link, which is good for an hour and for one use. Ends all sessions, proves the address, and tells its
/// owner by mail. A password that is refused leaves the link good.
#[utoipa::path(
    tag = "Authentication",
    operation_id = "resetPassword",
    request_body = PasswordResetBody,
    responses(
        (status = 200, description = "The password is another", body = Data<ProvenAddressView>),
        (status = 410, description = "`GONE`: it was used, has expired, or never was", body = crate::openapi::ErrorEnvelope),
    ),
)]
#[post("/api/v1/auth/password/reset")]
pub(crate) async fn reset_password(caller: Anyone, request: HttpRequest) -> ApiResult<Reply<ProvenAddressView>> {
    let Anyone { services, trace, body } = caller;
    let body = body
        .read_once::<PasswordResetBody>(async { Ok::<_, ApiError>(()) })
        .await?;
    no_parameters(&request)?;
    let PasswordResetBody { token, password } = body.value;
    let user = services.reset_password(token.expose_secret(), password, trace).await?;
    Ok(Reply::ok(user.into()).no_store())
}
