//! Passkeys: keys that one's devices hold, which sign in by themselves and count as a second factor.

mod bodies;

use actix_web::{HttpRequest, delete, get, http::header::EntityTag, patch, post, web};
use serde::Serialize;
use tenantry_domain::{
    environment::Timestamp,
    ids::PasskeyId,
    lists::{Direction, PasskeyField},
    passkeys::Passkey,
    sessions::device_name,
    text::Name,
};
use tenantry_services::{Error, second_factors::MadePasskey};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

pub(crate) use self::bodies::{AssertionBody, UsedPasskeyBody};
use self::bodies::{CreationOptionsView, NewPasskeyBody, RegistrationBody, RequestOptionsView};
use super::{
    authentication::{SignedInView, signed_in, wrong_credentials},
    second_factors::RecoveryCodeView,
};
use crate::{
    errors::ApiResult,
    etags,
    fields::{Fields, FromFields},
    guard::{Anyone, SignedIn, device, path_id, permitted},
    listing::{Filters, List, ListParameters, ListRequest, no_parameters},
    parameters::{IfMatch, TokenTransport},
    reply::{Data, NoContent, Reply},
    router::elsewhere,
    rules, timestamps,
    transport::Transport,
    words,
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(create_passkey_options)
        .service(create_passkey_login_options)
        .service(login_with_passkey);
    // Before those that take anything for the id of a passkey.
    for path in ["/api/v1/auth/passkeys/options", "/api/v1/auth/passkeys/login"] {
        config.route(path, web::route().to(elsewhere));
    }
    config
        .service(register_passkey)
        .service(list_passkeys)
        .service(get_passkey)
        .service(update_passkey)
        .service(delete_passkey);
}

/// What a passkey is called whose browser does not name itself.
const UNNAMED: &str = "Passkey";

/// A key that one's devices hold.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Passkey)]
pub(crate) struct PasskeyView {
    #[schema(value_type = uuid::Uuid)]
    id: PasskeyId,
    #[serde(serialize_with = "timestamps::serialize")]
    #[schema(value_type = String, format = DateTime, max_length = 24, example = "2026-01-31T09:30:00.123Z")]
    created_at: Timestamp,
    /// The last change of its name.
    #[serde(serialize_with = "timestamps::serialize")]
    #[schema(value_type = String, format = DateTime, max_length = 24, example = "2026-01-31T09:30:00.123Z")]
    updated_at: Timestamp,
    #[schema(value_type = String, min_length = 1, max_length = 255, example = "My laptop")]
    name: Name,
    /// Whether it was on more than one device when it was last used.
    synced: bool,
    /// When it was last used. The `ETag` moves with it, and `If-Match` passes over that.
    #[serde(serialize_with = "timestamps::optional::serialize")]
    #[schema(value_type = Option<String>, format = DateTime, max_length = 24, example = "2026-01-31T09:30:00.123Z")]
    last_used_at: Option<Timestamp>,
}

impl From<Passkey> for PasskeyView {
    fn from(passkey: Passkey) -> Self {
        Self {
            id: passkey.id,
            created_at: passkey.created_at,
            updated_at: passkey.updated_at,
            name: passkey.name,
            synced: passkey.synced,
            last_used_at: passkey.last_used_at,
        }
    }
}

/// A passkey that was registered just now.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = RegisteredPasskey)]
pub(crate) struct RegisteredPasskeyView {
    #[schema(value_type = uuid::Uuid)]
    id: PasskeyId,
    #[serde(serialize_with = "timestamps::serialize")]
    #[schema(value_type = String, format = DateTime, max_length = 24, example = "2026-01-31T09:30:00.123Z")]
    created_at: Timestamp,
    #[serde(serialize_with = "timestamps::serialize")]
    #[schema(value_type = String, format = DateTime, max_length = 24, example = "2026-01-31T09:30:00.123Z")]
    updated_at: Timestamp,
    #[schema(value_type = String, min_length = 1, max_length = 255, example = "My laptop")]
    name: Name,
    /// Whether it is on more than one device.
    synced: bool,
    /// When it was last used.
    #[serde(serialize_with = "timestamps::optional::serialize")]
    #[schema(value_type = Option<String>, format = DateTime, max_length = 24, example = "2026-01-31T09:30:00.123Z")]
    last_used_at: Option<Timestamp>,
    /// Ten codes for the day on which it is lost, each good once, where it is one's first second factor; `null` everywhere else. They
    /// are shown this once.
    #[schema(min_items = 10, max_items = 10, example = json!([
        "7k3m-9w2x-e5tq-v0bn", "q2d8-x6hs-0m4v-9ykc", "g5nb-1zrt-8e3w-j7pa", "m9vc-k4x0-s6dq-2h8y",
        "tz3e-7p1b-wn5r-0gjx", "4hxk-d8qm-y2vs-6c9t", "b0rw-5j7g-n3ze-k1pd", "x8sy-2c6t-h4am-q9vf",
        "9eqp-g3nk-7w0b-d5zr", "v6tj-m1yh-c8xs-4k2e"
    ]))]
    recovery_codes: Option<Vec<RecoveryCodeView>>,
}

impl From<MadePasskey> for RegisteredPasskeyView {
    fn from(made: MadePasskey) -> Self {
        let MadePasskey {
            passkey,
            recovery_codes,
        } = made;
        Self {
            id: passkey.id,
            created_at: passkey.created_at,
            updated_at: passkey.updated_at,
            name: passkey.name,
            synced: passkey.synced,
            last_used_at: passkey.last_used_at,
            recovery_codes: recovery_codes.map(|codes| codes.iter().map(RecoveryCodeView::from).collect()),
        }
    }
}

/// A change of a passkey, as a merge patch: what is absent stays.
#[derive(ToSchema)]
#[schema(example = json!({"name": "My laptop"}))]
pub(crate) struct PasskeyPatchBody {
    #[schema(value_type = Option<String>, nullable = false, min_length = 1, max_length = 255)]
    name: Option<Name>,
}

impl FromFields for PasskeyPatchBody {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        Some(Self {
            name: fields.patched("name", rules::text),
        })
    }
}

fn tag(passkey: &Passkey) -> EntityTag {
    etags::tag_seen(passkey.version, passkey.last_used_at)
}

fn reply(passkey: Passkey) -> Reply<PasskeyView> {
    let tag = tag(&passkey);
    Reply::ok(passkey.into()).tag(tag).no_store()
}

/// Begin to register a passkey
///
/// Gives what a browser makes one by: `navigator.credentials.create({publicKey:
/// PublicKeyCredential.parseCreationOptionsFromJSON(data)})`. It can be answered for five minutes, by this session. Needs a sign-in
/// of the last ten minutes, by a second factor where one has one. Not there where the server is reached by an IP address.
#[utoipa::path(
    tag = "Passkeys",
    operation_id = "createPasskeyOptions",
    responses(
        (status = 200, description = "What to ask the browser for", body = Data<CreationOptionsView>),
        (status = 403, description = "`REAUTHENTICATION_REQUIRED`", body = crate::openapi::ErrorEnvelope),
        (status = 404, description = "`NOT_FOUND`: the server has no domain", body = crate::openapi::ErrorEnvelope),
        (status = 409, description = "`CONFLICT` (`too_many_passkeys`)", body = crate::openapi::ErrorEnvelope),
    ),
    security(("bearer" = [])),
)]
#[post("/api/v1/auth/passkeys/options")]
pub(crate) async fn create_passkey_options(
    caller: SignedIn,
    request: HttpRequest,
) -> ApiResult<Reply<CreationOptionsView>> {
    let SignedIn {
        principal,
        services,
        trace,
        ..
    } = caller;
    services.demand_passkeys_and_fresh_sign_in(&principal, trace).await?;
    no_parameters(&request)?;
    let options = services.passkey_creation_options(&principal, trace).await?;
    Ok(Reply::ok(options.into()).no_store())
}

/// Register a passkey
///
/// With what `toJSON()` gives of the credential that the browser made. From now on it signs in without a password, which counts as
/// a second factor. Where it is one's first, this session counts as having used one, and recovery codes come with it. An answer that
/// proves nothing is refused as a field (`/response`, code `incorrect`). Needs a sign-in of the last ten minutes, by a second factor
/// where one has one.
#[utoipa::path(
    tag = "Passkeys",
    operation_id = "registerPasskey",
    request_body = RegistrationBody,
    responses(
        (status = 201, description = "The passkey", body = Data<RegisteredPasskeyView>,
            headers(("Location" = String), ("ETag" = String))),
        (status = 403, description = "`REAUTHENTICATION_REQUIRED`", body = crate::openapi::ErrorEnvelope),
        (status = 404, description = "`NOT_FOUND`: the server has no domain", body = crate::openapi::ErrorEnvelope),
        (status = 409, description = "`CONFLICT` (`passkey_taken`, `too_many_passkeys`)", body = crate::openapi::ErrorEnvelope),
    ),
    security(("bearer" = [])),
)]
#[post("/api/v1/auth/passkeys")]
pub(crate) async fn register_passkey(
    caller: SignedIn,
    request: HttpRequest,
) -> ApiResult<Reply<RegisteredPasskeyView>> {
    let SignedIn {
        principal,
        services,
        trace,
        body,
    } = caller;
    let NewPasskeyBody { made, name } = body
        .read_once::<NewPasskeyBody>(services.demand_passkeys_and_fresh_sign_in(&principal, trace))
        .await?
        .value;
    no_parameters(&request)?;
    let by_browser = || device(&request).user_agent.as_deref().and_then(device_name);
    let name = name.unwrap_or_else(|| Name::from_stored(by_browser().unwrap_or_else(|| UNNAMED.to_owned())));
    let registered = services.register_passkey(&principal, made, name, trace).await?;
    let tag = tag(&registered.passkey);
    let location = format!("/api/v1/auth/passkeys/{}", registered.passkey.id);
    Ok(Reply::created(registered.into(), location).tag(tag).no_store())
}

/// List my passkeys
#[utoipa::path(
    tag = "Passkeys",
    operation_id = "listPasskeys",
    params(ListParameters, words::PasskeySort),
    responses((status = 200, description = "A page of passkeys", body = List<PasskeyView>)),
    security(("bearer" = [])),
)]
#[get("/api/v1/auth/passkeys")]
pub(crate) async fn list_passkeys(caller: SignedIn, request: HttpRequest) -> ApiResult<List<PasskeyView>> {
    let SignedIn {
        principal,
        services,
        trace,
        ..
    } = caller;
    let order = (PasskeyField::CreatedAt, Direction::Descending);
    let asked = ListRequest::parse(&request, &services, principal.user(), order, Filters(&[]))?;
    let page = services.list_passkeys(&principal, &asked.query, trace).await?;
    Ok(asked.answer_with(&services, page, PasskeyView::from))
}

/// Get a passkey of mine
#[utoipa::path(
    tag = "Passkeys",
    operation_id = "getPasskey",
    params(("passkeyId" = uuid::Uuid, Path, description = "Id of the passkey")),
    responses((status = 200, description = "The passkey", body = Data<PasskeyView>, headers(("ETag" = String)))),
    security(("bearer" = [])),
)]
#[get("/api/v1/auth/passkeys/{passkeyId}")]
pub(crate) async fn get_passkey(caller: SignedIn, request: HttpRequest) -> ApiResult<Reply<PasskeyView>> {
    let id = path_id(&request, "passkeyId")?;
    let passkey = caller.services.passkey(&caller.principal, id, caller.trace).await?;
    no_parameters(&request)?;
    Ok(reply(passkey))
}

/// Rename a passkey of mine
///
/// A merge patch (RFC 7396).
#[utoipa::path(
    tag = "Passkeys",
    operation_id = "updatePasskey",
    params(("passkeyId" = uuid::Uuid, Path, description = "Id of the passkey"), IfMatch),
    request_body(content(
        (PasskeyPatchBody = "application/json"),
        (PasskeyPatchBody = "application/merge-patch+json"),
    )),
    responses((status = 200, description = "The passkey", body = Data<PasskeyView>, headers(("ETag" = String)))),
    security(("bearer" = [])),
)]
#[patch("/api/v1/auth/passkeys/{passkeyId}")]
pub(crate) async fn update_passkey(caller: SignedIn, request: HttpRequest) -> ApiResult<Reply<PasskeyView>> {
    let SignedIn {
        principal,
        services,
        trace,
        body,
    } = caller;
    let id = path_id(&request, "passkeyId");
    let exists = async |id| services.passkey(&principal, id, trace).await.map(|_| ());
    let body = body.read_once::<PasskeyPatchBody>(permitted(&id, exists)).await?;
    let id = id?;
    no_parameters(&request)?;
    let precondition = etags::precondition_unless_seen(&request)?;
    let passkey = services
        .rename_passkey(&principal, id, body.value.name, &precondition, trace)
        .await?;
    Ok(reply(passkey))
}

/// Delete a passkey of mine
///
/// It signs in no longer; its authenticator may go on to offer it. Sessions go on, but none except this one counts any longer as
/// having used a second factor; nor does this one where it was the last factor of all, which takes the recovery codes with it. Needs
/// a sign-in of the last ten minutes, by a second factor.
#[utoipa::path(
    tag = "Passkeys",
    operation_id = "deletePasskey",
    params(("passkeyId" = uuid::Uuid, Path, description = "Id of the passkey"), IfMatch),
    responses(
        (status = 204, description = "It is gone"),
        (status = 403, description = "`REAUTHENTICATION_REQUIRED`", body = crate::openapi::ErrorEnvelope),
    ),
    security(("bearer" = [])),
)]
#[delete("/api/v1/auth/passkeys/{passkeyId}")]
pub(crate) async fn delete_passkey(caller: SignedIn, request: HttpRequest) -> ApiResult<NoContent> {
    let SignedIn {
        principal,
        services,
        trace,
        ..
    } = caller;
    let id = path_id(&request, "passkeyId")?;
    services.demand_passkey_and_fresh_sign_in(&principal, id, trace).await?;
    no_parameters(&request)?;
    let precondition = etags::precondition_unless_seen(&request)?;
    services.remove_passkey(&principal, id, &precondition, trace).await?;
    Ok(NoContent)
}

/// Begin to sign in by a passkey
///
/// Gives what a browser looks for one by: `navigator.credentials.get({publicKey:
/// PublicKeyCredential.parseRequestOptionsFromJSON(data)})`, with `mediation: "conditional"` to offer them where an address is typed.
/// It can be answered for five minutes, and once.
#[utoipa::path(
    tag = "Passkeys",
    operation_id = "createPasskeyLoginOptions",
    responses(
        (status = 200, description = "What to ask the browser for", body = Data<RequestOptionsView>),
        (status = 404, description = "`NOT_FOUND`: the server has no domain", body = crate::openapi::ErrorEnvelope),
    ),
)]
#[post("/api/v1/auth/passkeys/login/options")]
pub(crate) async fn create_passkey_login_options(
    caller: Anyone,
    request: HttpRequest,
) -> ApiResult<Reply<RequestOptionsView>> {
    caller.services.demand_passkeys()?;
    no_parameters(&request)?;
    let options = caller.services.passkey_request_options()?;
    Ok(Reply::ok(options.into()).no_store())
}

/// Sign in by a passkey
///
/// With what `toJSON()` gives of the credential that the browser got. It needs no password, and counts as a second factor. Whatever
/// is wrong with it is answered alike.
#[utoipa::path(
    tag = "Passkeys",
    operation_id = "loginWithPasskey",
    params(TokenTransport),
    request_body = AssertionBody,
    responses(
        (status = 200, description = "The session", body = Data<SignedInView>, headers(("Set-Cookie" = String))),
        (status = 401, description = "`UNAUTHORIZED`", body = crate::openapi::ErrorEnvelope),
        (status = 403, description = "`SSO_REQUIRED`: an organization demands to sign in through its own provider", body = crate::openapi::ErrorEnvelope),
        (status = 404, description = "`NOT_FOUND`: the server has no domain", body = crate::openapi::ErrorEnvelope),
    ),
)]
#[post("/api/v1/auth/passkeys/login")]
pub(crate) async fn login_with_passkey(caller: Anyone, request: HttpRequest) -> ApiResult<Reply<SignedInView>> {
    let Anyone { services, trace, body } = caller;
    let UsedPasskeyBody(shown) = body
        .read_once::<UsedPasskeyBody>(async { services.demand_passkeys() })
        .await?
        .value;
    no_parameters(&request)?;
    let transport = Transport::asked(&request)?;
    let outcome = services.sign_in_by_passkey(shown, &device(&request), trace).await;
    let session = outcome.map_err(|error| match error {
        Error::IncorrectPasskey => wrong_credentials(Error::Unauthenticated),
        error => error.into(),
    })?;
    let (session, cookies) = signed_in(&services, session, transport);
    Ok(Reply::ok(session).no_store().cookies(cookies))
}
