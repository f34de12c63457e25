//! Proving once more who one is.

use actix_web::{HttpRequest, post};
use secrecy::SecretString;
use serde::Serialize;
use tenantry_domain::environment::Timestamp;
use tenantry_services::{
    Error,
    limits::{Limit, LimitKey},
    second_factors::Assertion,
};
use utoipa::ToSchema;

use super::{credential, wrong_credentials};
use crate::{
    errors::{ApiError, ApiResult},
    fields::{Failure, Fields, FromFields, Rest},
    guard::SignedIn,
    limits,
    listing::no_parameters,
    reply::{Data, Reply},
    resources::passkeys::{AssertionBody, UsedPasskeyBody},
    timestamps,
};

/// What one proves oneself by: one of these.
pub(crate) enum Proof {
    Password(SecretString),
    Code(SecretString),
    Passkey(Assertion),
}

/// The password, a code of a second factor, or a passkey: one of them.
#[derive(ToSchema)]
#[schema(as = ReauthenticationBody, example = json!({"password": "tenantry demo passphrase"}))]
#[expect(dead_code, reason = "read by the derive alone: the body is decoded into `Proof`")]
pub(crate) struct ReauthenticationBody {
    #[schema(value_type = Option<String>, format = "password", max_length = 1000)]
    password: Option<SecretString>,
    /// Six digits of the authenticator app, or a recovery code.
    #[schema(value_type = Option<String>, max_length = 1000)]
    code: Option<SecretString>,
    /// What `toJSON()` gives of a credential that was got with the options of `createPasskeyLoginOptions`.
    passkey: Option<AssertionBody>,
}

/// The fields of a [`Proof`].
const PROOFS: [&str; 3] = ["password", "code", "passkey"];

impl FromFields for Proof {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let there: Vec<_> = PROOFS.into_iter().filter(|name| fields.has(name)).collect();
        if let [first, others @ ..] = there.as_slice() {
            for other in others {
                let message = format!("must not be there beside {first}");
                fields.refuse(other, Failure::new("conflict", message));
            }
        } else {
            let message = "is required where there is neither code nor passkey";
            fields.refuse("password", Failure::new("required", message));
        }
        let password = fields.optional("password", credential);
        let code = fields.optional("code", credential);
        let passkey = fields.optional_inside("passkey", Rest::Refused, UsedPasskeyBody::from_fields);
        let password = password.map(|password| Self::Password(password.into()));
        password
            .or_else(|| code.map(|code| Self::Code(code.into())))
            .or_else(|| passkey.map(|UsedPasskeyBody(shown)| Self::Passkey(shown)))
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
/// By the password, a code of a second factor or a passkey, for operations that answer `REAUTHENTICATION_REQUIRED` to an older sign-in. A
/// `401` without `error` in its challenge means that the proof is wrong, and not the access token; wrong proofs are limited.
#[utoipa::path(
    tag = "Authentication",
    operation_id = "reauthenticate",
    request_body = ReauthenticationBody,
    responses(
        (status = 200, description = "The proof counts", body = Data<ReauthenticationView>),
        (status = 404, description = "`NOT_FOUND`: a passkey, and the server has no domain", body = crate::openapi::ErrorEnvelope),
    ),
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
        Proof::Passkey(shown) => services.reauthenticate_by_passkey(&principal, shown, trace).await,
    };
    let auth_time = outcome.map_err(|error| match error {
        Error::IncorrectPassword | Error::IncorrectCode | Error::IncorrectPasskey => {
            wrong_credentials(Error::Unauthenticated)
        }
        error => error.into(),
    })?;
    Ok(Reply::ok(ReauthenticationView { auth_time }).no_store())
}
