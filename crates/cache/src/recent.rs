//! Values that are worth keeping for as long as they are used, and can be made anew at any time.

use std::{hash::Hash, time::Duration};

use moka::sync::Cache;

/// How long a value is kept that nobody asks for.
const IDLE: Duration = Duration::from_secs(60 * 60);

/// A bounded cache of values that say by themselves whether they are still good.
pub struct RecentCache<K, V>(Cache<K, V>);

impl<K, V> RecentCache<K, V>
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// An empty cache that keeps `capacity` values at most; beyond, those that were used least go.
    #[must_use]
    pub fn new(capacity: u64) -> Self {
        Self(Cache::builder().max_capacity(capacity).time_to_idle(IDLE).build())
    }

    /// The value of a key where `is_good`, or else the one that is made now, and kept instead.
    ///
    /// # Errors
    /// Those of `make`.
    pub fn get_or_make<E>(
        &self,
        key: K,
        is_good: impl FnOnce(&V) -> bool,
        make: impl FnOnce() -> Result<V, E>,
    ) -> Result<V, E> {
        if let Some(value) = self.0.get(&key).filter(is_good) {
            return Ok(value);
        }
        let value = make()?;
        self.0.insert(key, value.clone());
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::RecentCache;

    #[test]
    fn a_value_is_made_again_when_it_is_no_longer_good() {
        let cache = RecentCache::new(10);
        let get = |least: u32, made: u32| cache.get_or_make("key", |value| *value >= least, || Ok::<_, ()>(made));
        assert_eq!(get(1, 1), Ok(1));
        assert_eq!(get(1, 2), Ok(1));
        assert_eq!(get(2, 2), Ok(2));
        assert_eq!(get(1, 3), Ok(2));
        let failed = cache.get_or_make("key", |value| *value >= 3, || Err(()));
        assert_eq!(failed, Err(()));
        assert_eq!(get(2, 4), Ok(2));
    }
}
