//! What the command line asks for.

use std::ffi::OsString;

use anyhow::{Context as _, bail};

use crate::outside::Check;

/// What `cargo xtask help` prints.
pub(crate) const HELP: &str = "\
The commands of a developer's day

Usage: cargo xtask <command>

  dev [arguments]        Builds Tenantry and runs it on this machine, with a database of its own;
                         the arguments are those of `tenantry dev`
  test [-- arguments]    Formatting, lints, all tests, and whether openapi/openapi.json is up to date;
                         the arguments are those of `cargo test`
  test --outside         The same, and then what is checked from outside, installing what that needs: a typed
                         client (client), mail through a mail server (mail), the documentation in a browser
                         (browser), requests that nobody would send (fuzzer), the tests through a pooler (pooler);
                         `--outside=client` is that one alone
  audit                  Licences, duplicate and banned crates, and where crates come from
  openapi                Writes openapi/openapi.json
  help                   Prints this

Variables:
  TENANTRY_POSTGRES_BIN  The folder of PostgreSQL's programs (initdb, postgres, pg_ctl)
  TENANTRY_REDIS_BIN     The folder of redis-server
  TENANTRY_TOOLS_DIR     Where `audit` keeps the tool that it builds once; .tools when not set

What is needed and not installed is installed with apt (Debian, Ubuntu) or brew (macOS).
";

/// A command with its arguments.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Task {
    Help,
    /// With the arguments for `tenantry dev`.
    Dev(Vec<OsString>),
    /// With the arguments for `cargo test`.
    Test {
        outside: Outside,
        arguments: Vec<OsString>,
    },
    Audit,
    OpenApi,
}

/// Reads the arguments that follow the program's name.
pub(crate) fn parse(mut arguments: impl Iterator<Item = OsString>) -> anyhow::Result<Task> {
    let Some(name) = arguments.next() else {
        return Ok(Task::Help);
    };
    let rest: Vec<OsString> = arguments.collect();
    let task = match name.to_str() {
        Some("help" | "--help" | "-h") => Task::Help,
        Some("dev") => return Ok(Task::Dev(rest)),
        Some("test") => return tests(rest),
        Some("audit") => Task::Audit,
        Some("openapi") => Task::OpenApi,
        _ => bail!("there is no command `{}`; see `cargo xtask help`", name.display()),
    };
    match rest.first() {
        Some(extra) => bail!("`{}` takes no argument `{}`", name.display(), extra.display()),
        None => Ok(task),
    }
}

/// What is checked from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outside {
    None,
    /// After everything else.
    All,
    /// This, and nothing else.
    Only(Check),
}

fn tests(mut rest: Vec<OsString>) -> anyhow::Result<Task> {
    let outside = match rest.first().and_then(|first| first.to_str()) {
        Some("--outside") => Outside::All,
        Some(first) if first.starts_with("--outside=") => {
            let name = first.trim_start_matches("--outside=");
            let check = Check::ALL.into_iter().find(|check| check.name() == name);
            Outside::Only(check.with_context(|| format!("there is no check `{name}`; see `cargo xtask help`"))?)
        }
        _ => Outside::None,
    };
    if outside != Outside::None {
        rest.remove(0);
    }
    let arguments = tests_own(rest)?;
    if matches!(outside, Outside::Only(_)) && !arguments.is_empty() {
        bail!("one check from outside takes no arguments of `cargo test`");
    }
    Ok(Task::Test { outside, arguments })
}

/// The two dashes are asked for so that the steps before the tests may get arguments of their own one day.
fn tests_own(mut rest: Vec<OsString>) -> anyhow::Result<Vec<OsString>> {
    match rest.first() {
        None => Ok(rest),
        Some(first) if first == "--" => Ok(rest.split_off(1)),
        Some(first) => bail!(
            "put `--` before `{}`: what follows goes to `cargo test`",
            first.display()
        ),
    }
}

#[cfg(test)]
mod tests;
