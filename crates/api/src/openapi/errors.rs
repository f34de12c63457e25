//! The envelope of errors, and the answers that are made of it.

use std::collections::BTreeMap;

use serde_json::Value;
use tenantry_services::{
    error::{Conflict, Quota},
    limits::{Charge, Limit},
};
use utoipa::{
    ToSchema,
    openapi::{Content, Ref, RefOr, Response, ResponseBuilder, content::ContentBuilder, example::ExampleBuilder},
};
use uuid::Uuid;

use crate::{
    errors::{ApiError, BearerProblem, ErrorCode, FieldFailure},
    words,
};

/// The organization of every example.
const EXAMPLE_ORGANIZATION: Uuid = Uuid::from_u128(0x0193_5d2c_8f4e_7b31_9c55_0242_ac12_0002);

/// The trace of every example.
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// The envelope of every error.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "read by the derive alone: the envelope itself is written in `errors`"
)]
pub(crate) struct ErrorEnvelope {
    error: ErrorInfo,
}

/// What went wrong.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "read by the derive alone: the envelope itself is written in `errors`"
)]
pub(crate) struct ErrorInfo {
    /// What went wrong, for programs.
    code: ErrorCode,
    /// What went wrong, for people.
    #[schema(max_length = 2000, example = "There is no such resource.")]
    message: String,
    /// More of it, by code.
    details: Option<ErrorDetails>,
    /// The W3C trace id of the request, as in `X-Trace-Id`.
    #[schema(
        pattern = "^[0-9a-f]{32}$",
        min_length = 32,
        max_length = 32,
        example = "4bf92f3577b34da6a3ce929d0e0e4736"
    )]
    trace_id: String,
}

/// More of what went wrong: by its code, it has some of these, and codes that are not named here have none.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "read by the derive alone: the envelope itself is written in `errors`"
)]
pub(crate) struct ErrorDetails {
    /// Of `MALFORMED_REQUEST`: the place in the request, such as `query.page`, `path.wsId` or `body:1:7`.
    #[schema(nullable = false, max_length = 255, example = "query.page")]
    location: Option<String>,
    /// Of `VALIDATION_ERROR`: all that is wrong with the body at once.
    #[schema(nullable = false, min_items = 1, max_items = 100)]
    fields: Option<Vec<FieldFailure>>,
    /// Of `FORBIDDEN`: what the caller lacks; `null` where no permission would help.
    required_permission: Option<words::PermissionName>,
    /// Of `REAUTHENTICATION_REQUIRED`: how many seconds ago the sign-in may be.
    #[schema(nullable = false, minimum = 1, maximum = 86_400, example = 600)]
    max_age_seconds: Option<u32>,
    /// Of `CONFLICT`.
    #[schema(nullable = false)]
    reason: Option<words::ConflictReason>,
    /// Of `CONFLICT` with `last_owner`, where it is about several: those that would have no owner.
    #[schema(nullable = false, min_items = 1, max_items = 100)]
    organizations: Option<Vec<NamedOrganization>>,
    /// Of `RATE_LIMITED`.
    #[schema(nullable = false)]
    scope: Option<words::RateLimitScope>,
    /// Of `QUOTA_EXCEEDED`: what there is no more of.
    #[schema(nullable = false, max_length = 63, example = "seats")]
    metric: Option<String>,
    /// Of `QUOTA_EXCEEDED`: how much of it there is.
    #[schema(nullable = false, minimum = 0, maximum = 1_000_000_000, example = 5)]
    used: Option<u32>,
    /// Of `RATE_LIMITED`: how many requests it allows; of `QUOTA_EXCEEDED`: how much there may be.
    #[schema(nullable = false, minimum = 1, maximum = 1_000_000_000, example = 100)]
    limit: Option<u32>,
    /// Of `RATE_LIMITED`: seconds until it allows more.
    #[schema(nullable = false, minimum = 0, maximum = 86_400, example = 540)]
    retry_after: Option<u32>,
}

/// An organization by its names.
#[derive(ToSchema)]
#[expect(dead_code, reason = "read by the derive alone: it is written in `errors`")]
pub(crate) struct NamedOrganization {
    id: Uuid,
    #[schema(min_length = 1, max_length = 255, example = "Acme")]
    name: String,
    #[schema(min_length = 1, max_length = 63, example = "acme")]
    slug: String,
}

/// What the errors of an operation are about.
#[derive(Default)]
pub(super) struct Subject {
    /// What it demands.
    pub(super) permission: Option<String>,
    /// A field of its body.
    pub(super) field: Option<String>,
    /// Whether it is about an invitation.
    pub(super) is_of_invitation: bool,
    /// Whether it takes a token against cross-site requests.
    pub(super) takes_csrf_token: bool,
    /// The limit of its path.
    pub(super) limit: Option<Limit>,
}

/// The answer with any of these codes, which have one status.
pub(super) fn response(codes: &[ErrorCode]) -> Response {
    let names: Vec<String> = codes.iter().map(|code| format!("`{}`", code.as_str())).collect();
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("ErrorEnvelope")))
        .build();
    ResponseBuilder::new()
        .description(names.join(" or "))
        .content("application/json", content)
        .build()
}

/// Shows every error that the description of an answer names.
pub(super) fn show(content: &mut Content, description: &str, subject: &Subject) {
    let mut shown: BTreeMap<String, Value> = BTreeMap::new();
    let named = |word: &str| description.contains(&format!("`{word}`"));
    for code in ErrorCode::ALL.iter().filter(|code| named(code.as_str())) {
        if *code == ErrorCode::Conflict {
            for reason in Conflict::WORDS.iter().filter(|reason| named(reason)) {
                shown.insert(
                    format!("{}: {reason}", code.as_str()),
                    envelope(&ApiError::Conflict(reason)),
                );
            }
        } else {
            shown.insert(code.as_str().to_owned(), envelope(&of_code(*code, subject)));
        }
    }
    if shown.len() == 1 {
        content.example = shown.into_values().next();
    } else {
        let named = |(name, value)| (name, RefOr::T(ExampleBuilder::new().value(Some(value)).build()));
        content.examples = shown.into_iter().map(named).collect();
    }
}

/// What the envelope of an error holds that is about nothing in particular.
pub(super) fn example(code: ErrorCode) -> Value {
    envelope(&of_code(code, &Subject::default()))
        .get_mut("error")
        .map_or(Value::Null, Value::take)
}

fn envelope(error: &ApiError) -> Value {
    // The trace of every example is one.
    TRACE.parse().map_or(Value::Null, |trace| error.envelope(trace))
}

/// An error of this code, as it is likely to be met.
fn of_code(code: ErrorCode, subject: &Subject) -> ApiError {
    match code {
        ErrorCode::MalformedRequest => {
            ApiError::malformed("query.sorted", "The parameter sorted is not a parameter of this path.")
        }
        ErrorCode::ValidationError => ApiError::Validation(vec![FieldFailure {
            field: format!("/{}", subject.field.as_deref().unwrap_or_default()),
            code: "type".into(),
            message: "must be a string".into(),
        }]),
        ErrorCode::Unauthorized => ApiError::Unauthorized(BearerProblem::Missing),
        ErrorCode::Forbidden => match subject.permission.as_deref().map(str::parse) {
            Some(Ok(permission)) => ApiError::Forbidden(permission),
            Some(Err(_)) | None if subject.is_of_invitation => ApiError::NotInvited,
            Some(Err(_)) | None if subject.takes_csrf_token => ApiError::CrossSite,
            Some(Err(_)) | None => ApiError::RegistrationClosed,
        },
        ErrorCode::MfaRequired => ApiError::MfaRequired,
        ErrorCode::SsoRequired => ApiError::SsoRequired(EXAMPLE_ORGANIZATION.into()),
        ErrorCode::ReauthenticationRequired => ApiError::fresh_sign_in_required(),
        ErrorCode::QuotaExceeded => ApiError::QuotaExceeded(Quota {
            metric: "seats",
            limit: 5,
            used: 5,
        }),
        ErrorCode::TenantSuspended => ApiError::Suspended,
        ErrorCode::NotFound => ApiError::NotFound,
        ErrorCode::MethodNotAllowed => ApiError::MethodNotAllowed {
            allow: "GET, HEAD, OPTIONS".to_owned(),
        },
        ErrorCode::NotAcceptable => ApiError::NotAcceptable,
        ErrorCode::Conflict => ApiError::Conflict(Conflict::SlugTaken.as_str()),
        ErrorCode::Gone => ApiError::LinkGone,
        ErrorCode::PreconditionFailed => ApiError::PreconditionFailed,
        ErrorCode::PayloadTooLarge => ApiError::PayloadTooLarge,
        ErrorCode::UnsupportedMediaType => ApiError::UnsupportedMediaType {
            accepted: "application/json",
        },
        ErrorCode::IdempotencyKeyReused => ApiError::IdempotencyKeyReused,
        ErrorCode::IdempotencyInProgress => ApiError::IdempotencyInProgress,
        ErrorCode::RateLimited => {
            let rule = subject.limit.unwrap_or(Limit::Session).rule();
            ApiError::RateLimited(Charge {
                allowed: false,
                scope: rule.scope,
                limit: rule.count,
                remaining: 0,
                reset: rule.window.to_std().unwrap_or_default() / 2,
            })
        }
        ErrorCode::InternalError => ApiError::Internal,
        ErrorCode::ServiceUnavailable => ApiError::Unavailable,
        ErrorCode::Timeout => ApiError::Timeout,
    }
}
