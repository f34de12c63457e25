//! What the fuzz targets do with their bytes: feed a parser, and hold what comes out against what must be true of it.
//!
//! A target never fails on what it is given, only on what the parser makes of it. `tests/suite/corpus.rs` runs the same
//! functions over `fuzz/corpus-seed` in every ordinary test run. To add one: a module here with its line in [`TARGETS`],
//! a file in `fuzz_targets`, its `[[bin]]` in `Cargo.toml`, and a folder of seeds; what a target has found becomes a seed.

pub mod access_tokens;
pub mod cursors;
pub mod headers;
pub mod lists;
pub mod merge_patch;
mod setting;
pub mod slugs;

/// Feeds bytes to a parser, and panics where what comes out is not as it must be.
pub type Target = fn(&[u8]);

/// Every target, by its name.
pub const TARGETS: &[(&str, Target)] = &[
    ("access_tokens", access_tokens::run),
    ("cursors", cursors::run),
    ("headers", headers::run),
    ("lists", lists::run),
    ("merge_patch", merge_patch::run),
    ("slugs", slugs::run),
];
