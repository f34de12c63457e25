//! Proves who is calling: passwords, second factors, signing keys, access tokens, refresh tokens, mailed links, signatures on
//! what clients carry back; and seals what is secret and must be read again.
//!
//! Nothing here asks a database, and a network only by a client that is handed in ([`http_client`]); what is stored about a
//! secret is handed in, the verdict is handed out.
//! To add a way of proving an identity: a module of its own, whose secrets are [`secrecy::SecretString`]s or types that
//! print nothing, whose time and randomness come from [`tenantry_domain::environment::Environment`], and whose
//! decisions are plain functions of what was stored, what was presented and the present moment.

pub mod access_tokens;
pub mod csrf;
pub mod http_client;
pub mod identity_providers;
pub mod keys;
pub mod mailed_links;
pub mod opaque_tokens;
pub mod passkeys;
pub mod passwords;
pub mod recovery_codes;
pub mod refresh_tokens;
pub mod second_step;
pub mod signatures;
pub mod text_records;
pub mod totp;
pub mod trusted_devices;
pub mod trusted_issuers;
pub mod vault;

#[cfg(test)]
mod test_environment;
