//! What members look like, and what is sent to change them.

use serde::Serialize;
use tenantry_domain::{
    emails::Email,
    environment::Timestamp,
    ids::{MemberId, RoleId, UserId},
    members::{Member, MemberStatus, ProfileUpdate, RoleRef},
    roles::RoleName,
    text::Name,
};
use utoipa::ToSchema;

use crate::{
    fields::{Fields, FromFields},
    rules, timestamps, words,
};

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
    /// What they are called in this organization.
    #[schema(value_type = String, min_length = 1, max_length = 255, example = "Ann")]
    name: Name,
    /// A picture of them in this organization.
    #[schema(format = "uri", max_length = 2048)]
    avatar_url: Option<String>,
    /// The role in the whole organization; `null` where roles are held further down alone.
    role: Option<RoleView>,
    #[schema(value_type = words::MemberStatus)]
    status: MemberStatus,
    #[serde(serialize_with = "timestamps::serialize")]
    #[schema(value_type = String, format = DateTime, max_length = 24, example = "2026-01-31T09:30:00.123Z")]
    joined_at: Timestamp,
    /// When they were last seen here, to within five minutes. The `ETag` moves with it, and `If-Match` passes over
    /// that.
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
            name: member.name().clone(),
            avatar_url: member.avatar_url().map(str::to_owned),
            email: member.email,
            role: member.role.map(Into::into),
            status: member.status,
            joined_at: member.joined_at,
            last_seen_at: member.last_seen_at,
            created_at: member.created_at,
            updated_at: member.updated_at,
        }
    }
}

/// A change of how a member is shown in this organization, as a merge patch: what is absent stays, `null` makes it the
/// person's own again.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase", example = json!({"name": "Ann (design)", "avatarUrl": null}))]
pub(in crate::resources) struct MemberPatchBody {
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255)]
    name: Option<Option<Name>>,
    /// An `https` URL.
    #[schema(value_type = Option<String>, format = "uri", pattern = "^https://", max_length = 2048)]
    avatar_url: Option<Option<String>>,
}

impl FromFields for MemberPatchBody {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        Some(Self {
            name: fields.clearable("name", rules::text),
            avatar_url: fields.clearable("avatarUrl", rules::picture_url),
        })
    }
}

impl From<MemberPatchBody> for ProfileUpdate {
    fn from(body: MemberPatchBody) -> Self {
        Self {
            name: body.name,
            avatar_url: body.avatar_url,
        }
    }
}

/// A role to be held in the whole organization.
#[derive(ToSchema)]
#[schema(example = json!({"role": "admin"}))]
pub(in crate::resources) struct MemberRoleBody {
    /// The key of a built-in role (`owner`, `admin`, `member`, `viewer`), or the id of any.
    #[schema(value_type = String, min_length = 1, max_length = 63)]
    pub(super) role: RoleRef,
}

impl FromFields for MemberRoleBody {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let role = fields.required("role", rules::text);
        Some(Self { role: role? })
    }
}
