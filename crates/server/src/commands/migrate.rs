//! `tenantry migrate`.

mod new;

use secrecy::{ExposeSecret as _, SecretString};

pub use new::new;

use crate::{
    commands::required,
    configuration::{Configuration, Purpose, Sources},
    exit_code::ExitCode,
    output, telemetry,
};

/// Applies what is pending.
///
/// # Errors
/// The configuration has problems, or the database cannot be reached or refuses a statement.
pub async fn up(sources: &Sources) -> anyhow::Result<ExitCode> {
    let url = owner_url(sources)?;
    let applied = tenantry_migrations::up(url.expose_secret()).await?;
    report("applied", &applied, "The schema is up to date.")
}

/// Takes the last `steps` back.
///
/// # Errors
/// As [`up`]; and when rows would be lost without `accept_data_loss`.
pub async fn down(sources: &Sources, steps: u32, accept_data_loss: bool) -> anyhow::Result<ExitCode> {
    let url = owner_url(sources)?;
    let taken_back = tenantry_migrations::down(url.expose_secret(), steps, accept_data_loss).await?;
    report("taken back", &taken_back, "There was nothing to take back.")
}

/// Lists all migrations.
///
/// # Errors
/// As [`up`].
pub async fn status(sources: &Sources) -> anyhow::Result<ExitCode> {
    let url = owner_url(sources)?;
    for migration in tenantry_migrations::status(url.expose_secret()).await? {
        output::line(format_args!(
            "{:<8} {}",
            if migration.applied { "applied" } else { "pending" },
            migration.name
        ))?;
    }
    Ok(ExitCode::Success)
}

fn owner_url(sources: &Sources) -> anyhow::Result<SecretString> {
    let configuration = Configuration::load(sources, Purpose::Migrate)?;
    telemetry::install(&configuration.log)?;
    required(configuration.database.owner_url)
}

fn report(what: &str, names: &[String], nothing: &str) -> anyhow::Result<ExitCode> {
    for name in names {
        output::line(format_args!("{what} {name}"))?;
    }
    if names.is_empty() {
        output::line(nothing)?;
    }
    Ok(ExitCode::Success)
}
