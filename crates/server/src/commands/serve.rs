//! `tenantry serve`, and what `tenantry dev` shares with it.

use std::{io, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use anyhow::Context as _;
use secrecy::SecretString;
use tenantry_auth::{
    keys::{KeyError, Keyring},
    passwords::PasswordCost,
};
use tenantry_domain::environment::Environment;
use tenantry_integrations::mail::{Mailer, Outbox, SmtpSettings};

use crate::{
    application,
    cli::Serve,
    commands::required,
    configuration::{Configuration, Purpose, Sources},
    exit_code::ExitCode,
    key_care::Schedule,
    signals::Signals,
    system::SystemSource,
    telemetry,
};

/// Serves until it is asked to stop.
///
/// # Errors
/// The configuration has problems, the database cannot be reached or would not keep tenants apart, or the listen
/// address is taken.
pub async fn run(options: Serve, sources: &Sources) -> anyhow::Result<ExitCode> {
    let configuration = Configuration::load(sources, Purpose::Serve)?;
    telemetry::install(&configuration.log)?;
    warn_of_notices(&configuration);
    let mut signals = Signals::listen().context("cannot listen for signals")?;
    let url = required(configuration.database.url.clone())?;
    let keys = configuration
        .sign_in
        .signing_keys
        .as_deref()
        .context("no signing keys are configured")?;
    let settings = application::Settings {
        works: !options.no_worker,
        ..settings(&configuration, url, keys, SystemSource::environment(), None)?
    };
    let grace = configuration.http.shutdown_grace;
    until_asked_to_stop(settings, &mut signals, grace, |address| {
        tracing::info!(%address, "listening");
        Ok(())
    })
    .await?;
    Ok(ExitCode::Success)
}

/// Logs a line for each setting that was given and changes nothing.
pub(super) fn warn_of_notices(configuration: &Configuration) {
    for notice in &configuration.notices {
        tracing::warn!("{notice}");
    }
}

/// What the application is started with, on the database at `url` and the keys in `keys`.
pub(super) fn settings(
    configuration: &Configuration,
    url: SecretString,
    keys: &Path,
    environment: Environment,
    outbox: Option<Outbox>,
) -> anyhow::Result<application::Settings> {
    let encryption_keys = configuration
        .sign_in
        .encryption_keys
        .as_deref()
        .map(|keys| {
            let keyring = keyring(keys, &environment);
            keyring.with_context(|| format!("cannot use the encryption keys in {}", keys.display()))
        })
        .transpose()?;
    let keyring =
        keyring(keys, &environment).with_context(|| format!("cannot use the signing keys in {}", keys.display()))?;
    let http = &configuration.http;
    Ok(application::Settings {
        database_url: url,
        pooler: configuration.database.pooler,
        max_connections: configuration.database.max_connections,
        listen: http.listen,
        public_url: http.public_url(http.listen),
        cors_origins: http.cors_origins.clone(),
        webauthn_rp_id: http.webauthn_rp_id.clone(),
        identity_providers: configuration.identity_providers.providers.clone(),
        redirect_uris: configuration.identity_providers.redirect_uris.clone(),
        trusted_issuers: configuration.trusted_issuers.issuers.clone(),
        dns_servers: configuration.outgoing.dns_servers.clone(),
        connection_networks: configuration.outgoing.connection_networks.clone(),
        registration: configuration.sign_in.registration,
        mfa_grace_days: configuration.sign_in.mfa_grace_days,
        rate_limits: http.rate_limits,
        request_timeout: http.request_timeout,
        environment,
        keyring: Arc::new(keyring),
        encryption_keys: encryption_keys.map(Arc::new),
        key_schedule: schedule(configuration, keys),
        password_cost: PasswordCost::RECOMMENDED,
        mailer: mailer(configuration, outbox)?,
        works: true,
    })
}

/// What mails go out by, and are kept in where there is an `outbox`.
fn mailer(configuration: &Configuration, outbox: Option<Outbox>) -> anyhow::Result<Mailer> {
    let smtp = configuration.mail.smtp.as_ref().map(|smtp| SmtpSettings {
        url: smtp.url.clone(),
        from: smtp.from.clone(),
    });
    if smtp.is_none() && outbox.is_none() {
        tracing::warn!("no mail goes out: TENANTRY_SMTP_URL is not set");
    }
    Mailer::new(smtp.as_ref(), outbox.map(Arc::new)).context("cannot use TENANTRY_SMTP_URL and TENANTRY_MAIL_FROM")
}

/// The keys in a file or a folder; a folder that is absent or empty gets a first one. Keys that are there are only read:
/// they may be mounted so that nothing can be written beside them.
/// When signing keys are rotated: never, unless it is set, and what secrets are sealed with along with it.
fn schedule(configuration: &Configuration, keys: &Path) -> Option<Schedule> {
    Some(Schedule {
        folder: keys.to_owned(),
        encryption_keys: configuration.sign_in.encryption_keys.clone()?,
        days: configuration.sign_in.signing_key_days?,
    })
}

fn keyring(path: &Path, environment: &Environment) -> Result<Keyring, KeyError> {
    match Keyring::load(path, environment.now()) {
        Err(KeyError::NoKeys { .. }) => Keyring::load_or_generate(path, environment),
        Err(KeyError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            Keyring::load_or_generate(path, environment)
        }
        loaded => loaded,
    }
}

/// Starts the application, announces where it listens, and stops it when a signal says so: it is not ready any more for
/// the time of `grace`, then requests under way are finished, unless a second signal comes.
pub(super) async fn until_asked_to_stop(
    settings: application::Settings,
    signals: &mut Signals,
    grace: Duration,
    announce: impl FnOnce(SocketAddr) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let listen = settings.listen;
    let mut running = tokio::select! {
        started = Box::pin(application::start(settings)) => started.map_err(|error| explained(error, listen))?,
        () = signals.next() => return Ok(()),
    };
    let outcome = match announce(running.address) {
        Ok(()) => tokio::select! {
            () = running.finished() => Err(anyhow::anyhow!("the server ended by itself")),
            () = signals.next() => Ok(()),
        },
        Err(error) => Err(error),
    };
    // A server that failed has nothing to serve on with.
    let grace = if outcome.is_ok() { grace } else { Duration::ZERO };
    tokio::select! {
        () = running.stop(grace) => {}
        () = signals.next() => tracing::warn!("told twice to stop: not waiting for requests"),
    }
    outcome
}

/// Adds what can be done about it when the listen address is taken.
pub(super) fn explained(error: anyhow::Error, listen: SocketAddr) -> anyhow::Error {
    let taken = error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::AddrInUse);
    if taken {
        error.context(format!(
            "{listen} is taken by another program: stop that one, or listen elsewhere (TENANTRY_LISTEN, or --listen \
             with `dev`; port 0 is any free one)"
        ))
    } else {
        error
    }
}
