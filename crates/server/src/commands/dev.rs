//! `tenantry dev`: a server with a database of its own, from nothing to a first request.

mod announcement;

use std::{ffi::OsStr, net::TcpListener, path::Path, time::Duration};

use anyhow::Context as _;
use secrecy::{ExposeSecret as _, SecretString};
use tenantry_domain::environment::Environment;
use tenantry_integrations::mail::{Kept, Outbox};
use tenantry_migrations::administrator::{self, RolePasswords};

use crate::{
    application::{self, DemoSummary},
    cli::Dev,
    commands::serve,
    configuration::{Configuration, Purpose, Sources},
    embedded_postgres::{self, Durability, EmbeddedPostgres},
    exit_code::ExitCode,
    output::{self, Progress},
    programs::{OLDEST_POSTGRES, Places, PostgresPrograms},
    signals::Signals,
    system::SystemSource,
    telemetry,
};

/// The folder of the database, in the data folder.
const POSTGRES: &str = "postgres";

/// The folder of the signing keys, in the data folder.
const KEYS: &str = "keys";

/// The name of the database.
const DATABASE: &str = "tenantry";

/// The database that every cluster has, to connect to before there is another.
const MAINTENANCE_DATABASE: &str = "postgres";

/// Connections beyond those of the server: preparing, migrating, and whoever looks in with `psql`.
const SPARE_CONNECTIONS: u16 = 20;

/// Starts everything, and stops it when a signal says so.
///
/// # Errors
/// The configuration has problems, the database programs are missing, the data folder or the listen address is taken,
/// or a step fails; the database is stopped in any case.
pub async fn run(options: Dev, sources: &Sources) -> anyhow::Result<ExitCode> {
    let mut configuration = Configuration::load(sources, Purpose::Dev)?;
    if let Some(listen) = options.listen {
        configuration.http.listen = listen;
    }
    if let Some(data_dir) = options.data_dir {
        configuration.development.data_dir = data_dir;
    }
    telemetry::install(&configuration.log)?;
    serve::warn_of_notices(&configuration);
    let listen = configuration.http.listen;
    // Binding it for good comes last; who has to choose another address should not wait for a database first.
    TcpListener::bind(listen).map_err(|error| {
        serve::explained(
            anyhow::Error::new(error).context(format!("cannot listen on {listen}")),
            listen,
        )
    })?;
    let data_dir =
        std::path::absolute(&configuration.development.data_dir).context("cannot tell the current folder")?;

    let mut signals = Signals::listen().context("cannot listen for signals")?;
    let environment = SystemSource::environment();
    let progress = Progress::start();
    let settings = embedded_postgres::Settings {
        programs: find_programs(configuration.development.postgres_bin.as_deref(), sources.path())?,
        data_dir: data_dir.join(POSTGRES),
        durability: Durability::Durable,
        max_connections: u16::try_from(configuration.database.max_connections)
            .unwrap_or(u16::MAX - SPARE_CONNECTIONS)
            .saturating_add(SPARE_CONNECTIONS),
    };
    let postgres = tokio::select! {
        started = Box::pin(EmbeddedPostgres::start(settings, &environment, |step| progress.step(step))) => started?,
        () = signals.next() => return Ok(ExitCode::Success),
    };
    let development = Development {
        configuration,
        data_dir: &data_dir,
        environment,
        progress,
        demo: !options.no_demo,
    };
    let outcome = tokio::select! {
        outcome = Box::pin(development.serve(&postgres, &mut signals)) => outcome,
        died = postgres.died() => Err(died.into()),
    };
    let stopping = Progress::start();
    stopping.step("Stopping PostgreSQL");
    let stopped = tokio::select! {
        stopped = postgres.stop() => stopped.map_err(Into::into),
        () = signals.next() => Err(anyhow::anyhow!("told twice to stop: PostgreSQL was asked to and not waited for")),
    };
    drop(stopping);
    outcome.and(stopped)?;
    Ok(ExitCode::Success)
}

/// Shows a mail on the terminal. Best effort: it is kept under `/dev/mail` all the same.
fn show(mail: &Kept) {
    let shown = output::line(format!("\nMail to {}: {}\n\n{}", mail.to, mail.subject, mail.text));
    if let Err(error) = shown {
        tracing::debug!(error = &error as &dyn std::error::Error, "a mail was not shown");
    }
}

fn find_programs(configured: Option<&Path>, path: Option<&OsStr>) -> anyhow::Result<PostgresPrograms> {
    let root = Path::new("/");
    PostgresPrograms::find(Places { configured, path, root }).with_context(|| match configured {
        Some(_) => "TENANTRY_POSTGRES_BIN must name the folder of `initdb` and `postgres`, or not be set".to_owned(),
        None => format!(
            "`tenantry dev` needs PostgreSQL {OLDEST_POSTGRES} or newer: install it with `sudo apt-get install \
             postgresql` (Debian, Ubuntu) or `brew install postgresql@17` (macOS), or set TENANTRY_POSTGRES_BIN to the \
             folder of its programs"
        ),
    })
}

/// Everything that is there when the database runs.
struct Development<'a> {
    configuration: Configuration,
    data_dir: &'a Path,
    environment: Environment,
    progress: Progress,
    demo: bool,
}

impl Development<'_> {
    async fn serve(self, postgres: &EmbeddedPostgres, signals: &mut Signals) -> anyhow::Result<()> {
        let superuser_url = postgres.superuser_url(MAINTENANCE_DATABASE);
        let (url, demo) = tokio::select! {
            prepared = self.prepare(&superuser_url) => prepared?,
            () = signals.next() => return Ok(()),
        };
        self.progress.step("Starting the server");
        let Self {
            configuration,
            data_dir,
            environment,
            progress,
            ..
        } = self;
        let settings = serve::settings(
            &configuration,
            url,
            &data_dir.join(KEYS),
            environment,
            Some(Outbox::new(show)),
        )?;
        // Nobody routes requests to a server that somebody tries out.
        serve::until_asked_to_stop(settings, signals, Duration::ZERO, |address| {
            drop(progress);
            let base = configuration.http.public_url(address);
            output::line(announcement::text(&base, data_dir, demo.as_ref())).context("cannot write to standard output")
        })
        .await
    }

    /// Roles, database, schema and demo data; gives the URL of the runtime role.
    async fn prepare(&self, superuser_url: &SecretString) -> anyhow::Result<(SecretString, Option<DemoSummary>)> {
        self.progress.step("Preparing roles and database");
        let passwords = RolePasswords {
            owner: self.password(),
            runtime: self.password(),
        };
        let urls = administrator::prepare(superuser_url, &passwords, DATABASE).await?;
        self.progress.step("Migrating");
        tenantry_migrations::up(urls.owner.expose_secret()).await?;
        if !self.demo {
            return Ok((urls.runtime, None));
        }
        self.progress.step("Loading demo data");
        let demo = application::seed_demo(&urls.runtime, self.configuration.database.pooler, &self.environment).await?;
        Ok((urls.runtime, Some(demo)))
    }

    /// 128 random bits. The roles get new passwords at each start, so that none has to be kept.
    fn password(&self) -> SecretString {
        format!("{:032x}", u128::from_be_bytes(self.environment.random())).into()
    }
}
