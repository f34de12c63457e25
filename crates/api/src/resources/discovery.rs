//! By what an address can be signed in with.

use actix_web::{HttpRequest, post};
use serde::Serialize;
use tenantry_domain::ids::OrganizationId;
use tenantry_services::{connections::Discovered, identities::ProviderSettings};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::authentication::links::AddressBody;
use crate::{
    errors::{ApiError, ApiResult},
    guard::Anyone,
    listing::no_parameters,
    reply::{Data, Reply},
    words,
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(discover_sign_in);
}

/// A provider that everybody may sign in through.
#[derive(Serialize, ToSchema)]
pub(crate) struct DiscoveredProvider {
    /// By which it is known in paths.
    #[schema(min_length = 1, max_length = 63, example = "google")]
    key: String,
    /// What people call it.
    #[schema(min_length = 1, max_length = 255, example = "Google")]
    name: String,
}

impl From<&ProviderSettings> for DiscoveredProvider {
    fn from(provider: &ProviderSettings) -> Self {
        Self {
            key: provider.key.clone(),
            name: provider.name.clone(),
        }
    }
}

/// The provider of the organization that has the address's domain.
#[derive(Serialize, ToSchema)]
pub(crate) struct DiscoveredConnection {
    /// By which it is known in paths: the organization's id.
    #[schema(value_type = uuid::Uuid)]
    provider: OrganizationId,
    /// What the organization is called.
    #[schema(min_length = 1, max_length = 255, example = "Acme")]
    name: String,
}

/// By what an address can be signed in with.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SignInMethods {
    /// What everybody can sign in with.
    #[schema(value_type = Vec<words::SignInMethodName>, max_items = 2)]
    methods: Vec<&'static str>,
    /// The providers that everybody may sign in through, by their keys.
    #[schema(max_items = 20)]
    providers: Vec<DiscoveredProvider>,
    connection: Option<DiscoveredConnection>,
    /// Whether the organization's members sign in through that alone, but its owners.
    sso_required: bool,
}

/// Find out by what an address can be signed in with
///
/// By its domain: the answer is the same whether or not anybody has the address. A browser goes to
/// `/api/v1/auth/oidc/{provider}/authorize` with the key of a provider, or with the `provider` of the connection.
#[utoipa::path(
    tag = "Authentication",
    operation_id = "discoverSignIn",
    request_body = AddressBody,
    responses((status = 200, description = "The methods", body = Data<SignInMethods>)),
)]
#[post("/api/v1/auth/discover")]
pub(crate) async fn discover_sign_in(caller: Anyone, request: HttpRequest) -> ApiResult<Reply<SignInMethods>> {
    let Anyone { services, body, .. } = caller;
    let body = body.read_once::<AddressBody>(async { Ok::<_, ApiError>(()) }).await?;
    no_parameters(&request)?;
    let Discovered {
        passkeys,
        connection,
        sso_required,
    } = services.discover(&body.value.email).await?;
    let methods = std::iter::once("password").chain(passkeys.then_some("passkey"));
    let connection = connection.map(|(provider, name)| DiscoveredConnection { provider, name });
    Ok(Reply::ok(SignInMethods {
        methods: methods.collect(),
        providers: services.identity_providers().map(Into::into).collect(),
        connection,
        sso_required,
    })
    .no_store())
}
