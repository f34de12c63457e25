//! `tenantry user`: what an operator does for a person.

use anyhow::Context as _;
use tenantry_domain::{emails::Email, trace::TraceId};
use tenantry_services::{Error, Services};

use crate::{
    application,
    cli::User,
    commands::required,
    configuration::{Configuration, Purpose, Sources},
    exit_code::ExitCode,
    output,
    system::SystemSource,
    telemetry,
};

/// One thing after the other needs no more.
const CONNECTIONS: u32 = 1;

/// Does it, and says what was done.
///
/// # Errors
/// The configuration has problems, the database cannot be reached, or nobody has the address.
pub async fn run(command: User, sources: &Sources) -> anyhow::Result<ExitCode> {
    let configuration = Configuration::load(sources, Purpose::User)?;
    telemetry::install(&configuration.log)?;
    let url = required(configuration.database.url)?;
    let environment = SystemSource::environment();
    let trace = TraceId::new(&environment);
    let (User::ResetMfa { email } | User::RevokeSessions { email }) = &command;
    let address: Email = email
        .parse()
        .with_context(|| format!("`{email}` is not an e-mail address"))?;
    let (services, database) = application::use_cases(&url, configuration.database.pooler, CONNECTIONS, &environment)?;
    let done = done(&services, &command, &address, trace).await;
    database.close().await;
    let said = done.map_err(|error| match error {
        Error::NotFound => anyhow::anyhow!("nobody has the address {email}"),
        error => error.into(),
    })?;
    output::line(said)?;
    Ok(ExitCode::Success)
}

async fn done(services: &Services, command: &User, address: &Email, trace: TraceId) -> Result<String, Error> {
    let email = address.as_str();
    match command {
        User::ResetMfa { .. } if services.reset_mfa_of(address, trace).await? => Ok(format!(
            "{email} has no second factor any more, and is signed out everywhere: the password alone signs in."
        )),
        User::ResetMfa { .. } => Ok(format!("{email} had no second factor: nothing was changed.")),
        User::RevokeSessions { .. } => {
            services.revoke_sessions_of(address, trace).await?;
            Ok(format!(
                "{email} is signed out everywhere, and trusts no device any more."
            ))
        }
    }
}
