//! `postmaster.pid`, by which a PostgreSQL server tells its process and its state.
//!
//! PostgreSQL's own `pg_ctl` waits by it. Of its lines (`src/include/utils/pidfile.h`) the first is the process and the
//! eighth the state; later lines appear as the server gets to know what they say.

use std::{fs, io, path::Path};

/// What the file says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PidFile {
    pub(super) pid: i32,
    /// Whether connections are accepted.
    pub(super) ready: bool,
}

impl PidFile {
    /// Reads the file of the server on `cluster`; none when there is none, or it is just being written.
    pub(super) fn read(cluster: &Path) -> io::Result<Option<Self>> {
        match fs::read(cluster.join("postmaster.pid")) {
            Ok(text) => Ok(Self::parse(&String::from_utf8_lossy(&text))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        // Zero and negative numbers name groups of processes to `kill`.
        let pid = lines.next()?.trim().parse().ok().filter(|pid| *pid > 1)?;
        Some(Self {
            pid,
            ready: lines.nth(6).is_some_and(|state| state.trim_end() == "ready"),
        })
    }
}

#[cfg(test)]
mod tests;
