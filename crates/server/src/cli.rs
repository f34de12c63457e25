//! The command line.
//!
//! To add a command: its variant here with its help, a file in [`crate::commands`] that does it, and the line in
//! [`run`] that connects the two.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};

use crate::{
    commands,
    configuration::{Purpose, Sources},
    exit_code::ExitCode,
    output,
};

/// How long work off the async threads may go on after a command has ended.
const LAST_WORK: Duration = Duration::from_secs(5);

/// Tenantry: organizations, members, roles, workspaces and projects for applications with many tenants.
#[derive(Debug, Parser)]
#[command(
    name = "tenantry",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    after_help = "With nothing installed but PostgreSQL, `tenantry dev` is the way in.",
    after_long_help = after_help()
)]
pub struct Cli {
    /// A TOML file with settings; overrides TENANTRY_CONFIG. Environment variables win over the file
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve requests from the configured database
    #[command(after_help = SERVE_HELP)]
    Serve,
    /// Serve from a private database, with nothing configured: migrated, with demo data
    #[command(after_help = DEV_HELP)]
    Dev(Dev),
    /// Change the schema of the database, or add to it
    #[command(subcommand)]
    Migrate(Migrate),
    /// Load demo data into the configured database. Its passwords are public: never where others reach it
    #[command(after_help = "Needs TENANTRY_DATABASE_URL. What is there already stays.\n\nExample:\n  tenantry seed")]
    Seed,
    /// Print the OpenAPI document, write it to a file, or compare it with one
    #[command(after_help = OPENAPI_HELP)]
    Openapi(Openapi),
    /// Look at the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Examine the database: would it keep tenants apart?
    #[command(after_help = DOCTOR_HELP)]
    Doctor,
}

/// Options of `tenantry dev`.
#[derive(Debug, Default, Args)]
pub struct Dev {
    /// Where the database and the keys are kept; overrides TENANTRY_DATA_DIR [default: .tenantry/dev]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// IP address and port to listen on, port 0 for any free one; overrides TENANTRY_LISTEN [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
    /// Load no demo data
    #[arg(long)]
    pub no_demo: bool,
}

/// What can be done to the schema.
#[derive(Debug, Subcommand)]
pub enum Migrate {
    /// Apply every pending migration
    #[command(after_help = "Needs TENANTRY_DATABASE_OWNER_URL.\n\nExample:\n  tenantry migrate up && tenantry serve")]
    Up,
    /// Take back the last migration. Refuses where any table holds a row
    #[command(after_help = "Needs TENANTRY_DATABASE_OWNER_URL.\n\nExample:\n  tenantry migrate down --steps 2")]
    Down {
        /// How many to take back
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
        steps: u32,
        /// Take back even what holds rows, which are then gone
        #[arg(long)]
        accept_data_loss: bool,
    },
    /// List the migrations and whether the database has them
    #[command(after_help = "Needs TENANTRY_DATABASE_OWNER_URL.")]
    Status,
    /// Write the files of a new migration
    #[command(after_help = "To be run in the project's root folder.\n\nExample:\n  tenantry migrate new labels")]
    New {
        /// What it is about, in snake_case
        name: String,
    },
}

/// Options of `tenantry openapi`.
#[derive(Debug, Default, Args)]
#[group(multiple = false)]
pub struct Openapi {
    /// Write the document to this file
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Fail, and say what moved, unless this file holds the document
    #[arg(long, value_name = "FILE")]
    pub check: Option<PathBuf>,
}

/// What can be done with the configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Show every setting, where it comes from, and all that is wrong; passwords are left out
    #[command(after_help = "Examples:\n  tenantry config check\n  tenantry config check --for migrate")]
    Check {
        /// The command that it must do for
        #[arg(long = "for", value_enum, value_name = "COMMAND", default_value_t = Purpose::Serve)]
        purpose: Purpose,
    },
}

const SERVE_HELP: &str = "\
Needs TENANTRY_DATABASE_URL (the runtime role) and TENANTRY_SIGNING_KEYS. Refuses to start on a database that would not
keep tenants apart. SIGTERM and Ctrl-C end it after the requests that are under way.

Example:
  tenantry migrate up
  TENANTRY_DATABASE_URL=postgres://tenantry_app:…@db/tenantry TENANTRY_SIGNING_KEYS=/etc/tenantry/keys tenantry serve";

const DEV_HELP: &str = "\
Everything is in the data folder: delete it to begin anew. Ctrl-C ends it all; a second Ctrl-C does not wait.

Examples:
  tenantry dev
  tenantry dev --data-dir /tmp/one --listen 127.0.0.1:0 --no-demo";

const OPENAPI_HELP: &str = "\
Needs neither configuration nor database.

Examples:
  tenantry openapi --out openapi/openapi.json
  tenantry openapi --check openapi/openapi.json";

const DOCTOR_HELP: &str = "\
Needs TENANTRY_DATABASE_URL and looks at the database as the server does when it starts: roles, grants, policies, keys,
functions, pending migrations. Changes nothing. Exits with 4 when it finds something.";

fn after_help() -> String {
    format!(
        "Examples:
  tenantry dev                     a server to try, with demo data
  tenantry config check            what is configured, and what is wrong with it
  tenantry migrate up              bring the schema up to date
  tenantry serve                   serve

Settings are TENANTRY_… environment variables; `tenantry config check` lists them all.

{}",
        ExitCode::legend()
    )
}

/// Parses the command line, does what it says and reports what went wrong. clap itself answers `--help` and what it
/// does not understand.
#[must_use]
pub fn main() -> ExitCode {
    match execute(Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            output::error(&error);
            ExitCode::of(&error)
        }
    }
}

fn execute(cli: Cli) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the async runtime")?;
    let outcome = runtime.block_on(Box::pin(run(cli)));
    // Password hashing and the like goes on in threads that the runtime would wait for without end.
    runtime.shutdown_timeout(LAST_WORK);
    outcome
}

async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let sources = Sources::of_process().with_file(cli.config);
    match cli.command {
        Command::Serve => commands::serve::run(&sources).await,
        Command::Dev(options) => commands::dev::run(options, &sources).await,
        Command::Migrate(Migrate::Up) => commands::migrate::up(&sources).await,
        Command::Migrate(Migrate::Down {
            steps,
            accept_data_loss,
        }) => commands::migrate::down(&sources, steps, accept_data_loss).await,
        Command::Migrate(Migrate::Status) => commands::migrate::status(&sources).await,
        Command::Migrate(Migrate::New { name }) => commands::migrate::new(&name),
        Command::Seed => commands::seed::run(&sources).await,
        Command::Openapi(options) => commands::openapi::run(&options),
        Command::Config(ConfigCommand::Check { purpose }) => commands::config::check(&sources, purpose),
        Command::Doctor => commands::doctor::run(&sources).await,
    }
}

#[cfg(test)]
mod tests;
