//! `tenantry user`: what an operator does for a person.

use std::{
    io::{self, BufRead as _, Read as _},
    str::FromStr as _,
};

use anyhow::Context as _;
use secrecy::SecretString;
use tenantry_domain::{emails::Email, environment::Timestamp, identities::Identity, text::Name, trace::TraceId};
use tenantry_services::{Error, Services, error::Conflict, users::NewAccount};
use zeroize::Zeroizing;

use crate::{
    application,
    cli::{CreateUser, User},
    commands::required,
    configuration::{Configuration, Purpose, Sources},
    exit_code::ExitCode,
    output,
    system::SystemSource,
    telemetry,
};

/// The most bytes that are read of a line: more than any password may have.
const MAX_LINE: usize = 1024;

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
    let (User::Create(CreateUser { email, .. })
    | User::ResetMfa { email }
    | User::ChangeEmail { email, .. }
    | User::RevokeSessions { email }
    | User::Identities { email }) = &command;
    let address = address_of(email)?;
    let (services, database) = application::use_cases(&url, configuration.database.pooler, CONNECTIONS, &environment)?;
    let done = done(&services, &command, &address, trace).await;
    database.close().await;
    let said = done.map_err(|error| match error.downcast_ref() {
        Some(Error::NotFound) => anyhow::anyhow!("nobody has the address {email}"),
        Some(Error::Conflict(Conflict::EmailTaken)) => match &command {
            User::ChangeEmail { new, .. } => anyhow::anyhow!("somebody has the address {new} already"),
            _ => anyhow::anyhow!("somebody has the address {email} already"),
        },
        Some(Error::Conflict(Conflict::EmailUnchanged)) => anyhow::anyhow!("that is their address already"),
        Some(Error::WeakPassword(weakness)) => anyhow::anyhow!("the password {weakness}"),
        _ => error,
    })?;
    output::line(said)?;
    Ok(ExitCode::Success)
}

fn address_of(text: &str) -> anyhow::Result<Email> {
    text.parse()
        .with_context(|| format!("`{text}` is not an e-mail address"))
}

/// What is to be made of somebody.
fn new_account(create: &CreateUser, address: &Email) -> anyhow::Result<NewAccount> {
    let name = |text: &str, what: &str| Name::from_str(text).with_context(|| format!("`{text}` is no {what}"));
    let organization = create.organization.as_deref();
    Ok(NewAccount {
        email: address.clone(),
        password: create.password_stdin.then(password_from_stdin).transpose()?,
        name: name(&create.name, "name")?,
        organization: organization
            .map(|text| name(text, "name of the organization"))
            .transpose()?,
        verified: true,
    })
}

/// The first line of the standard input.
fn password_from_stdin() -> anyhow::Result<SecretString> {
    let mut line = Zeroizing::new(String::with_capacity(MAX_LINE));
    let bytes = u64::try_from(MAX_LINE).unwrap_or_default();
    io::stdin().lock().take(bytes).read_line(&mut line)?;
    Ok(SecretString::from(line.trim_end_matches(['\r', '\n'])))
}

/// Makes an account, and says how its owner gets in.
async fn created(services: &Services, new: NewAccount, trace: TraceId) -> anyhow::Result<String> {
    let by = match new.password {
        Some(_) => "signs in by the password that was given",
        None => "is mailed a link to choose a password by",
    };
    let founded = match &new.organization {
        Some(name) => format!(", and owns the organization {name}"),
        None => String::new(),
    };
    let user = services.create_user(new, trace).await?;
    Ok(format!(
        "{} has an account ({}){founded}. It {by}.",
        user.email.as_str(),
        user.id
    ))
}

async fn done(services: &Services, command: &User, address: &Email, trace: TraceId) -> anyhow::Result<String> {
    let email = address.as_str();
    match command {
        User::Create(create) => created(services, new_account(create, address)?, trace).await,
        User::ResetMfa { .. } if services.reset_mfa_of(address, trace).await? => Ok(format!(
            "{email} has no second factor any more, and is signed out everywhere: the password alone signs in, and linked providers do."
        )),
        User::ResetMfa { .. } => Ok(format!("{email} had no second factor: nothing was changed.")),
        User::ChangeEmail { new, .. } => {
            let user = services.change_email_of(address, &address_of(new)?, trace).await?;
            Ok(format!("{email} has the address {} from now on.", user.email.as_str()))
        }
        User::RevokeSessions { .. } => {
            services.revoke_sessions_of(address, trace).await?;
            Ok(format!(
                "{email} is signed out everywhere, and trusts no device any more."
            ))
        }
        User::Identities { .. } => {
            let identities = services.identities_of(address, trace).await?;
            if identities.is_empty() {
                return Ok(format!("{email} signs in through no provider."));
            }
            Ok(identities.iter().map(shown).collect::<Vec<_>>().join("\n"))
        }
    }
}

/// An identity as a line of the list.
fn shown(identity: &Identity) -> String {
    let moment = |at: Timestamp| at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
    [
        match identity.organization() {
            Some(organization) => format!("connection of {organization}"),
            None => identity.provider.clone(),
        },
        identity.issuer.clone(),
        identity.subject.clone(),
        identity
            .email
            .as_ref()
            .map_or_else(|| "-".to_owned(), |email| email.as_str().to_owned()),
        format!("linked {}", moment(identity.created_at)),
        identity
            .last_used_at
            .map_or_else(|| "never used".to_owned(), |at| format!("last used {}", moment(at))),
    ]
    .join("  ")
}
