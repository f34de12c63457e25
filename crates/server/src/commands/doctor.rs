//! `tenantry doctor`.

use secrecy::ExposeSecret as _;
use tenantry_persistence::{Database, database::Settings, doctor};

use crate::{
    commands::required,
    configuration::{Configuration, Purpose, Sources},
    exit_code::ExitCode,
    output,
    system::SystemSource,
};

/// A single examination needs no more.
const CONNECTIONS: u32 = 1;

/// Names everything in the database that would not keep tenants apart.
///
/// # Errors
/// The configuration has problems, or the database cannot be reached.
pub async fn run(sources: &Sources) -> anyhow::Result<ExitCode> {
    let configuration = Configuration::load(sources, Purpose::Doctor)?;
    let url = required(configuration.database.url)?;
    let settings = Settings::new(url.expose_secret().to_owned(), CONNECTIONS);
    let settings = settings.through(configuration.database.pooler.into());
    let database = Database::new(&settings, SystemSource::environment())?;
    database.demand_sessions().await?;
    let findings = doctor::examine(&database, &tenantry_migrations::names()).await?;
    for finding in &findings {
        output::line(format_args!(
            "{}  {}: {}",
            finding.code, finding.subject, finding.problem
        ))?;
        output::line(format_args!("    to do: {}", finding.remedy))?;
    }
    match findings.len() {
        0 => output::line("Nothing found: the database keeps tenants apart.")?,
        1 => output::line("1 finding: `tenantry serve` refuses to start on this database.")?,
        count => output::line(format_args!(
            "{count} findings: `tenantry serve` refuses to start on this database."
        ))?,
    }
    Ok(if findings.is_empty() {
        ExitCode::Success
    } else {
        ExitCode::UnsafeDatabase
    })
}
