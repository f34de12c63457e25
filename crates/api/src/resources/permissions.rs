//! The catalogue of permissions.

use actix_web::{HttpRequest, get};
use serde::Serialize;
use tenantry_domain::permissions::{Permission, PermissionSet};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    errors::ApiResult,
    guard::SignedIn,
    listing::{List, no_parameters},
    words,
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(list_permissions);
}

/// A permission.
#[derive(Serialize, ToSchema)]
#[schema(as = Permission)]
pub(crate) struct PermissionView {
    /// `resource:action`, by which it is known everywhere.
    #[schema(max_length = 63, example = "project:update")]
    name: &'static str,
    /// What it is about.
    #[schema(max_length = 63, example = "project")]
    resource: &'static str,
    /// What it lets one do.
    #[schema(max_length = 63, example = "update")]
    action: &'static str,
    #[schema(max_length = 255, example = "Change any project.")]
    description: &'static str,
    /// All that whoever has it has with it, sorted.
    #[schema(value_type = Vec<words::PermissionName>, max_items = 64)]
    implies: Vec<&'static str>,
}

impl From<Permission> for PermissionView {
    fn from(permission: Permission) -> Self {
        let implied: PermissionSet = permission
            .closure()
            .iter()
            .filter(|&other| other != permission)
            .collect();
        Self {
            name: permission.name(),
            resource: permission.resource(),
            action: permission.action(),
            description: permission.description(),
            implies: implied.names(),
        }
    }
}

/// List the catalogue of permissions
///
/// All there are, in one answer, each with what it implies.
#[utoipa::path(
    tag = "Permissions",
    operation_id = "listPermissions",
    responses((status = 200, description = "The catalogue", body = List<PermissionView>)),
    security(("bearer" = [])),
)]
#[get("/api/v1/permissions")]
pub(crate) async fn list_permissions(_: SignedIn, request: HttpRequest) -> ApiResult<List<PermissionView>> {
    no_parameters(&request)?;
    let catalogue = Permission::ALL.iter().copied().map(Into::into).collect();
    Ok(List::whole(catalogue, request.path()))
}
