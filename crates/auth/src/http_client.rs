//! How this crate asks others over HTTP: by a client that is handed in, which bounds the time and the size of every answer and
//! follows no redirect.

use std::{error::Error, pin::Pin};

/// What is asked.
pub type Request = http::Request<Vec<u8>>;

/// What is answered.
pub type Response = http::Response<Vec<u8>>;

/// An answer to come.
pub type Answer<'c> = Pin<Box<dyn Future<Output = Result<Response, HttpError>> + Send + 'c>>;

/// There is no answer that could be used: nobody is there, it takes too long, or it is too large.
#[derive(Debug, thiserror::Error)]
#[error("no usable answer")]
pub struct HttpError(#[source] pub Box<dyn Error + Send + Sync>);

/// Asks others over HTTP.
pub trait HttpClient: Send + Sync {
    /// Asks.
    fn send(&self, request: Request) -> Answer<'_>;
}
