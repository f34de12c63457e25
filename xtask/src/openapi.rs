//! `openapi/openapi.json`: generated from the code, kept beside it.

use std::path::PathBuf;

use crate::{steps, surroundings::Surroundings};

/// Fails when the document says something else than the code; the binary, already built, tells what moved.
pub(crate) fn check(surroundings: &Surroundings) -> anyhow::Result<()> {
    steps::run(
        "openapi drift",
        surroundings
            .tenantry(&["openapi", "--check"])
            .arg(document(surroundings)),
    )
}

/// Writes the document anew: `cargo xtask openapi`.
pub(crate) fn write(surroundings: &Surroundings) -> anyhow::Result<()> {
    steps::run("build", &mut surroundings.cargo("build --workspace --bins --locked"))?;
    steps::run(
        "openapi",
        surroundings.tenantry(&["openapi", "--out"]).arg(document(surroundings)),
    )
}

fn document(surroundings: &Surroundings) -> PathBuf {
    surroundings.root.join("openapi/openapi.json")
}
