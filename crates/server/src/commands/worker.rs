//! `tenantry worker`: the jobs of an installation, done apart from its servers.

use anyhow::Context as _;

use crate::{
    application,
    commands::{required, serve},
    configuration::{Configuration, Purpose, Sources},
    exit_code::ExitCode,
    signals::Signals,
    system::SystemSource,
    telemetry,
};

/// Does jobs until it is asked to stop.
///
/// # Errors
/// The configuration has problems, or the database cannot be reached or would not keep tenants apart.
pub async fn run(sources: &Sources) -> anyhow::Result<ExitCode> {
    let configuration = Configuration::load(sources, Purpose::Worker)?;
    telemetry::install(&configuration.log)?;
    serve::warn_of_notices(&configuration);
    let mut signals = Signals::listen().context("cannot listen for signals")?;
    let url = required(configuration.database.url.clone())?;
    let keys = configuration
        .sign_in
        .signing_keys
        .as_deref()
        .context("no signing keys are configured")?;
    let settings = serve::settings(&configuration, url, keys, SystemSource::environment(), None)?;
    let mut working = tokio::select! {
        started = Box::pin(application::work(settings)) => started?,
        () = signals.next() => return Ok(ExitCode::Success),
    };
    tracing::info!("doing jobs");
    let outcome = tokio::select! {
        () = working.finished() => Err(anyhow::anyhow!("the worker ended by itself")),
        () = signals.next() => Ok(ExitCode::Success),
    };
    tokio::select! {
        () = working.stop() => {}
        () = signals.next() => tracing::warn!("told twice to stop: not waiting for jobs"),
    }
    outcome
}
