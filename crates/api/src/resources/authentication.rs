//! Making an account, signing in, staying signed in, signing out, choosing another password.

mod email_change;
pub(crate) mod links;
mod password;
mod reauthentication;

use actix_web::{HttpRequest, cookie::Cookie, post};
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
    body::UnreadBody,
    cookies,
    errors::{ApiError, ApiResult, BearerProblem},
    fields::{Failure, Fields, FromFields},
    guard::{Anyone, device},
    limits,
    listing::no_parameters,
    parameters::{CsrfToken, TokenTransport},
    reply::{Data, NoContentButCookies, Reply},
    resources::me::UserView,
    rules,
    transport::{self, Received, Transport},
    words,
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
        .service(email_change::request_email_change)
        .service(email_change::get_email_change)
        .service(email_change::cancel_email_change)
        .service(email_change::confirm_email_change)
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
            password: Some(body.password),
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
    /// What the last sign-in or refresh gave; in browser mode the cookie has it.
    #[schema(value_type = Option<String>, max_length = 1000)]
    refresh_token: Option<SecretString>,
}

impl FromFields for RefreshBody {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let refresh_token = fields.optional("refreshToken", credential);
        Some(Self {
            refresh_token: refresh_token.map(Into::into),
        })
    }
}

/// The refresh token of a request, in its body or in its cookie.
async fn received(body: UnreadBody, request: &HttpRequest) -> ApiResult<Received> {
    let in_body = if body.is_there() {
        let body = body.read_once::<RefreshBody>(async { Ok::<_, ApiError>(()) }).await?;
        body.value.refresh_token
    } else {
        None
    };
    no_parameters(request)?;
    Received::of(request, in_body)
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
    /// Good for one refresh; `null` in browser mode, where a cookie has it.
    #[schema(max_length = 255, example = "tnr_…")]
    refresh_token: Option<String>,
    /// Seconds until the refresh token expires.
    #[schema(minimum = 0, maximum = 31_536_000, example = 604_800)]
    refresh_expires_in: i64,
    /// In browser mode, what `refresh` and `logout` are to show in `X-CSRF-Token`: that of the last answer. `null` everywhere else.
    #[schema(max_length = 255)]
    csrf_token: Option<String>,
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

/// A session to answer with, and the cookies that go with it.
pub(super) fn signed_in(
    services: &Services,
    signed_in: SignedIn,
    transport: Transport,
) -> (SignedInView, Vec<Cookie<'static>>) {
    let now = services.environment().now();
    let refresh_expires_in = (signed_in.refresh_expires_at - now + chrono::TimeDelta::milliseconds(999)).num_seconds();
    let (refresh_token, csrf_token, cookies) = match transport {
        Transport::Body => (
            Some(signed_in.refresh_token.expose_secret().to_owned()),
            None,
            Vec::new(),
        ),
        Transport::Cookie => {
            let csrf_token = services.csrf_token(signed_in.session);
            let cookies = transport::cookies(&signed_in.refresh_token, &csrf_token, refresh_expires_in);
            (None, Some(csrf_token), cookies.into())
        }
    };
    let view = SignedInView {
        status: SignInStatus::Authenticated,
        access_token: signed_in.access_token.expose_secret().to_owned(),
        token_type: "Bearer",
        expires_in: signed_in.access_life.as_secs(),
        refresh_token,
        refresh_expires_in,
        csrf_token,
        trusted_device_token: signed_in.trusted_device.map(|token| token.expose_secret().to_owned()),
        user: signed_in.user.into(),
    };
    (view, cookies)
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
    params(TokenTransport),
    request_body = RegisterBody,
    responses(
        (status = 201, description = "The session", body = Data<SignedInView>, headers(("Location" = String), ("Set-Cookie" = String))),
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
    let transport = Transport::asked(&request)?;
    let session = services.register(body.value.into(), &device(&request), trace).await?;
    let (session, cookies) = signed_in(&services, session, transport);
    Ok(Reply::created(session, "/api/v1/me".to_owned())
        .no_store()
        .cookies(cookies))
}

/// Sign in
///
/// An unknown address and a wrong password are answered alike. Whoever has an authenticator app gets an `mfaToken` in the place of a
/// session, which `verifyMfa` completes, except on a device that they trust.
#[utoipa::path(
    tag = "Authentication",
    operation_id = "login",
    params(TokenTransport),
    request_body = LoginBody,
    responses(
        (status = 200, description = "The session, or what is missing for one", body = Data<SignInView>,
            headers(("Set-Cookie" = String))),
        (status = 401, description = "`UNAUTHORIZED`", body = crate::openapi::ErrorEnvelope),
        (status = 403, description = "`SSO_REQUIRED`: an organization demands to sign in through its own provider", body = crate::openapi::ErrorEnvelope),
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
    let transport = Transport::asked(&request)?;
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
    sign_in_answer(&services, outcome, transport)
}

/// What a sign-in is answered with, by whatever it was.
pub(super) fn sign_in_answer(
    services: &Services,
    outcome: Result<SignIn, Error>,
    transport: Transport,
) -> ApiResult<Reply<SignInView>> {
    let (came_to, cookies) = match outcome.map_err(wrong_credentials)? {
        SignIn::Done(session) => {
            let (session, cookies) = signed_in(services, *session, transport);
            (SignInView::Done(Box::new(session)), cookies)
        }
        SignIn::Begun { token, life, methods } => {
            let second_step = SecondStepView {
                status: SecondStepStatus::MfaRequired,
                mfa_token: token.expose_secret().to_owned(),
                expires_in: life.as_secs(),
                methods,
            };
            (SignInView::Begun(second_step), Vec::new())
        }
    };
    Ok(Reply::ok(came_to).no_store().cookies(cookies))
}

/// Renew a session's tokens
///
/// A refresh token is used once. For ten seconds after, it gives up to four more successors, for tabs that refresh at
/// once; later than that, it ends the session. In browser mode the cookie has it, and `X-CSRF-Token` shows the session's `csrfToken`.
#[utoipa::path(
    tag = "Authentication",
    operation_id = "refresh",
    params(TokenTransport, CsrfToken),
    request_body = Option<RefreshBody>,
    responses(
        (status = 200, description = "The session", body = Data<SignedInView>, headers(("Set-Cookie" = String))),
        (status = 401, description = "`UNAUTHORIZED`", body = crate::openapi::ErrorEnvelope),
        (status = 403, description = "`FORBIDDEN`: the CSRF token is missing or wrong", body = crate::openapi::ErrorEnvelope),
    ),
)]
#[post("/api/v1/auth/refresh")]
pub(crate) async fn refresh(caller: Anyone, request: HttpRequest) -> ApiResult<Reply<SignedInView>> {
    let Anyone { services, trace, body } = caller;
    let received = received(body, &request).await?;
    let transport = received.then(Transport::asked(&request)?);
    let session = services
        .refresh(received.carried(), trace)
        .await
        .map_err(wrong_credentials)?;
    let (session, cookies) = signed_in(&services, session, transport);
    Ok(Reply::ok(session).no_store().cookies(cookies))
}

/// Sign out
///
/// Ends the session of a refresh token; needs no other credentials. One that is not good is signed out already. In browser mode the
/// cookie has it, and `X-CSRF-Token` shows the session's `csrfToken`; the cookies go.
#[utoipa::path(
    tag = "Authentication",
    operation_id = "logout",
    params(CsrfToken),
    request_body = Option<RefreshBody>,
    responses(
        (status = 204, description = "The session has ended", headers(("Set-Cookie" = String))),
        (status = 403, description = "`FORBIDDEN`: the CSRF token is missing or wrong", body = crate::openapi::ErrorEnvelope),
    ),
)]
#[post("/api/v1/auth/logout")]
pub(crate) async fn logout(caller: Anyone, request: HttpRequest) -> ApiResult<NoContentButCookies> {
    let Anyone { services, trace, body } = caller;
    let received = received(body, &request).await?;
    services.sign_out(received.carried(), trace).await?;
    Ok(NoContentButCookies(match received {
        Received::InBody(_) => Vec::new(),
        Received::InCookie { .. } => transport::cleared().into(),
    }))
}
