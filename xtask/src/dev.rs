//! `cargo xtask dev`: Tenantry on this machine, with nothing to set up.

use std::{ffi::OsString, os::unix::process::CommandExt as _};

use anyhow::Context as _;

use crate::{requirements, steps, surroundings::Surroundings};

/// Builds the binary and becomes it, so that Ctrl-C, SIGTERM and its exit code are its own.
pub(crate) fn run(surroundings: &Surroundings, arguments: &[OsString]) -> anyhow::Result<()> {
    let found = requirements::meet(surroundings)?;
    // The whole workspace, because building one package alone selects other features and then builds most crates anew.
    steps::run("build", &mut surroundings.cargo("build --workspace --bins --locked"))?;
    let mut tenantry = surroundings.tenantry(&["dev"]);
    let error = tenantry.args(arguments).envs(found).exec();
    Err(error).with_context(|| format!("running {}", steps::shown(&tenantry)))
}
