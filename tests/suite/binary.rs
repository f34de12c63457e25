//! The built binary as whoever deploys it or tries it out sees it: processes, exit codes, what is printed.
//!
//! The binary is the one beside this test program's own folder. `cargo test --workspace` builds it on the way, because
//! its own package has integration tests; whoever runs the suite alone has `--test cli` beside `--test suite` build it.
//!
//! To test another command: a function in the file of its subject that starts it by [`process::tenantry`] and looks at
//! the [`process::Outcome`].
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test should stop where it fails"
)]

mod accounts;
mod commands;
mod deployment;
mod dev;
pub(crate) mod development;
mod health;
mod keys;
mod other_user;
pub(crate) mod process;
pub(crate) mod serving;
mod stopping;
mod working;
