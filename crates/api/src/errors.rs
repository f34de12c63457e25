//! What goes wrong, as clients see it: one envelope, a closed list of codes.
//!
//! To add a code: a variant of [`ErrorCode`] with its status, and its place in [`ApiError::code`]. Codes are never renamed.

use std::{borrow::Cow, fmt};

use actix_web::{
    HttpResponse, HttpResponseBuilder, ResponseError,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
};
use serde::Serialize;
use serde_json::{Value, json};
use tenantry_domain::{
    ids::OrganizationId, permissions::Permission, sessions::FRESH, trace::TraceId,
    users::memberships::MemberOrganization,
};
use tenantry_services::{
    error::{Conflict, NoAccount, Quota},
    limits::Charge,
};
use utoipa::ToSchema;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $code:tt $status:ident;)*) => {
        /// Every code of the error envelope.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
        pub enum ErrorCode {$(
            $(#[$doc])*
            #[serde(rename = $code)]
            $variant,
        )*}

        impl ErrorCode {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The code as clients know it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {$(Self::$variant => $code,)*}
            }

            /// The status that it comes with.
            pub(crate) const fn status(self) -> StatusCode {
                match self {$(Self::$variant => StatusCode::$status,)*}
            }
        }
    };
}

codes! {
    /// The body is not JSON; a path, query or header value does not parse.
    MalformedRequest = "MALFORMED_REQUEST" BAD_REQUEST;
    /// The JSON does not fit: all that is wrong with it, by field.
    ValidationError = "VALIDATION_ERROR" BAD_REQUEST;
    /// No, wrong or expired credentials.
    Unauthorized = "UNAUTHORIZED" UNAUTHORIZED;
    /// The organization has no more of something.
    QuotaExceeded = "QUOTA_EXCEEDED" PAYMENT_REQUIRED;
    /// A permission is missing.
    Forbidden = "FORBIDDEN" FORBIDDEN;
    /// The organization demands a second factor, and none was used for the session.
    MfaRequired = "MFA_REQUIRED" FORBIDDEN;
    /// The organization demands of its members to sign in through its own provider, and this is another way.
    SsoRequired = "SSO_REQUIRED" FORBIDDEN;
    /// The sign-in is too old for this: prove once more who you are.
    ReauthenticationRequired = "REAUTHENTICATION_REQUIRED" FORBIDDEN;
    /// The organization is suspended.
    TenantSuspended = "TENANT_SUSPENDED" FORBIDDEN;
    /// There is no such thing, or the caller may not know of it.
    NotFound = "NOT_FOUND" NOT_FOUND;
    /// The path knows no such method.
    MethodNotAllowed = "METHOD_NOT_ALLOWED" METHOD_NOT_ALLOWED;
    /// There is no representation that the client accepts.
    NotAcceptable = "NOT_ACCEPTABLE" NOT_ACCEPTABLE;
    /// Something that exists is in the way.
    Conflict = "CONFLICT" CONFLICT;
    /// A link that was mailed was used or has expired.
    Gone = "GONE" GONE;
    /// The resource is not the version that was demanded.
    PreconditionFailed = "PRECONDITION_FAILED" PRECONDITION_FAILED;
    /// The body is too large.
    PayloadTooLarge = "PAYLOAD_TOO_LARGE" PAYLOAD_TOO_LARGE;
    /// The body is of a kind that is not understood here.
    UnsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE" UNSUPPORTED_MEDIA_TYPE;
    /// The idempotency key was used for another request.
    IdempotencyKeyReused = "IDEMPOTENCY_KEY_REUSED" UNPROCESSABLE_ENTITY;
    /// The first request with the idempotency key is still running.
    IdempotencyInProgress = "IDEMPOTENCY_IN_PROGRESS" CONFLICT;
    /// Too many requests.
    RateLimited = "RATE_LIMITED" TOO_MANY_REQUESTS;
    /// A defect of ours.
    InternalError = "INTERNAL_ERROR" INTERNAL_SERVER_ERROR;
    /// A dependency is away, or the service is too busy.
    ServiceUnavailable = "SERVICE_UNAVAILABLE" SERVICE_UNAVAILABLE;
    /// It took too long.
    Timeout = "TIMEOUT" GATEWAY_TIMEOUT;
}

/// What is wrong with one field of a body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct FieldFailure {
    /// A JSON pointer (RFC 6901) to the field.
    #[schema(example = "/name", max_length = 1000)]
    pub(crate) field: String,
    /// What is wrong, for programs.
    #[schema(example = "length", max_length = 63)]
    pub(crate) code: Cow<'static, str>,
    /// What is wrong, for people.
    #[schema(example = "must have 1 or more characters", max_length = 1000)]
    pub(crate) message: String,
}

/// What is wrong with a bearer token (RFC 6750, section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BearerProblem {
    /// There is none, or what was shown is no token.
    Missing,
    /// It is not good.
    Invalid,
    /// It was good.
    Expired,
    /// It is a trusted issuer's, and names no address.
    EmailMissing,
    /// It is a trusted issuer's, of nobody who has an account.
    NoAccount,
}

/// An answer that is an error.
#[derive(Debug, Clone)]
pub(crate) enum ApiError {
    Malformed {
        location: Cow<'static, str>,
        message: Cow<'static, str>,
    },
    Validation(Vec<FieldFailure>),
    Unauthorized(BearerProblem),
    Forbidden(Permission),
    RegistrationClosed,
    NotInvited,
    CrossSite,
    MfaRequired,
    SsoRequired(OrganizationId),
    /// It may be as many seconds old.
    ReauthenticationRequired(u32),
    QuotaExceeded(Quota),
    Suspended,
    NotFound,
    MethodNotAllowed {
        allow: String,
    },
    NotAcceptable,
    Conflict(&'static str),
    /// The caller is the last owner of these.
    LastOwner(Vec<MemberOrganization>),
    LinkGone,
    PreconditionFailed,
    PayloadTooLarge,
    UnsupportedMediaType {
        accepted: &'static str,
    },
    IdempotencyKeyReused,
    IdempotencyInProgress,
    RateLimited(Charge),
    Internal,
    Unavailable,
    Timeout,
}

/// A result of a handler.
pub(crate) type ApiResult<T> = Result<T, ApiError>;

/// How long a client should wait before it asks again what could not be answered.
const RETRY_AFTER_SECONDS: u32 = 1;

impl ApiError {
    pub(crate) fn malformed(location: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>) -> Self {
        Self::Malformed {
            location: location.into(),
            message: message.into(),
        }
    }

    /// What only a sign-in of the last minutes may do was asked with an older one.
    pub(crate) fn fresh_sign_in_required() -> Self {
        Self::ReauthenticationRequired(FRESH.num_seconds().try_into().unwrap_or(u32::MAX))
    }

    pub(crate) const fn code(&self) -> ErrorCode {
        match self {
            Self::Malformed { .. } => ErrorCode::MalformedRequest,
            Self::Validation(_) => ErrorCode::ValidationError,
            Self::Unauthorized(_) => ErrorCode::Unauthorized,
            Self::Forbidden(_) | Self::RegistrationClosed | Self::NotInvited | Self::CrossSite => ErrorCode::Forbidden,
            Self::MfaRequired => ErrorCode::MfaRequired,
            Self::SsoRequired(_) => ErrorCode::SsoRequired,
            Self::ReauthenticationRequired(_) => ErrorCode::ReauthenticationRequired,
            Self::QuotaExceeded(_) => ErrorCode::QuotaExceeded,
            Self::Suspended => ErrorCode::TenantSuspended,
            Self::NotFound => ErrorCode::NotFound,
            Self::MethodNotAllowed { .. } => ErrorCode::MethodNotAllowed,
            Self::NotAcceptable => ErrorCode::NotAcceptable,
            Self::Conflict(_) | Self::LastOwner(_) => ErrorCode::Conflict,
            Self::LinkGone => ErrorCode::Gone,
            Self::PreconditionFailed => ErrorCode::PreconditionFailed,
            Self::PayloadTooLarge => ErrorCode::PayloadTooLarge,
            Self::UnsupportedMediaType { .. } => ErrorCode::UnsupportedMediaType,
            Self::IdempotencyKeyReused => ErrorCode::IdempotencyKeyReused,
            Self::IdempotencyInProgress => ErrorCode::IdempotencyInProgress,
            Self::RateLimited(_) => ErrorCode::RateLimited,
            Self::Internal => ErrorCode::InternalError,
            Self::Unavailable => ErrorCode::ServiceUnavailable,
            Self::Timeout => ErrorCode::Timeout,
        }
    }

    fn message(&self) -> Cow<'static, str> {
        match self {
            Self::Malformed { message, .. } => message.clone(),
            Self::Validation(failures) => match failures.as_slice() {
                [failure] => format!("{} {}", failure.field, failure.message).into(),
                failures => format!("{} fields are not as they must be.", failures.len()).into(),
            },
            Self::Unauthorized(BearerProblem::Missing) => "Valid credentials are required.".into(),
            Self::Unauthorized(BearerProblem::Invalid) => "The access token is not valid.".into(),
            Self::Unauthorized(BearerProblem::Expired) => "The access token has expired.".into(),
            Self::Unauthorized(BearerProblem::EmailMissing) => {
                "The access token names no e-mail address, which an account needs.".into()
            }
            Self::Unauthorized(BearerProblem::NoAccount) => {
                "The access token is of nobody who has an account here.".into()
            }
            Self::Forbidden(permission) => format!("This needs the permission {permission}.").into(),
            Self::RegistrationClosed => "Registration is closed: accounts are made by invitation.".into(),
            Self::NotInvited => {
                "The invitation is for another address, or yours is not confirmed: confirm it and try again.".into()
            }
            Self::CrossSite => "The header X-CSRF-Token must have the csrfToken of the session.".into(),
            Self::MfaRequired => {
                "The organization demands a second factor: set one up, or sign in again with yours.".into()
            }
            Self::SsoRequired(_) => "The organization demands to sign in through its own provider.".into(),
            Self::ReauthenticationRequired(seconds) => format!(
                "This needs a sign-in of the last {} minutes: prove once more who you are.",
                seconds / 60
            )
            .into(),
            Self::QuotaExceeded(quota) => format!("All {} {} are taken.", quota.limit, quota.metric).into(),
            Self::Suspended => "The organization is suspended.".into(),
            Self::NotFound => "There is no such resource.".into(),
            Self::MethodNotAllowed { allow } => format!("This path allows {allow}.").into(),
            Self::NotAcceptable => "Answers are application/json, which the request does not accept.".into(),
            Self::Conflict(reason) => format!("The request conflicts with what exists: {reason}.").into(),
            Self::LastOwner(_) => {
                "An organization always has an owner: hand over or delete those in `details` first.".into()
            }
            Self::LinkGone => "The link is not good any more: ask for another one.".into(),
            Self::PreconditionFailed => "The resource has changed since the version that If-Match names.".into(),
            Self::PayloadTooLarge => "The body is larger than 1 MiB.".into(),
            Self::UnsupportedMediaType { accepted } => format!("The body must be {accepted}.").into(),
            Self::IdempotencyKeyReused => "The Idempotency-Key was used for another request.".into(),
            Self::IdempotencyInProgress => "The first request with this Idempotency-Key is still running.".into(),
            Self::RateLimited(charge) => {
                format!("Too many requests: try again in {} s.", charge.reset.as_secs()).into()
            }
            Self::Internal => "Something went wrong on our side.".into(),
            Self::Unavailable => "The service is unavailable for the moment: try again.".into(),
            Self::Timeout => "The request took too long.".into(),
        }
    }

    fn details(&self) -> Value {
        match self {
            Self::Malformed { location, .. } => json!({ "location": location }),
            Self::Validation(failures) => json!({ "fields": failures }),
            Self::Forbidden(permission) => json!({ "requiredPermission": permission.name() }),
            Self::RegistrationClosed | Self::NotInvited | Self::CrossSite => json!({ "requiredPermission": null }),
            Self::SsoRequired(organization) => json!({ "organizationId": organization }),
            Self::ReauthenticationRequired(seconds) => json!({ "maxAgeSeconds": seconds }),
            Self::QuotaExceeded(quota) => {
                json!({ "metric": quota.metric, "limit": quota.limit, "used": quota.used })
            }
            Self::Conflict(reason) => json!({ "reason": reason }),
            Self::LastOwner(organizations) => {
                let named = |one: &MemberOrganization| json!({ "id": one.id, "name": one.name, "slug": one.slug });
                let organizations: Vec<_> = organizations.iter().map(named).collect();
                json!({ "reason": Conflict::LastOwner.as_str(), "organizations": organizations })
            }
            Self::RateLimited(charge) => json!({
                "scope": charge.scope.as_str(),
                "limit": charge.limit,
                "retryAfter": charge.reset.as_secs(),
            }),
            _ => Value::Null,
        }
    }

    /// The envelope, for a response that is already on its way.
    pub(crate) fn envelope(&self, trace: TraceId) -> Value {
        json!({ "error": {
            "code": self.code(),
            "message": self.message(),
            "details": self.details(),
            "traceId": trace.to_string(),
        }})
    }

    /// The whole answer.
    pub(crate) fn respond(&self, trace: TraceId) -> HttpResponse {
        let mut response = HttpResponseBuilder::new(self.code().status());
        response.insert_header((header::CACHE_CONTROL, "no-store"));
        match self {
            Self::Unauthorized(problem) => {
                response.insert_header((header::WWW_AUTHENTICATE, problem.challenge()));
            }
            Self::MethodNotAllowed { allow } => {
                response.insert_header((header::ALLOW, allow.as_str()));
            }
            Self::UnsupportedMediaType { accepted } => {
                response.insert_header((header::ACCEPT, *accepted));
            }
            Self::RateLimited(charge) => {
                response.insert_header((header::RETRY_AFTER, charge.reset.as_secs()));
            }
            Self::Unavailable | Self::IdempotencyInProgress => {
                response.insert_header((header::RETRY_AFTER, RETRY_AFTER_SECONDS));
            }
            _ => {}
        }
        response.json(self.envelope(trace))
    }

    /// The error that an answer of the framework's own amounts to.
    pub(crate) fn from_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => Self::MethodNotAllowed {
                allow: "GET, HEAD, OPTIONS".to_owned(),
            },
            StatusCode::PAYLOAD_TOO_LARGE => Self::PayloadTooLarge,
            StatusCode::SERVICE_UNAVAILABLE => Self::Unavailable,
            StatusCode::REQUEST_TIMEOUT | StatusCode::GATEWAY_TIMEOUT => Self::Timeout,
            status if status.is_client_error() => Self::malformed("request", "The request is not understood."),
            _ => Self::Internal,
        }
    }
}

impl BearerProblem {
    fn challenge(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Missing => r#"Bearer realm="tenantry""#,
            Self::Invalid => {
                r#"Bearer realm="tenantry", error="invalid_token", error_description="The access token is not valid""#
            }
            Self::Expired => {
                r#"Bearer realm="tenantry", error="invalid_token", error_description="The access token has expired""#
            }
            Self::EmailMissing => {
                r#"Bearer realm="tenantry", error="invalid_token", error_description="The access token names no e-mail address, which an account needs""#
            }
            Self::NoAccount => {
                r#"Bearer realm="tenantry", error="invalid_token", error_description="The access token is of nobody who has an account here""#
            }
        })
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code().as_str())
    }
}

/// The body is written further out, where the trace is known: see `middleware`.
impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.code().status()
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status_code())
    }
}

impl From<tenantry_services::Error> for ApiError {
    fn from(error: tenantry_services::Error) -> Self {
        use tenantry_services::Error as E;
        match error {
            E::Unauthenticated => Self::Unauthorized(BearerProblem::Invalid),
            E::Expired => Self::Unauthorized(BearerProblem::Expired),
            E::NoAccount(NoAccount::EmailMissing) => Self::Unauthorized(BearerProblem::EmailMissing),
            E::NoAccount(NoAccount::Unlinked) => Self::Unauthorized(BearerProblem::NoAccount),
            E::NotFound => Self::NotFound,
            E::Forbidden(permission) => Self::Forbidden(permission),
            E::RegistrationClosed => Self::RegistrationClosed,
            E::NotInvited => Self::NotInvited,
            E::QuotaExceeded(quota) => Self::QuotaExceeded(quota),
            E::RateLimited(charge) => Self::RateLimited(charge),
            E::Suspended => Self::Suspended,
            E::WeakPassword(weakness) => Self::Validation(vec![FieldFailure {
                field: "/password".to_owned(),
                code: weakness.code().into(),
                message: weakness.to_string(),
            }]),
            E::IncorrectPassword => Self::Validation(vec![FieldFailure {
                field: "/currentPassword".to_owned(),
                code: "incorrect".into(),
                message: error.to_string(),
            }]),
            E::IncorrectCode => Self::Validation(vec![FieldFailure {
                field: "/code".to_owned(),
                code: "incorrect".into(),
                message: error.to_string(),
            }]),
            E::CodeRequired => Self::Validation(vec![FieldFailure {
                field: "/code".to_owned(),
                code: "required".into(),
                message: error.to_string(),
            }]),
            E::IncorrectPasskey => Self::Validation(vec![FieldFailure {
                field: "/response".to_owned(),
                code: "incorrect".into(),
                message: error.to_string(),
            }]),
            E::CrossSite => Self::CrossSite,
            E::MfaRequired => Self::MfaRequired,
            E::SsoRequired(organization) => Self::SsoRequired(organization),
            E::ReauthenticationRequired => Self::fresh_sign_in_required(),
            E::SessionTooOld(seconds) => Self::ReauthenticationRequired(seconds),
            E::UnreachableIssuer => Self::Validation(vec![FieldFailure {
                field: "/connection/issuer".to_owned(),
                code: "unreachable".into(),
                message: error.to_string(),
            }]),
            E::LastOwner(organizations) => Self::LastOwner(organizations),
            E::SettingsTooLarge(field) => Self::Validation(vec![FieldFailure {
                field: format!("/{field}"),
                code: "length".into(),
                message: tenantry_domain::settings::SettingsTooLarge.to_string(),
            }]),
            E::UnknownRole => Self::Validation(vec![FieldFailure {
                field: "/role".to_owned(),
                code: "enum".into(),
                message: error.to_string(),
            }]),
            E::Conflict(conflict) => Self::Conflict(conflict.as_str()),
            E::LinkGone => Self::LinkGone,
            E::PreconditionFailed => Self::PreconditionFailed,
            E::IdempotencyKeyReused => Self::IdempotencyKeyReused,
            E::IdempotencyInProgress => Self::IdempotencyInProgress,
            E::Unavailable(source) => {
                tracing::warn!(error = &*source as &dyn std::error::Error, "unavailable");
                Self::Unavailable
            }
            E::Internal(source) => {
                tracing::error!(error = &*source as &dyn std::error::Error, "internal error");
                Self::Internal
            }
        }
    }
}
