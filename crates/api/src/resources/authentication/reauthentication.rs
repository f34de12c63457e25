//! Proving once more who one is.

use actix_web::{HttpRequest, post};
use secrecy::SecretString;
use serde::Serialize;
use tenantry_domain::environment::Timestamp;
use tenantry_services::{
    Error,
    limits::{Limit, LimitKey},
};
use utoipa::ToSchema;

use super::{credential, wrong_credentials};
use crate::{
    errors::{ApiError, ApiResult},
    fields::{Failure, Fields, FromFields},
    guard::SignedIn,
    limits,
    listing::no_parameters,
    reply::{Data, Reply},
    timestamps,
};

/// What one proves oneself by: one of these.
pub(crate) enum Proof {
    Password(SecretString),
    Code(SecretString),
}

/// The password, or a code of a second factor: one of them.
#[derive(ToSchema)]
#[schema(as = ReauthenticationBody, example = json!({"password": "tenantry demo passphrase"}))]
#[expect(dead_code, reason = "read by the derive alone: the body is decoded into `Proof`")]
pub(crate) struct ReauthenticationBody {
    #[schema(value_type = Option<String>, format = "password", max_length = 1000)]
    password: Option<SecretString>,
    /// Six digits of the authenticator app, or a recovery code.
    #[schema(value_type = Option<String>, max_length = 1000)]
    code: Option<SecretString>,
}

impl FromFields for Proof {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let both = fields.has("password") && fields.has("code");
        let neither = !fields.has("password") && !fields.has("code");
        let password = fields.optional("password", credential);
        let code = fields.optional("code", credential);
        if both {
            fields.refuse("code", Failure::new("conflict", "must not be there beside password"));
        }
        if neither {
            fields.refuse(
                "password",
                Failure::new("required", "is required where there is no code"),
            );
        }
        match (password, code) {
            (Some(password), _) => Some(Self::Password(password.into())),
            (None, code) => code.map(|code| Self::Code(code.into())),
        }
    }
}

/// When one proved who one is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Reauthentication)]
pub(crate) struct ReauthenticationView {
    /// For ten minutes from here on, this session may do what a thief of it shall not.
    #[serde(serialize_with = "timestamps::serialize")]
    #[schema(value_type = String, format = DateTime, max_length = 24, example = "2026-01-31T09:30:00.123Z")]
    auth_time: Timestamp,
}

/// Prove once more who I am
///
/// By the password or a code of a second factor, for operations that answer `REAUTHENTICATION_REQUIRED` to an older sign-in. A
/// `401` without `error` in its challenge means that the proof is wrong, and not the access token; wrong proofs are limited.
#[utoipa::path(
    tag = "Authentication",
    operation_id = "reauthenticate",
    request_body = ReauthenticationBody,
    responses((status = 200, description = "The proof counts", body = Data<ReauthenticationView>)),
    security(("bearer" = [])),
)]
#[post("/api/v1/auth/reauthenticate")]
pub(crate) async fn reauthenticate(caller: SignedIn, request: HttpRequest) -> ApiResult<Reply<ReauthenticationView>> {
    let SignedIn {
        principal,
        services,
        trace,
        body,
    } = caller;
    let proof = body.read_once::<Proof>(async { Ok::<_, ApiError>(()) }).await?.value;
    no_parameters(&request)?;
    let outcome = match proof {
        Proof::Password(password) => {
            let oneself = LimitKey::user(principal.user());
            limits::charge(&request, &services, Limit::PresentPassword, &oneself)?;
            let outcome = services.reauthenticate_by_password(&principal, password, trace).await;
            if !matches!(outcome, Err(Error::IncorrectPassword)) {
                services.refund(Limit::PresentPassword, &oneself);
            }
            outcome
        }
        Proof::Code(code) => services.reauthenticate_by_code(&principal, &code, trace).await,
    };
    let auth_time = outcome.map_err(|error| match error {
        Error::IncorrectPassword | Error::IncorrectCode => wrong_credentials(Error::Unauthenticated),
        error => error.into(),
    })?;
    Ok(Reply::ok(ReauthenticationView { auth_time }).no_store())
}
