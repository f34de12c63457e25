//! The programs that must be on the machine: found, or installed, or named.

use std::path::PathBuf;

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
