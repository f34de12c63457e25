//! The shared test kit: a real database, the real application on a real socket, a client from outside.
//!
//! To test behaviour, add a module to `suite/` that starts a [`TestApp`](app::TestApp) on a
//! [`TestDatabase`](database::TestDatabase) and speaks to it through a [`Client`](client::Client).

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a kit for tests: what goes wrong here is a failed test"
)]

pub mod app;
pub mod authenticator;
pub mod client;
pub mod database;
pub mod dns_server;
pub mod environment;
mod http_server;
pub mod identity_provider;
pub mod passkey;
pub mod scene;
mod signing_keys;
pub mod statements;
pub mod token_issuer;
pub mod wire;
