//! The schema: up, down and up again; what the runtime role can do with it; what the look-ups tell.
#![allow(clippy::unwrap_used, reason = "a failing test should stop where it fails")]

mod lookups;
mod runtime_role;
mod tenants;
mod up_and_down;
