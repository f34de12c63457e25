//! How the members of an organization sign in.

use actix_web::{HttpRequest, delete, get, put};
use secrecy::SecretString;
use serde::Serialize;
use tenantry_domain::{
    environment::Timestamp,
    ids::OrganizationId,
    permissions::{Required as _, perm},
    sign_on::{Connection, DefaultRole, MfaPolicy, SESSION_MAX_AGES, SignOnPolicy},
};
use tenantry_services::{
    Services,
    sign_on::{ConnectionReplace, SignOnReplace},
};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    errors::ApiResult,
    etags,
    fields::{Failure, Fields, FromFields, Rest},
    guard::Guard,
    listing::no_parameters,
    parameters::{IfMatch, OrganizationPath},
    reply::{Data, NoContent, Reply},
    rules, timestamps, words,
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(get_sign_on)
        .service(replace_sign_on)
        .service(delete_sign_on);
}

/// The most characters of what we are called at a provider, and of what is shown there.
const MAX_CLIENT_ID: usize = 255;
const MAX_CLIENT_SECRET: usize = 1000;

/// An organization's own OpenID provider.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SignOnConnection)]
pub(crate) struct ConnectionView {
    /// Its issuer.
    #[schema(format = "uri", max_length = 512, example = "https://login.acme.example")]
    issuer: String,
    /// What we are called there.
    #[schema(max_length = 255, example = "tenantry")]
    client_id: String,
    /// Whether a secret is shown there. What it is is never told.
    has_client_secret: bool,
}

impl From<Connection> for ConnectionView {
    fn from(connection: Connection) -> Self {
        let Connection {
            issuer,
            client_id,
            has_client_secret,
            ..
        } = connection;
        Self {
            issuer,
            client_id,
            has_client_secret,
        }
    }
}

/// How the members of an organization sign in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SignOn)]
pub(crate) struct SignOnView {
    /// The organization.
    #[schema(value_type = uuid::Uuid)]
    id: OrganizationId,
    #[schema(value_type = words::MfaPolicyName)]
    mfa: MfaPolicy,
    /// Whether members with an address of a verified domain sign in through the connection alone. Owners may sign in otherwise, which
    /// is written down.
    sso_required: bool,
    /// How old a sign-in may be, in seconds.
    #[schema(minimum = 900, maximum = 2_592_000)]
    session_max_age: Option<u32>,
    #[schema(value_type = Option<words::DefaultRoleName>)]
    default_role: Option<DefaultRole>,
    connection: Option<ConnectionView>,
    /// Where the connection's provider is to send browsers back to.
    #[schema(
        format = "uri",
        max_length = 2000,
        example = "https://api.example.com/api/v1/auth/oidc/01935d2c-8f4e-7b31-9c55-0242ac120002/callback"
    )]
    callback_url: String,
    /// When the organization was founded.
    #[serde(serialize_with = "timestamps::serialize")]
    #[schema(value_type = String, format = DateTime, max_length = 24, example = "2026-01-31T09:30:00.123Z")]
    created_at: Timestamp,
    #[serde(serialize_with = "timestamps::serialize")]
    #[schema(value_type = String, format = DateTime, max_length = 24, example = "2026-01-31T09:30:00.123Z")]
    updated_at: Timestamp,
}

/// What an organization's own OpenID provider shall be.
#[derive(ToSchema)]
#[schema(as = SignOnConnectionBody, rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "read by the derive alone: the body is read as `ConnectionReplace`"
)]
pub(crate) struct ConnectionBody {
    /// An `https` URL, to the character as the provider says it, without query and fragment. One that is another than before is asked
    /// for its metadata.
    #[schema(
        format = "uri",
        min_length = 1,
        max_length = 512,
        example = "https://login.acme.example"
    )]
    issuer: String,
    /// What we are called there.
    #[schema(min_length = 1, max_length = 255, pattern = "^[ -~]*$", example = "tenantry")]
    client_id: String,
    /// Absent, it stays what it was where `issuer` and `clientId` do; `null` is none, of a public client.
    #[schema(min_length = 1, max_length = 1000, pattern = "^[ -~]*$", example = "s3cr3t")]
    client_secret: Option<String>,
}

/// How the members of an organization shall sign in: what is absent is as in an organization that never chose.
#[derive(ToSchema)]
#[schema(as = SignOnReplaceBody, rename_all = "camelCase", example = json!({"mfa": "everyone", "sessionMaxAge": 86400}))]
pub(crate) struct SignOnBody {
    #[schema(value_type = Option<words::MfaPolicyName>, nullable = false)]
    mfa: Option<MfaPolicy>,
    /// Whether members with an address of a verified domain sign in through the `connection` alone, which there is to be then.
    #[schema(nullable = false)]
    sso_required: Option<bool>,
    /// How old a sign-in may be, in seconds; `null`: as old as sessions become.
    #[schema(minimum = 900, maximum = 2_592_000)]
    session_max_age: Option<u32>,
    #[schema(value_type = Option<words::DefaultRoleName>)]
    default_role: Option<Option<DefaultRole>>,
    #[schema(value_type = Option<ConnectionBody>)]
    connection: Option<ConnectionReplace>,
}

impl FromFields for SignOnBody {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let has_connection = fields.has("connection");
        let sso_required = fields.patched("ssoRequired", rules::boolean);
        if sso_required == Some(true) && !has_connection {
            fields.refuse("ssoRequired", Failure::new("connection_missing", "needs a connection"));
        }
        Some(Self {
            mfa: fields.patched("mfa", rules::text),
            sso_required,
            session_max_age: fields.optional("sessionMaxAge", rules::whole_number(SESSION_MAX_AGES)),
            default_role: fields.clearable("defaultRole", rules::text),
            connection: fields.optional_inside("connection", Rest::Refused, connection),
        })
    }
}

fn connection(fields: &mut Fields) -> Option<ConnectionReplace> {
    let issuer = fields.required("issuer", rules::issuer);
    let client_id = fields.required("clientId", rules::client_credential(MAX_CLIENT_ID));
    let client_secret = fields.clearable("clientSecret", rules::client_credential(MAX_CLIENT_SECRET));
    Some(ConnectionReplace {
        issuer: issuer?,
        client_id: client_id?,
        client_secret: client_secret.map(|secret| secret.map(SecretString::from)),
    })
}

impl From<SignOnBody> for SignOnReplace {
    fn from(body: SignOnBody) -> Self {
        let usual = Self::default();
        Self {
            mfa: body.mfa.unwrap_or(usual.mfa),
            connection: body.connection,
            default_role: body.default_role.unwrap_or(usual.default_role),
            sso_required: body.sso_required.unwrap_or(usual.sso_required),
            session_max_age: body.session_max_age,
        }
    }
}

fn reply(services: &Services, policy: SignOnPolicy) -> Reply<SignOnView> {
    Reply::ok(SignOnView {
        id: policy.id,
        mfa: policy.mfa,
        sso_required: policy.sso_required,
        session_max_age: policy.session_max_age,
        default_role: policy.default_role,
        connection: policy.connection.map(Into::into),
        callback_url: services.sign_on_callback(policy.id),
        created_at: policy.created_at,
        updated_at: policy.updated_at,
    })
    .version(policy.version)
}

/// See how members sign in
#[utoipa::path(
    tag = "Single sign-on",
    operation_id = "getSignOn",
    params(OrganizationPath),
    responses((status = 200, description = "The policy", body = Data<SignOnView>, headers(("ETag" = String)))),
    security(("bearer" = [])),
    extensions(("x-permission" = json!(perm::SettingsView::NAME))),
)]
#[get("/api/v1/organizations/{orgId}/sso")]
pub(crate) async fn get_sign_on(
    guard: Guard<perm::SettingsView>,
    request: HttpRequest,
) -> ApiResult<Reply<SignOnView>> {
    guard.services.may_touch_organization(&guard.access).await?;
    no_parameters(&request)?;
    let policy = guard.services.sign_on_policy(&guard.access).await?;
    Ok(reply(&guard.services, policy))
}

/// Say how members sign in
///
/// A session of whom a second factor is demanded, and that used none, gets `MFA_REQUIRED` from everything in the organization but
/// leaving it. Demanded it is from the end of the grace on, which begins with the founding (`mfaRequiredFrom` of the context).
/// Through the `connection` people sign in whose address is of one of the organization's verified domains: who has no account gets one,
/// and becomes a member with the `defaultRole`, unless that is `null` or they were one before. Where it is required, sessions that were
/// opened otherwise get `SSO_REQUIRED`. Sessions that are older than `sessionMaxAge` get `REAUTHENTICATION_REQUIRED`; where it is
/// required, that counts from the sign-in through it. Another `issuer` or `clientId` is another connection: what was vouched for through
/// the one before counts no longer. Needs a sign-in of the last ten minutes.
#[utoipa::path(
    tag = "Single sign-on",
    operation_id = "replaceSignOn",
    params(OrganizationPath, IfMatch),
    request_body = SignOnBody,
    responses(
        (status = 200, description = "The policy", body = Data<SignOnView>, headers(("ETag" = String))),
        (status = 429, description = "`RATE_LIMITED`: other issuers were asked too often", body = crate::openapi::ErrorEnvelope),
    ),
    security(("bearer" = [])),
    extensions(("x-permission" = json!(perm::SettingsManage::NAME))),
)]
#[put("/api/v1/organizations/{orgId}/sso")]
pub(crate) async fn replace_sign_on(
    guard: Guard<perm::SettingsManage>,
    request: HttpRequest,
) -> ApiResult<Reply<SignOnView>> {
    let Guard { access, services, body } = guard;
    let body = body
        .read_once::<SignOnBody>(services.may_change_sign_on(&access))
        .await?;
    no_parameters(&request)?;
    let precondition = etags::precondition(&request)?;
    let changed = services
        .change_sign_on_policy(&access, body.value.into(), &precondition)
        .await?;
    Ok(reply(&services, changed))
}

/// Let members sign in as by default
///
/// As in an organization that never chose; its connection goes. Needs a sign-in of the last ten minutes.
#[utoipa::path(
    tag = "Single sign-on",
    operation_id = "deleteSignOn",
    params(OrganizationPath, IfMatch),
    responses((status = 204, description = "It is as by default")),
    security(("bearer" = [])),
    extensions(("x-permission" = json!(perm::SettingsManage::NAME))),
)]
#[delete("/api/v1/organizations/{orgId}/sso")]
pub(crate) async fn delete_sign_on(guard: Guard<perm::SettingsManage>, request: HttpRequest) -> ApiResult<NoContent> {
    let Guard { access, services, .. } = guard;
    services.may_change_sign_on(&access).await?;
    no_parameters(&request)?;
    let precondition = etags::precondition(&request)?;
    services
        .change_sign_on_policy(&access, SignOnReplace::default(), &precondition)
        .await?;
    Ok(NoContent)
}
