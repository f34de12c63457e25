//! What is checked from outside, with tools that were not written here, on a built server.
//!
//! To add a check: a variant of [`Check`] with its name, what it needs installed in [`Check::needs`], and a file beside
//! this one that runs it. A check that cannot run fails: nothing is skipped.

mod browser;
mod client;
mod fuzzer;
mod identity_provider;
mod mail;
mod node;
mod pooler;
mod port;
mod python;
mod server;

use std::{fs, path::PathBuf};

use anyhow::{Context as _, bail};

use crate::{packages::Package, requirements, requirements::Variables, surroundings::Surroundings};

/// A check from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Check {
    /// A typed client of the committed document, and the document's lint.
    Client,
    /// Mail through a mail server.
    Mail,
    /// The documentation in a browser.
    Browser,
    /// Requests that nobody would send.
    Fuzzer,
    /// The test suite through a pooler.
    Pooler,
}

impl Check {
    /// All of them, the quick ones first.
    pub(crate) const ALL: [Self; 5] = [Self::Client, Self::Mail, Self::Browser, Self::Fuzzer, Self::Pooler];

    /// What `--outside=` calls it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Mail => "mail",
            Self::Browser => "browser",
            Self::Fuzzer => "fuzzer",
            Self::Pooler => "pooler",
        }
    }

    const fn needs(self) -> &'static [Package] {
        match self {
            Self::Client => &[Package::Node],
            Self::Mail => &[Package::Python],
            Self::Browser => &[Package::Node, Package::Chromium],
            Self::Fuzzer => &[Package::Python, Package::Node],
            Self::Pooler => &[Package::PgBouncer],
        }
    }
}

/// Runs the checks, after installing what they need. The workspace has been built.
pub(crate) fn run(surroundings: &Surroundings, found: &Variables, checks: &[Check]) -> anyhow::Result<()> {
    let mut needed: Vec<Package> = Vec::new();
    for package in checks.iter().flat_map(|check| check.needs()) {
        if !needed.contains(package) {
            needed.push(*package);
        }
    }
    requirements::meet_outside(surroundings, &needed)?;
    for check in checks {
        let place = Place::new(surroundings, *check)?;
        match check {
            Check::Client => client::run(surroundings, found, &place),
            Check::Mail => mail::run(surroundings, found, &place),
            Check::Browser => browser::run(surroundings, found, &place),
            Check::Fuzzer => fuzzer::run(surroundings, found, &place),
            Check::Pooler => pooler::run(surroundings, found),
        }?;
    }
    Ok(())
}

/// Where a check has its programs, and leaves what it made.
struct Place {
    /// The folder of what is run.
    sources: PathBuf,
    /// The folder of what came of it, empty when the check begins.
    results: PathBuf,
    /// What is kept from run to run.
    kept: PathBuf,
}

impl Place {
    fn new(surroundings: &Surroundings, check: Check) -> anyhow::Result<Self> {
        let kept = surroundings.root.join("target/outside");
        let results = kept.join(check.name());
        if results.exists() {
            fs::remove_dir_all(&results).with_context(|| format!("emptying {}", results.display()))?;
        }
        fs::create_dir_all(&results).with_context(|| format!("making {}", results.display()))?;
        let sources = surroundings.root.join("tests/outside");
        if !sources.exists() {
            bail!("{} is not there", sources.display());
        }
        Ok(Self { sources, results, kept })
    }
}
