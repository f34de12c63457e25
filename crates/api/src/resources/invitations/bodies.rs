//! What invitations look like, and what is sent to make one.

use serde::Serialize;
use tenantry_domain::{
    emails::Email,
    environment::Timestamp,
    ids::{InvitationId, MemberId, OrganizationId, WorkspaceId},
    invitations::{Invitation, InvitationCreate, InvitationPreview, InvitationStatus},
    members::RoleRef,
    text::Name,
};
use utoipa::ToSchema;

use crate::{
    fields::{Fields, FromFields},
    resources::members::RoleView,
    rules, timestamps, words,
};

/// An address that is asked to join an organization.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Invitation)]
pub(in crate::resources) struct InvitationView {
    #[schema(value_type = uuid::Uuid)]
    id: InvitationId,
    #[schema(value_type = String, format = "email", max_length = 254, example = "ben@example.com")]
    email: Email,
    /// The role that they get.
    role: RoleView,
    /// The workspace in which they get it; `null` for the whole organization.
    #[schema(value_type = Option<uuid::Uuid>)]
    workspace_id: Option<WorkspaceId>,
    /// The member who sent it last.
    #[schema(value_type = uuid::Uuid)]
    invited_by: MemberId,
    #[schema(value_type = words::InvitationStatus)]
    status: InvitationStatus,
    /// Until when it can be taken up.
    #[serde(serialize_with = "timestamps::serialize")]
    #[schema(value_type = String, format = DateTime, max_length = 24, example = "2026-02-07T09:30:00.123Z")]
    expires_at: Timestamp,
    #[serde(serialize_with = "timestamps::serialize")]
    #[schema(value_type = String, format = DateTime, max_length = 24, example = "2026-01-31T09:30:00.123Z")]
    created_at: Timestamp,
    /// When it was sent last.
    #[serde(serialize_with = "timestamps::serialize")]
    #[schema(value_type = String, format = DateTime, max_length = 24, example = "2026-01-31T09:30:00.123Z")]
    updated_at: Timestamp,
}

impl InvitationView {
    /// An invitation as it is at `now`.
    pub(super) fn new(invitation: Invitation, now: Timestamp) -> Self {
        Self {
            status: invitation.status(now),
            id: invitation.id,
            email: invitation.email,
            role: invitation.role.into(),
            workspace_id: invitation.workspace_id,
            invited_by: invitation.invited_by,
            expires_at: invitation.expires_at,
            created_at: invitation.created_at,
            updated_at: invitation.updated_at,
        }
    }
}

/// What whoever holds the link of an invitation is asked to join.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = InvitationPreview)]
pub(in crate::resources) struct InvitationPreviewView {
    #[schema(value_type = uuid::Uuid)]
    id: InvitationId,
    /// The address that it is for: it is accepted by whoever has confirmed it.
    #[schema(value_type = String, format = "email", max_length = 254, example = "ben@example.com")]
    email: Email,
    #[schema(value_type = uuid::Uuid)]
    organization_id: OrganizationId,
    /// The organization to join.
    #[schema(value_type = String, min_length = 1, max_length = 255, example = "Acme")]
    organization_name: Name,
    /// The workspace in which the role is held; `null` for the whole organization.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255, example = "Design")]
    workspace_name: Option<Name>,
    role: RoleView,
    /// What whoever sent it is called there.
    #[schema(value_type = String, min_length = 1, max_length = 255, example = "Ann")]
    invited_by_name: Name,
    /// Until when it can be taken up.
    #[serde(serialize_with = "timestamps::serialize")]
    #[schema(value_type = String, format = DateTime, max_length = 24, example = "2026-02-07T09:30:00.123Z")]
    expires_at: Timestamp,
    #[serde(serialize_with = "timestamps::serialize")]
    #[schema(value_type = String, format = DateTime, max_length = 24, example = "2026-01-31T09:30:00.123Z")]
    created_at: Timestamp,
    /// When it was sent last.
    #[serde(serialize_with = "timestamps::serialize")]
    #[schema(value_type = String, format = DateTime, max_length = 24, example = "2026-01-31T09:30:00.123Z")]
    updated_at: Timestamp,
}

impl From<InvitationPreview> for InvitationPreviewView {
    fn from(preview: InvitationPreview) -> Self {
        Self {
            id: preview.id,
            email: preview.email,
            organization_id: preview.organization_id,
            organization_name: preview.organization_name,
            workspace_name: preview.workspace_name,
            role: preview.role.into(),
            invited_by_name: preview.invited_by_name,
            expires_at: preview.expires_at,
            created_at: preview.created_at,
            updated_at: preview.updated_at,
        }
    }
}

/// Whom to invite, and to what.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase", example = json!({"email": "ben@example.com", "role": "member"}))]
pub(in crate::resources) struct InviteBody {
    #[schema(value_type = String, format = "email", max_length = 254)]
    email: Email,
    /// The key of a built-in role (`owner`, `admin`, `member`, `viewer`), or the id of any.
    #[schema(value_type = String, min_length = 1, max_length = 63)]
    role: RoleRef,
    /// The workspace in which they get it; absent for the whole organization.
    #[schema(value_type = Option<uuid::Uuid>)]
    workspace_id: Option<WorkspaceId>,
}

impl FromFields for InviteBody {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let email = fields.required("email", rules::email);
        let role = fields.required("role", rules::text);
        let workspace_id = fields.optional("workspaceId", rules::id);
        Some(Self {
            email: email?,
            role: role?,
            workspace_id,
        })
    }
}

impl From<InviteBody> for InvitationCreate {
    fn from(body: InviteBody) -> Self {
        Self {
            email: body.email,
            role: body.role,
            workspace: body.workspace_id,
        }
    }
}
