//! The OpenAPI document: the committed one is what the code says, and what it says keeps the rules of the contract.
//!
//! To adopt a change of the document: `cargo xtask openapi`. A rule that every operation must keep is a line in
//! [`rules`], with its defect planted in the tests there.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing test should stop where it fails"
)]

mod drift;
mod limits;
mod reading;
mod rules;

use serde_json::Value;

/// The methods that a path can have, in the order of OpenAPI's own list.
const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// The document as the code has it.
fn document() -> Value {
    serde_json::from_str(&tenantry_api::openapi_json()).unwrap()
}

/// Every operation of a document with its method and path.
fn operations(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    let paths = document["paths"].as_object().into_iter().flatten();
    paths.flat_map(|(path, item)| {
        METHODS
            .iter()
            .filter_map(move |method| Some((*method, path.as_str(), item.get(method)?)))
    })
}
