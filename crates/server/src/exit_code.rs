//! What the program tells its caller by its exit code: the one list of codes, and which failure gets which.
//!
//! To add one: a variant with its meaning, and its line in [`ExitCode::of`]. Codes are never given another meaning.

use std::{error::Error as StdError, fmt, io, process};

use crate::{application, configuration::Problems, programs::NotFound};

/// How the program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// All went well.
    Success = 0,
    /// Something failed that has no code of its own.
    Failure = 1,
    /// The command line is not understood; clap exits with this one.
    Usage = 2,
    /// The configuration has problems.
    Configuration = 3,
    /// The database would not keep tenants apart.
    UnsafeDatabase = 4,
    /// Something that is needed is not there.
    Unavailable = 5,
}

impl ExitCode {
    /// Every code.
    pub const ALL: [Self; 6] = [
        Self::Success,
        Self::Failure,
        Self::Usage,
        Self::Configuration,
        Self::UnsafeDatabase,
        Self::Unavailable,
    ];

    /// What it means, for `--help`.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Success => "all went well",
            Self::Failure => "failed; the reason is on standard error",
            Self::Usage => "the command line is not understood",
            Self::Configuration => "the configuration has problems, all of them named",
            Self::UnsafeDatabase => "the database would not keep tenants apart; `tenantry doctor` says why",
            Self::Unavailable => "something needed is not there: the database, its programs, the listen address",
        }
    }

    /// The code of a failure, by whatever is among its causes.
    #[must_use]
    pub fn of(error: &anyhow::Error) -> Self {
        if holds::<Problems>(error) || is_misconfigured(error) {
            Self::Configuration
        } else if holds::<application::Unsafe>(error) {
            Self::UnsafeDatabase
        } else if holds::<Unavailable>(error) || holds::<NotFound>(error) || is_unreachable(error) {
            Self::Unavailable
        } else {
            Self::Failure
        }
    }

    /// The list of codes for `--help`.
    #[must_use]
    pub fn legend() -> String {
        let lines = Self::ALL.map(|code| format!("  {}  {}", code as u8, code.meaning()));
        format!("Exit codes:\n{}", lines.join("\n"))
    }
}

impl From<ExitCode> for process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}

/// Marks an error as the absence of something that the program needs, by `.context(Unavailable("…"))`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unavailable(
    /// What is not there, as the beginning of the sentence "… is not available".
    pub &'static str,
);

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not available", self.0)
    }
}

impl StdError for Unavailable {}

/// Whether an error is or was caused by a `T`, or has one for its context.
fn holds<T: StdError + Send + Sync + 'static>(error: &anyhow::Error) -> bool {
    error.is::<T>() || error.chain().any(|cause| cause.is::<T>())
}

/// Whether something that was found at run time is a matter of configuration.
fn is_misconfigured(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        matches!(cause.downcast_ref(), Some(tenantry_persistence::Error::Pooled(_)))
            || matches!(cause.downcast_ref(), Some(tenantry_migrations::Error::Pooled))
    })
}

fn is_unreachable(error: &anyhow::Error) -> bool {
    let of_network = |kind: io::ErrorKind| {
        matches!(
            kind,
            io::ErrorKind::AddrInUse
                | io::ErrorKind::AddrNotAvailable
                | io::ErrorKind::ConnectionRefused
                | io::ErrorKind::HostUnreachable
                | io::ErrorKind::NetworkUnreachable
                | io::ErrorKind::TimedOut
        )
    };
    error.chain().any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|cause| of_network(cause.kind()))
            || matches!(cause.downcast_ref(), Some(tenantry_persistence::Error::Unavailable(_)))
            || matches!(cause.downcast_ref(), Some(tenantry_migrations::Error::Unreachable(_)))
    })
}

#[cfg(test)]
mod tests;
