use std::io;

use anyhow::anyhow;

use super::{ExitCode, Unavailable};
use crate::configuration::{Configuration, Purpose, Sources};

#[test]
fn a_failure_gets_the_code_of_whatever_is_among_its_causes() {
    let problems = Configuration::load(&Sources::default(), Purpose::Serve)
        .err()
        .map(anyhow::Error::from);
    let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
    for (error, code) in [
        (
            problems
                .unwrap_or_else(|| anyhow!("no problems"))
                .context("cannot start"),
            ExitCode::Configuration,
        ),
        (
            anyhow!("pool timed out")
                .context(Unavailable("the database"))
                .context("cannot start"),
            ExitCode::Unavailable,
        ),
        (
            anyhow::Error::new(refused()).context("cannot connect"),
            ExitCode::Unavailable,
        ),
        (
            anyhow::Error::new(io::Error::from(io::ErrorKind::NotFound)),
            ExitCode::Failure,
        ),
        (anyhow!("something else"), ExitCode::Failure),
    ] {
        assert_eq!(ExitCode::of(&error), code, "{error:#}");
    }
}

#[test]
fn the_legend_names_every_code_once() {
    let legend = ExitCode::legend();
    for (number, code) in ExitCode::ALL.into_iter().enumerate() {
        assert_eq!(code as usize, number);
        assert_eq!(legend.matches(&format!("\n  {number}  ")).count(), 1, "{legend}");
    }
}
