//! The binary: configuration, wiring, telemetry, command line.
//!
//! [`cli`] parses the command line and hands it to one of [`commands`], each of which loads the [`configuration`] it
//! needs. [`application`] puts the rooms below together into a running server.

pub mod application;
pub mod cli;
pub mod commands;
pub mod configuration;
pub mod embedded_postgres;
pub mod exit_code;
pub mod key_care;
pub mod output;
pub mod programs;
pub mod signals;
pub mod system;
pub mod telemetry;
