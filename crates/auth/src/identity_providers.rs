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
use tenantry_domain::{environment::Environment, identities::ExternalIdentity, ids::ConnectionId, keywords};
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
    /// Where it is an organization's own: an address of which it does not say whether it has seen whose it is counts as one that it
    /// has, since the organization is the authority over those that count at all.
    pub connection: Option<ConnectionId>,
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

    /// Asks who it is, where that is not known.
    ///
    /// # Errors
    /// [`ProviderError::Unavailable`], also where it is another or cannot be signed in through safely.
    pub async fn discover(&self, http: &dyn HttpClient, environment: &Environment) -> Result<(), ProviderError> {
        let http = Guarded::new(http, &self.settings.issuer);
        self.authorization_endpoint(&http, environment).await.map(|_| ())
    }

    async fn authorization_endpoint(
        &self,
        http: &Guarded<'_>,
        environment: &Environment,
    ) -> Result<Url, ProviderError> {
        if self.settings.preset == Preset::GitHub {
            return Ok(github::Endpoints::of(&self.settings)?.authorization);
        }
        let known = self.openid.known(&self.settings, http, environment).await?;
        let endpoint = known.authorization_endpoint();
        http.demand_safe(endpoint.as_str())
            .map_err(ProviderError::Unavailable)?;
        Ok(endpoint.clone())
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
        let mut url = self.authorization_endpoint(&http, environment).await?;
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

/// The most bytes of an issuer.
pub const MAX_ISSUER: usize = 512;

/// Whether a text can be the issuer of an OpenID provider (OpenID Connect Discovery 1.0, section 4.1), reached over TLS unless it is on this
/// machine.
#[must_use]
pub fn is_issuer(text: &str) -> bool {
    // Parsers of URLs leave out or mend what is none of its characters, which an issuer, compared to the character, does not survive.
    if text.len() > MAX_ISSUER || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return false;
    }
    Url::parse(text).is_ok_and(|url| {
        let is_safe = url.scheme() == "https" || url.scheme() == "http" && is_loopback(&url);
        let is_bare = url.query().is_none() && url.fragment().is_none();
        is_safe && is_bare && url.has_host() && url.username().is_empty() && url.password().is_none()
    })
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

#[cfg(test)]
mod tests {
    use super::{MAX_ISSUER, is_issuer};

    #[test]
    fn an_issuer_is_a_bare_url_over_tls() {
        for good in [
            "https://login.example.com",
            "https://login.example.com/",
            "https://login.example.com:8443/realms/acme",
            "http://localhost:8080",
            "http://127.0.0.1:8080/",
            "http://[::1]/",
        ] {
            assert!(is_issuer(good), "{good}");
        }
        for bad in [
            "",
            "login.example.com",
            "http://login.example.com",
            "ftp://localhost/",
            "https://",
            "https://login.example.com/?tenant=acme",
            "https://login.example.com/#here",
            "https://olivia@login.example.com/",
            "https://olivia:secret@login.example.com/",
            " https://login.example.com",
            "https://login.example.com/\n",
            "https://login.exa\tmple.com/",
            "https://münchen.example/",
        ] {
            assert!(!is_issuer(bad), "{bad:?}");
        }
        let long = |length: usize| {
            let start = "https://login.example.com/";
            format!("{start}{}", "a".repeat(length - start.len()))
        };
        assert!(is_issuer(&long(MAX_ISSUER)));
        assert!(!is_issuer(&long(MAX_ISSUER + 1)));
    }
}
