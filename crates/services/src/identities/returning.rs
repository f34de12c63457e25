//! A browser goes to a provider, and comes back from there. Nothing is stored on the way.

use std::time::Duration;

use secrecy::ExposeSecret as _;
use tenantry_auth::identity_providers::{
    Provider, ProviderError, Returned,
    codes::SignInCode,
    flow::{BrowserToken, Flow, Wanted},
};
use tokio::time::timeout;
use url::Url;

use crate::{
    Services,
    error::{Error, Result},
};

/// How long a provider may take with all that it is asked in one go.
const PATIENCE: Duration = Duration::from_secs(10);

/// What an app is told that sent its browser out: the words of RFC 6749, section 4.1.2.1.
const ACCESS_DENIED: &str = "access_denied";
const UNAVAILABLE: &str = "temporarily_unavailable";
const SERVER_ERROR: &str = "server_error";

/// What a browser brings back from a provider.
pub struct Answered<'a> {
    /// What was sealed when it left.
    pub state: &'a str,
    /// What the provider's token is had for.
    pub code: Option<&'a str>,
    /// Why there is no code.
    pub error: Option<&'a str>,
    /// Who says so.
    pub issuer: Option<&'a str>,
}

impl Services {
    /// Whether a browser may be sent there in the end: to one of the URIs that are configured, to the character.
    #[must_use]
    pub fn is_redirect_uri(&self, uri: &str) -> bool {
        self.settings().redirect_uris.iter().any(|known| known == uri)
    }

    /// Where a browser goes to sign in at a provider. Where the provider is away, that is back to the app.
    ///
    /// # Errors
    /// When the state cannot be sealed.
    #[tracing::instrument(skip_all, fields(provider = provider.settings().key))]
    pub async fn leave_for_provider(
        &self,
        provider: &Provider,
        wanted: Wanted,
        login_hint: Option<&str>,
        browser: &BrowserToken,
    ) -> Result<String> {
        let key = &provider.settings().key;
        let flow = Flow::begin(key, wanted, browser, self.environment());
        let state = flow
            .seal(&self.settings().carried, self.environment())
            .map_err(Error::internal)?;
        let callback = self.callback_of(key);
        let url = provider.authorization_url(
            self.http_of(key),
            self.environment(),
            &flow,
            &state,
            &callback,
            login_hint,
        );
        match in_time(url).await {
            Ok(url) => Ok(url.into()),
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "a provider is not available");
                back_to_app(flow.wanted(), [("error", UNAVAILABLE)])
            }
        }
    }

    /// Where a browser goes that comes back from a provider: to the app, with a code of whom the provider vouches for, or with an
    /// error. `None` where it is not the browser that left, or it left too long ago.
    ///
    /// # Errors
    /// When the code cannot be sealed.
    #[tracing::instrument(skip_all, fields(provider = provider.settings().key))]
    pub async fn return_from_provider(
        &self,
        provider: &Provider,
        browser: Option<&BrowserToken>,
        answered: Answered<'_>,
    ) -> Result<Option<String>> {
        let key = &provider.settings().key;
        let now = self.environment().now();
        let vault = &self.settings().carried;
        let Some(flow) = browser.and_then(|browser| Flow::open(vault, answered.state, key, browser, now)) else {
            tracing::warn!("a browser came back from a provider with a state that is none of its own");
            return Ok(None);
        };
        // It was looked at when the browser left, and may have gone from the configuration since.
        if !self.is_redirect_uri(&flow.wanted().redirect_uri) {
            return Ok(None);
        }
        let code = match (answered.error, answered.code) {
            (None, Some(code)) => code,
            (error, _) => {
                let told = match error {
                    Some(ACCESS_DENIED) => ACCESS_DENIED,
                    Some(UNAVAILABLE) => UNAVAILABLE,
                    _ => SERVER_ERROR,
                };
                tracing::warn!(told, "a provider vouched for nobody");
                return back_to_app(flow.wanted(), [("error", told)]).map(Some);
            }
        };
        let returned = Returned {
            code,
            issuer: answered.issuer,
        };
        let callback = self.callback_of(key);
        let identity = provider.complete(self.http_of(key), self.environment(), &flow, &callback, &returned);
        let identity = match in_time(identity).await {
            Ok(identity) => identity,
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "a provider vouched for nobody"
                );
                let told = match error {
                    ProviderError::Unavailable(_) => UNAVAILABLE,
                    ProviderError::Refused(_) => SERVER_ERROR,
                };
                return back_to_app(flow.wanted(), [("error", told)]).map(Some);
            }
        };
        let challenge = flow.wanted().code_challenge.clone();
        let code = SignInCode::issue(vault, self.environment(), identity, challenge).map_err(Error::internal)?;
        back_to_app(flow.wanted(), [("code", code.expose_secret())]).map(Some)
    }

    /// Where a provider sends browsers back to.
    pub(crate) fn callback_of(&self, key: &str) -> String {
        format!("{}/api/v1/auth/oidc/{key}/callback", self.link_base())
    }
}

/// What a provider comes to, unless it takes too long with all that it is asked.
pub(crate) async fn in_time<T>(asked: impl Future<Output = Result<T, ProviderError>>) -> Result<T, ProviderError> {
    let done = timeout(PATIENCE, asked).await;
    done.unwrap_or_else(|_| Err(ProviderError::Unavailable("it takes too long".into())))
}

/// The app's own URI, with what it is told.
fn back_to_app(wanted: &Wanted, told: [(&str, &str); 1]) -> Result<String> {
    let mut uri = Url::parse(&wanted.redirect_uri).map_err(Error::internal)?;
    let state = wanted.state.as_deref().map(|state| ("state", state));
    uri.query_pairs_mut().extend_pairs(told.into_iter().chain(state));
    Ok(uri.into())
}
