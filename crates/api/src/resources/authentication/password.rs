//! Choosing another password.

use actix_web::{HttpRequest, put};
use secrecy::{ExposeSecret as _, SecretString};
use tenantry_services::{
    Error,
    limits::{Limit, LimitKey},
};
use utoipa::ToSchema;

use super::credential;
use crate::{
    errors::{ApiError, ApiResult, FieldFailure},
    fields::{Failure, Fields, FromFields},
    guard::SignedIn,
    limits,
    listing::no_parameters,
    reply::{Data, Reply},
    resources::me::{UserView, reply},
    rules,
};

/// The present password, and another.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase", example = json!({
    "currentPassword": "a long phrase nobody guesses", "newPassword": "another phrase, just as long"
}))]
pub(crate) struct PasswordBody {
    #[schema(value_type = String, format = "password", max_length = 1000)]
    current_password: SecretString,
    #[schema(value_type = String, format = "password", min_length = 12, max_length = 128)]
    new_password: SecretString,
}

impl FromFields for PasswordBody {
    /// How easily a password is guessed takes milliseconds to estimate.
    const IS_SLOW: bool = true;

    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let current_password = fields.required("currentPassword", credential);
        let new_password = fields.required("newPassword", rules::new_password);
        let (current_password, new_password) = (SecretString::from(current_password?), new_password?);
        if current_password.expose_secret() == new_password.expose_secret() {
            fields.refuse(
                "newPassword",
                Failure::new("unchanged", "must be another than the present one"),
            );
            return None;
        }
        Some(Self {
            current_password,
            new_password,
        })
    }
}

/// Change my password
///
/// Ends all other sessions; the one that asks goes on. A wrong `currentPassword` is refused as a field (code `incorrect`) and
/// is limited: a `401` would tell clients to renew a token that is good.
#[utoipa::path(
    tag = "Authentication",
    operation_id = "changePassword",
    request_body = PasswordBody,
    responses((status = 200, description = "The signed-in user", body = Data<UserView>, headers(("ETag" = String)))),
    security(("bearer" = [])),
)]
#[put("/api/v1/auth/password")]
pub(crate) async fn change_password(caller: SignedIn, request: HttpRequest) -> ApiResult<Reply<UserView>> {
    let SignedIn {
        principal,
        services,
        trace,
        body,
    } = caller;
    let PasswordBody {
        current_password,
        new_password,
    } = body
        .read_once::<PasswordBody>(async { Ok::<_, ApiError>(()) })
        .await?
        .value;
    no_parameters(&request)?;
    let oneself = LimitKey::user(principal.user());
    limits::charge(&request, &services, Limit::PresentPassword, &oneself)?;
    let outcome = services
        .change_password(&principal, current_password, new_password, trace)
        .await;
    if !matches!(outcome, Err(Error::IncorrectPassword)) {
        services.refund(Limit::PresentPassword, &oneself);
    }
    Ok(reply(outcome.map_err(refused)?))
}

/// A weak password by the name that it has here.
fn refused(error: Error) -> ApiError {
    match error {
        Error::WeakPassword(weakness) => ApiError::Validation(vec![FieldFailure {
            field: "/newPassword".to_owned(),
            code: weakness.code().into(),
            message: weakness.to_string(),
        }]),
        error => error.into(),
    }
}
