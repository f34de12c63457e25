//! What the program does, a file for each command.
//!
//! A command loads the configuration for its [`Purpose`](crate::configuration::Purpose), does one thing, writes its
//! result to standard output, and returns an exit code or the error that decides it ([`crate::exit_code`]).

pub mod config;
pub mod dev;
pub mod doctor;
pub mod health;
pub mod keys;
pub mod mail;
pub mod migrate;
pub mod openapi;
pub mod seed;
pub mod serve;
pub mod user;
pub mod worker;

use anyhow::Context as _;
use secrecy::SecretString;

/// A setting that loading the configuration has made sure of.
fn required(value: Option<SecretString>) -> anyhow::Result<SecretString> {
    value.context("a required setting is missing from a configuration that was checked")
}
