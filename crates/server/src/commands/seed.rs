//! `tenantry seed`.

use crate::{
    application,
    commands::required,
    configuration::{Configuration, Purpose, Sources},
    exit_code::ExitCode,
    output,
    system::SystemSource,
    telemetry,
};

/// Loads the demo data and says who can sign in.
///
/// # Errors
/// The configuration has problems, the database cannot be reached, or it has no schema.
pub async fn run(sources: &Sources) -> anyhow::Result<ExitCode> {
    let configuration = Configuration::load(sources, Purpose::Seed)?;
    telemetry::install(&configuration.log)?;
    let url = required(configuration.database.url)?;
    let summary = application::seed_demo(&url, &SystemSource::environment()).await?;
    output::line(format_args!(
        "Demo accounts, all with the password {}",
        summary.password
    ))?;
    for account in &summary.accounts {
        output::line(format_args!(
            "  {:<8} {:<24} {}",
            account.role, account.email, account.organization
        ))?;
    }
    Ok(ExitCode::Success)
}
