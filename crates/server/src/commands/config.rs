//! `tenantry config check`.

use crate::{
    configuration::{Configuration, Purpose, Sources},
    exit_code::ExitCode,
    output,
};

/// Shows every setting, then all that is wrong or without effect.
///
/// # Errors
/// The problems of the configuration.
pub fn check(sources: &Sources, purpose: Purpose) -> anyhow::Result<ExitCode> {
    let examined = Configuration::examine(sources, purpose);
    output::line(examined.table)?;
    let configuration = examined.outcome?;
    for notice in &configuration.notices {
        output::line(format_args!("note: {notice}"))?;
    }
    output::line("The configuration is valid.")?;
    Ok(ExitCode::Success)
}
