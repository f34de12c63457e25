//! The cluster: PostgreSQL's data folder, created whole or not at all.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    os::unix::fs::fchown,
    path::Path,
    process::Stdio,
};

use secrecy::{ExposeSecret as _, SecretString};
use tenantry_domain::environment::Environment;

use super::{
    Durability, EmbeddedPostgresError, SUPERUSER, Settings,
    folder::{CLUSTER, Folder, hex, new_private_file, remove_file},
};
use crate::programs::PostgresPrograms;

/// What the names of clusters that are being created begin with.
const UNFINISHED: &str = "unfinished-";

/// Text compares by code point everywhere; older macOS lacks the first, under which `lower()` knows all letters.
const LOCALES: [&str; 2] = ["C.UTF-8", "C"];

/// The major version of the cluster, as PostgreSQL noted it; none when there is no cluster yet.
pub(super) fn version(folder: &Folder) -> Result<Option<String>, EmbeddedPostgresError> {
    let path = folder.cluster().join("PG_VERSION");
    match fs::read_to_string(&path) {
        Ok(version) => Ok(Some(version.trim_end().to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(EmbeddedPostgresError::at("reading", &path)(error)),
    }
}

/// A major version reads its own data only.
pub(super) fn check(
    version: String,
    programs: &PostgresPrograms,
    folder: &Folder,
) -> Result<(), EmbeddedPostgresError> {
    if version == programs.major.to_string() {
        return Ok(());
    }
    let folder = folder.path().to_owned();
    Err(EmbeddedPostgresError::OtherVersion {
        folder,
        cluster: version,
        programs: programs.major,
    })
}

/// Creates the cluster under another name and renames it when it is complete, so that being killed at any moment
/// leaves no half cluster behind.
pub(super) async fn create(
    folder: &Folder,
    settings: &Settings,
    password: &SecretString,
    environment: &Environment,
) -> Result<(), EmbeddedPostgresError> {
    let failed = EmbeddedPostgresError::at;
    let database = folder.database();
    discard_unfinished(&database).map_err(failed("clearing", &database))?;

    // A name of its own: an `initdb` whose owner was killed may still be writing to the one before.
    let name = format!("{UNFINISHED}{}", hex(&environment.random::<8>()));
    let password_name = format!("{name}.password");
    let password_path = database.join(&password_name);
    let write = || {
        let mut file = new_private_file(&password_path)?;
        if let Some(account) = folder.account() {
            fchown(&file, Some(account.uid), Some(account.gid))?;
        }
        writeln!(file, "{}", password.expose_secret())
    };
    write().map_err(failed("writing", &password_path))?;
    let created = initdb(folder, settings, &name, &password_name).await;
    remove_file(&password_path).map_err(failed("removing", &password_path))?;
    created?;

    fs::rename(database.join(name), database.join(CLUSTER)).map_err(failed("completing", &database))?;
    if settings.durability == Durability::Durable {
        File::open(&database)
            .and_then(|folder| folder.sync_all())
            .map_err(failed("writing", &database))?;
    }
    Ok(())
}

/// Runs `initdb` for a cluster named `name`, with one locale after the other until the system has it.
async fn initdb(
    folder: &Folder,
    settings: &Settings,
    name: &str,
    password_name: &str,
) -> Result<(), EmbeddedPostgresError> {
    let program = settings.programs.program("initdb");
    let mut refused = String::new();
    for locale in LOCALES {
        let (mut command, view) = folder.command(&program)?;
        command
            .arg("-D")
            .arg(view.join(name))
            .arg("--pwfile")
            .arg(view.join(password_name));
        command.args([
            "--username",
            SUPERUSER,
            "--auth",
            "scram-sha-256",
            "--encoding",
            "UTF8",
            "--no-instructions",
        ]);
        command.arg(format!("--locale={locale}"));
        if settings.durability == Durability::Ephemeral {
            command.arg("--no-sync");
        }
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut command = tokio::process::Command::from(command);
        let output = command
            .kill_on_drop(true)
            .output()
            .await
            .map_err(EmbeddedPostgresError::at("running", &program))?;
        if output.status.success() {
            return Ok(());
        }
        refused = format!(
            "{}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim_end()
        );
        if !refused.contains("invalid locale") {
            break;
        }
    }
    Err(EmbeddedPostgresError::NotCreated { output: refused })
}

/// Removes what was being created when an earlier owner was killed.
fn discard_unfinished(database: &Path) -> io::Result<()> {
    for entry in fs::read_dir(database)? {
        let entry = entry?;
        if !entry.file_name().as_encoded_bytes().starts_with(UNFINISHED.as_bytes()) {
            continue;
        }
        let removed = match entry.file_type()?.is_dir() {
            true => fs::remove_dir_all(entry.path()),
            false => fs::remove_file(entry.path()),
        };
        match removed {
            // Somebody is still writing there, or has removed it already: the next first start will find it gone.
            Err(error) if matches!(error.kind(), io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::NotFound) => {
                tracing::debug!(path = %entry.path().display(), %error, "an unfinished cluster is still in use");
            }
            result => result?,
        }
    }
    Ok(())
}
