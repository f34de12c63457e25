//! What the OpenAPI document tells of browser mode.

use std::collections::BTreeSet;

use serde_json::{Value, json};

fn document() -> Value {
    serde_json::from_str(&tenantry_api::openapi_json()).unwrap()
}

/// The words of a closed set, wherever its schema has them.
fn words<'a>(document: &'a Value, schema: &'a Value) -> BTreeSet<&'a str> {
    if let Some(reference) = schema["$ref"].as_str() {
        return words(document, document.pointer(reference.trim_start_matches('#')).unwrap());
    }
    let own = schema["enum"].as_array().into_iter().flatten();
    let alternatives = ["oneOf", "anyOf", "allOf"].map(|name| &schema[name]);
    let alternatives = alternatives.into_iter().filter_map(Value::as_array).flatten();
    own.filter_map(Value::as_str)
        .chain(alternatives.flat_map(|schema| words(document, schema)))
        .collect()
}

/// The operations that take a header, with its parameter, by their ids.
fn taking<'a>(document: &'a Value, header: &str) -> Vec<(&'a str, &'a Value)> {
    let paths = document["paths"].as_object().unwrap().values();
    let operations = paths.flat_map(|path| path.as_object().unwrap().values());
    let mut found = Vec::new();
    for operation in operations {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        for parameter in parameters {
            let named = parameter["name"]
                .as_str()
                .is_some_and(|name| name.eq_ignore_ascii_case(header));
            if named && parameter["in"] == "header" {
                found.push((operation["operationId"].as_str().unwrap(), parameter));
            }
        }
    }
    found
}

#[test]
fn the_operations_that_open_or_renew_a_session_take_the_mode() {
    let document = document();
    let taking = taking(&document, "X-Token-Transport");
    let ids: BTreeSet<_> = taking.iter().map(|(id, _)| *id).collect();
    let opening = [
        "exchangeSignInCode",
        "login",
        "loginWithPasskey",
        "refresh",
        "register",
        "verifyMfa",
    ];
    assert_eq!(ids, BTreeSet::from(opening));
    for (id, parameter) in taking {
        assert_eq!(parameter["name"], "X-Token-Transport", "{id}");
        assert_ne!(parameter["required"], true, "{id}");
        let words = words(&document, &parameter["schema"]);
        assert_eq!(words, BTreeSet::from(["body", "cookie"]), "{id}");
    }
}

#[test]
fn refresh_and_logout_take_a_csrf_token_and_need_no_body() {
    let document = document();
    let taking = taking(&document, "X-CSRF-Token");
    let ids: BTreeSet<_> = taking.iter().map(|(id, _)| *id).collect();
    assert_eq!(ids, BTreeSet::from(["logout", "refresh"]));
    for (id, parameter) in taking {
        assert_eq!(parameter["name"], "X-CSRF-Token", "{id}");
        assert_ne!(parameter["required"], true, "{id}");
    }
    for path in ["/api/v1/auth/refresh", "/api/v1/auth/logout"] {
        let operation = &document["paths"][path]["post"];
        assert!(
            operation["requestBody"]["content"]["application/json"].is_object(),
            "{path}"
        );
        assert_ne!(operation["requestBody"]["required"], true, "{path}");
        let refused = &operation["responses"]["403"]["content"]["application/json"]["example"]["error"]["message"];
        assert!(refused.as_str().unwrap().contains("X-CSRF-Token"), "{path}");
    }
}

#[test]
fn either_of_the_tokens_of_a_session_may_be_null() {
    let document = document();
    let session = &document["components"]["schemas"]["Session"];
    for name in ["refreshToken", "csrfToken"] {
        let mut kinds = session["properties"][name]["type"].as_array().unwrap().clone();
        kinds.sort_by_key(Value::to_string);
        assert_eq!(kinds, [json!("null"), json!("string")], "{name}");
    }
}
