//! `tenantry keys`: the signing keys of an installation, listed and rotated.

use std::path::Path;

use anyhow::Context as _;
use chrono::TimeDelta;
use tenantry_auth::keys::{
    self, KeyState, ListedKey,
    rotation::{self, Keep, PUBLISHED_BEFORE, Rotation, sealing_since},
};
use tenantry_domain::environment::Timestamp;

use crate::{
    cli::{Keys, RotateKeys},
    configuration::{Configuration, Purpose, Sources},
    exit_code::ExitCode,
    key_care::RELOAD,
    output,
    system::SystemSource,
    telemetry,
};

/// Does it, and says what there is or what was done.
///
/// # Errors
/// The configuration has problems, or the keys cannot be read or written.
pub fn run(command: &Keys, sources: &Sources) -> anyhow::Result<ExitCode> {
    // Of what others need, nothing is needed here: no database, and keys that are not to be served with.
    let configuration = Configuration::load(sources, Purpose::Health)?;
    telemetry::install(&configuration.log)?;
    let environment = SystemSource::environment();
    let now = environment.now();
    match command {
        Keys::List => {
            let path = configuration.sign_in.configured_keys()?;
            for key in keys::list(path, now).with_context(|| cannot_use(path))? {
                output::line(shown(&key, now))?;
            }
        }
        Keys::Rotate(RotateKeys { at_once, keep_days }) => {
            let folder = configuration.sign_in.rotatable_keys()?;
            let starts_at = if *at_once { now } else { now + PUBLISHED_BEFORE };
            let (folder, encryption_keys) = folder;
            let since = sealing_since(encryption_keys, now);
            let since =
                since.with_context(|| format!("cannot use the encryption keys in {}", encryption_keys.display()))?;
            let keep = Keep {
                after: TimeDelta::days((*keep_days).into()),
                sealing_since: Some(since),
            };
            let rotation =
                rotation::rotate(folder, starts_at, keep, &environment).with_context(|| cannot_use(folder))?;
            output::line(told(&rotation, now))?;
        }
    }
    Ok(ExitCode::Success)
}

fn cannot_use(keys: &Path) -> String {
    format!("cannot use the signing keys in {}", keys.display())
}

/// A key as a line of the list.
fn shown(key: &ListedKey, now: Timestamp) -> String {
    let file = key.file.file_name().unwrap_or(key.file.as_os_str());
    let state = match key.state {
        KeyState::Signs { since } if since > now => {
            format!("signs already, though not due before {}: no other is", written(since))
        }
        KeyState::Signs { since } => format!("signs since {}", written(since)),
        KeyState::Upcoming { from } => format!("signs from {}", written(from)),
        KeyState::Accepted => "accepted until it is removed".to_owned(),
    };
    [key.kid.as_str(), key.algorithm, &file.to_string_lossy(), &state].join("  ")
}

/// What came of a rotation, a line for each thing.
fn told(rotation: &Rotation, now: Timestamp) -> String {
    let made = rotation.made.as_ref().map(|file| file.display());
    let made = match (made, rotation.starts_at) {
        (Some(made), Some(from)) if from > now => format!(
            "Made {made}, which signs from {} on, and is published until then.",
            written(from)
        ),
        (Some(made), _) => format!(
            "Made {made}, which signs from now on. Each node refuses what it signs until it has read it, within {} seconds, and \
             whoever else verifies tokens until they have read the JSON Web Key Set again, within 5 minutes.",
            RELOAD.as_secs()
        ),
        (None, Some(from)) if from > now => format!(
            "Made no key: there is one that signs from {} on. `--at-once` makes another.",
            written(from)
        ),
        (None, _) => "Made no key: one was made in this very second.".to_owned(),
    };
    let removed = rotation
        .removed
        .iter()
        .map(|file| format!("Removed {}: what it signed has expired.", file.display()));
    let kept = rotation.kept.iter().map(|file| {
        format!(
            "Kept {}: it was there before the encryption keys, and may have sealed secrets of authenticator apps. Ask the database \
             which keys did (docs/operating.md, Encryption keys) before you remove it.",
            file.display()
        )
    });
    [made]
        .into_iter()
        .chain(removed)
        .chain(kept)
        .collect::<Vec<_>>()
        .join("\n")
}

fn written(at: Timestamp) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}
