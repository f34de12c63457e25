//! Those who write at once: entity tags, idempotency keys, slugs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test should stop where it fails"
)]

mod etags;
mod idempotency;
mod slugs;
