//! The domains of an organization.

use actix_web::{HttpRequest, delete, get, post};
use tenantry_domain::{
    domains::Domain,
    ids::DomainId,
    lists::{Direction, DomainField},
    permissions::{Required, perm},
};
use utoipa_actix_web::service_config::ServiceConfig;

use self::bodies::{DomainAddBody, DomainView};
use crate::{
    errors::ApiResult,
    etags,
    guard::{Guard, path_id},
    idempotency,
    listing::{Filters, List, ListParameters, ListRequest, no_parameters},
    parameters::{DomainPath, IdempotencyKey, IfMatch, OrganizationPath},
    reply::{Data, NoContent, Reply},
    words,
};

mod bodies;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(list_domains)
        .service(add_domain)
        .service(get_domain)
        .service(remove_domain)
        .service(verify_domain);
}

/// List domains
///
/// Those that the organization says are its own, proven or not.
#[utoipa::path(
    tag = "Single sign-on",
    operation_id = "listDomains",
    params(
        OrganizationPath,
        ListParameters,
        words::DomainSort,
        ("status" = Option<words::DomainStatusName>, Query, description = "Those of this status alone"),
    ),
    responses((status = 200, description = "A page of domains", body = List<DomainView>)),
    security(("bearer" = [])),
    extensions(("x-permission" = json!(perm::SettingsView::NAME))),
)]
#[get("/api/v1/organizations/{orgId}/domains")]
pub(crate) async fn list_domains(
    guard: Guard<perm::SettingsView>,
    request: HttpRequest,
) -> ApiResult<List<DomainView>> {
    let Guard { access, services, .. } = &guard;
    services.may_touch_domains(access)?;
    let order = (DomainField::CreatedAt, Direction::Descending);
    let asked = ListRequest::parse(&request, services, guard.caller(), order, Filters(&["status"]))?;
    let status = asked.filter("status")?;
    let page = services.list_domains(access, &asked.query, status).await?;
    Ok(asked.answer(services, page))
}

/// Add a domain
///
/// It is `pending` until `verifyDomain` finds its `record` in the DNS. Other organizations may say that it is theirs as well: the
/// first to prove it has it. An organization has at most 20 domains.
#[utoipa::path(
    tag = "Single sign-on",
    operation_id = "addDomain",
    params(OrganizationPath, IdempotencyKey),
    request_body = DomainAddBody,
    responses(
        (status = 201, description = "The domain", body = Data<DomainView>,
         headers(("ETag" = String), ("Location" = String), ("Idempotency-Replayed" = String))),
        (status = 402, description = "`QUOTA_EXCEEDED`: there are as many domains as there may be", body = crate::openapi::ErrorEnvelope),
        (status = 409, description = "`CONFLICT` (`domain_taken`: the organization has it already) or `IDEMPOTENCY_IN_PROGRESS`", body = crate::openapi::ErrorEnvelope),
    ),
    security(("bearer" = [])),
    extensions(("x-permission" = json!(perm::SettingsManage::NAME))),
)]
#[post("/api/v1/organizations/{orgId}/domains")]
pub(crate) async fn add_domain(
    guard: Guard<perm::SettingsManage>,
    request: HttpRequest,
) -> ApiResult<Reply<DomainView>> {
    let Guard { access, services, body } = guard;
    let body = body
        .read_once::<DomainAddBody>(async { services.may_touch_domains(&access) })
        .await?;
    no_parameters(&request)?;
    let key = idempotency::key(&request, &body.bytes)?;
    let added = services.add_domain(&access, body.value.into(), key.as_ref()).await?;
    let (location, version) = (path_of(&added.resource), added.resource.version);
    Ok(Reply::created(added.resource.into(), location)
        .version(version)
        .replayed(added.replayed))
}

/// Get a domain
#[utoipa::path(
    tag = "Single sign-on",
    operation_id = "getDomain",
    params(DomainPath),
    responses((status = 200, description = "The domain", body = Data<DomainView>, headers(("ETag" = String)))),
    security(("bearer" = [])),
    extensions(("x-permission" = json!(perm::SettingsView::NAME))),
)]
#[get("/api/v1/organizations/{orgId}/domains/{domainId}")]
pub(crate) async fn get_domain(guard: Guard<perm::SettingsView>, request: HttpRequest) -> ApiResult<Reply<DomainView>> {
    let id = domain_id(&guard, &request)?;
    let domain = guard.services.domain(&guard.access, id).await?;
    no_parameters(&request)?;
    Ok(reply(domain))
}

/// Remove a domain
///
/// Whoever has an address there signs in as those without a domain do from now on. Needs a sign-in of the last ten minutes.
#[utoipa::path(
    tag = "Single sign-on",
    operation_id = "removeDomain",
    params(DomainPath, IfMatch),
    responses((status = 204, description = "It is gone")),
    security(("bearer" = [])),
    extensions(("x-permission" = json!(perm::SettingsManage::NAME))),
)]
#[delete("/api/v1/organizations/{orgId}/domains/{domainId}")]
pub(crate) async fn remove_domain(guard: Guard<perm::SettingsManage>, request: HttpRequest) -> ApiResult<NoContent> {
    let id = domain_id(&guard, &request)?;
    let Guard { access, services, .. } = guard;
    services.may_remove_domain(&access, id).await?;
    no_parameters(&request)?;
    let precondition = etags::precondition(&request)?;
    services.remove_domain(&access, id, &precondition).await?;
    Ok(NoContent)
}

/// Verify a domain
///
/// Asks the DNS for the domain's `record`. Where it is there the domain is `verified`, and stays so; nothing is asked about one
/// that is already.
#[utoipa::path(
    tag = "Single sign-on",
    operation_id = "verifyDomain",
    params(DomainPath),
    responses(
        (status = 200, description = "The domain", body = Data<DomainView>, headers(("ETag" = String))),
        (status = 409, description = "`CONFLICT`: the record is not there (`domain_not_proven`), the DNS does not answer (`dns_unavailable`), or another organization has proven it (`domain_taken`)", body = crate::openapi::ErrorEnvelope),
        (status = 429, description = "`RATE_LIMITED`: too many questions for the organization", body = crate::openapi::ErrorEnvelope),
    ),
    security(("bearer" = [])),
    extensions(("x-permission" = json!(perm::SettingsManage::NAME))),
)]
#[post("/api/v1/organizations/{orgId}/domains/{domainId}/verify")]
pub(crate) async fn verify_domain(
    guard: Guard<perm::SettingsManage>,
    request: HttpRequest,
) -> ApiResult<Reply<DomainView>> {
    let id = domain_id(&guard, &request)?;
    let Guard { access, services, .. } = guard;
    services.domain(&access, id).await?;
    no_parameters(&request)?;
    Ok(reply(services.verify_domain(&access, id).await?))
}

/// The domain in the path; what is asked by those who may not know whether there is one comes first.
fn domain_id<P: Required>(guard: &Guard<P>, request: &HttpRequest) -> ApiResult<DomainId> {
    guard.services.may_touch_domains(&guard.access)?;
    path_id(request, "domainId")
}

fn path_of(domain: &Domain) -> String {
    format!("/api/v1/organizations/{}/domains/{}", domain.organization_id, domain.id)
}

fn reply(domain: Domain) -> Reply<DomainView> {
    let version = domain.version;
    Reply::ok(domain.into()).version(version)
}
