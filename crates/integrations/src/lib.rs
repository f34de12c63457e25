//! Whom we call: mail servers, the DNS, and others over HTTP.
//!
//! Nothing here decides whether to call; what is asked for is carried out, within a limit of time, and the answer says
//! whether trying again makes sense. To add one: a module of its own, whose credentials are
//! [`secrecy::SecretString`]s, whose errors name neither a credential nor a person, and whose every call has a timeout.

pub mod dns;
pub mod http;
pub mod mail;
