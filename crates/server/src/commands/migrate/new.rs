//! `tenantry migrate new`.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    path::Path,
};

use anyhow::{Context as _, ensure};
use tenantry_domain::environment::Environment;

use crate::{exit_code::ExitCode, output, system::SystemSource};

/// Where migrations are, seen from the project's root.
const FOLDER: &str = "migrations/src";

/// Where they are listed, in [`FOLDER`].
const LIST: &str = "lib.rs";

/// What the list begins with; it ends with the next line that is a closing brace.
const LIST_OPENS: &str = "migrations! {";

/// Names become parts of file names and of Rust identifiers.
const LONGEST_NAME: usize = 60;

const UP: &str = include_str!("up.sql");

const DOWN: &str = include_str!("down.sql");

/// Writes both files of a new migration and adds it to the list.
///
/// # Errors
/// The name does not fit, the current folder is not the project's root, or a file cannot be written.
pub fn new(name: &str) -> anyhow::Result<ExitCode> {
    let full_name = write(Path::new(FOLDER), name, &SystemSource::environment())?;
    output::line(format_args!("{FOLDER}/{full_name}/up.sql"))?;
    output::line(format_args!("{FOLDER}/{full_name}/down.sql"))?;
    output::line(format_args!(
        "{FOLDER}/{LIST} lists it. Write both ways, build, then run `tenantry migrate up`."
    ))?;
    Ok(ExitCode::Success)
}

/// Returns the whole name, with the time that puts migrations in order.
fn write(folder: &Path, name: &str, environment: &Environment) -> anyhow::Result<String> {
    ensure!(
        fits(name),
        "a migration's name is snake_case: a to z, 0 to 9 and _, beginning with a letter, at most 60"
    );
    let list_path = folder.join(LIST);
    let list = fs::read_to_string(&list_path).with_context(|| {
        format!(
            "cannot read {}; run this in the project's root folder",
            list_path.display()
        )
    })?;
    let full_name = format!("m{}_{name}", environment.now().format("%Y%m%d_%H%M%S"));
    let longer = with(&list, &full_name).with_context(|| {
        format!(
            "{} has no list `{LIST_OPENS} … }}` to add the line `{full_name}` to",
            list_path.display()
        )
    })?;

    let migration = folder.join(&full_name);
    fs::create_dir(&migration).with_context(|| format!("cannot create {}", migration.display()))?;
    for (file, text) in [("up.sql", UP), ("down.sql", DOWN)] {
        let path = migration.join(file);
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)
            .and_then(|mut file| file.write_all(text.replace("{name}", name).as_bytes()))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    fs::write(&list_path, longer).with_context(|| format!("cannot write {}", list_path.display()))?;
    Ok(full_name)
}

fn fits(name: &str) -> bool {
    name.len() <= LONGEST_NAME
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name
            .chars()
            .all(|character| matches!(character, 'a'..='z' | '0'..='9' | '_'))
}

/// The list with one more line at its end; `None` where there is no list.
fn with(list: &str, full_name: &str) -> Option<String> {
    let opens = list.find(&format!("\n{LIST_OPENS}\n"))?;
    let closes = opens + list.get(opens..)?.find("\n}")?;
    let (before, after) = list.split_at_checked(closes)?;
    Some(format!("{before}\n    {full_name}{after}"))
}

#[cfg(test)]
mod tests;
