#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::{Map, Value, json};

use super::{MAX_BYTES, SettingsChange, SettingsTooLarge, check};

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        other => [("value".to_owned(), other)].into_iter().collect(),
    }
}

/// The examples of RFC 7396, appendix A, whose target and patch are objects.
#[test]
fn merging_is_that_of_the_standard() {
    for (target, patch, merged) in [
        (json!({"a":"b"}), json!({"a":"c"}), json!({"a":"c"})),
        (json!({"a":"b"}), json!({"b":"c"}), json!({"a":"b","b":"c"})),
        (json!({"a":"b"}), json!({"a":null}), json!({})),
        (json!({"a":"b","b":"c"}), json!({"a":null}), json!({"b":"c"})),
        (json!({"a":["b"]}), json!({"a":"c"}), json!({"a":"c"})),
        (json!({"a":"c"}), json!({"a":["b"]}), json!({"a":["b"]})),
        (
            json!({"a":{"b":"c"}}),
            json!({"a":{"b":"d","c":null}}),
            json!({"a":{"b":"d"}}),
        ),
        (json!({"a":[{"b":"c"}]}), json!({"a":[1]}), json!({"a":[1]})),
        (json!({"e":null}), json!({"a":1}), json!({"e":null,"a":1})),
        (json!({}), json!({"a":{"bb":{"ccc":null}}}), json!({"a":{"bb":{}}})),
    ] {
        let change = SettingsChange::Merge(object(patch.clone()));
        assert_eq!(
            change.applied_to(&object(target.clone())).unwrap(),
            object(merged),
            "{target} + {patch}"
        );
    }
}

#[test]
fn replacing_keeps_nothing() {
    let change = SettingsChange::Replace(object(json!({"b": 2})));
    assert_eq!(
        change.applied_to(&object(json!({"a": 1}))).unwrap(),
        object(json!({"b": 2}))
    );
}

#[test]
fn what_merging_adds_up_to_is_bounded_too() {
    let half = "x".repeat(MAX_BYTES * 2 / 3);
    let current = object(json!({ "a": half }));
    assert_eq!(check(&current), Ok(()));
    let change = SettingsChange::Merge(object(json!({ "b": half })));
    assert_eq!(change.applied_to(&current), Err(SettingsTooLarge));
}

#[test]
fn a_number_counts_as_it_is_stored() {
    // Six bytes each as they are sent, 309 as PostgreSQL prints them.
    let numbers: Vec<f64> = vec![1e308; 100];
    assert_eq!(check(&object(json!({ "a": numbers }))), Err(SettingsTooLarge));
    assert_eq!(check(&object(json!({ "a": vec![1; 100] }))), Ok(()));
    // `1.0` stays what it is.
    assert_eq!(check(&object(json!({ "a": vec![1.0; 4000] }))), Err(SettingsTooLarge));
    assert_eq!(check(&object(json!({ "a": vec![1.0; 3000] }))), Ok(()));
}
