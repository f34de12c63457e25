//! Values that were just looked up, for as long as they are surely fresh.
//!
//! A value is served for [`MAX_AGE`] at most, counted from the moment before it was loaded: nodes have no channel between
//! them, so that is how soon a change made on one is seen on every other. On the node that made the change it is seen at
//! once: whoever changes something commits, then invalidates, and a value whose load began before that is not served
//! after it, in whatever order the loads end.
//!
//! To cache another kind of value: a [`FreshCache`] of its own, [`FreshCache::begin_fill`] before each load, and
//! [`FreshCache::invalidate`] after each commit that changes what the load reads.

use std::{
    fmt,
    hash::{BuildHasher as _, Hash, RandomState},
    sync::atomic::{AtomicU64, Ordering::SeqCst},
    time::Duration,
};

use chrono::TimeDelta;
use moka::sync::Cache;
use tenantry_domain::environment::Timestamp;

/// How long a value is good for.
pub const MAX_AGE: TimeDelta = TimeDelta::seconds(1);

/// How long a value that is good no more may take up memory.
const RETENTION: Duration = Duration::from_secs(60);

/// Over how many counters the keys are spread. Keys that share one are invalidated together, which costs a load.
const STRIPES: u64 = 1024;

/// A bounded cache of fresh values.
///
/// Every invalidation takes the next number. It is written down for its key's stripe (or for all keys), and a fill
/// remembers the number before its load. A value is good while nothing that concerns it has a greater number, which
/// [`FreshCache::get`] compares each time: there is no moment between check and insertion for an invalidation to fall in.
pub struct FreshCache<K, V> {
    entries: Cache<K, Entry<V>>,
    hasher: RandomState,
    last_invalidation: AtomicU64,
    invalidated_all: AtomicU64,
    invalidated: Box<[AtomicU64]>,
}

#[derive(Clone)]
struct Entry<V> {
    value: V,
    loaded_at: Timestamp,
    number: u64,
}

/// The beginning of a load, which remembers when that was.
#[must_use = "a load that is not put into the cache is lost"]
pub struct Fill<'a, K, V> {
    cache: &'a FreshCache<K, V>,
    loaded_at: Timestamp,
    number: u64,
}

impl<K, V> FreshCache<K, V>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// An empty cache of at most `capacity` values.
    #[must_use]
    pub fn new(capacity: u64) -> Self {
        Self {
            entries: Cache::builder().max_capacity(capacity).time_to_live(RETENTION).build(),
            hasher: RandomState::new(),
            last_invalidation: AtomicU64::new(0),
            invalidated_all: AtomicU64::new(0),
            invalidated: (0..STRIPES).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// The value of `key`, if it is fresh at `now`.
    #[must_use]
    pub fn get(&self, key: &K, now: Timestamp) -> Option<V> {
        let entry = self.entries.get(key)?;
        // Backwards as well: a clock that was set back must not keep a value alive.
        let fresh = now.signed_duration_since(entry.loaded_at).abs() < MAX_AGE;
        (fresh && entry.number >= self.invalidated(key)).then_some(entry.value)
    }

    /// Call this **before** a value is loaded, at `now`, and [`Fill::put`] with what was loaded.
    pub fn begin_fill(&self, now: Timestamp) -> Fill<'_, K, V> {
        Fill {
            cache: self,
            loaded_at: now,
            number: self.last_invalidation.load(SeqCst),
        }
    }

    /// Forgets the value of `key`, and what is being loaded for it. Call this **after** the change is committed.
    pub fn invalidate(&self, key: &K) {
        self.invalidate_from(self.stripe(key));
    }

    /// Forgets everything, and what is being loaded. Call this **after** the change is committed.
    pub fn invalidate_all(&self) {
        self.invalidate_from(&self.invalidated_all);
    }

    /// A fill that begins after the number was taken loads what was committed before; it is rightly spared.
    fn invalidate_from(&self, mark: &AtomicU64) {
        mark.fetch_max(self.last_invalidation.fetch_add(1, SeqCst) + 1, SeqCst);
    }

    /// The number of the last invalidation that concerns `key`.
    fn invalidated(&self, key: &K) -> u64 {
        self.stripe(key).load(SeqCst).max(self.invalidated_all.load(SeqCst))
    }

    fn stripe(&self, key: &K) -> &AtomicU64 {
        let stripe = usize::try_from(self.hasher.hash_one(key) % STRIPES)
            .ok()
            .and_then(|index| self.invalidated.get(index));
        // The remainder is always within; were it not, to forget everything would be the safe answer.
        stripe.unwrap_or(&self.invalidated_all)
    }
}

impl<K, V> Fill<'_, K, V>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// Keeps `value` for `key`, unless it was invalidated since the load began.
    ///
    /// One load may yield several: the value under each of its names.
    pub fn put(&self, key: K, value: V) {
        // For the sake of a younger value only, which this one must not displace; `get` compares again.
        if self.number >= self.cache.invalidated(&key) {
            let entry = Entry {
                value,
                loaded_at: self.loaded_at,
                number: self.number,
            };
            self.cache.entries.insert(key, entry);
        }
    }
}

/// Shows no value.
impl<K, V> fmt::Debug for FreshCache<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FreshCache").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
