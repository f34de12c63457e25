//! Members.

use actix_web::{HttpRequest, get};
use serde::Serialize;
use tenantry_domain::{
    emails::Email,
    environment::Timestamp,
    ids::{MemberId, RoleId, UserId},
    lists::{Direction, MemberField},
    members::{Member, MemberStatus},
    permissions::{Required as _, perm},
    roles::RoleName,
    text::Name,
};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    errors::ApiResult,
    guard::Guard,
    listing::{Filters, List, ListParameters, ListRequest},
    timestamps, words,
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(list_members);
}

/// A member of an organization.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Member)]
pub(crate) struct MemberView {
    /// The id of the membership.
    #[schema(value_type = uuid::Uuid)]
    id: MemberId,
    #[schema(value_type = uuid::Uuid)]
    user_id: UserId,
    #[schema(value_type = String, format = "email", max_length = 254, example = "ann@example.com")]
    email: Email,
    #[schema(value_type = String, min_length = 1, max_length = 255, example = "Ann")]
    name: Name,
    #[schema(format = "uri", max_length = 2048)]
    avatar_url: Option<String>,
    /// The role in the whole organization; `null` where roles are held further down alone.
    role: Option<RoleView>,
    #[schema(value_type = words::MemberStatus)]
    status: MemberStatus,
    #[serde(serialize_with = "timestamps::serialize")]
    #[schema(value_type = String, format = DateTime, max_length = 24, example = "2026-01-31T09:30:00.123Z")]
    joined_at: Timestamp,
    /// When they were last seen here, to within five minutes.
    #[serde(serialize_with = "timestamps::optional::serialize")]
    #[schema(value_type = Option<String>, format = DateTime, max_length = 24, example = "2026-01-31T09:30:00.123Z")]
    last_seen_at: Option<Timestamp>,
    #[serde(serialize_with = "timestamps::serialize")]
    #[schema(value_type = String, format = DateTime, max_length = 24, example = "2026-01-31T09:30:00.123Z")]
    created_at: Timestamp,
    #[serde(serialize_with = "timestamps::serialize")]
    #[schema(value_type = String, format = DateTime, max_length = 24, example = "2026-01-31T09:30:00.123Z")]
    updated_at: Timestamp,
}

/// A role by its names.
#[derive(Serialize, ToSchema)]
#[schema(as = RoleName)]
pub(crate) struct RoleView {
    #[schema(value_type = uuid::Uuid)]
    id: RoleId,
    #[schema(min_length = 1, max_length = 63, example = "admin")]
    key: String,
    #[schema(min_length = 1, max_length = 255, example = "Admin")]
    name: String,
}

impl From<RoleName> for RoleView {
    fn from(role: RoleName) -> Self {
        Self {
            id: role.id,
            key: role.key,
            name: role.name,
        }
    }
}

impl From<Member> for MemberView {
    fn from(member: Member) -> Self {
        Self {
            id: member.id,
            user_id: member.user_id,
            email: member.email,
            name: member.name,
            avatar_url: member.avatar_url,
            role: member.role.map(Into::into),
            status: member.status,
            joined_at: member.joined_at,
            last_seen_at: member.last_seen_at,
            created_at: member.created_at,
            updated_at: member.updated_at,
        }
    }
}

/// List members
#[utoipa::path(
    tag = "Members",
    operation_id = "listMembers",
    params(
        ("orgId" = String, Path, description = "Id or slug of the organization", max_length = 63),
        ListParameters,
        ("q" = Option<String>, Query, description = "Text that the name contains", min_length = 1, max_length = 255),
    ),
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
