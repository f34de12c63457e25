//! Runs programs one after the other, telling which and how long each took.

use std::{fmt, process::Command, time::Instant};

use anyhow::Context as _;

/// A step ended with a status other than success.
#[derive(Debug)]
pub(crate) struct Failed {
    /// What failed.
    step: String,
    /// Its exit code; 1 when a signal ended it.
    pub(crate) code: u8,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} failed", self.step)
    }
}

impl std::error::Error for Failed {}

/// Runs `command` as the step `name`.
///
/// # Errors
/// [`Failed`] when it runs and fails.
pub(crate) fn run(name: &str, command: &mut Command) -> anyhow::Result<()> {
    eprintln!("==> {name}: {}", shown(command));
    let begun = Instant::now();
    let status = command
        .status()
        .with_context(|| format!("running {}", shown(command)))?;
    let seconds = begun.elapsed().as_secs_f64();
    if status.success() {
        eprintln!("<== {name}: done in {seconds:.1} s");
        return Ok(());
    }
    eprintln!("<== {name}: {status} after {seconds:.1} s");
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Err(Failed {
        step: name.to_owned(),
        code,
    }
    .into())
}

/// The command as one would type it.
pub(crate) fn shown(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    // The toolchain's full path says nothing to the reader.
    let program = if program.ends_with("/cargo") {
        "cargo".into()
    } else {
        program
    };
    let mut line = program.into_owned();
    for argument in command.get_args() {
        let argument = argument.to_string_lossy();
        let plain = !argument.is_empty()
            && argument
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_=./:,@+".contains(c));
        line.push(' ');
        match plain {
            true => line.push_str(&argument),
            false => line.push_str(&format!("'{argument}'")),
        }
    }
    line
}

#[cfg(test)]
mod tests;
