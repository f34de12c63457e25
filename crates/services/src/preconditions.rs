//! What a caller demands of a resource before it is changed (RFC 9110, section 13.1.1).

use crate::error::{Error, Result};

/// The versions that a change is meant for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Precondition {
    /// Whatever it is.
    #[default]
    None,
    /// One of these.
    Versions(Vec<i64>),
}

impl Precondition {
    /// Demands it of a version.
    ///
    /// # Errors
    /// [`Error::PreconditionFailed`].
    pub fn check(&self, version: i64) -> Result<()> {
        match self {
            Self::Versions(versions) if !versions.contains(&version) => Err(Error::PreconditionFailed),
            Self::None | Self::Versions(_) => Ok(()),
        }
    }
}
