//! What must not compile: every way around the one from route to row.
//!
//! Each file in `compile_fail/` is one rule that the types keep, as a program that breaks it; the `.stderr` beside it is
//! how the compiler refuses. `compile_fail/pass/` goes the right way, so what is refused is not refused for want of an
//! import. To add a rule: a file that breaks it, then `TRYBUILD=overwrite cargo test --workspace --test compile_fail`,
//! and a look at whether the `.stderr` says what the rule is about.

/// Compiled into this test: that alone is what it proves.
#[path = "compile_fail/pass/the_way_to_a_row.rs"]
#[expect(dead_code, reason = "what compiles is proven; running it takes a database")]
mod the_way_to_a_row;

#[test]
fn what_goes_around_a_proof_does_not_compile() {
    // Programs that fail alone are checked and never linked, all in one go: a `pass` among them would build SeaORM and
    // everything else below a second time.
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
