//! Members.

use actix_web::{HttpRequest, delete, get, http::header::EntityTag, patch, put};
use tenantry_domain::{
    ids::MemberId,
    lists::{Direction, MemberField},
    members::{Member, or_oneself},
    permissions::{Required, perm},
};
use tenantry_services::{Services, callers::Access};
use utoipa_actix_web::service_config::ServiceConfig;

use self::bodies::{MemberPatchBody, MemberRoleBody};
pub(crate) use self::bodies::{MemberView, RoleView};
use crate::{
    errors::ApiResult,
    etags,
    guard::{Guard, path_id},
    listing::{Filters, List, ListParameters, ListRequest, no_parameters},
    parameters::{IfMatch, MemberPath, OrganizationPath, Search},
    reply::{Data, NoContent, Reply},
    words,
};

mod bodies;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(list_members)
        .service(get_member)
        .service(update_member)
        .service(remove_member)
        .service(change_member_role);
}

/// List members
///
/// Everybody in the organization, whatever they hold.
#[utoipa::path(
    tag = "Members",
    operation_id = "listMembers",
    params(OrganizationPath, ListParameters, words::MemberSort, Search),
    responses((status = 200, description = "A page of members", body = List<MemberView>)),
    security(("bearer" = [])),
    extensions(("x-permission" = json!(perm::MemberView::NAME))),
)]
#[get("/api/v1/organizations/{orgId}/members")]
pub(crate) async fn list_members(guard: Guard<perm::MemberView>, request: HttpRequest) -> ApiResult<List<MemberView>> {
    let order = (MemberField::CreatedAt, Direction::Descending);
    let asked = ListRequest::parse(&request, &guard.services, guard.caller(), order, Filters(&["q"]))?;
    let page = guard.services.list_members(&guard.access, &asked.query).await?;
    Ok(asked.answer(&guard.services, page))
}

/// Get a member
///
/// Everybody may get themselves, without any permission.
#[utoipa::path(
    tag = "Members",
    operation_id = "getMember",
    params(MemberPath),
    responses((status = 200, description = "The member", body = Data<MemberView>, headers(("ETag" = String)))),
    security(("bearer" = [])),
    extensions(("x-permission" = json!(or_oneself::MemberView::NAME))),
)]
#[get("/api/v1/organizations/{orgId}/members/{memberId}")]
pub(crate) async fn get_member(
    guard: Guard<or_oneself::MemberView>,
    request: HttpRequest,
) -> ApiResult<Reply<MemberView>> {
    let Guard { access, services, .. } = guard;
    let id = path_id(&request, "memberId");
    if id.is_err() {
        permitted(&services, &access, &id).await?;
    }
    let member = services.member(&access, id?).await?;
    no_parameters(&request)?;
    Ok(reply(member))
}

/// Change how a member is shown
///
/// A merge patch (RFC 7396) of the name and the picture that a person has in this organization; elsewhere they stay what
/// they are. Everybody may change their own, without any permission; those of an owner take another owner (`*`).
#[utoipa::path(
    tag = "Members",
    operation_id = "updateMember",
    params(MemberPath, IfMatch),
    request_body(content(
        (MemberPatchBody = "application/json"),
        (MemberPatchBody = "application/merge-patch+json"),
    )),
    responses((status = 200, description = "The member", body = Data<MemberView>, headers(("ETag" = String)))),
    security(("bearer" = [])),
    extensions(("x-permission" = json!(or_oneself::MemberUpdate::NAME))),
)]
#[patch("/api/v1/organizations/{orgId}/members/{memberId}")]
pub(crate) async fn update_member(
    guard: Guard<or_oneself::MemberUpdate>,
    request: HttpRequest,
) -> ApiResult<Reply<MemberView>> {
    let Guard { access, services, body } = guard;
    let id = path_id(&request, "memberId");
    let body = body
        .read_once::<MemberPatchBody>(permitted(&services, &access, &id))
        .await?;
    let id = id?;
    no_parameters(&request)?;
    let precondition = etags::precondition_unless_seen(&request)?;
    let member = services
        .update_member(&access, id, body.value.into(), &precondition)
        .await?;
    Ok(reply(member))
}

/// Change a member's role
///
/// Gives them a role in the whole organization, in place of the one that they held there; roles that they hold in
/// workspaces and projects stay. Nobody gives a role that allows what they lack: a refusal names the first such permission.
/// Owners are made, and made something else, by owners alone (`*`).
#[utoipa::path(
    tag = "Members",
    operation_id = "changeMemberRole",
    params(MemberPath, IfMatch),
    request_body = MemberRoleBody,
    responses(
        (status = 200, description = "The member", body = Data<MemberView>, headers(("ETag" = String))),
        (status = 409, description = "`CONFLICT` (`last_owner`)", body = crate::openapi::ErrorEnvelope),
    ),
    security(("bearer" = [])),
    extensions(("x-permission" = json!(perm::MemberUpdate::NAME))),
)]
#[put("/api/v1/organizations/{orgId}/members/{memberId}/role")]
pub(crate) async fn change_member_role(
    guard: Guard<perm::MemberUpdate>,
    request: HttpRequest,
) -> ApiResult<Reply<MemberView>> {
    let Guard { access, services, body } = guard;
    let id = path_id(&request, "memberId");
    let body = body
        .read_once::<MemberRoleBody>(permitted(&services, &access, &id))
        .await?;
    let id = id?;
    no_parameters(&request)?;
    let precondition = etags::precondition_unless_seen(&request)?;
    let member = services
        .change_member_role(&access, id, &body.value.role, &precondition)
        .await?;
    Ok(reply(member))
}

/// Remove a member
///
/// Their roles go with them, at once; what they created stays. Everybody may leave by removing themselves, without any
/// permission; another owner is removed by owners alone (`*`), and the last owner stays.
#[utoipa::path(
    tag = "Members",
    operation_id = "removeMember",
    params(MemberPath, IfMatch),
    responses(
        (status = 204, description = "They are gone"),
        (status = 409, description = "`CONFLICT` (`last_owner`)", body = crate::openapi::ErrorEnvelope),
    ),
    security(("bearer" = [])),
    extensions(("x-permission" = json!(or_oneself::MemberRemove::NAME))),
)]
#[delete("/api/v1/organizations/{orgId}/members/{memberId}")]
pub(crate) async fn remove_member(
    guard: Guard<or_oneself::MemberRemove>,
    request: HttpRequest,
) -> ApiResult<NoContent> {
    let Guard { access, services, .. } = guard;
    let id = path_id(&request, "memberId");
    permitted(&services, &access, &id).await?;
    let id = id?;
    no_parameters(&request)?;
    let precondition = etags::precondition_unless_seen(&request)?;
    services.remove_member(&access, id, &precondition).await?;
    Ok(NoContent)
}

fn reply(member: Member) -> Reply<MemberView> {
    let tag = tag(&member);
    Reply::ok(member.into()).tag(tag)
}

/// The entity tag of a member.
pub(crate) fn tag(member: &Member) -> EntityTag {
    etags::tag_seen(member.version, member.last_seen_at)
}

/// That the caller may do `P` to the member in the path; where the path has no id, to members at all.
async fn permitted<P: Required>(
    services: &Services,
    access: &Access<P>,
    id: &ApiResult<MemberId>,
) -> tenantry_services::Result<()> {
    services.may_touch_member(access, id.as_ref().ok().copied()).await
}
