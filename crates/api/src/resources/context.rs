//! What the caller is in an organization.

use actix_web::{HttpRequest, get};
use serde::Serialize;
use tenantry_domain::{
    environment::Timestamp,
    ids::{OrganizationId, UserId},
    roles::{Grant, Level},
};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    errors::ApiResult,
    guard::Member,
    listing::no_parameters,
    parameters::OrganizationPath,
    reply::{Data, Reply},
    resources::members::RoleView,
    timestamps, words,
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(get_context);
}

/// What the caller is in an organization.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Context)]
pub(crate) struct ContextView {
    #[schema(value_type = uuid::Uuid)]
    organization_id: OrganizationId,
    #[schema(value_type = uuid::Uuid)]
    user_id: UserId,
    /// The API key that calls; `null` for a person.
    api_key_id: Option<uuid::Uuid>,
    /// The role in the whole organization.
    role: Option<RoleView>,
    /// All that the caller may do in the whole organization, sorted.
    #[schema(value_type = Vec<words::PermissionName>, max_items = 64)]
    permissions: Vec<&'static str>,
    /// Roles held on single workspaces and projects.
    #[schema(max_items = 10_000)]
    grants: Vec<GrantView>,
    /// From when on a second factor is demanded of the caller; `null` where it is not.
    #[serde(serialize_with = "timestamps::optional::serialize")]
    #[schema(value_type = Option<String>, format = DateTime, max_length = 24, example = "2026-01-31T09:30:00.123Z")]
    mfa_required_from: Option<Timestamp>,
}

/// A role held at a level.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Grant)]
pub(crate) struct GrantView {
    resource_type: GrantedResource,
    resource_id: uuid::Uuid,
    role: RoleView,
    /// All that follows from the role, sorted.
    #[schema(value_type = Vec<words::PermissionName>, max_items = 64)]
    permissions: Vec<&'static str>,
}

/// What a role can be held on.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum GrantedResource {
    Organization,
    Workspace,
    Project,
}

impl GrantView {
    fn of(grant: &Grant, organization: OrganizationId) -> Self {
        let (resource_type, resource_id) = match grant.level {
            Level::Organization => (GrantedResource::Organization, organization.as_uuid()),
            Level::Workspace(id) => (GrantedResource::Workspace, id.as_uuid()),
            Level::Project(id) => (GrantedResource::Project, id.as_uuid()),
        };
        Self {
            resource_type,
            resource_id,
            role: grant.role.clone().into(),
            permissions: grant.permissions.names(),
        }
    }
}

/// Get my context
///
/// Who the caller is in the organization, and what they may do there. Being a member is enough.
#[utoipa::path(
    tag = "Organizations",
    operation_id = "getContext",
    params(OrganizationPath),
    responses((status = 200, description = "The context", body = Data<ContextView>)),
    security(("bearer" = [])),
    extensions(("x-permission" = json!(null))),
)]
#[get("/api/v1/organizations/{orgId}/context")]
pub(crate) async fn get_context(member: Member, request: HttpRequest) -> ApiResult<Reply<ContextView>> {
    no_parameters(&request)?;
    let membership = member.context.membership();
    let in_organization = membership
        .grants
        .iter()
        .find(|grant| grant.level == Level::Organization);
    Ok(Reply::ok(ContextView {
        organization_id: membership.organization,
        user_id: membership.user,
        api_key_id: None,
        role: in_organization.map(|grant| grant.role.clone().into()),
        permissions: membership.at_organization().names(),
        grants: membership
            .grants
            .iter()
            .filter(|grant| grant.level != Level::Organization)
            .map(|grant| GrantView::of(grant, membership.organization))
            .collect(),
        mfa_required_from: member.context.mfa_required_from(),
    }))
}
