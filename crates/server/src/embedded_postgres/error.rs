//! What can go wrong with the private PostgreSQL server, told so that its reader knows what to do.

use std::{
    io,
    path::{Path, PathBuf},
};

/// Why the private PostgreSQL server did not start, run or stop.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedPostgresError {
    /// A file or a program could not be used.
    #[error("{action} {}: {source}", .path.display())]
    Io {
        /// What was being done.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// Another process has its database in the folder.
    #[error("the folder {} is in use by {holder}: stop that first, or choose another folder", .folder.display())]
    InUse {
        /// The folder.
        folder: PathBuf,
        /// The process.
        holder: String,
    },
    /// The folder was not made by a start of this server.
    #[error("the folder {} holds other files: choose an empty or a new folder for the database", .folder.display())]
    NotOurs {
        /// The folder.
        folder: PathBuf,
    },
    /// Root needs another user to run the database as.
    #[error("PostgreSQL does not run as root, and this system has neither a user `postgres` nor a user `nobody`")]
    NoUnprivilegedUser,
    /// The data is in the format of another major version.
    #[error(
        "the database in {} was made by PostgreSQL {cluster}, but the programs found are version {programs}: set \
         TENANTRY_POSTGRES_BIN to the folder of version {cluster}, or remove the database to begin anew",
        .folder.display()
    )]
    OtherVersion {
        /// The folder.
        folder: PathBuf,
        /// The major version of the data.
        cluster: String,
        /// The major version of the programs.
        programs: u16,
    },
    /// The cluster is there, the password to it is not.
    #[error(
        "{} does not hold the password of the database beside it: restore that file, or remove the whole folder to \
         begin anew",
        .path.display()
    )]
    PasswordLost {
        /// Where it belongs.
        path: PathBuf,
    },
    /// `initdb` failed.
    #[error("creating the database cluster failed: {output}")]
    NotCreated {
        /// What it wrote.
        output: String,
    },
    /// A server which a killed process left behind does not end.
    #[error("a database server that was left running (process {pid}) does not stop")]
    LeftoverRemains {
        /// Its process.
        pid: i32,
    },
    /// The server did not come to accept connections.
    #[error("PostgreSQL did not start ({reason}); its log ends with:\n{log}")]
    NotStarted {
        /// How the attempt ended.
        reason: String,
        /// The end of its log.
        log: String,
    },
    /// The server ended without having been asked to.
    #[error("PostgreSQL ended by itself ({status}); its log ends with:\n{log}")]
    Died {
        /// How it ended.
        status: String,
        /// The end of its log.
        log: String,
    },
    /// The server does not end.
    #[error("PostgreSQL (process {pid}) does not stop")]
    NotStopped {
        /// Its process.
        pid: i32,
    },
}

impl EmbeddedPostgresError {
    /// Says what was being done with which file or program, for `map_err`.
    pub(super) fn at(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}
