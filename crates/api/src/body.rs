//! Bodies: read by those who may act, bounded in size, time and depth.

use std::{future::Future, time::Duration};

use actix_web::{HttpRequest, dev::Payload, http::Method, http::header, web::Bytes};
use futures_util::StreamExt as _;
use serde_json::Value;

use crate::{
    errors::{ApiError, ApiResult},
    fields::{Fields, FromFields},
};

/// The most bytes of a body.
pub(crate) const MAX_BYTES: usize = 1024 * 1024;

/// The most levels of arrays and objects in one another.
pub(crate) const MAX_DEPTH: usize = 32;

/// How long a client may take to send one.
const MAX_TIME: Duration = Duration::from_secs(15);

/// A body that has not been read yet.
pub(crate) struct UnreadBody {
    payload: Payload,
    media_type: MediaType,
    announced: Option<u64>,
    /// Whether its length is told by its end.
    chunked: bool,
}

/// A body that has been read, and what it says.
pub(crate) struct Body<T> {
    /// What it says.
    pub(crate) value: T,
    /// The bytes that said it.
    pub(crate) bytes: Bytes,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum MediaType {
    Json,
    /// Something else; `patch` tells what would have been taken.
    Other {
        patch: bool,
    },
}

impl UnreadBody {
    pub(crate) fn new(request: &HttpRequest, payload: &mut Payload) -> Self {
        let patch = request.method() == Method::PATCH;
        let content_type = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        let essence = content_type.map(|value| value.split(';').next().unwrap_or_default().trim());
        let is = |name: &str| essence.is_some_and(|essence| essence.eq_ignore_ascii_case(name));
        // Compressed bodies could be anything once they are unpacked, and so are not taken.
        let encoded = request
            .headers()
            .get(header::CONTENT_ENCODING)
            .is_some_and(|coding| coding != "identity");
        let json = is("application/json") || patch && is("application/merge-patch+json");
        Self {
            payload: payload.take(),
            media_type: if json && !encoded {
                MediaType::Json
            } else {
                MediaType::Other { patch }
            },
            chunked: request.headers().contains_key(header::TRANSFER_ENCODING),
            announced: request
                .headers()
                .get(header::CONTENT_LENGTH)
                .and_then(|value| value.to_str().ok()?.parse().ok()),
        }
    }

    /// Whether there is one at all.
    pub(crate) fn is_there(&self) -> bool {
        self.chunked || self.announced.is_some_and(|bytes| bytes > 0)
    }

    /// Reads it, once `permitted` says that the caller may act at all.
    pub(crate) async fn read_once<T: FromFields + Send + 'static>(
        self,
        permitted: impl Future<Output = Result<(), impl Into<ApiError>>>,
    ) -> ApiResult<Body<T>> {
        permitted.await.map_err(Into::into)?;
        if let MediaType::Other { patch } = self.media_type {
            let accepted = if patch {
                "application/json, application/merge-patch+json"
            } else {
                "application/json"
            };
            return Err(ApiError::UnsupportedMediaType { accepted });
        }
        let bytes = self.bytes().await?;
        let json = parse(&bytes)?;
        let value = if T::IS_SLOW {
            let decoding = tokio::task::spawn_blocking(|| Fields::decode(json)).await;
            decoding.map_err(|_| ApiError::Internal)??
        } else {
            Fields::decode(json)?
        };
        Ok(Body { value, bytes })
    }

    async fn bytes(mut self) -> ApiResult<Bytes> {
        if self.announced.is_some_and(|bytes| bytes > MAX_BYTES as u64) {
            return Err(ApiError::PayloadTooLarge);
        }
        let read = async {
            let mut whole = Vec::new();
            while let Some(chunk) = self.payload.next().await {
                let chunk = chunk.map_err(|_| ApiError::malformed("body", "The body ended before its end."))?;
                if whole.len() + chunk.len() > MAX_BYTES {
                    return Err(ApiError::PayloadTooLarge);
                }
                whole.extend_from_slice(&chunk);
            }
            Ok(Bytes::from(whole))
        };
        tokio::time::timeout(MAX_TIME, read)
            .await
            .unwrap_or_else(|_| Err(ApiError::malformed("body", "The body did not arrive in time.")))
    }
}

fn parse(bytes: &[u8]) -> ApiResult<Value> {
    if is_deeper_than(bytes, MAX_DEPTH) {
        return Err(ApiError::malformed(
            "body",
            format!("The body has more than {MAX_DEPTH} levels."),
        ));
    }
    serde_json::from_slice(bytes).map_err(|error| {
        // The parser's own words may quote the body: only the place is told.
        let place = format!("body:{}:{}", error.line(), error.column());
        ApiError::malformed(place, "The body is not JSON.")
    })
}

/// Whether arrays and objects are in one another beyond `limit`, found without recursion.
fn is_deeper_than(json: &[u8], limit: usize) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                if depth > limit {
                    return true;
                }
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests;
