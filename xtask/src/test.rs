//! `cargo xtask test`: everything that a change must pass.

use std::ffi::OsString;

use crate::{openapi, requirements, steps, surroundings::Surroundings};

/// Runs the steps, the quick ones first; the first that fails ends it.
pub(crate) fn run(surroundings: &Surroundings, arguments: &[OsString]) -> anyhow::Result<()> {
    let found = requirements::meet(surroundings)?;
    steps::run("formatting", &mut surroundings.cargo("fmt --all --check"))?;
    let lints = "clippy --workspace --all-targets --locked -- -D warnings";
    steps::run("lints", &mut surroundings.cargo(lints))?;
    // All targets: the binaries alone would be built with other features than the tests, most crates twice.
    steps::run(
        "build",
        &mut surroundings.cargo("build --workspace --all-targets --locked"),
    )?;
    let mut tests = surroundings.cargo("test --workspace --locked");
    steps::run("tests", tests.args(arguments).envs(found))?;
    openapi::check(surroundings)
}
