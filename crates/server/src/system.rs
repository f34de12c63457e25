//! The clock and the randomness of the operating system: the one place that asks for them.

use chrono::{DateTime, Utc};
use tenantry_domain::environment::{Environment, Source};

/// What every program that is no test hands to the rest as its [`Environment`].
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemSource;

impl SystemSource {
    /// The environment over the operating system.
    #[must_use]
    pub fn environment() -> Environment {
        Environment::new(Self)
    }
}

impl Source for SystemSource {
    #[expect(
        clippy::disallowed_methods,
        reason = "everything else is handed its clock, and this is that clock"
    )]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    fn fill(&self, buffer: &mut [u8]) {
        if aws_lc_rs::rand::fill(buffer).is_err() {
            // A process that goes on without randomness hands out keys and tokens that can be guessed.
            tracing::error!("the operating system gives no randomness");
            std::process::abort();
        }
    }
}

#[cfg(test)]
mod tests;
