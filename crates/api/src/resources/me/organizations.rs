//! The organizations that one is a member of, and the one that one works in.

use actix_web::{HttpRequest, get, put};
use serde::Serialize;
use tenantry_domain::{
    environment::Timestamp,
    ids::{MemberId, OrganizationId},
    lists::{Direction, MembershipField},
    organizations::{OrganizationStatus, Plan},
    slugs::OrganizationSlug,
    text::Name,
    users::memberships::{MemberOrganization, UserMembership},
};
use utoipa::ToSchema;

use super::{UserView, reply};
use crate::{
    errors::{ApiError, ApiResult},
    etags,
    fields::{Fields, FromFields},
    guard::SignedIn,
    listing::{Filters, List, ListParameters, ListRequest, no_parameters},
    parameters::{IfMatch, Search},
    reply::{Data, Reply},
    resources::members::RoleView,
    rules, timestamps, words,
};

/// A membership of one's own.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Membership)]
pub(crate) struct MembershipView {
    /// The id of the membership: the `{memberId}` of oneself in the organization.
    #[schema(value_type = uuid::Uuid)]
    id: MemberId,
    organization: MemberOrganizationView,
    /// The role in the whole organization; `null` where roles are held further down alone.
    role: Option<RoleView>,
    /// Whether it is what one works in where a request names no organization.
    current: bool,
    #[serde(serialize_with = "timestamps::serialize")]
    #[schema(value_type = String, format = DateTime, max_length = 24, example = "2026-01-31T09:30:00.123Z")]
    joined_at: Timestamp,
    #[serde(serialize_with = "timestamps::serialize")]
    #[schema(value_type = String, format = DateTime, max_length = 24, example = "2026-01-31T09:30:00.123Z")]
    created_at: Timestamp,
    #[serde(serialize_with = "timestamps::serialize")]
    #[schema(value_type = String, format = DateTime, max_length = 24, example = "2026-01-31T09:30:00.123Z")]
    updated_at: Timestamp,
}

/// What every member knows of an organization.
#[derive(Serialize, ToSchema)]
#[schema(as = MemberOrganization)]
pub(crate) struct MemberOrganizationView {
    #[schema(value_type = uuid::Uuid)]
    id: OrganizationId,
    #[schema(value_type = String, min_length = 1, max_length = 255, example = "Acme")]
    name: Name,
    #[schema(value_type = String, min_length = 1, max_length = 63, example = "acme")]
    slug: OrganizationSlug,
    #[schema(value_type = words::OrganizationStatus)]
    status: OrganizationStatus,
    #[schema(value_type = words::Plan)]
    plan: Plan,
}

impl From<MemberOrganization> for MemberOrganizationView {
    fn from(organization: MemberOrganization) -> Self {
        Self {
            id: organization.id,
            name: organization.name,
            slug: organization.slug,
            status: organization.status,
            plan: organization.plan,
        }
    }
}

impl From<UserMembership> for MembershipView {
    fn from(membership: UserMembership) -> Self {
        Self {
            id: membership.id,
            organization: membership.organization.into(),
            role: membership.role.map(Into::into),
            current: membership.current,
            joined_at: membership.joined_at,
            created_at: membership.created_at,
            updated_at: membership.updated_at,
        }
    }
}

/// What to work in where a request names no organization.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase", example = json!({"organizationId": "01a1fbf7-030a-7efe-afba-f659b791409b"}))]
pub(crate) struct CurrentOrganizationBody {
    /// One that the caller is a member of; `null` for none.
    #[schema(value_type = Option<uuid::Uuid>, required = true)]
    organization_id: Option<OrganizationId>,
}

impl FromFields for CurrentOrganizationBody {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        Some(Self {
            organization_id: fields.nullable("organizationId", rules::id)?,
        })
    }
}

/// List my memberships
///
/// Each with its organization and the role held there. Those of suspended organizations are listed, those of deleted ones
/// are not. `name` and `q` are about the organization's name.
#[utoipa::path(
    tag = "Me",
    operation_id = "listMyOrganizations",
    params(ListParameters, words::MembershipSort, Search),
    responses((status = 200, description = "A page of memberships", body = List<MembershipView>)),
    security(("bearer" = [])),
)]
#[get("/api/v1/me/organizations")]
pub(crate) async fn list_my_organizations(caller: SignedIn, request: HttpRequest) -> ApiResult<List<MembershipView>> {
    let SignedIn {
        principal,
        services,
        trace,
        ..
    } = caller;
    let order = (MembershipField::CreatedAt, Direction::Descending);
    let asked = ListRequest::parse(&request, &services, principal.user(), order, Filters(&["q"]))?;
    let page = services.list_memberships(&principal, &asked.query, trace).await?;
    Ok(asked.answer(&services, page))
}

/// Choose my current organization
///
/// What one works in where a request names no organization: any organization that one is a member of, a suspended one too.
/// When the membership ends, so does the choice.
#[utoipa::path(
    tag = "Me",
    operation_id = "setCurrentOrganization",
    params(IfMatch),
    request_body = CurrentOrganizationBody,
    responses(
        (status = 200, description = "The signed-in user", body = Data<UserView>, headers(("ETag" = String))),
        (status = 404, description = "`NOT_FOUND`: one is no member of such an organization", body = crate::openapi::ErrorEnvelope),
    ),
    security(("bearer" = [])),
)]
#[put("/api/v1/me/current-organization")]
pub(crate) async fn set_current_organization(caller: SignedIn, request: HttpRequest) -> ApiResult<Reply<UserView>> {
    let SignedIn {
        principal,
        services,
        trace,
        body,
    } = caller;
    let body = body
        .read_once::<CurrentOrganizationBody>(async { Ok::<_, ApiError>(()) })
        .await?;
    no_parameters(&request)?;
    let precondition = etags::precondition(&request)?;
    let user = services
        .choose_organization(&principal, body.value.organization_id, &precondition, trace)
        .await?;
    Ok(reply(user))
}
