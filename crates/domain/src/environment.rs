//! Time and randomness, passed in.
//!
//! Nothing above this crate asks the operating system for the time or for random bytes by itself: it is handed an
//! [`Environment`]. A test hands in one whose clock it moves, so that an expiry is tested without waiting for it.

use std::{fmt, sync::Arc};

use chrono::{DateTime, SubsecRound as _, Utc};
use uuid::Uuid;

/// A moment in UTC, no finer than a millisecond: what is stored and what is shown are the same value.
pub type Timestamp = DateTime<Utc>;

/// Where time and randomness come from.
pub trait Source: Send + Sync {
    /// The present moment, as fine as the source has it.
    fn now(&self) -> DateTime<Utc>;
    /// Fills `buffer` with bytes fit for keys and tokens.
    fn fill(&self, buffer: &mut [u8]);
}

/// The clock and the randomness of a process; cheap to clone.
#[derive(Clone)]
pub struct Environment(Arc<dyn Source>);

impl Environment {
    /// An environment over `source`.
    pub fn new(source: impl Source + 'static) -> Self {
        Self(Arc::new(source))
    }

    /// The present moment, cut to milliseconds.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.0.now().trunc_subsecs(3)
    }

    /// `N` random bytes, fit for keys and tokens.
    #[must_use]
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill(&mut bytes);
        bytes
    }

    /// A new UUID of version 7 (RFC 9562, section 5.7), which sorts by its time of creation.
    #[must_use]
    pub fn new_uuid(&self) -> Uuid {
        let millis = u64::try_from(self.0.now().timestamp_millis()).unwrap_or_default();
        uuid::Builder::from_unix_timestamp_millis(millis, &self.random()).into_uuid()
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Environment")
    }
}
