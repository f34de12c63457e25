//! `cargo xtask audit`: what the crates we depend on are licensed as, which are banned, where they come from.
//!
//! The rules are in `deny.toml`. Known vulnerabilities are not looked up: that needs the network and changes from day
//! to day, so it has no place in a command that must give the same answer twice.

use std::{fs, io, path::Path, process::Command};

use anyhow::Context as _;

use crate::{steps, surroundings::Surroundings};

/// A newer one may know new rules: adopt it together with the `deny.toml` that satisfies it.
const VERSION: &str = "0.20.2";

/// Builds cargo-deny into the folder of tools when it is not there yet, then runs it.
pub(crate) fn run(surroundings: &Surroundings) -> anyhow::Result<()> {
    let tools = std::path::absolute(&surroundings.tools).context("resolving the folder of tools")?;
    let program = tools.join("bin/cargo-deny");
    if !is_installed(&program) {
        install(surroundings, &tools)?;
    }
    let mut audit = Command::new(program);
    audit.arg("--manifest-path").arg(surroundings.root.join("Cargo.toml"));
    audit.arg("--config").arg(surroundings.root.join("deny.toml"));
    audit.args(["--workspace", "--all-features", "--locked"]);
    steps::run("audit", audit.args(["check", "licenses", "bans", "sources"]))
}

fn is_installed(program: &Path) -> bool {
    let answer = Command::new(program).arg("--version").output();
    answer.is_ok_and(|answer| String::from_utf8_lossy(&answer.stdout).trim_end() == format!("cargo-deny {VERSION}"))
}

fn install(surroundings: &Surroundings, tools: &Path) -> anyhow::Result<()> {
    eprintln!(
        "Building cargo-deny {VERSION} into {}, once; this takes some minutes.",
        tools.display()
    );
    // Not in our own target folder: its features and profile are others, and it is not needed there again.
    let target = tools.join("target");
    let mut install = surroundings.cargo("install cargo-deny --locked --force --version");
    install
        .arg(VERSION)
        .arg("--root")
        .arg(tools)
        .env("CARGO_TARGET_DIR", &target);
    let installed = steps::run("install cargo-deny", &mut install);
    match fs::remove_dir_all(&target) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            installed.and(Err(error).with_context(|| format!("removing {}", target.display())))
        }
        Ok(()) | Err(_) => installed,
    }
}
