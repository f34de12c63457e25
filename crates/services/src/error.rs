//! Why a use case did not do what was asked; what that is in HTTP is decided above.

use tenantry_auth::passwords::{PasswordError, Weakness};
use tenantry_domain::permissions::Permission;

/// A result of a use case.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a use case did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The credentials are missing, wrong or out of date.
    #[error("the credentials are not valid")]
    Unauthenticated,
    /// The access token has expired.
    #[error("the access token has expired")]
    Expired,
    /// There is no such thing, or the caller may not know of it.
    #[error("not found")]
    NotFound,
    /// The caller lacks a permission.
    #[error("{0} is required")]
    Forbidden(Permission),
    /// People do not make accounts by themselves here.
    #[error("registration is closed")]
    RegistrationClosed,
    /// The organization is suspended.
    #[error("the organization is suspended")]
    Suspended,
    /// The password is too weak.
    #[error("the password is too weak")]
    WeakPassword(#[from] Weakness),
    /// What a resource keeps for clients would become too large, in the field of this name.
    #[error("{0} would become too large")]
    SettingsTooLarge(&'static str),
    /// Something that exists is in the way.
    #[error("conflict: {}", .0.as_str())]
    Conflict(Conflict),
    /// The resource is not the version that the caller demanded.
    #[error("the resource has changed")]
    PreconditionFailed,
    /// The idempotency key was used for another request.
    #[error("the idempotency key was used for another request")]
    IdempotencyKeyReused,
    /// The first request with this idempotency key is still running.
    #[error("the first request with this idempotency key is still running")]
    IdempotencyInProgress,
    /// Too busy, or a dependency is away: trying again in a moment may succeed.
    #[error("unavailable for the moment")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A defect of ours.
    #[error("internal error")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

tenantry_domain::keywords! {
    /// What is in the way.
    pub enum Conflict {
        /// Another has this slug.
        SlugTaken = "slug_taken",
        /// Another has this address.
        EmailTaken = "email_taken",
    }
}

impl Error {
    /// A defect of ours.
    pub fn internal(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Internal(Box::new(error))
    }
}

impl From<tenantry_persistence::Error> for Error {
    fn from(error: tenantry_persistence::Error) -> Self {
        use tenantry_persistence::Error as E;
        match error {
            E::NotFound => Self::NotFound,
            E::Forbidden(permission) => Self::Forbidden(permission),
            E::Suspended => Self::Suspended,
            E::SessionEnded => Self::Unauthenticated,
            E::Contention(_) | E::Unavailable(_) => Self::Unavailable(Box::new(error)),
            E::Taken(_) | E::Corrupt(_) | E::Database(_) => Self::Internal(Box::new(error)),
        }
    }
}

impl From<PasswordError> for Error {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => Self::Unavailable(Box::new(error)),
            _ => Self::Internal(Box::new(error)),
        }
    }
}
