//! The signed-in user.

mod organizations;

use actix_web::{HttpRequest, delete, get, patch};
use serde::Serialize;
use serde_json::{Map, Value};
use tenantry_domain::{
    emails::Email,
    environment::Timestamp,
    ids::{OrganizationId, UserId},
    settings::SettingsChange,
    text::Name,
    users::{User, UserUpdate},
};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    errors::{ApiError, ApiResult},
    etags,
    fields::{Fields, FromFields, merge_patch},
    guard::SignedIn,
    listing::no_parameters,
    parameters::IfMatch,
    reply::{Data, NoContent, Reply},
    rules, timestamps,
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(get_me)
        .service(update_me)
        .service(delete_me)
        .service(organizations::list_my_organizations)
        .service(organizations::set_current_organization);
}

/// A person, as they see themselves.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = User)]
pub(crate) struct UserView {
    #[schema(value_type = uuid::Uuid)]
    id: UserId,
    #[schema(value_type = String, format = "email", max_length = 254, example = "ann@example.com")]
    email: Email,
    email_verified: bool,
    #[schema(value_type = String, min_length = 1, max_length = 255, example = "Ann")]
    name: Name,
    #[schema(format = "uri", max_length = 2048)]
    avatar_url: Option<String>,
    /// The language that they read (BCP 47).
    #[schema(max_length = 35, example = "en")]
    locale: Option<String>,
    mfa_enabled: bool,
    /// Whatever clients keep with them.
    #[schema(value_type = Object)]
    preferences: Map<String, Value>,
    /// What they work in where a request names no organization; `null` where they chose none, or are no member any more.
    #[schema(value_type = Option<uuid::Uuid>)]
    current_organization_id: Option<OrganizationId>,
    #[serde(serialize_with = "timestamps::serialize")]
    #[schema(value_type = String, format = DateTime, max_length = 24, example = "2026-01-31T09:30:00.123Z")]
    created_at: Timestamp,
    #[serde(serialize_with = "timestamps::serialize")]
    #[schema(value_type = String, format = DateTime, max_length = 24, example = "2026-01-31T09:30:00.123Z")]
    updated_at: Timestamp,
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            email: user.email,
            email_verified: user.email_verified_at.is_some(),
            name: user.name,
            avatar_url: user.avatar_url,
            locale: user.locale,
            mfa_enabled: user.mfa_enabled,
            preferences: user.preferences,
            current_organization_id: user.current_organization_id,
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}

/// A change of oneself, as a merge patch: what is absent stays, `null` clears.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase", example = json!({"name": "Ann Lee", "locale": "en"}))]
pub(crate) struct UserPatchBody {
    #[schema(value_type = Option<String>, nullable = false, min_length = 1, max_length = 255)]
    name: Option<Name>,
    /// An `https` URL.
    #[schema(value_type = Option<String>, format = "uri", pattern = "^https://", max_length = 2048)]
    avatar_url: Option<Option<String>>,
    /// A language tag (BCP 47).
    #[schema(
        value_type = Option<String>,
        min_length = 2,
        max_length = 35,
        pattern = "^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$"
    )]
    locale: Option<Option<String>>,
    /// Merged into what is there; `null` members are removed, and `null` removes them all.
    #[schema(value_type = Option<Object>)]
    preferences: Option<SettingsChange>,
}

impl FromFields for UserPatchBody {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        Some(Self {
            name: fields.patched("name", rules::text),
            avatar_url: fields.clearable("avatarUrl", rules::picture_url),
            locale: fields.clearable("locale", rules::locale),
            preferences: fields.clearable("preferences", rules::object).map(merge_patch),
        })
    }
}

impl From<UserPatchBody> for UserUpdate {
    fn from(body: UserPatchBody) -> Self {
        Self {
            name: body.name,
            avatar_url: body.avatar_url,
            locale: body.locale,
            preferences: body.preferences,
        }
    }
}

/// The answer that shows the caller to themselves.
pub(crate) fn reply(user: User) -> Reply<UserView> {
    let revision = user.revision();
    Reply::ok(UserView::from(user)).version(revision).no_store()
}

/// Get myself
///
/// What is known of the caller.
#[utoipa::path(
    tag = "Me",
    operation_id = "getMe",
    responses((status = 200, description = "The signed-in user", body = Data<UserView>, headers(("ETag" = String)))),
    security(("bearer" = [])),
)]
#[get("/api/v1/me")]
pub(crate) async fn get_me(caller: SignedIn, request: HttpRequest) -> ApiResult<Reply<UserView>> {
    no_parameters(&request)?;
    Ok(reply(caller.services.oneself(&caller.principal, caller.trace).await?))
}

/// Change myself
///
/// A merge patch (RFC 7396).
#[utoipa::path(
    tag = "Me",
    operation_id = "updateMe",
    params(IfMatch),
    request_body(content(
        (UserPatchBody = "application/json"),
        (UserPatchBody = "application/merge-patch+json"),
    )),
    responses((status = 200, description = "The signed-in user", body = Data<UserView>, headers(("ETag" = String)))),
    security(("bearer" = [])),
)]
#[patch("/api/v1/me")]
pub(crate) async fn update_me(caller: SignedIn, request: HttpRequest) -> ApiResult<Reply<UserView>> {
    let SignedIn {
        principal,
        services,
        trace,
        body,
    } = caller;
    let body = body.read_once::<UserPatchBody>(async { Ok::<_, ApiError>(()) }).await?;
    no_parameters(&request)?;
    let precondition = etags::precondition(&request)?;
    let user = services
        .update_oneself(&principal, body.value.into(), &precondition, trace)
        .await?;
    Ok(reply(user))
}

/// Delete my account
///
/// At once and for good: sessions, password, memberships and roles go, and the address is free again. What one created in
/// organizations stays there, with nobody as its creator. Refused while any organization would be left without an owner:
/// `details.organizations` names them (`id`, `name`, `slug`; the first 100).
#[utoipa::path(
    tag = "Me",
    operation_id = "deleteMe",
    params(IfMatch),
    responses(
        (status = 204, description = "The account is gone"),
        (status = 409, description = "`CONFLICT` (`last_owner`)", body = crate::openapi::ErrorEnvelope),
    ),
    security(("bearer" = [])),
)]
#[delete("/api/v1/me")]
pub(crate) async fn delete_me(caller: SignedIn, request: HttpRequest) -> ApiResult<NoContent> {
    no_parameters(&request)?;
    let precondition = etags::precondition(&request)?;
    caller
        .services
        .delete_oneself(&caller.principal, &precondition, caller.trace)
        .await?;
    Ok(NoContent)
}
