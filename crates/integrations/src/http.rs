//! HTTP clients for all that is asked of others: bounded in time and size, without redirects, cookies or proxies of the
//! environment.
//!
//! Whom [`HttpClient::new`] asks is named by the operator's configuration, so that addresses of private networks are none to be
//! kept from. Whom [`HttpClient::to_public`] asks is named by people who administer an organization: it reaches the public
//! internet, and of other networks what the operator allows.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use http::{Request, Response};
use ipnetwork::IpNetwork;
use reqwest::redirect::Policy;

use self::public::Public;
use crate::dns::Dns;

mod public;

pub use self::public::Refused;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long an answer may take as a whole, and the most bytes of one.
const TIMEOUT: Duration = Duration::from_secs(10);
const MAX_BYTES: usize = 1024 * 1024;

/// The same of those who are named by people who administer an organization, of which there are many.
const MAX_PUBLIC_BYTES: usize = 128 * 1024;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// Nobody is there, or it took too long.
    #[error("nobody answers in time")]
    Transport(#[source] reqwest::Error),
    /// Whoever is there is not on the public internet, or in another network that may be reached.
    #[error(transparent)]
    NotPublic(#[from] Refused),
    /// The answer is too large.
    #[error("the answer has more than {0} bytes")]
    TooLarge(usize),
    /// The answer is none that can be handed on.
    #[error("the answer is malformed")]
    Malformed(#[from] http::Error),
}

impl From<reqwest::Error> for HttpError {
    fn from(error: reqwest::Error) -> Self {
        if Refused::is_behind(&error) {
            return Self::NotPublic(Refused);
        }
        // A URL may hold what is nobody's business.
        Self::Transport(error.without_url())
    }
}

/// Asks others over HTTP; one for a process and kind.
#[derive(Debug, Default)]
pub struct HttpClient {
    client: OnceLock<reqwest::Client>,
    /// What it may reach, where that is not all.
    public: Option<Arc<Public>>,
}

impl HttpClient {
    /// A client, which reads the system's certificates when it first asks: most never do.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, which connects to addresses of the public internet and of the networks that are allowed, and to no other. A name
    /// is resolved once, by `dns`, and what is connected to is what it was resolved to.
    #[must_use]
    pub fn to_public(allowed: Vec<IpNetwork>, dns: Dns) -> Self {
        Self {
            client: OnceLock::new(),
            public: Some(Arc::new(Public::new(allowed, dns))),
        }
    }

    fn client(&self) -> Result<&reqwest::Client, HttpError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let mut builder = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .redirect(Policy::none())
            .no_proxy()
            .user_agent("tenantry");
        if let Some(public) = &self.public {
            builder = builder.dns_resolver(Arc::clone(public));
        }
        let client = builder.build()?;
        Ok(self.client.get_or_init(|| client))
    }

    /// Asks, and reads the answer to its end.
    ///
    /// # Errors
    /// [`HttpError`].
    pub async fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, HttpError> {
        let request: reqwest::Request = request.try_into()?;
        if let Some(public) = &self.public {
            public.check(request.url())?;
        }
        let mut answer = self.client()?.execute(request).await?;
        let most = if self.public.is_some() {
            MAX_PUBLIC_BYTES
        } else {
            MAX_BYTES
        };
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            if body.len() + chunk.len() > most {
                return Err(HttpError::TooLarge(most));
            }
            body.extend_from_slice(&chunk);
        }
        let mut response = Response::builder().status(answer.status()).body(body)?;
        *response.headers_mut() = std::mem::take(answer.headers_mut());
        Ok(response)
    }
}

#[cfg(test)]
mod tests;
