//! Invitations: sent and seen in an organization, taken up by whoever they are for.

use actix_web::{HttpRequest, delete, get, http::header::EntityTag, post, web};
use secrecy::ExposeSecret as _;
use tenantry_domain::{
    ids::InvitationId,
    invitations::Invitation,
    lists::{Direction, InvitationField},
    permissions::{Required as _, perm},
};
use tenantry_services::Services;
use utoipa_actix_web::service_config::ServiceConfig;

use self::bodies::{InvitationPreviewView, InvitationView, InviteBody};
use super::{
    authentication::links::LinkBody,
    members::{self, MemberView},
};
use crate::{
    errors::{ApiError, ApiResult},
    etags,
    guard::{Anyone, Guard, SignedIn, path_id, path_value},
    idempotency,
    listing::{Filters, List, ListParameters, ListRequest, no_parameters},
    parameters::{IdempotencyKey, IfMatch, InvitationPath, InvitationTokenPath, OrganizationPath},
    reply::{Data, NoContent, Reply},
    router::elsewhere,
    words,
};

mod bodies;

pub(crate) fn routes(config: &mut ServiceConfig) {
    // Paths that would pass for one with an id: no other method of theirs is one of that.
    let written_out = |config: &mut ServiceConfig, path| {
        config.route(path, web::route().to(elsewhere));
    };
    config.service(invite_member);
    written_out(config, "/api/v1/organizations/{orgId}/members/invite");
    config.service(accept_invitation);
    written_out(config, "/api/v1/invitations/accept");
    config
        .service(list_invitations)
        .service(get_invitation)
        .service(cancel_invitation)
        .service(resend_invitation)
        .service(preview_invitation);
}

/// Invite somebody
///
/// Mails them a link, good for seven days, by which they become a member with this role: in the whole organization, or with
/// `workspaceId` in that workspace alone. An earlier invitation of the same address is taken back. Nobody gives a role that
/// allows what they lack, neither now nor when the invitation is taken up: a refusal names the first such permission.
#[utoipa::path(
    tag = "Invitations",
    operation_id = "inviteMember",
    params(OrganizationPath, IdempotencyKey),
    request_body = InviteBody,
    responses(
        (status = 201, description = "The invitation", body = Data<InvitationView>,
         headers(("ETag" = String), ("Location" = String), ("Idempotency-Replayed" = String))),
        (status = 402, description = "`QUOTA_EXCEEDED`: no seat is free, or too many invitations are open", body = crate::openapi::ErrorEnvelope),
        (status = 409, description = "`CONFLICT` (`already_member`) or `IDEMPOTENCY_IN_PROGRESS`", body = crate::openapi::ErrorEnvelope),
        (status = 429, description = "`RATE_LIMITED`: too many mails to the address, of the organization or of the caller", body = crate::openapi::ErrorEnvelope),
    ),
    security(("bearer" = [])),
    extensions(("x-permission" = json!(perm::MemberInvite::NAME))),
)]
#[post("/api/v1/organizations/{orgId}/members/invite")]
pub(crate) async fn invite_member(
    guard: Guard<perm::MemberInvite>,
    request: HttpRequest,
) -> ApiResult<Reply<InvitationView>> {
    let Guard { access, services, body } = guard;
    let body = body
        .read_once::<InviteBody>(async { services.may_invite(&access) })
        .await?;
    no_parameters(&request)?;
    let key = idempotency::key(&request, &body.bytes)?;
    let created = services.invite(&access, body.value.into(), key.as_ref()).await?;
    let location = path_of(&created.resource);
    let (invitation, tag) = shown(&services, created.resource);
    Ok(Reply::created(invitation, location).tag(tag).replayed(created.replayed))
}

/// List invitations
///
/// Those that nobody has taken up, the expired ones included.
#[utoipa::path(
    tag = "Invitations",
    operation_id = "listInvitations",
    params(OrganizationPath, ListParameters, words::InvitationSort),
    responses((status = 200, description = "A page of invitations", body = List<InvitationView>)),
    security(("bearer" = [])),
    extensions(("x-permission" = json!(perm::MemberInvite::NAME))),
)]
#[get("/api/v1/organizations/{orgId}/invitations")]
pub(crate) async fn list_invitations(
    guard: Guard<perm::MemberInvite>,
    request: HttpRequest,
) -> ApiResult<List<InvitationView>> {
    let order = (InvitationField::CreatedAt, Direction::Descending);
    let asked = ListRequest::parse(&request, &guard.services, guard.caller(), order, Filters(&[]))?;
    let page = guard.services.list_invitations(&guard.access, &asked.query).await?;
    Ok(asked.answer_with(&guard.services, page, |invitation| view(&guard.services, invitation)))
}

/// Get an invitation
///
/// One that nobody has taken up.
#[utoipa::path(
    tag = "Invitations",
    operation_id = "getInvitation",
    params(InvitationPath),
    responses((status = 200, description = "The invitation", body = Data<InvitationView>, headers(("ETag" = String)))),
    security(("bearer" = [])),
    extensions(("x-permission" = json!(perm::MemberInvite::NAME))),
)]
#[get("/api/v1/organizations/{orgId}/invitations/{invitationId}")]
pub(crate) async fn get_invitation(
    guard: Guard<perm::MemberInvite>,
    request: HttpRequest,
) -> ApiResult<Reply<InvitationView>> {
    let id = invitation_id(&guard, &request)?;
    let invitation = guard.services.invitation(&guard.access, id).await?;
    no_parameters(&request)?;
    let (invitation, tag) = shown(&guard.services, invitation);
    Ok(Reply::ok(invitation).tag(tag))
}

/// Cancel an invitation
///
/// Its link leads nowhere from now on.
#[utoipa::path(
    tag = "Invitations",
    operation_id = "cancelInvitation",
    params(InvitationPath, IfMatch),
    responses((status = 204, description = "It is gone")),
    security(("bearer" = [])),
    extensions(("x-permission" = json!(perm::MemberInvite::NAME))),
)]
#[delete("/api/v1/organizations/{orgId}/invitations/{invitationId}")]
pub(crate) async fn cancel_invitation(guard: Guard<perm::MemberInvite>, request: HttpRequest) -> ApiResult<NoContent> {
    let id = invitation_id(&guard, &request)?;
    let Guard { access, services, .. } = guard;
    services.invitation(&access, id).await?;
    no_parameters(&request)?;
    let precondition = etags::precondition_unless_seen(&request)?;
    services.cancel_invitation(&access, id, &precondition).await?;
    Ok(NoContent)
}

/// Mail an invitation again
///
/// It is good for another seven days, as an invitation of the caller's: they have all that it gives, or a refusal names the
/// first permission that they lack. Its link stays the same.
#[utoipa::path(
    tag = "Invitations",
    operation_id = "resendInvitation",
    params(InvitationPath, IdempotencyKey),
    responses(
        (status = 200, description = "The invitation", body = Data<InvitationView>,
         headers(("ETag" = String), ("Idempotency-Replayed" = String))),
        (status = 429, description = "`RATE_LIMITED`: too many mails to the address, of the organization or of the caller", body = crate::openapi::ErrorEnvelope),
    ),
    security(("bearer" = [])),
    extensions(("x-permission" = json!(perm::MemberInvite::NAME))),
)]
#[post("/api/v1/organizations/{orgId}/invitations/{invitationId}/resend")]
pub(crate) async fn resend_invitation(
    guard: Guard<perm::MemberInvite>,
    request: HttpRequest,
) -> ApiResult<Reply<InvitationView>> {
    let id = invitation_id(&guard, &request)?;
    let Guard { access, services, .. } = guard;
    services.invitation(&access, id).await?;
    no_parameters(&request)?;
    let key = idempotency::key(&request, &[])?;
    let resent = services.resend_invitation(&access, id, key.as_ref()).await?;
    let (invitation, tag) = shown(&services, resent.resource);
    Ok(Reply::ok(invitation).tag(tag).replayed(resent.replayed))
}

/// See what one is invited to
///
/// By the `token` of the link that was mailed.
#[utoipa::path(
    tag = "Invitations",
    operation_id = "previewInvitation",
    params(InvitationTokenPath),
    responses(
        (status = 200, description = "What to join", body = Data<InvitationPreviewView>),
        (status = 410, description = "`GONE`: it was taken up or cancelled, has expired, or never was", body = crate::openapi::ErrorEnvelope),
    ),
)]
#[get("/api/v1/invitations/{token}")]
pub(crate) async fn preview_invitation(
    caller: Anyone,
    request: HttpRequest,
) -> ApiResult<Reply<InvitationPreviewView>> {
    let preview = caller
        .services
        .preview_invitation(path_value(&request, "token"))
        .await?;
    no_parameters(&request)?;
    Ok(Reply::ok(preview.into()).no_store())
}

/// Accept an invitation
///
/// By the `token` of the link that was mailed to the caller's own address, which they have confirmed. It is used up, and they are
/// a member.
#[utoipa::path(
    tag = "Invitations",
    operation_id = "acceptInvitation",
    params(IdempotencyKey),
    request_body = LinkBody,
    responses(
        (status = 201, description = "The caller as a member", body = Data<MemberView>,
         headers(("ETag" = String), ("Location" = String), ("Idempotency-Replayed" = String))),
        (status = 402, description = "`QUOTA_EXCEEDED`: no seat is free", body = crate::openapi::ErrorEnvelope),
        (status = 403, description = "`FORBIDDEN`: it is for another address, or the caller's is not confirmed; or `TENANT_SUSPENDED`", body = crate::openapi::ErrorEnvelope),
        (status = 409, description = "`CONFLICT` (`already_member`) or `IDEMPOTENCY_IN_PROGRESS`", body = crate::openapi::ErrorEnvelope),
        (status = 410, description = "`GONE`: it was taken up or cancelled, has expired, or never was; or whoever sent it may not give that any more", body = crate::openapi::ErrorEnvelope),
    ),
    security(("bearer" = [])),
)]
#[post("/api/v1/invitations/accept")]
pub(crate) async fn accept_invitation(caller: SignedIn, request: HttpRequest) -> ApiResult<Reply<MemberView>> {
    let SignedIn {
        principal,
        services,
        trace,
        body,
    } = caller;
    let body = body.read_once::<LinkBody>(async { Ok::<_, ApiError>(()) }).await?;
    no_parameters(&request)?;
    let key = idempotency::key(&request, &body.bytes)?;
    let accepted = services
        .accept_invitation(&principal, body.value.token.expose_secret(), key.as_ref(), trace)
        .await?;
    let member = accepted.resource;
    let location = format!("/api/v1/organizations/{}/members/{}", member.organization_id, member.id);
    let tag = members::tag(&member);
    Ok(Reply::created(member.into(), location)
        .tag(tag)
        .replayed(accepted.replayed))
}

/// The invitation in the path; what is asked by those who may not know whether there is one comes first.
fn invitation_id(guard: &Guard<perm::MemberInvite>, request: &HttpRequest) -> ApiResult<InvitationId> {
    guard.services.may_invite(&guard.access)?;
    path_id(request, "invitationId")
}

fn path_of(invitation: &Invitation) -> String {
    format!(
        "/api/v1/organizations/{}/invitations/{}",
        invitation.organization_id, invitation.id
    )
}

fn view(services: &Services, invitation: Invitation) -> InvitationView {
    InvitationView::new(invitation, services.environment().now())
}

/// An invitation as it is now, with its tag: another one once it has expired, which is no change that `If-Match` would ask about.
fn shown(services: &Services, invitation: Invitation) -> (InvitationView, EntityTag) {
    let now = services.environment().now();
    let expired = Some(invitation.expires_at).filter(|&moment| moment <= now);
    let tag = etags::tag_seen(invitation.version, expired);
    (InvitationView::new(invitation, now), tag)
}
