//! Chance that falls the same each time: what a seed is made of is decided by its number alone.

use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use tenantry_domain::environment::{Environment, Source};

/// The step of SplitMix64, whose outputs are well mixed whatever it starts from.
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// A sequence of numbers.
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    /// The dice of a kind of thing and of its number.
    pub(super) fn of(kind: &str, number: u64) -> Self {
        let kind = kind.bytes().fold(0, |state, byte| mixed(state ^ u64::from(byte)));
        Self(mixed(kind ^ mixed(number)))
    }

    /// The next number.
    pub(super) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mixed(self.0)
    }

    /// A number below `end`, which is not 0.
    pub(super) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.roll() % (end.max(1) as u64)).unwrap_or_default()
    }

    /// Whether it happens, so often in a hundred times.
    pub(super) fn in_hundred(&mut self, times: usize) -> bool {
        self.below(100) < times
    }

    /// One of these, which are some.
    pub(super) fn pick<T: Copy + Default>(&mut self, from: &[T]) -> T {
        from.get(self.below(from.len())).copied().unwrap_or_default()
    }
}

fn mixed(state: u64) -> u64 {
    let state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    state ^ (state >> 31)
}

/// A moment that stands still and bytes that can be foretold: for the ids of what is seeded, and for nothing secret.
struct SeedSource {
    moment: DateTime<Utc>,
    state: AtomicU64,
}

impl Source for SeedSource {
    fn now(&self) -> DateTime<Utc> {
        self.moment
    }

    fn fill(&self, buffer: &mut [u8]) {
        for part in buffer.chunks_mut(8) {
            let number = mixed(self.state.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP));
            for (byte, random) in part.iter_mut().zip(number.to_be_bytes()) {
                *byte = random;
            }
        }
    }
}

/// The environment of one thing that is seeded: its ids are the same each time.
pub(super) fn environment(dice: &Dice, moment: DateTime<Utc>) -> Environment {
    Environment::new(SeedSource {
        moment,
        state: AtomicU64::new(dice.0),
    })
}
