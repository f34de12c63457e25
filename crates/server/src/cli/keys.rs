//! The command line of `tenantry keys`.

use clap::{Args, Subcommand};
use tenantry_auth::keys::rotation::KEPT_DAYS;

/// What can be done with signing keys.
#[derive(Debug, Clone, Subcommand)]
pub enum Keys {
    /// List the signing keys: which one signs, which are to sign, which are kept for what they signed
    #[command(after_help = LIST_HELP)]
    List,
    /// Make the next signing key, and remove those whose signatures have expired. Servers and workers follow by themselves
    #[command(after_help = ROTATE_HELP)]
    Rotate(RotateKeys),
}

/// Options of `tenantry keys rotate`.
#[derive(Debug, Clone, Copy, Args)]
pub struct RotateKeys {
    /// Have the new key sign now instead of in an hour: where the present one has leaked, or with a single node
    #[arg(long)]
    pub at_once: bool,
    /// For how many days a key is kept after the last that it signed, 1 to 365. What it signed lives for 7 days at most
    #[arg(long, value_name = "DAYS", default_value_t = KEPT_DAYS, value_parser = clap::value_parser!(u16).range(1..=365))]
    pub keep_days: u16,
}

const LIST_HELP: &str = "\
Needs TENANTRY_SIGNING_KEYS, a file or a folder of them. Prints for each key its id, its algorithm, its file, and what it does.

Example:
  tenantry keys list";

const ROTATE_HELP: &str = "\
Needs TENANTRY_SIGNING_KEYS, a folder that can be written to, and TENANTRY_ENCRYPTION_KEYS, another one: without it, a key that is
removed takes secrets of authenticator apps with it. One that was there before those stays, and is told.

Nobody is signed out, unless `--keep-days` is less than 8: then tokens beside refresh cookies and invitations end that are still good.
A leaked key is accepted until its file is removed. After `--at-once`, other nodes refuse what the new key signs for up to 10 seconds, and
whoever else verifies tokens does until the JSON Web Key Set is read again, which is 5 minutes at most.

Examples:
  tenantry keys rotate
  tenantry keys rotate --at-once";
