//! What targets share: a moment that never passes, keys that are always the same, and people.

use std::sync::{
    Arc, LazyLock,
    atomic::{AtomicU64, Ordering},
};

use chrono::{DateTime, Utc};
use tenantry_auth::keys::Keyring;
use tenantry_domain::{
    environment::{Environment, Source},
    ids::UserId,
};
use uuid::Uuid;

/// 2026-01-31T09:30:00Z, in seconds.
const MOMENT: i64 = 1_769_851_800;

/// A clock that stands, and randomness that repeats: what was found is found again.
struct Still(AtomicU64);

impl Source for Still {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(MOMENT, 0).unwrap_or_default()
    }

    /// SplitMix64: far from fit for keys, and different at every call.
    fn fill(&self, buffer: &mut [u8]) {
        for byte in buffer {
            let mut mixed = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            *byte = mixed.to_le_bytes()[7];
        }
    }
}

pub(crate) static ENVIRONMENT: LazyLock<Environment> = LazyLock::new(|| Environment::new(Still(AtomicU64::new(1))));

/// The service's keys.
pub(crate) static KEYRING: LazyLock<Arc<Keyring>> =
    LazyLock::new(|| Arc::new(Keyring::generate_in_memory(&ENVIRONMENT).expect("an Ed25519 key can be made")));

/// Whoever asks.
pub(crate) fn caller() -> UserId {
    Uuid::from_u128(0x018c_2d5e_0000_7000_8000_0000_0000_0001).into()
}

/// Text cut in two at the first line break.
pub(crate) fn two_lines(text: &str) -> Option<(&str, &str)> {
    text.split_once('\n')
}
