//! `tenantry openapi`.

mod difference;

use std::{fs, path::Path};

use anyhow::{Context as _, bail};
use serde_json::Value;

use crate::{cli::Openapi, exit_code::ExitCode, output};

/// More lines than this help nobody.
const SHOWN: usize = 40;

/// Prints the document, writes it, or compares it.
///
/// # Errors
/// A file cannot be read or written, or holds another document.
pub fn run(options: &Openapi) -> anyhow::Result<ExitCode> {
    let mut document = tenantry_api::openapi_json();
    if !document.ends_with('\n') {
        document.push('\n');
    }
    match (&options.out, &options.check) {
        (Some(file), _) => {
            fs::write(file, document).with_context(|| format!("cannot write {}", file.display()))?;
        }
        (None, Some(file)) => check(&document, file)?,
        (None, None) => output::line(document.trim_end())?,
    }
    Ok(ExitCode::Success)
}

fn check(document: &str, file: &Path) -> anyhow::Result<()> {
    let shown = file.display();
    let written = fs::read_to_string(file).with_context(|| format!("cannot read {shown}"))?;
    if written == document {
        return output::line(format_args!("{shown} is up to date.")).map_err(Into::into);
    }
    let present: Value = serde_json::from_str(document).context("the generated document is not JSON")?;
    let past: Value = serde_json::from_str(&written).with_context(|| format!("{shown} is not JSON"))?;
    let moved = difference::between(&past, &present);
    for line in moved.iter().take(SHOWN) {
        output::line(line)?;
    }
    match moved.len() {
        0 => output::line("the order or the layout of the document")?,
        count if count > SHOWN => output::line(format_args!("… and {} more", count - SHOWN))?,
        _ => {}
    }
    bail!("{shown} is not what the code describes; to adopt the change: tenantry openapi --out {shown}")
}
