//! GitHub, which speaks OAuth 2.0 and tells of people by its own API.

use http::{Method, StatusCode, header};
use openidconnect::{
    AuthType, AuthorizationCode, ClientId, ClientSecret, IssuerUrl, JsonWebKeySet, OAuth2TokenResponse as _,
    PkceCodeVerifier, RedirectUrl, TokenUrl, core::CoreClient,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, de::DeserializeOwned};
use tenantry_domain::identities::ExternalIdentity;
use url::Url;

use super::{Guarded, ProviderError, ProviderSettings, Returned, claims, flow::Flow};
use crate::http_client::Request;

/// Where GitHub itself is, whose API is elsewhere.
const GITHUB: &str = "https://github.com";

/// Where GitHub, or a server of it, answers.
pub(super) struct Endpoints {
    pub(super) authorization: Url,
    token: Url,
    user: Url,
    emails: Url,
}

impl Endpoints {
    /// Those of the GitHub that is configured.
    pub(super) fn of(settings: &ProviderSettings) -> Result<Self, ProviderError> {
        let base = settings.issuer.trim_end_matches('/');
        let api = if base == GITHUB {
            "https://api.github.com".to_owned()
        } else {
            format!("{base}/api/v3")
        };
        let url = |text: String| Url::parse(&text).map_err(ProviderError::unavailable);
        Ok(Self {
            authorization: url(format!("{base}/login/oauth/authorize"))?,
            token: url(format!("{base}/login/oauth/access_token"))?,
            user: url(format!("{api}/user"))?,
            emails: url(format!("{api}/user/emails?per_page=100"))?,
        })
    }
}

#[derive(Deserialize)]
struct User {
    id: u64,
    login: String,
    name: Option<String>,
    avatar_url: Option<String>,
}

#[derive(Deserialize)]
struct Address {
    email: String,
    primary: bool,
    verified: bool,
}

/// Whom GitHub vouches for.
pub(super) async fn complete(
    settings: &ProviderSettings,
    http: &Guarded<'_>,
    flow: &Flow,
    callback: &str,
    returned: &Returned<'_>,
) -> Result<ExternalIdentity, ProviderError> {
    if returned.issuer.is_some_and(|issuer| !is_of(settings, issuer)) {
        return Err(ProviderError::refused("the browser comes from another issuer"));
    }
    let endpoints = Endpoints::of(settings)?;
    let token = token(settings, &endpoints, http, flow, callback, returned.code).await?;
    let user: User = read(http, &endpoints.user, &token).await?;
    let addresses: Vec<Address> = read(http, &endpoints.emails, &token).await?;
    let verified = || addresses.iter().filter(|address| address.verified);
    let address = verified().find(|address| address.primary).or_else(|| verified().next());
    let name = user.name.as_deref().and_then(claims::name);
    Ok(ExternalIdentity {
        provider: settings.key.clone(),
        issuer: settings.issuer.clone(),
        // A name can be given up and taken by somebody else, the number cannot.
        subject: user.id.to_string(),
        connection: None,
        email: address.and_then(|address| claims::email(&address.email)),
        email_verified: address.is_some(),
        name: name.or_else(|| claims::name(&user.login)),
        picture: user.avatar_url.as_deref().and_then(claims::picture),
        locale: None,
    })
}

/// Whether GitHub calls itself so, which it does by the place that its applications sign in at.
fn is_of(settings: &ProviderSettings, issuer: &str) -> bool {
    let base = settings.issuer.trim_end_matches('/');
    issuer == base || issuer.strip_prefix(base) == Some("/login/oauth")
}

async fn token(
    settings: &ProviderSettings,
    endpoints: &Endpoints,
    http: &Guarded<'_>,
    flow: &Flow,
    callback: &str,
    code: &str,
) -> Result<SecretString, ProviderError> {
    let issuer = IssuerUrl::new(settings.issuer.clone()).map_err(ProviderError::unavailable)?;
    let callback = RedirectUrl::new(callback.to_owned()).map_err(ProviderError::unavailable)?;
    let mut client = CoreClient::new(
        ClientId::new(settings.client_id.clone()),
        issuer,
        JsonWebKeySet::new(Vec::new()),
    )
    .set_token_uri(TokenUrl::from_url(endpoints.token.clone()))
    .set_redirect_uri(callback)
    .set_auth_type(AuthType::RequestBody);
    if let Some(secret) = &settings.client_secret {
        client = client.set_client_secret(ClientSecret::new(secret.expose_secret().to_owned()));
    }
    let ask = |request: Request| http.send(request);
    let tokens = client
        .exchange_code(AuthorizationCode::new(code.to_owned()))
        .set_pkce_verifier(PkceCodeVerifier::new(flow.verifier().to_owned()))
        .request_async(&ask)
        .await
        .map_err(super::openid::token_error)?;
    Ok(SecretString::from(tokens.access_token().secret().as_str()))
}

/// What GitHub's API answers to whoever holds this token.
async fn read<T: DeserializeOwned>(guarded: &Guarded<'_>, url: &Url, token: &SecretString) -> Result<T, ProviderError> {
    let request = http::Request::builder()
        .method(Method::GET)
        .uri(url.as_str())
        .header(header::AUTHORIZATION, format!("Bearer {}", token.expose_secret()))
        .header(header::ACCEPT, "application/vnd.github+json")
        .header(header::USER_AGENT, "tenantry")
        .body(Vec::new())
        .map_err(|_| ProviderError::refused("the access token is none"))?;
    let answer = guarded.send(request).await.map_err(ProviderError::unavailable)?;
    if answer.status() != StatusCode::OK {
        return Err(ProviderError::refused(format!("the API answers {}", answer.status())));
    }
    serde_json::from_slice(answer.body()).map_err(|_| ProviderError::refused("the API answers something else"))
}
