//! What can go wrong between a service and its rows; [`DbErr`] is classified here, once.

use sea_orm::{DbErr, RuntimeErr};
use sqlx::{
    error::DatabaseError,
    postgres::{PgDatabaseError, PgSeverity},
};
use tenantry_domain::{ids::OrganizationId, permissions::Permission};

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
    /// The organization demands a second factor, and none was used for the session.
    #[error("a second factor is demanded")]
    FactorDemanded,
    /// The organization demands that its own provider opens the session, which it did not.
    #[error("signing in through the organization's provider is demanded")]
    ConnectionDemanded(OrganizationId),
    /// The organization demands a sign-in of the last so many seconds.
    #[error("a sign-in of the last {0} s is demanded")]
    SessionTooOld(u32),
    /// The caller proved too long ago who they are.
    #[error("the sign-in is too old")]
    SignInTooOld,
    /// What the caller may do was changed while they did it.
    #[error("the caller's rights have changed meanwhile")]
    RightsChanged,
    /// A unique constraint has been violated: the one of this name.
    #[error("{0} is taken")]
    Taken(String),
    /// Two transactions were in each other's way; trying again may succeed.
    #[error("conflict with a concurrent transaction: {0}")]
    Contention(DbErr),
    /// The database is away, has no connection left or took too long.
    #[error("the database is unavailable: {0}")]
    Unavailable(DbErr),
    /// Somebody gives each transaction another session, which statements prepared in the one before do not know.
    #[error("a pooler seems to be in between, for which TENANTRY_DATABASE_POOLER must be `transaction`: {0}")]
    Pooled(DbErr),
    /// A row holds what the program does not know.
    #[error("a stored value is not understood: {0}")]
    Corrupt(String),
    /// Anything else.
    #[error("the database refused: {0}")]
    Database(DbErr),
}

/// The foreign keys by which rows belong to a person.
const OF_A_PERSON: [&str; 19] = [
    "credentials_user_id_fkey",
    "sessions_user_id_fkey",
    "refresh_tokens_user_id_session_id_fkey",
    "members_user_id_fkey",
    "former_members_user_id_fkey",
    "projects_created_by_fkey",
    "idempotency_records_user_id_fkey",
    "user_idempotency_records_user_id_fkey",
    "user_jobs_user_id_fkey",
    "user_links_user_id_fkey",
    "second_factors_user_id_fkey",
    "recovery_codes_user_id_fkey",
    "trusted_devices_user_id_fkey",
    "passkeys_user_id_fkey",
    "answered_challenges_user_id_fkey",
    "identities_user_id_fkey",
    "pending_identities_user_id_link_id_fkey",
    "email_changes_user_id_fkey",
    "known_devices_user_id_fkey",
];

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        match sqlx_error(&error) {
            Some(sqlx::Error::Database(refusal)) => {
                if is_of_a_missing_session(refusal.as_ref()) {
                    return Self::Pooled(error);
                }
                if is_of_a_pooler(refusal.as_ref()) {
                    return Self::Unavailable(error);
                }
                let constraint = refusal.constraint().map(str::to_owned);
                // Classes and codes of PostgreSQL, appendix A.
                match (refusal.code().as_deref(), constraint) {
                    (Some("23505"), Some(constraint)) => Self::Taken(constraint),
                    // Whose row it would be is gone: they deleted their account in the middle of their own request.
                    (Some("23503"), Some(constraint)) if OF_A_PERSON.contains(&constraint.as_str()) => {
                        Self::SessionEnded
                    }
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

/// A violation of the protocol: that of a client, by PostgreSQL's account. PgBouncer says it of whatever it cannot do.
const PROTOCOL_VIOLATION: &str = "08P01";

/// Whether a pooler could not, or would no longer, pass something on to the database.
pub(crate) fn is_of_a_pooler(refusal: &(dyn DatabaseError + 'static)) -> bool {
    refusal.code().as_deref() == Some(PROTOCOL_VIOLATION)
        && matches!(
            refusal
                .try_downcast_ref::<PgDatabaseError>()
                .map(PgDatabaseError::severity),
            Some(PgSeverity::Fatal | PgSeverity::Panic)
        )
}

/// Whether it was refused because one session was taken for another: a statement is not there, is there already or is
/// another one; or a pooler refused what a session is to begin with.
fn is_of_a_missing_session(refusal: &(dyn DatabaseError + 'static)) -> bool {
    let message = refusal.message();
    match refusal.code().as_deref() {
        Some("26000" | "42P05") => true,
        Some(PROTOCOL_VIOLATION) => {
            message.starts_with("bind message supplies") || message.starts_with("unsupported startup parameter")
        }
        _ => false,
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
