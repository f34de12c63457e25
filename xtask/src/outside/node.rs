//! The packages of Node that the checks are written with, exactly those of the lock file.

use std::{fs, process::Command};

use anyhow::Context as _;

use super::Place;
use crate::steps;

/// Installs them, unless those of this lock file are there.
pub(super) fn install(place: &Place) -> anyhow::Result<()> {
    let lock = place.sources.join("package-lock.json");
    let wanted = fs::read(&lock).with_context(|| format!("reading {}", lock.display()))?;
    let made_of = place.sources.join("node_modules/.made-of.json");
    if fs::read(&made_of).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    // None of them needs its scripts: what they would fetch or report is not asked for.
    let mut install = npm(place);
    steps::run(
        "packages of Node",
        install.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]),
    )?;
    fs::write(&made_of, wanted).with_context(|| format!("writing {}", made_of.display()))
}

/// `npm` in the folder of the checks.
pub(super) fn npm(place: &Place) -> Command {
    let mut npm = Command::new("npm");
    npm.current_dir(&place.sources);
    npm
}
