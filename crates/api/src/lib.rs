//! HTTP only: routes by resource, extractors, middleware, envelopes, OpenAPI.
//!
//! A handler says all it needs in its signature and does three things: parse, one service call, typed reply. The line that
//! declares its route declares its document. `docs/adding-an-endpoint.md` shows how to add one.

mod body;
mod cookies;
mod cursors;
mod errors;
mod etags;
mod fields;
mod guard;
mod idempotency;
mod limits;
mod listing;
mod middleware;
mod openapi;
mod parameters;
#[doc(hidden)]
pub mod parsers;
mod reply;
mod resources;
mod router;
mod rules;
mod server;
mod timestamps;
mod transport;
mod words;

pub use errors::ErrorCode;
pub use openapi::openapi_json;
pub use server::{Running, Settings, start};
