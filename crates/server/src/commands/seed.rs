//! `tenantry seed`.

use std::sync::Arc;

use tenantry_services::seeding::Size;

use crate::{
    application::{self, DemoAccount, SeedTarget},
    cli::{Seed, SeedSize},
    commands::required,
    configuration::{Configuration, Purpose, Sources},
    exit_code::ExitCode,
    output::{self, Meter},
    system::SystemSource,
    telemetry,
};

/// Loads data and says who can sign in.
///
/// # Errors
/// The configuration has problems, the database cannot be reached, has no schema, or holds what this should not be beside.
pub async fn run(options: Seed, sources: &Sources) -> anyhow::Result<ExitCode> {
    match options.size {
        SeedSize::Demo => demo(sources).await,
        SeedSize::Large => large(sources, options.beside_others).await,
    }
}

async fn demo(sources: &Sources) -> anyhow::Result<ExitCode> {
    let configuration = Configuration::load(sources, Purpose::Seed)?;
    telemetry::install(&configuration.log)?;
    let url = required(configuration.database.url)?;
    let summary = application::seed_demo(&url, configuration.database.pooler, &SystemSource::environment()).await?;
    tell("Demo accounts", &summary.password, &summary.accounts)
}

async fn large(sources: &Sources, beside_others: bool) -> anyhow::Result<ExitCode> {
    let configuration = Configuration::load(sources, Purpose::SeedLarge)?;
    telemetry::install(&configuration.log)?;
    let target = SeedTarget {
        runtime_url: required(configuration.database.url)?,
        pooler: configuration.database.pooler,
        owner_url: required(configuration.database.owner_url)?,
        beside_others,
    };
    let size = Size::LARGE;
    let meter = Arc::new(Meter::start("projects", size.all_projects()));
    let progress = Arc::clone(&meter);
    let progress = Arc::new(move |projects| progress.advance(projects));
    let seeded = application::seed_at_size(&target, size, &SystemSource::environment(), progress).await;
    // Off the terminal before anything else is written there.
    drop(meter);
    let summary = seeded?;
    match summary.founded {
        0 => output::line(format_args!(
            "All of its {} organizations are there already: nothing was changed.",
            summary.found
        ))?,
        founded => output::line(format_args!(
            "Founded {founded} organizations; {} were there already.",
            summary.found
        ))?,
    }
    tell(
        "Accounts of the large organization",
        &summary.password,
        &summary.accounts,
    )
}

fn tell(what: &str, password: &str, accounts: &[DemoAccount]) -> anyhow::Result<ExitCode> {
    output::line(format_args!("{what}, all with the password {password}"))?;
    for account in accounts {
        output::line(format_args!(
            "  {:<8} {:<24} {}",
            account.role, account.email, account.organization
        ))?;
    }
    Ok(ExitCode::Success)
}
