//! `cargo xtask test`: everything that a change must pass.

use std::ffi::OsString;

use crate::{
    arguments::Outside,
    openapi,
    outside::{self, Check},
    requirements, steps,
    surroundings::Surroundings,
};

/// Runs the steps, the quick ones first; the first that fails ends it.
pub(crate) fn run(surroundings: &Surroundings, outside: Outside, arguments: &[OsString]) -> anyhow::Result<()> {
    let found = requirements::meet(surroundings)?;
    if let Outside::Only(check) = outside {
        build(surroundings)?;
        return outside::run(surroundings, &found, &[check]);
    }
    steps::run("formatting", &mut surroundings.cargo("fmt --all --check"))?;
    let lints = "clippy --workspace --all-targets --locked -- -D warnings";
    steps::run("lints", &mut surroundings.cargo(lints))?;
    build(surroundings)?;
    let mut tests = surroundings.cargo("test --workspace --locked");
    steps::run("tests", tests.args(arguments).envs(found.clone()))?;
    openapi::check(surroundings)?;
    match outside {
        Outside::All => outside::run(surroundings, &found, &Check::ALL),
        Outside::None | Outside::Only(_) => Ok(()),
    }
}

fn build(surroundings: &Surroundings) -> anyhow::Result<()> {
    // All targets: the binaries alone would be built with other features than the tests, most crates twice.
    steps::run(
        "build",
        &mut surroundings.cargo("build --workspace --all-targets --locked"),
    )
}
