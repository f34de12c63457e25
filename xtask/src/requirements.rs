//! The programs that must be on the machine: found, or installed, or named.

use std::{path::PathBuf, process::Command};

use anyhow::{Context as _, bail};

use crate::{
    packages::{self, Package},
    programs::{NotFound, PostgresPrograms, find_redis},
    surroundings::Surroundings,
};

/// The variable that tells a child process where PostgreSQL's programs were found.
const FOUND_IN: &str = "TENANTRY_POSTGRES_BIN";

/// What was found, for [`Command::envs`](std::process::Command::envs).
pub(crate) type Variables = [(&'static str, PathBuf); 1];

/// Finds the programs, after installing those that are missing.
///
/// # Errors
/// When something is missing and cannot be installed from here, with what to install.
pub(crate) fn meet(surroundings: &Surroundings) -> anyhow::Result<Variables> {
    let (postgres, redis) = look(surroundings);
    let missing = missing(&postgres, &redis)?;
    if missing.is_empty() {
        return Ok([(FOUND_IN, postgres?.folder)]);
    }
    packages::install(&missing)?;
    match look(surroundings) {
        (Ok(postgres), Ok(_)) => Ok([(FOUND_IN, postgres.folder)]),
        (Err(problem), _) | (_, Err(problem)) => {
            eprintln!("{}", packages::advice(&missing));
            Err(problem).context("the installation did not help")
        }
    }
}

/// Finds the programs that checks from outside are made with, after installing those that are missing.
///
/// # Errors
/// When something is missing and cannot be installed from here, with what to install.
pub(crate) fn meet_outside(surroundings: &Surroundings, needed: &[Package]) -> anyhow::Result<()> {
    let lacking = || -> Vec<Package> {
        needed
            .iter()
            .copied()
            .filter(|package| !is_there(surroundings, *package))
            .collect()
    };
    let missing = lacking();
    if missing.is_empty() {
        return Ok(());
    }
    packages::install(&missing)?;
    let missing = lacking();
    if missing.is_empty() {
        return Ok(());
    }
    bail!("the installation did not help\n{}", packages::advice(&missing))
}

fn is_there(surroundings: &Surroundings, package: Package) -> bool {
    match package {
        Package::Postgres | Package::Redis => true,
        Package::Node => succeeds("node", &["-e", NODE_IS_NEW]) && succeeds("npm", &["--version"]),
        Package::Python => succeeds("python3", &["-c", PYTHON_IS_NEW]),
        Package::Chromium => chromium(surroundings).is_ok(),
        Package::PgBouncer => PGBOUNCER.iter().any(|program| succeeds(program, &["--version"])),
    }
}

const NODE_IS_NEW: &str = "process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)";

const PYTHON_IS_NEW: &str = "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))";

/// Debian keeps it where the `PATH` of people does not lead.
const PGBOUNCER: [&str; 2] = ["pgbouncer", "/usr/sbin/pgbouncer"];

/// The browser.
///
/// # Errors
/// When there is none.
pub(crate) fn chromium(surroundings: &Surroundings) -> anyhow::Result<PathBuf> {
    let folders: Vec<PathBuf> = surroundings
        .path
        .iter()
        .flat_map(std::env::split_paths)
        .chain([PathBuf::from("/Applications/Chromium.app/Contents/MacOS")])
        .collect();
    ["chromium", "chromium-browser", "google-chrome", "Chromium"]
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|program| program.is_file())
        .context("there is no Chromium in PATH")
}

fn succeeds(program: &str, arguments: &[&str]) -> bool {
    let answer = Command::new(program).args(arguments).output();
    answer.is_ok_and(|answer| answer.status.success())
}

fn look(surroundings: &Surroundings) -> (Result<PostgresPrograms, NotFound>, Result<PathBuf, NotFound>) {
    (
        PostgresPrograms::find(surroundings.places(surroundings.postgres.as_deref())),
        find_redis(surroundings.places(surroundings.redis.as_deref())),
    )
}

/// What to install; a configured folder that does not fit is an error to correct, not a thing to install.
fn missing<A, B>(postgres: &Result<A, NotFound>, redis: &Result<B, NotFound>) -> anyhow::Result<Vec<Package>> {
    let mut missing = Vec::new();
    let problems = [
        (Package::Postgres, FOUND_IN, postgres.as_ref().err()),
        (Package::Redis, "TENANTRY_REDIS_BIN", redis.as_ref().err()),
    ];
    for (package, variable, problem) in problems {
        let Some(problem) = problem else { continue };
        if problem.configured.is_some() {
            bail!("{variable}: {problem}");
        }
        eprintln!("{problem}");
        missing.push(package);
    }
    Ok(missing)
}

#[cfg(test)]
mod tests;
