//! The command line.
//!
//! To add a command: its variant here with its help, a file in [`crate::commands`] that does it, and the line in
//! [`run`] that connects the two.

mod keys;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand, ValueEnum};

pub use self::keys::{Keys, RotateKeys};
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
    Serve(Serve),
    /// Do the jobs of the configured database, such as sending mail, apart from its servers
    #[command(after_help = WORKER_HELP)]
    Worker,
    /// Serve from a private database, with nothing configured: migrated, with demo data
    #[command(after_help = DEV_HELP)]
    Dev(Dev),
    /// Change the schema of the database, or add to it
    #[command(subcommand)]
    Migrate(Migrate),
    /// Load data to try things out with into the configured database. Its passwords are public: never where others reach it
    #[command(after_help = SEED_HELP)]
    Seed(Seed),
    /// Print the OpenAPI document, write it to a file, or compare it with one
    #[command(after_help = OPENAPI_HELP)]
    Openapi(Openapi),
    /// Look at the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Examine the database: would it keep tenants apart?
    #[command(after_help = DOCTOR_HELP)]
    Doctor,
    /// Help a person who cannot help themselves
    #[command(subcommand)]
    User(User),
    /// Look at the signing keys, or rotate them
    #[command(subcommand)]
    Keys(Keys),
    /// Look at the mails that are sent
    #[command(subcommand)]
    Mail(Mail),
    /// Ask the server on this machine whether it is ready: for a container's health check
    #[command(after_help = HEALTH_HELP)]
    Health(Health),
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

/// Options of `tenantry serve`.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct Serve {
    /// Leave all jobs, such as sending mail, to `tenantry worker`
    #[arg(long)]
    pub no_worker: bool,
}

/// What can be done for a person.
#[derive(Debug, Clone, Subcommand)]
pub enum User {
    /// Make an account whose address counts as proven, whether or not people may register
    #[command(after_help = CREATE_USER_HELP)]
    Create(CreateUser),
    /// Take away all second factors of somebody who lost them, and sign them out everywhere. A proven address is told by mail
    #[command(name = "reset-mfa", after_help = USER_HELP)]
    ResetMfa {
        /// Their e-mail address
        email: String,
    },
    /// Give somebody another e-mail address, which counts as proven, and tell the former one
    #[command(name = "change-email", after_help = USER_HELP)]
    ChangeEmail {
        /// Their e-mail address
        email: String,
        /// The address that they have from then on
        new: String,
    },
    /// Sign somebody out everywhere, and have their second factor asked for on each device again
    #[command(name = "revoke-sessions", after_help = USER_HELP)]
    RevokeSessions {
        /// Their e-mail address
        email: String,
    },
    /// List what identity providers know somebody by who signs in through them
    #[command(after_help = USER_HELP)]
    Identities {
        /// Their e-mail address
        email: String,
    },
}

/// An account to be made.
#[derive(Debug, Clone, Args)]
pub struct CreateUser {
    /// Their e-mail address
    pub email: String,
    /// What they are called
    #[arg(long)]
    pub name: String,
    /// Found an organization of this name, which they own
    #[arg(long, value_name = "NAME")]
    pub organization: Option<String>,
    /// Take the first line of the standard input for their password; without it they are mailed a link to choose one
    #[arg(long)]
    pub password_stdin: bool,
}

/// What can be done with mails.
#[derive(Debug, Subcommand)]
pub enum Mail {
    /// Print a mail with made-up contents
    #[command(after_help = PREVIEW_HELP)]
    Preview(Preview),
}

/// Options of `tenantry mail preview`.
#[derive(Debug, Args)]
pub struct Preview {
    /// Which one, by the name of its template, as `verify_email`; another word lists them
    pub name: String,
    /// In which language
    #[arg(long, value_name = "TAG", default_value = "en")]
    pub locale: String,
    /// Which part of it
    #[arg(long, value_enum, default_value_t)]
    pub part: MailPart,
}

/// A part of a mail.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum MailPart {
    /// The subject, and what is shown without HTML
    #[default]
    Text,
    /// What is shown with it
    Html,
}

/// Options of `tenantry seed`.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct Seed {
    /// How much
    #[arg(long, value_enum, default_value_t)]
    pub size: SeedSize,
    /// Seed `large` even where there are organizations of others
    #[arg(long)]
    pub beside_others: bool,
}

/// How much is loaded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum SeedSize {
    /// Two organizations, to look around in
    #[default]
    Demo,
    /// 1,001 organizations with 200,000 projects, half of them in one: to see what lists and searches do then
    Large,
}

/// Options of `tenantry health`.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct Health {
    /// Ask whether it lives, which it does while its database is away too
    #[arg(long)]
    pub live: bool,
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
keep tenants apart. SIGTERM and Ctrl-C end it: it says for TENANTRY_SHUTDOWN_GRACE_SECONDS that it is not ready, then takes
nothing new and ends with the requests under way. A second signal ends it at once.

Example:
  tenantry migrate up
  TENANTRY_DATABASE_URL=postgres://tenantry_app:…@db/tenantry TENANTRY_SIGNING_KEYS=/etc/tenantry/keys tenantry serve";

const WORKER_HELP: &str = "\
Needs what `tenantry serve` does, and the same keys: mailed links are signed with them. Any number may run, beside servers with
and without --no-worker: a job is one worker's at a time, and that of one that was killed becomes another's after a minute.

Example:
  tenantry serve --no-worker & tenantry worker";

const USER_HELP: &str = "\
Needs TENANTRY_DATABASE_URL (the runtime role). Before you reset, make sure of who asks: afterwards the password alone
signs in, and what is linked of providers does.

Examples:
  tenantry user reset-mfa ann@example.com
  tenantry user change-email ann@example.com ann.lee@example.com
  tenantry user revoke-sessions ann@example.com
  tenantry user identities ann@example.com";

const CREATE_USER_HELP: &str = "\
Needs TENANTRY_DATABASE_URL (the runtime role). The link is mailed by whoever serves or works for that database, and is good for an
hour; they get another where they say that they forgot their password.

Examples:
  tenantry user create ann@example.com --name Ann --organization Acme
  head -n 1 password-file | tenantry user create ann@example.com --name Ann --password-stdin";

const PREVIEW_HELP: &str = "\
Needs neither configuration nor database.

Example:
  tenantry mail preview reset_password --locale de --part html > mail.html";

const DEV_HELP: &str = "\
Everything is in the data folder: delete it to begin anew. Ctrl-C ends it all; a second Ctrl-C does not wait.

Examples:
  tenantry dev
  tenantry dev --data-dir /tmp/one --listen 127.0.0.1:0 --no-demo";

const SEED_HELP: &str = "\
Needs TENANTRY_DATABASE_URL, which writes; with --size large also TENANTRY_DATABASE_OWNER_URL, which sees whether there are
organizations of others, and gathers statistics. What is there already stays: after an interruption, seed again.

Examples:
  tenantry seed
  tenantry seed --size large";

const OPENAPI_HELP: &str = "\
Needs neither configuration nor database.

Examples:
  tenantry openapi --out openapi/openapi.json
  tenantry openapi --check openapi/openapi.json";

const DOCTOR_HELP: &str = "\
Needs TENANTRY_DATABASE_URL and looks at the database as the server does when it starts: roles, grants, policies, keys,
functions, pending migrations. Changes nothing. Exits with 4 when it finds something.";

const HEALTH_HELP: &str = "\
Asks at TENANTRY_LISTEN, as the server was given it, and prints the answer. Exits with 0 when it is good, with 1 when it is
not or does not come within 4 seconds, and with 3 when the configuration has problems.";

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
        Command::Serve(options) => commands::serve::run(options, &sources).await,
        Command::Worker => commands::worker::run(&sources).await,
        Command::User(command) => commands::user::run(command, &sources).await,
        Command::Keys(command) => commands::keys::run(&command, &sources),
        Command::Mail(Mail::Preview(options)) => commands::mail::preview(&options),
        Command::Dev(options) => commands::dev::run(options, &sources).await,
        Command::Migrate(Migrate::Up) => commands::migrate::up(&sources).await,
        Command::Migrate(Migrate::Down {
            steps,
            accept_data_loss,
        }) => commands::migrate::down(&sources, steps, accept_data_loss).await,
        Command::Migrate(Migrate::Status) => commands::migrate::status(&sources).await,
        Command::Migrate(Migrate::New { name }) => commands::migrate::new(&name),
        Command::Seed(options) => commands::seed::run(options, &sources).await,
        Command::Openapi(options) => commands::openapi::run(&options),
        Command::Config(ConfigCommand::Check { purpose }) => commands::config::check(&sources, purpose),
        Command::Doctor => commands::doctor::run(&sources).await,
        Command::Health(options) => commands::health::run(&options, &sources).await,
    }
}

#[cfg(test)]
mod tests;
