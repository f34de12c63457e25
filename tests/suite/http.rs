//! What holds for every path: envelopes, traces, headers, methods; and the paths at the root.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test should stop where it fails"
)]

mod cors;
mod envelopes;
mod methods;
mod root;
mod traces;
