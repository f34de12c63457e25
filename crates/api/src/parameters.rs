//! The parameters that operations share, for the document alone: [`crate::guard`], [`crate::etags`],
//! [`crate::idempotency`] and [`crate::listing`] read them.
//!
//! An operation names the set that its path has, and beside it what it takes in query and headers. A new kind of resource
//! adds the set of its paths here.
#![expect(dead_code, reason = "read by the derive alone")]

use utoipa::IntoParams;
use uuid::Uuid;

/// Paths of an organization.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct OrganizationPath {
    /// Id or slug of the organization
    #[param(rename = "orgId", min_length = 1, max_length = 63)]
    organization: String,
}

/// Paths of a workspace.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct WorkspacePath {
    /// Id or slug of the organization
    #[param(rename = "orgId", min_length = 1, max_length = 63)]
    organization: String,
    /// Id of the workspace
    #[param(rename = "wsId")]
    workspace: Uuid,
}

/// Paths of a project.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct ProjectPath {
    /// Id or slug of the organization
    #[param(rename = "orgId", min_length = 1, max_length = 63)]
    organization: String,
    /// Id of the project
    #[param(rename = "projectId")]
    project: Uuid,
}

/// Paths of a member.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct MemberPath {
    /// Id or slug of the organization
    #[param(rename = "orgId", min_length = 1, max_length = 63)]
    organization: String,
    /// Id of the member: that of the membership, not of the person
    #[param(rename = "memberId")]
    member: Uuid,
}

/// Paths of an invitation.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct InvitationPath {
    /// Id or slug of the organization
    #[param(rename = "orgId", min_length = 1, max_length = 63)]
    organization: String,
    /// Id of the invitation
    #[param(rename = "invitationId")]
    invitation: Uuid,
}

/// Paths of an invitation for whoever holds its link.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct InvitationTokenPath {
    /// What the link holds as `token`
    #[param(min_length = 1, max_length = 1000)]
    token: String,
}

/// What opens or renews a session.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(crate) struct TokenTransport {
    /// Where the refresh token is to be: in the `body`, or in a `cookie` that scripts cannot read
    #[param(rename = "X-Token-Transport", inline, value_type = crate::words::RefreshTokenTransport, required = false)]
    transport: Option<String>,
}

/// What is done with a refresh token.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(crate) struct CsrfToken {
    /// The `csrfToken` of the session, where the refresh token is in a cookie
    #[param(rename = "X-CSRF-Token", max_length = 255)]
    csrf_token: Option<String>,
}

/// Writes of what has a version.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(crate) struct IfMatch {
    /// The `ETag` that the write is meant for: `412` where the resource is another version by now
    #[param(rename = "If-Match", min_length = 1, max_length = 255)]
    if_match: Option<String>,
}

/// What creates something.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(crate) struct IdempotencyKey {
    /// Makes repeating safe for 24 hours
    #[param(rename = "Idempotency-Key", min_length = 1, max_length = 255)]
    idempotency_key: Option<String>,
}

/// Lists that are searched by name.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Search {
    /// Text that the name contains, whatever its case
    #[param(min_length = 1, max_length = 255)]
    q: Option<String>,
}
