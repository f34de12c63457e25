//! Logs. Every line carries the spans that it happened in, so the `trace_id` that the root span of a request has is in
//! each line of that request.
//!
//! Secrets never get here: what holds one is a `SecretString`, whose `Debug` does not show it.

use std::{io::IsTerminal as _, panic};

use anyhow::Context as _;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use crate::{
    configuration::{Log, LogFormat},
    output::LogWriter,
};

/// What is quiet unless the filter names it: each migration is reported by the command that ran it, and PostgreSQL's
/// notices are about what exists already. What webauthn-rs says of an answer holds the answer, which anybody may send; why it was
/// refused is ours to say.
const QUIET: &str = "sea_orm_migration=warn,sqlx::postgres::notice=warn,\
                     webauthn_rs=off,webauthn_rs_core=off,crypto_glue=off";

/// Sends events and panics to standard error from here on.
///
/// # Errors
/// The filter does not parse, or a subscriber was installed before.
pub fn install(log: &Log) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(format!("{QUIET},{}", log.filter)).context("the log filter does not parse")?;
    tracing_subscriber::registry()
        .with(layer(log.format, || LogWriter).with_filter(filter))
        .try_init()
        .context("logging was set up before")?;
    // A panic in one request is caught and answered above; its line belongs among the others, in their format.
    panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        let message = panic.payload_as_str().unwrap_or("no message");
        tracing::error!(location, "panicked: {message}");
    }));
    Ok(())
}

fn layer<W>(format: LogFormat, writer: W) -> Box<dyn Layer<Registry> + Send + Sync>
where
    W: for<'a> fmt::MakeWriter<'a> + Send + Sync + 'static,
{
    match format {
        LogFormat::Json => fmt::layer()
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(true)
            .with_writer(writer)
            .boxed(),
        LogFormat::Pretty => fmt::layer()
            .compact()
            .with_ansi(std::io::stderr().is_terminal())
            .with_writer(writer)
            .boxed(),
    }
}

#[cfg(test)]
mod tests;
