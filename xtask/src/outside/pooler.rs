//! The test suite with PgBouncer between the service and its database.

use crate::{requirements::Variables, steps, surroundings::Surroundings};

pub(super) fn run(surroundings: &Surroundings, found: &Variables) -> anyhow::Result<()> {
    let mut tests = surroundings.cargo("test --workspace --locked --test suite");
    tests.env("TENANTRY_TEST_POOLER", "transaction");
    steps::run(
        "tests through a pooler",
        tests.envs(found.iter().map(|(name, value)| (name, value))),
    )
}
