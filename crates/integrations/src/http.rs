//! One HTTP client for all that is asked of others: bounded in time and size, without redirects, cookies or proxies of the
//! environment.
//!
//! Whom it asks is named by the operator's configuration, so that addresses of private networks are none to be kept from.

use std::{sync::OnceLock, time::Duration};

use http::{Request, Response};
use reqwest::redirect::Policy;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long an answer may take as a whole, and the most bytes of one.
const TIMEOUT: Duration = Duration::from_secs(10);
const MAX_BYTES: usize = 1024 * 1024;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// Nobody is there, or it took too long.
    #[error("nobody answers in time")]
    Transport(#[source] reqwest::Error),
    /// The answer is too large.
    #[error("the answer has more than {MAX_BYTES} bytes")]
    TooLarge,
    /// The answer is none that can be handed on.
    #[error("the answer is malformed")]
    Malformed(#[from] http::Error),
}

impl From<reqwest::Error> for HttpError {
    fn from(error: reqwest::Error) -> Self {
        // A URL may hold what is nobody's business.
        Self::Transport(error.without_url())
    }
}

/// Asks others over HTTP; one for a process.
#[derive(Debug, Default)]
pub struct HttpClient(OnceLock<reqwest::Client>);

impl HttpClient {
    /// A client, which reads the system's certificates when it first asks: most never do.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn client(&self) -> Result<&reqwest::Client, HttpError> {
        if let Some(client) = self.0.get() {
            return Ok(client);
        }
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .redirect(Policy::none())
            .no_proxy()
            .user_agent("tenantry")
            .build()?;
        Ok(self.0.get_or_init(|| client))
    }

    /// Asks, and reads the answer to its end.
    ///
    /// # Errors
    /// [`HttpError`].
    pub async fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, HttpError> {
        let mut answer = self.client()?.execute(request.try_into()?).await?;
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            if body.len() + chunk.len() > MAX_BYTES {
                return Err(HttpError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        let mut response = Response::builder().status(answer.status()).body(body)?;
        *response.headers_mut() = std::mem::take(answer.headers_mut());
        Ok(response)
    }
}
