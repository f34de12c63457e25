//! The packages of Python that a check is written with, exactly those of its list.

use std::{fs, path::Path, process::Command};

use anyhow::Context as _;

use crate::steps;

/// Makes the environment of exactly these packages, unless it was made of them before.
pub(super) fn install(environment: &Path, requirements: &Path) -> anyhow::Result<()> {
    let wanted = fs::read(requirements).with_context(|| format!("reading {}", requirements.display()))?;
    let made_of = environment.join("made-of.txt");
    if fs::read(&made_of).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    let mut make = Command::new("python3");
    steps::run(
        "Python environment",
        make.args(["-m", "venv", "--clear"]).arg(environment),
    )?;
    let mut pip = Command::new(environment.join("bin/pip"));
    pip.args([
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--requirement",
    ]);
    steps::run("packages of Python", pip.arg(requirements))?;
    fs::write(&made_of, wanted).with_context(|| format!("writing {}", made_of.display()))
}
