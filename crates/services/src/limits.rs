//! The limits of what an attacker could repeat.

pub use tenantry_cache::limits::{Charge, Limit, LimitKey, LimitScope};

use crate::Services;

impl Services {
    /// Charges a limit; `None` where limits are off.
    #[must_use]
    pub fn charge(&self, limit: Limit, key: &LimitKey) -> Option<Charge> {
        self.settings().limiter.charge(limit, key, self.environment().now())
    }

    /// Gives back what was charged for something that proved harmless.
    pub fn refund(&self, limit: Limit, key: &LimitKey) {
        self.settings().limiter.refund(limit, key, self.environment().now());
    }
}
