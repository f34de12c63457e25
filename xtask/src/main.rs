//! The commands of a developer's day, the same on every machine and in continuous integration.
//!
//! To add one, give it a variant in [`arguments::Task`], a file beside this one and a line in [`arguments::HELP`].
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "talking to the terminal is what this program is for"
)]

mod arguments;
mod audit;
mod dev;
mod openapi;
mod outside;
mod packages;
#[path = "../../crates/server/src/programs.rs"]
#[allow(
    unreachable_pub,
    dead_code,
    reason = "the server's own finder; a dependency on it would build the server first"
)]
mod programs;
mod requirements;
mod steps;
mod surroundings;
mod test;

use std::process::ExitCode;

use self::{arguments::Task, surroundings::Surroundings};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            // Whoever called wants the status of the program that failed.
            error
                .downcast_ref()
                .map_or(ExitCode::FAILURE, |failed: &steps::Failed| ExitCode::from(failed.code))
        }
    }
}

fn run() -> anyhow::Result<()> {
    let task = arguments::parse(std::env::args_os().skip(1))?;
    let surroundings = Surroundings::read()?;
    match task {
        Task::Help => {
            print!("{}", arguments::HELP);
            Ok(())
        }
        Task::Dev(arguments) => dev::run(&surroundings, &arguments),
        Task::Test { outside, arguments } => test::run(&surroundings, outside, &arguments),
        Task::Audit => audit::run(&surroundings),
        Task::OpenApi => openapi::write(&surroundings),
    }
}
