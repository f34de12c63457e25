//! A clock that tests move and stop, over the randomness of the operating system.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use tenantry::system::SystemSource;
use tenantry_domain::environment::{Environment, Source};

/// A clock that runs as the system's does, from wherever a test has moved it to, until a test stops it.
#[derive(Debug, Clone, Default)]
pub struct TestClock(Arc<Mutex<Hands>>);

#[derive(Debug, Clone, Copy)]
enum Hands {
    Ahead(TimeDelta),
    Stopped(DateTime<Utc>),
}

impl Default for Hands {
    fn default() -> Self {
        Self::Ahead(TimeDelta::zero())
    }
}

impl Hands {
    fn now(self) -> DateTime<Utc> {
        match self {
            Self::Ahead(by) => SystemSource.now() + by,
            Self::Stopped(at) => at,
        }
    }
}

impl TestClock {
    /// Moves the clock on.
    pub fn advance(&self, by: TimeDelta) {
        let mut hands = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *hands = match *hands {
            Hands::Ahead(before) => Hands::Ahead(before + by),
            Hands::Stopped(at) => Hands::Stopped(at + by),
        };
    }

    /// Stops the clock: from now on only [`advance`](Self::advance) moves it.
    pub fn stop(&self) {
        let mut hands = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *hands = Hands::Stopped(hands.now());
    }

    /// The environment over this clock.
    #[must_use]
    pub fn environment(&self) -> Environment {
        Environment::new(self.clone())
    }
}

impl Source for TestClock {
    fn now(&self) -> DateTime<Utc> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).now()
    }

    fn fill(&self, buffer: &mut [u8]) {
        SystemSource.fill(buffer);
    }
}
