//! Signing in through providers: OpenID Connect Core 1.0 by the authorization code flow with PKCE (RFC 7636), and GitHub, which
//! speaks OAuth 2.0 alone (RFC 6749).
//!
//! A provider tells whom it vouches for; what that is good for is decided elsewhere. Nothing is stored on the way: what must be
//! remembered until the browser comes back is sealed in the `state` that it carries ([`flow`]), and so is what came of it, in a code
//! that is exchanged once ([`codes`]). To add a preset: a variant of [`Preset`], and what is particular about its issuer in the
//! configuration, about its claims here.

pub(crate) mod claims;
pub mod codes;
pub mod flow;
mod github;
mod openid;

use secrecy::SecretString;
use tenantry_domain::{environment::Environment, identities::ExternalIdentity, keywords};
use url::{Host, Url};

use self::flow::Flow;
use crate::http_client::{HttpClient, HttpError, Request, Response};

keywords! {
    /// What kind of provider it is.
    pub enum Preset {
        /// Google.
        Google = "google",
        /// Microsoft Entra ID, and Microsoft accounts.
        Microsoft = "microsoft",
        /// Auth0.
        Auth0 = "auth0",
        /// Okta.
        Okta = "okta",
        /// Keycloak.
        Keycloak = "keycloak",
        /// GitHub, or a GitHub Enterprise Server.
        GitHub = "github",
        /// Any other that speaks OpenID Connect.
        Oidc = "oidc",
    }
}

/// What is configured of a provider.
#[derive(Debug, Clone)]
pub struct ProviderSettings {
    /// What it is called in paths.
    pub key: String,
    /// What kind it is.
    pub preset: Preset,
    /// What people call it.
    pub name: String,
    /// Its issuer, to the character; of GitHub, where it is.
    pub issuer: String,
    /// What we are called there.
    pub client_id: String,
    /// What we show there who we are by; `None` of a public client.
    pub client_secret: Option<SecretString>,
    /// What is asked for.
    pub scopes: Vec<String>,
}

/// Why a provider vouched for nobody.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// It is away, slow, or answers what it should not: trying again later may succeed.
    #[error("the provider is not available")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What it answered proves nothing.
    #[error("the provider's answer proves nothing: {0}")]
    Refused(Box<dyn std::error::Error + Send + Sync>),
}

impl ProviderError {
    fn unavailable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Unavailable(error.into())
    }

    fn refused(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Refused(error.into())
    }
}

/// What a browser brings back from a provider.
pub struct Returned<'r> {
    /// What the provider's token is had for.
    pub code: &'r str,
    /// Who says so (RFC 9207).
    pub issuer: Option<&'r str>,
}

/// A provider that people sign in through.
pub struct Provider {
    settings: ProviderSettings,
    openid: openid::Cache,
}

impl Provider {
    /// The provider of these settings. Nobody is asked anything before somebody signs in.
    #[must_use]
    pub fn new(settings: ProviderSettings) -> Self {
        Self {
            settings,
            openid: openid::Cache::default(),
        }
    }

    /// What is configured of it.
    #[must_use]
    pub const fn settings(&self) -> &ProviderSettings {
        &self.settings
    }

    /// Where a browser goes to sign in, and comes back from to `callback`.
    ///
    /// # Errors
    /// [`ProviderError::Unavailable`].
    pub async fn authorization_url(
        &self,
        http: &dyn HttpClient,
        environment: &Environment,
        flow: &Flow,
        state: &str,
        callback: &str,
        login_hint: Option<&str>,
    ) -> Result<Url, ProviderError> {
        let http = Guarded::new(http, &self.settings.issuer);
        let endpoint = match self.settings.preset {
            Preset::GitHub => github::Endpoints::of(&self.settings)?.authorization,
            _ => {
                let known = self.openid.known(&self.settings, &http, environment).await?;
                http.demand_safe(known.authorization_endpoint().as_str())
                    .map_err(ProviderError::Unavailable)?;
                known.authorization_endpoint().clone()
            }
        };
        let mut url = endpoint;
        {
            let mut query = url.query_pairs_mut();
            query
                .append_pair("response_type", "code")
                .append_pair("client_id", &self.settings.client_id)
                .append_pair("redirect_uri", callback)
                .append_pair("scope", &self.settings.scopes.join(" "))
                .append_pair("state", state)
                .append_pair("code_challenge", &flow.code_challenge())
                .append_pair("code_challenge_method", "S256");
            if self.settings.preset != Preset::GitHub {
                query.append_pair("nonce", flow.nonce());
            }
            if let Some(hint) = login_hint {
                let name = if self.settings.preset == Preset::GitHub {
                    "login"
                } else {
                    "login_hint"
                };
                query.append_pair(name, hint);
            }
        }
        Ok(url)
    }

    /// Whom the provider vouches for, to whom a browser came back.
    ///
    /// # Errors
    /// [`ProviderError`].
    pub async fn complete(
        &self,
        http: &dyn HttpClient,
        environment: &Environment,
        flow: &Flow,
        callback: &str,
        returned: &Returned<'_>,
    ) -> Result<ExternalIdentity, ProviderError> {
        let http = Guarded::new(http, &self.settings.issuer);
        match self.settings.preset {
            Preset::GitHub => github::complete(&self.settings, &http, flow, callback, returned).await,
            _ => {
                self.openid
                    .complete(&self.settings, &http, environment, flow, callback, returned)
                    .await
            }
        }
    }
}

/// Asks a provider, where that is safe: over TLS, unless it is on this machine as a whole.
pub(crate) struct Guarded<'h> {
    http: &'h dyn HttpClient,
    on_this_machine: bool,
}

impl<'h> Guarded<'h> {
    pub(crate) fn new(http: &'h dyn HttpClient, issuer: &str) -> Self {
        Self {
            http,
            on_this_machine: Url::parse(issuer).is_ok_and(|url| is_loopback(&url)),
        }
    }

    /// That nobody on the way reads or changes what is said there.
    fn demand_safe(&self, url: &str) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let url = Url::parse(url)?;
        if url.scheme() == "https" || self.on_this_machine && url.scheme() == "http" && is_loopback(&url) {
            Ok(())
        } else {
            Err("an endpoint is not reached over TLS".into())
        }
    }

    pub(crate) async fn send(&self, request: Request) -> Result<Response, HttpError> {
        self.demand_safe(&request.uri().to_string()).map_err(HttpError)?;
        let answer = self.http.send(request).await?;
        let status = answer.status();
        if status.is_server_error() || status == http::StatusCode::TOO_MANY_REQUESTS {
            return Err(HttpError(format!("the answer is {status}").into()));
        }
        Ok(answer)
    }
}

/// Whether a URL leads to this machine.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
