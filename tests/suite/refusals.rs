//! Which refusal comes first: 404 route → 405 → 401 → 404 tenant or invisible resource → 403 → 415, 413 → 400 → 422, 409
//! idempotency → 412 → 409. And what follows from who created a project, and from who may know of it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test should stop where it fails"
)]

mod bodies;
mod order;
mod projects;
