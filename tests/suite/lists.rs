//! Lists: pages, cursors, and walks while others write.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test should stop where it fails"
)]

mod bounds;
mod cursors;
mod links;
mod walks;
