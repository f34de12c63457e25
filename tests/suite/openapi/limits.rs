//! Everything in the document that could be long, many or large says how long, many or large it may become.

use serde_json::{Value, json};

use super::{document, operations};

/// Everything in a document that has no limit.
fn unlimited(document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        look(schema, name, &mut found);
    }
    for (_, _, operation) in operations(document) {
        let id = operation["operationId"].as_str().unwrap();
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            look(&parameter["schema"], &format!("{id} {}", parameter["name"]), &mut found);
        }
        for (status, answer) in operation["responses"].as_object().unwrap() {
            for (name, header) in answer["headers"].as_object().into_iter().flatten() {
                look(&header["schema"], &format!("{id} {status} {name}"), &mut found);
            }
            for content in answer["content"]
                .as_object()
                .into_iter()
                .flat_map(|media| media.values())
            {
                look(&content["schema"], &format!("{id} {status}"), &mut found);
            }
        }
    }
    found
}

fn look(schema: &Value, place: &str, found: &mut Vec<String>) {
    let has = |name: &str| schema.get(name).is_some();
    let is = |kind: &str| {
        schema["type"] == kind
            || schema["type"]
                .as_array()
                .is_some_and(|kinds| kinds.contains(&json!(kind)))
    };
    // A word of a closed set is as long as it is.
    let closed = has("enum") || has("const");
    let lacks = if is("string") && !closed && !has("maxLength") {
        Some("maxLength")
    } else if is("array") && !has("maxItems") {
        Some("maxItems")
    } else if (is("integer") || is("number")) && !(has("minimum") && has("maximum")) {
        Some("minimum or maximum")
    } else {
        None
    };
    found.extend(lacks.map(|limit| format!("{place} has no {limit}")));
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        look(field, &format!("{place}.{name}"), found);
    }
    if has("items") {
        look(&schema["items"], &format!("{place}[]"), found);
    }
    for alternatives in ["oneOf", "anyOf", "allOf"] {
        for one in schema[alternatives].as_array().into_iter().flatten() {
            look(one, place, found);
        }
    }
}

#[test]
fn everything_has_a_limit() {
    let found = unlimited(&document());
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn what_has_none_is_named() {
    let mut document = document();
    let project = &mut document["components"]["schemas"]["Project"]["properties"];
    project["labels"] = json!({ "type": "array", "items": { "type": ["string", "null"] } });
    project["weight"] = json!({ "oneOf": [{ "type": "number", "minimum": 0 }] });
    assert_eq!(
        unlimited(&document),
        [
            "Project.labels has no maxItems",
            "Project.labels[] has no maxLength",
            "Project.weight has no minimum or maximum",
        ]
    );
}
