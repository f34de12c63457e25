//! The committed document against the code, and what moved, for people.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::{Value, json};

use super::{document, operations};

/// How many places of one part are named, and how many parts: more help nobody.
const PLACES: usize = 3;
const PARTS: usize = 40;

/// What a document is made of, by name: its operations, its schemas, and whatever else it has at its top.
fn parts(document: &Value) -> BTreeMap<String, &Value> {
    let operations = operations(document).map(|(method, path, operation)| {
        let method = method.to_uppercase();
        (format!("operation {method} {path}"), operation)
    });
    let schemas = document["components"]["schemas"].as_object().into_iter().flatten();
    let schemas = schemas.map(|(name, schema)| (format!("schema {name}"), schema));
    let others = document.as_object().into_iter().flatten();
    let others = others.filter(|(name, _)| !matches!(name.as_str(), "paths" | "components"));
    let others = others.map(|(name, value)| (name.clone(), value));
    operations.chain(schemas).chain(others).collect()
}

/// A line for each part that was added, removed or changed; of a changed one, where in it.
fn moved(past: &Value, present: &Value) -> Vec<String> {
    let (past, present) = (parts(past), parts(present));
    let removed = past.keys().filter(|name| !present.contains_key(*name));
    let mut lines: Vec<String> = removed.map(|name| format!("- {name}")).collect();
    for (name, value) in &present {
        match past.get(name) {
            None => lines.push(format!("+ {name}")),
            Some(before) if before != value => {
                let mut places = Vec::new();
                differing("", before, value, &mut places);
                lines.push(format!("~ {name}: {}", first(PLACES, &places, ", ")));
            }
            Some(_) => {}
        }
    }
    lines
}

/// The first few of what is to be told, and how many there are beyond.
fn first(count: usize, said: &[String], between: &str) -> String {
    let mut told = said[..said.len().min(count)].join(between);
    if said.len() > count {
        told.push_str(&format!("{between}… and {} more", said.len() - count));
    }
    told
}

/// The topmost places at which two values differ, as JSON pointers.
fn differing(place: &str, past: &Value, present: &Value, places: &mut Vec<String>) {
    let (Value::Object(before), Value::Object(after)) = (past, present) else {
        if past != present {
            places.push(if place.is_empty() { "/" } else { place }.to_owned());
        }
        return;
    };
    let keys = before
        .keys()
        .chain(after.keys().filter(|key| !before.contains_key(*key)));
    for key in keys {
        let below = format!("{place}/{key}");
        match (before.get(key), after.get(key)) {
            (Some(before), Some(after)) => differing(&below, before, after, places),
            _ => places.push(below),
        }
    }
}

#[test]
fn the_committed_document_is_what_the_code_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi/openapi.json");
    let committed = fs::read_to_string(path).unwrap_or_default();
    let generated = tenantry_api::openapi_json();
    if committed == generated {
        return;
    }
    let past = serde_json::from_str(&committed).unwrap_or_default();
    let lines = moved(&past, &document());
    let what = if lines.is_empty() {
        "the order or the layout of the document".to_owned()
    } else {
        first(PARTS, &lines, "\n")
    };
    panic!(
        "openapi/openapi.json is not what the code says (- gone, + new, ~ changed):\n{what}\nif that is meant: \
         cargo xtask openapi\n"
    );
}

#[test]
fn what_moved_is_told_by_its_name() {
    let past = json!({
        "info": {"version": "1"},
        "paths": {"/a": {"get": {"summary": "A", "tags": ["x"]}}, "/b": {"get": {}}},
        "components": {"schemas": {"Old": {}, "Same": {"type": "object"}}},
    });
    let present = json!({
        "info": {"version": "2"},
        "paths": {"/a": {"get": {"summary": "B", "tags": ["x"], "deprecated": true}, "post": {}}},
        "components": {"schemas": {"New": {}, "Same": {"type": "object"}}},
    });
    assert_eq!(
        moved(&past, &present),
        [
            "- operation GET /b",
            "- schema Old",
            "~ info: /version",
            "~ operation GET /a: /summary, /deprecated",
            "+ operation POST /a",
            "+ schema New",
        ]
    );
    assert_eq!(moved(&past, &past), Vec::<String>::new());
    let said = ["a", "b", "c"].map(str::to_owned);
    assert_eq!(first(2, &said, ", "), "a, b, … and 1 more");
    assert_eq!(first(3, &said, ", "), "a, b, c");
}
