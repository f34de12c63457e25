//! The limits of what an attacker could repeat.

pub use tenantry_cache::limits::{Charge, Limit, LimitKey, LimitScope};

use crate::{
    Services,
    error::{Error, Result},
};

impl Services {
    /// Charges a limit; `None` where limits are off.
    #[must_use]
    pub fn charge(&self, limit: Limit, key: &LimitKey) -> Option<Charge> {
        self.settings().limiter.charge(limit, key, self.environment().now())
    }

    /// Charges several limits; where one of them refuses, those before it are given back.
    pub(crate) fn charge_all(&self, limits: &[(Limit, LimitKey)]) -> Result<()> {
        for (number, (limit, key)) in limits.iter().enumerate() {
            let Some(charge) = self.charge(*limit, key).filter(|charge| !charge.allowed) else {
                continue;
            };
            for (limit, key) in limits.iter().take(number) {
                self.refund(*limit, key);
            }
            return Err(Error::RateLimited(charge));
        }
        Ok(())
    }

    /// Gives back what was charged for something that proved harmless.
    pub fn refund(&self, limit: Limit, key: &LimitKey) {
        self.settings().limiter.refund(limit, key, self.environment().now());
    }
}
