use serde_json::json;

use super::between;

#[test]
fn every_move_is_named_once_by_its_place() {
    let past = json!({"paths": {"/a": {"get": {"tags": ["x", "y"]}}, "/b": {"post": {}}}, "info": {"version": "1"}});
    let present =
        json!({"paths": {"/a": {"get": {"tags": ["x", "z"]}}, "/c~d": {"put": {}}}, "info": {"version": "1"}});
    let mut lines = between(&past, &present);
    lines.sort();
    assert_eq!(
        lines,
        [
            "added    /paths/~1c~0d",
            r#"changed  /paths/~1a/get/tags/1: "y" is now "z""#,
            "removed  /paths/~1b",
        ]
    );
}

#[test]
fn what_is_alike_has_no_lines() {
    let document = json!({"a": [1, null, {"b": "c"}]});
    assert!(between(&document, &document).is_empty());
}

#[test]
fn another_kind_of_value_is_a_change() {
    assert_eq!(
        between(&json!({"a": [1]}), &json!({"a": null})),
        ["changed  /a: [1] is now null"]
    );
    assert_eq!(between(&json!([1]), &json!([1, 2])), ["added    /1"]);
}
