//! Slugs of things whose name many others have.

use tenantry_domain::environment::Environment;

/// A suffix that nobody else has, as good as certainly: a random number of nine or ten digits.
pub(crate) fn random_suffix(environment: &Environment) -> u32 {
    u32::from_be_bytes(environment.random()) | 1 << 30
}
