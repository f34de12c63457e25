#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    thread,
};

use chrono::{DateTime, TimeDelta};
use tenantry_domain::environment::Timestamp;

use super::{FreshCache, MAX_AGE};

const MILLISECOND: TimeDelta = TimeDelta::milliseconds(1);

fn start() -> Timestamp {
    DateTime::from_timestamp_millis(1_769_851_800_123).unwrap()
}

fn cache() -> FreshCache<&'static str, u64> {
    FreshCache::new(100)
}

#[test]
fn a_value_is_good_for_its_age_from_the_start_of_its_load() {
    let cache = cache();
    let fill = cache.begin_fill(start());
    assert_eq!(cache.get(&"key", start()), None);
    // However long the load takes, its age counts from here.
    fill.put("key", 1);
    assert_eq!(cache.get(&"key", start()), Some(1));
    assert_eq!(cache.get(&"key", start() + MAX_AGE - MILLISECOND), Some(1));
    assert_eq!(cache.get(&"key", start() + MAX_AGE), None);
    assert_eq!(cache.get(&"other", start()), None);
}

#[test]
fn a_clock_that_was_set_back_keeps_nothing_alive() {
    let cache = cache();
    cache.begin_fill(start()).put("key", 1);
    let a_moment_ago = start() - MILLISECOND;
    assert_eq!(
        cache.get(&"key", a_moment_ago),
        Some(1),
        "asked by a request that began before the load"
    );
    assert_eq!(cache.get(&"key", start() - MAX_AGE), None);
    assert_eq!(cache.get(&"key", start() - TimeDelta::hours(1)), None);
}

#[test]
fn an_invalidated_value_is_gone_at_once() {
    let cache = cache();
    cache.begin_fill(start()).put("key", 1);
    cache.invalidate(&"key");
    assert_eq!(cache.get(&"key", start()), None);
    cache.begin_fill(start()).put("key", 2);
    assert_eq!(cache.get(&"key", start()), Some(2));
    cache.invalidate_all();
    assert_eq!(cache.get(&"key", start()), None);
}

#[test]
fn a_load_that_began_before_an_invalidation_is_not_served_after_it() {
    let invalidations: [fn(&FreshCache<&'static str, u64>); 2] =
        [|cache| cache.invalidate(&"key"), FreshCache::invalidate_all];
    for invalidate in invalidations {
        let cache = cache();
        let stale = cache.begin_fill(start());
        invalidate(&cache);
        stale.put("key", 1);
        assert_eq!(cache.get(&"key", start()), None);

        let stale = cache.begin_fill(start());
        stale.put("key", 1);
        invalidate(&cache);
        assert_eq!(cache.get(&"key", start()), None);

        let stale = cache.begin_fill(start());
        invalidate(&cache);
        let fresh = cache.begin_fill(start());
        fresh.put("key", 2);
        stale.put("key", 1);
        assert_eq!(
            cache.get(&"key", start()),
            Some(2),
            "and does not displace a younger one"
        );
    }
}

/// The moment between the check in `put` and the insertion, which no order of calls can reach from outside.
#[test]
fn a_value_inserted_after_the_invalidation_it_missed_is_not_served() {
    let cache = cache();
    let fill = cache.begin_fill(start());
    cache.invalidate(&"key");
    let entry = super::Entry {
        value: 1,
        loaded_at: fill.loaded_at,
        number: fill.number,
    };
    cache.entries.insert("key", entry);
    assert_eq!(cache.get(&"key", start()), None);
}

#[test]
fn other_keys_keep_their_values() {
    let cache: FreshCache<u64, u64> = FreshCache::new(1000);
    let fill = cache.begin_fill(start());
    (0..100).for_each(|key| fill.put(key, key));
    cache.invalidate(&0);
    assert_eq!(cache.get(&0, start()), None);
    let kept = (1..100).filter(|key| cache.get(key, start()) == Some(*key)).count();
    // Three keys on the stripe of another one happen once in some ten thousand runs, fifty never.
    assert!(kept > 50, "{kept}");
}

#[test]
fn one_load_may_be_kept_under_several_keys() {
    let cache = cache();
    let fill = cache.begin_fill(start());
    fill.put("id", 1);
    fill.put("slug", 1);
    assert_eq!(
        (cache.get(&"id", start()), cache.get(&"slug", start())),
        (Some(1), Some(1))
    );
}

#[test]
fn the_number_of_values_is_bounded() {
    let cache: FreshCache<u64, u64> = FreshCache::new(100);
    (0..10_000).for_each(|key| cache.begin_fill(start()).put(key, key));
    cache.entries.run_pending_tasks();
    assert!(cache.entries.entry_count() <= 100);
}

#[test]
fn a_cache_shows_no_value() {
    let cache = cache();
    cache.begin_fill(start()).put("secret key", 4711);
    let shown = format!("{cache:?}");
    assert!(!shown.contains("4711") && !shown.contains("secret"), "{shown}");
}

/// Readers fill and read while a writer changes the truth and invalidates; nobody may see what was the truth before an
/// invalidation that had returned when they asked.
#[test]
fn no_interleaving_serves_what_was_invalidated() {
    const CHANGES: u64 = 50_000;
    let cache = Arc::new(FreshCache::<u64, u64>::new(16));
    let truth = Arc::new(AtomicU64::new(0));
    let invalidated_up_to = Arc::new(AtomicU64::new(0));
    let done = Arc::new(AtomicBool::new(false));
    let hits = Arc::new(AtomicU64::new(0));

    let readers: Vec<_> = (0..3)
        .map(|_| {
            let (cache, truth, hits) = (Arc::clone(&cache), Arc::clone(&truth), Arc::clone(&hits));
            let (invalidated_up_to, done) = (Arc::clone(&invalidated_up_to), Arc::clone(&done));
            thread::spawn(move || {
                while !done.load(SeqCst) {
                    let least = invalidated_up_to.load(SeqCst);
                    if let Some(seen) = cache.get(&1, start()) {
                        hits.fetch_add(1, SeqCst);
                        assert!(seen >= least, "saw {seen} after {least} was in force");
                    } else {
                        let fill = cache.begin_fill(start());
                        let loaded = truth.load(SeqCst);
                        thread::yield_now();
                        fill.put(1, loaded);
                    }
                }
            })
        })
        .collect();
    for change in 1..=CHANGES {
        truth.store(change, SeqCst);
        if change % 7 == 0 {
            cache.invalidate_all();
        } else {
            cache.invalidate(&1);
        }
        invalidated_up_to.store(change, SeqCst);
        if change % 64 == 0 {
            thread::yield_now();
        }
    }
    while hits.load(SeqCst) == 0 {
        thread::yield_now();
    }
    done.store(true, SeqCst);
    readers.into_iter().for_each(|reader| reader.join().unwrap());
}
