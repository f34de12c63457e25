//! Making an account, signing in, staying signed in, signing out, choosing another password.

pub(crate) mod links;
mod password;
mod reauthentication;

use actix_web::{HttpRequest, post};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use serde_json::Value;
use tenantry_domain::{emails::Email, second_factors::SecondFactor, text::Name};
use tenantry_services::{
    Error, Services,
    limits::{Limit, LimitKey},
    sessions::{Credentials, SignIn, SignedIn},
    users::NewAccount,
};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    cookies,
    errors::{ApiError, ApiResult, BearerProblem},
    fields::{Failure, Fields, FromFields},
    guard::{Anyone, device},
    limits,
    listing::no_parameters,
    reply::{Data, NoContent, Reply},
    resources::me::UserView,
    rules, words,
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(register)
        .service(login)
        .service(refresh)
        .service(logout)
        .service(links::verify_email)
        .service(links::resend_verification_email)
        .service(links::forgot_password)
        .service(links::reset_password)
        .service(password::change_password)
        .service(reauthentication::reauthenticate);
}

/// A new account.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase", example = json!({
    "email": "ann@example.com", "password": "a long phrase nobody guesses", "name": "Ann", "organizationName": "Acme"
}))]
pub(crate) struct RegisterBody {
    #[schema(value_type = String, format = "email", max_length = 254)]
    email: Email,
    #[schema(value_type = String, format = "password", min_length = 12, max_length = 128)]
    password: SecretString,
    #[schema(value_type = String, min_length = 1, max_length = 255)]
    name: Name,
    /// An organization to found with the account.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255)]
    organization_name: Option<Name>,
}

impl FromFields for RegisterBody {
    /// How easily a password is guessed takes milliseconds to estimate.
    const IS_SLOW: bool = true;

    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let email = fields.required("email", rules::email);
        let password = fields.required("password", rules::new_password);
        let name = fields.required("name", rules::text);
        let organization_name = fields.optional("organizationName", rules::text);
        Some(Self {
            email: email?,
            password: password?,
            name: name?,
            organization_name,
        })
    }
}

impl From<RegisterBody> for NewAccount {
    fn from(body: RegisterBody) -> Self {
        Self {
            email: body.email,
            password: body.password,
            name: body.name,
            organization: body.organization_name,
            verified: false,
        }
    }
}

/// Address and password.
#[derive(ToSchema)]
#[schema(
    rename_all = "camelCase",
    example = json!({"email": "olivia@acme.example", "password": "tenantry demo passphrase"})
)]
pub(crate) struct LoginBody {
    #[schema(format = "email", max_length = 1000)]
    email: String,
    #[schema(value_type = String, format = "password", max_length = 1000)]
    password: SecretString,
    /// Of a device on which no second factor is asked for, where its cookie does not tell.
    #[schema(value_type = Option<String>, max_length = 1000)]
    trusted_device_token: Option<SecretString>,
}

/// The most characters of what is compared with an address, a password or a token.
const MAX_CREDENTIAL: usize = 1000;

/// What someone shows to be let in: whether it is good is decided elsewhere.
pub(super) fn credential(value: Value) -> Result<String, Failure> {
    let text = rules::string(value)?;
    if text.chars().count() > MAX_CREDENTIAL {
        let message = format!("must have {MAX_CREDENTIAL} or fewer characters");
        return Err(Failure::new("length", message));
    }
    Ok(text)
}

impl FromFields for LoginBody {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let email = fields.required("email", credential);
        let password = fields.required("password", credential);
        let trusted_device_token = fields.optional("trustedDeviceToken", credential);
        Some(Self {
            email: email?,
            password: password?.into(),
            trusted_device_token: trusted_device_token.map(Into::into),
        })
    }
}

/// A refresh token.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase", example = json!({"refreshToken": "tnr_…"}))]
pub(crate) struct RefreshBody {
    #[schema(value_type = String, max_length = 1000)]
    refresh_token: SecretString,
}

impl FromFields for RefreshBody {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let refresh_token = fields.required("refreshToken", credential);
        Some(Self {
            refresh_token: refresh_token?.into(),
        })
    }
}

/// A session, and the tokens that stand for it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Session)]
pub(crate) struct SignedInView {
    status: SignInStatus,
    /// For `Authorization: Bearer …`.
    #[schema(max_length = 4096)]
    access_token: String,
    #[schema(value_type = words::TokenType)]
    token_type: &'static str,
    /// Seconds until the access token expires.
    #[schema(minimum = 0, maximum = 86_400, example = 3600)]
    expires_in: u64,
    /// Good for one refresh.
    #[schema(max_length = 255)]
    refresh_token: String,
    /// Seconds until the refresh token expires.
    #[schema(minimum = 0, maximum = 31_536_000, example = 604_800)]
    refresh_expires_in: i64,
    /// For the next sign-in on this device, where it was trusted just now; `null` everywhere else.
    #[schema(max_length = 255)]
    trusted_device_token: Option<String>,
    user: UserView,
}

/// What signing in came to, by `status`.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = SignIn)]
pub(crate) enum SignInView {
    Done(Box<SignedInView>),
    Begun(SecondStepView),
}

/// The password was right, and a second factor is asked for.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SecondStep)]
pub(crate) struct SecondStepView {
    status: SecondStepStatus,
    /// What the sign-in is completed with.
    #[schema(max_length = 255)]
    mfa_token: String,
    /// Seconds until the token expires.
    #[schema(minimum = 0, maximum = 3600, example = 300)]
    expires_in: u64,
    /// What it can be completed by.
    #[schema(value_type = Vec<words::SecondFactorMethod>, min_items = 1, max_items = 10)]
    methods: Vec<SecondFactor>,
}

/// What signing in came to.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SecondStepStatus {
    /// A second factor is asked for.
    MfaRequired,
}

/// What signing in came to.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SignInStatus {
    /// Signed in.
    Authenticated,
}

pub(super) fn signed_in(services: &Services, signed_in: SignedIn) -> SignedInView {
    let now = services.environment().now();
    SignedInView {
        status: SignInStatus::Authenticated,
        access_token: signed_in.access_token.expose_secret().to_owned(),
        token_type: "Bearer",
        expires_in: signed_in.access_life.as_secs(),
        refresh_token: signed_in.refresh_token.expose_secret().to_owned(),
        refresh_expires_in: (signed_in.refresh_expires_at - now + chrono::TimeDelta::milliseconds(999)).num_seconds(),
        trusted_device_token: signed_in.trusted_device.map(|token| token.expose_secret().to_owned()),
        user: signed_in.user.into(),
    }
}

/// What is wrong with credentials that are no bearer token.
pub(super) fn wrong_credentials(error: Error) -> ApiError {
    match error {
        Error::Unauthenticated => ApiError::Unauthorized(BearerProblem::Missing),
        error => error.into(),
    }
}

/// Make an account
///
/// Signs it in, and founds an organization where one is named.
#[utoipa::path(
    tag = "Authentication",
    operation_id = "register",
    request_body = RegisterBody,
    responses(
        (status = 201, description = "The session", body = Data<SignedInView>, headers(("Location" = String))),
        (status = 403, description = "`FORBIDDEN`: registration is closed", body = crate::openapi::ErrorEnvelope),
        (status = 409, description = "`CONFLICT` (`email_taken`)", body = crate::openapi::ErrorEnvelope),
    ),
)]
#[post("/api/v1/auth/register")]
pub(crate) async fn register(caller: Anyone, request: HttpRequest) -> ApiResult<Reply<SignedInView>> {
    let Anyone { services, trace, body } = caller;
    let body = body
        .read_once::<RegisterBody>(async { services.demand_open_registration() })
        .await?;
    no_parameters(&request)?;
    let session = services.register(body.value.into(), &device(&request), trace).await?;
    Ok(Reply::created(signed_in(&services, session), "/api/v1/me".to_owned()).no_store())
}

/// Sign in
///
/// An unknown address and a wrong password are answered alike. Whoever has an authenticator app gets an `mfaToken` in the place of a
/// session, which `verifyMfa` completes, except on a device that they trust.
#[utoipa::path(
    tag = "Authentication",
    operation_id = "login",
    request_body = LoginBody,
    responses(
        (status = 200, description = "The session, or what is missing for one", body = Data<SignInView>),
        (status = 401, description = "`UNAUTHORIZED`", body = crate::openapi::ErrorEnvelope),
    ),
)]
#[post("/api/v1/auth/login")]
pub(crate) async fn login(caller: Anyone, request: HttpRequest) -> ApiResult<Reply<SignInView>> {
    let Anyone { services, trace, body } = caller;
    let LoginBody {
        email,
        password,
        trusted_device_token,
    } = body
        .read_once::<LoginBody>(async { Ok::<_, ApiError>(()) })
        .await?
        .value;
    no_parameters(&request)?;
    // By the address as it is looked up: another spelling of it is no other account.
    let account = match email.parse::<Email>() {
        Ok(email) => LimitKey::account(email.canonical()),
        Err(_) => LimitKey::account(&email),
    };
    limits::charge(&request, &services, Limit::SignInAccount, &account)?;
    let credentials = Credentials {
        email,
        password,
        trusted_devices: trusted_device_token
            .into_iter()
            .chain(cookies::trusted_device(&request, &services))
            .collect(),
    };
    let outcome = services.sign_in(credentials, &device(&request), trace).await;
    if !matches!(outcome, Err(Error::Unauthenticated)) {
        // Only wrong guesses count against an account.
        services.refund(Limit::SignInAccount, &account);
    }
    let came_to = match outcome.map_err(wrong_credentials)? {
        SignIn::Done(session) => SignInView::Done(Box::new(signed_in(&services, *session))),
        SignIn::Begun { token, life, methods } => SignInView::Begun(SecondStepView {
            status: SecondStepStatus::MfaRequired,
            mfa_token: token.expose_secret().to_owned(),
            expires_in: life.as_secs(),
            methods,
        }),
    };
    Ok(Reply::ok(came_to).no_store())
}

/// Renew a session's tokens
///
/// A refresh token is used once. For ten seconds after, it gives up to four more successors, for tabs that refresh at
/// once; later than that, it ends the session.
#[utoipa::path(
    tag = "Authentication",
    operation_id = "refresh",
    request_body = RefreshBody,
    responses(
        (status = 200, description = "The session", body = Data<SignedInView>),
        (status = 401, description = "`UNAUTHORIZED`", body = crate::openapi::ErrorEnvelope),
    ),
)]
#[post("/api/v1/auth/refresh")]
pub(crate) async fn refresh(caller: Anyone, request: HttpRequest) -> ApiResult<Reply<SignedInView>> {
    let Anyone { services, trace, body } = caller;
    let token = body
        .read_once::<RefreshBody>(async { Ok::<_, ApiError>(()) })
        .await?
        .value
        .refresh_token;
    no_parameters(&request)?;
    let session = services
        .refresh(token.expose_secret(), trace)
        .await
        .map_err(wrong_credentials)?;
    Ok(Reply::ok(signed_in(&services, session)).no_store())
}

/// Sign out
///
/// Ends the session of a refresh token; needs no other credentials. One that is not good is signed out already.
#[utoipa::path(
    tag = "Authentication",
    operation_id = "logout",
    request_body = RefreshBody,
    responses((status = 204, description = "The session has ended")),
)]
#[post("/api/v1/auth/logout")]
pub(crate) async fn logout(caller: Anyone, request: HttpRequest) -> ApiResult<NoContent> {
    let Anyone { services, trace, body } = caller;
    let token = body
        .read_once::<RefreshBody>(async { Ok::<_, ApiError>(()) })
        .await?
        .value
        .refresh_token;
    no_parameters(&request)?;
    services.sign_out(token.expose_secret(), trace).await?;
    Ok(NoContent)
}
