//! The depth of bodies.

use super::{is_deeper_than, parse};

#[test]
fn levels_are_counted_outside_of_strings() {
    assert!(!is_deeper_than(br#"{"a":[{"b":1}]}"#, 3));
    assert!(is_deeper_than(br#"{"a":[{"b":1}]}"#, 2));
    assert!(!is_deeper_than(br#"["[[[[","\"[[[["]"#, 1));
    assert!(!is_deeper_than(b"[][][]", 1));
}

#[test]
fn a_hundred_thousand_levels_are_refused_without_recursion() {
    assert!(parse("[".repeat(100_000).as_bytes()).is_err());
}

#[test]
fn lone_surrogates_and_broken_utf8_are_not_json() {
    assert!(parse(br#""\ud800""#).is_err());
    assert!(parse(b"\"\xff\"").is_err());
    assert!(parse(br#""\ud83d\ude00""#).is_ok());
}
