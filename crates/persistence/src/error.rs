//! What can go wrong between a service and its rows; [`DbErr`] is classified here, once.

use sea_orm::{DbErr, RuntimeErr};
use tenantry_domain::permissions::Permission;

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing, or the caller may not know of it.
    #[error("not found")]
    NotFound,
    /// The caller may know of it, and may not do this.
    #[error("{0} is required")]
    Forbidden(Permission),
    /// The organization is suspended.
    #[error("the organization is suspended")]
    Suspended,
    /// The session of the caller has ended meanwhile.
    #[error("the session has ended")]
    SessionEnded,
    /// A unique constraint has been violated: the one of this name.
    #[error("{0} is taken")]
    Taken(String),
    /// Two transactions were in each other's way; trying again may succeed.
    #[error("conflict with a concurrent transaction: {0}")]
    Contention(DbErr),
    /// The database is away, has no connection left or took too long.
    #[error("the database is unavailable: {0}")]
    Unavailable(DbErr),
    /// A row holds what the program does not know.
    #[error("a stored value is not understood: {0}")]
    Corrupt(String),
    /// Anything else.
    #[error("the database refused: {0}")]
    Database(DbErr),
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        match sqlx_error(&error) {
            Some(sqlx::Error::Database(refusal)) => {
                let constraint = refusal.constraint().map(str::to_owned);
                // Classes and codes of PostgreSQL, appendix A.
                match (refusal.code().as_deref(), constraint) {
                    (Some("23505"), Some(constraint)) => Self::Taken(constraint),
                    (Some("40001" | "40P01" | "55P03"), _) => Self::Contention(error),
                    // Shutting down, starting up, too many connections, cancelled by a timeout, read-only.
                    (Some("57P01" | "57P02" | "57P03" | "53300" | "57014" | "25006" | "25P03" | "08006"), _) => {
                        Self::Unavailable(error)
                    }
                    _ => Self::Database(error),
                }
            }
            Some(
                sqlx::Error::Io(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::Tls(_)
                | sqlx::Error::Protocol(_)
                | sqlx::Error::WorkerCrashed,
            ) => Self::Unavailable(error),
            _ if matches!(error, DbErr::ConnectionAcquire(_) | DbErr::Conn(_)) => Self::Unavailable(error),
            _ => Self::Database(error),
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::from(wrapped(error))
    }
}

/// An error of the driver as SeaORM would hand it on.
pub(crate) fn wrapped(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(error.into()))
}

fn sqlx_error(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Query(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Conn(RuntimeErr::SqlxError(error)) => Some(error),
        _ => None,
    }
}

/// Reads a stored word, such as a status.
///
/// # Errors
/// When the program does not know it, which a database older or newer than the program could cause.
pub(crate) fn known<T: std::str::FromStr>(column: &'static str, word: &str) -> Result<T> {
    word.parse().map_err(|_| Error::Corrupt(format!("{column} = {word:?}")))
}

/// That a change of a row that was loaded and locked changed it.
pub(crate) fn one_row(affected: u64) -> Result<()> {
    if affected == 1 {
        Ok(())
    } else {
        Err(Error::Corrupt(format!("{affected} rows changed where one was locked")))
    }
}
