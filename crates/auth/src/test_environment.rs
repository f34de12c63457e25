//! An environment whose clock the tests move and whose randomness repeats.
#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU64, Ordering},
};

use chrono::{DateTime, TimeDelta, Utc};
use tenantry_domain::environment::{Environment, Source};

/// 2026-01-31T09:30:00.123Z, where every test clock starts.
const START_MILLIS: i64 = 1_769_851_800_123;

pub(crate) struct TestClock {
    millis: Arc<AtomicI64>,
}

impl TestClock {
    pub(crate) fn advance(&self, by: TimeDelta) {
        self.millis.fetch_add(by.num_milliseconds(), Ordering::SeqCst);
    }
}

struct TestSource {
    millis: Arc<AtomicI64>,
    state: AtomicU64,
}

impl Source for TestSource {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.millis.load(Ordering::SeqCst)).unwrap()
    }

    /// SplitMix64: far from fit for keys, and different at every call.
    fn fill(&self, buffer: &mut [u8]) {
        for byte in buffer {
            let mut mixed = self.state.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::SeqCst);
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            *byte = mixed.to_le_bytes()[7];
        }
    }
}

pub(crate) fn test_environment(seed: u64) -> (Environment, TestClock) {
    let millis = Arc::new(AtomicI64::new(START_MILLIS));
    let source = TestSource {
        millis: Arc::clone(&millis),
        state: AtomicU64::new(seed),
    };
    (Environment::new(source), TestClock { millis })
}
