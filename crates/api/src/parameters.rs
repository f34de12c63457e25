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

/// Paths of a domain.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct DomainPath {
    /// Id or slug of the organization
    #[param(rename = "orgId", min_length = 1, max_length = 63)]
    organization: String,
    /// Id of the domain
    #[param(rename = "domainId")]
    domain: Uuid,
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

/// Paths of an identity provider.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct ProviderPath {
    /// Key of the provider; of an organization's own, the organization's id
    #[param(min_length = 1, max_length = 63, example = "google")]
    provider: String,
}

/// What a sign-in at a provider begins with.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuthorizeParameters {
    /// Where the browser goes in the end: one of the URIs that are configured, to the character
    #[param(
        rename = "redirectUri",
        min_length = 1,
        max_length = 1000,
        example = "https://app.example.com/signed-in"
    )]
    redirect_uri: String,
    /// What the app gets back as it gave it
    #[param(min_length = 1, max_length = 500, example = "af0ifjsldkj")]
    state: Option<String>,
    /// What the app proves by that it began this (RFC 7636, `S256`): `exchange` needs its verifier then
    #[param(
        rename = "codeChallenge",
        min_length = 43,
        max_length = 43,
        pattern = "^[A-Za-z0-9_-]{43}$",
        example = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    )]
    code_challenge: Option<String>,
    /// The address of whoever is about to sign in, for the provider to offer
    #[param(rename = "loginHint", min_length = 1, max_length = 254, example = "ann@example.com")]
    login_hint: Option<String>,
}

/// What a browser brings back from a provider; whatever else it brings is left alone.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReturnParameters {
    /// What was sealed when the browser left
    #[param(
        min_length = 1,
        max_length = 8192,
        pattern = "^[A-Za-z0-9_-]+$",
        example = "AZx4Q2hlY2tz"
    )]
    state: String,
    /// What the provider's token is had for (RFC 6749, appendix A.11)
    #[param(max_length = 8192, pattern = "^[ -~]*$", example = "SplxlOBeZQQYbYS6WxSbIA")]
    code: Option<String>,
    /// Why there is no code (RFC 6749, section 4.1.2.1)
    #[param(max_length = 255, example = "access_denied")]
    error: Option<String>,
    /// Who says so (RFC 9207)
    #[param(max_length = 512, example = "https://accounts.google.com")]
    iss: Option<String>,
}
