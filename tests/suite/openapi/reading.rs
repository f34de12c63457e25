//! What people read and generators need: everything is described, shown by an example, and of a form that its name promises.

use serde_json::{Value, json};

use super::{document, operations};

/// Where the schema of an error is.
const ENVELOPE: &str = "#/components/schemas/ErrorEnvelope";

/// The form that the end of a field's name promises, for fields that are text.
const FORMS: [(&str, &str); 6] = [
    ("Id", "uuid"),
    ("At", "date-time"),
    ("Url", "uri"),
    ("id", "uuid"),
    ("email", "email"),
    ("timestamp", "date-time"),
];

/// Whose form is another: that of W3C Trace Context, which has no dashes, that of keys (RFC 7638), that of a path that leads back
/// here, and whatever a provider calls those who sign in through it.
const OTHER_FORMS: [&str; 4] = ["traceId", "kid", "authorizeUrl", "clientId"];

/// What WebAuthn calls things by: bytes, and domains.
const FORMS_OF_WEBAUTHN: [&str; 2] = ["base64url", "hostname"];

/// Everything in a document that is not described, not shown or not of its form.
fn complaints(document: &Value) -> Vec<String> {
    let mut complaints = Vec::new();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        if schema["description"].as_str().is_none_or(str::is_empty) {
            complaints.push(format!("{name} has no description"));
        }
        for (field, schema) in schema["properties"].as_object().into_iter().flatten() {
            of_the_field(&format!("{name}.{field}"), field, schema, &mut complaints);
        }
    }
    for (_, _, operation) in operations(document) {
        let id = operation["operationId"].as_str().unwrap();
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            of_the_parameter(id, parameter, &mut complaints);
        }
        for (status, answer) in operation["responses"].as_object().unwrap() {
            of_the_answer(&format!("{id} {status}"), answer, &mut complaints);
        }
    }
    complaints
}

fn of_the_field(place: &str, name: &str, schema: &Value, complaints: &mut Vec<String>) {
    let alternatives = schema["oneOf"].as_array().into_iter().flatten();
    let is_named = schema.get("$ref").is_some() || alternatives.clone().any(|one| one.get("$ref").is_some());
    if !is_named && schema["description"].as_str().is_none_or(str::is_empty) {
        complaints.push(format!("{place} has no description"));
    }
    let is_text = schema["type"] == "string" || schema["type"] == json!(["string", "null"]);
    let form = schema["format"].as_str().unwrap_or_default();
    if is_text && !OTHER_FORMS.contains(&name) && !FORMS_OF_WEBAUTHN.contains(&form) {
        let promised = FORMS.iter().find(|(end, _)| name.ends_with(end));
        if let Some((_, form)) = promised.filter(|(_, form)| schema["format"] != **form) {
            complaints.push(format!("{place} is no {form}"));
        }
    }
    let is_free = schema["type"] == "object" || schema["type"] == json!(["object", "null"]);
    if is_free && schema.get("properties").is_none() && schema["additionalProperties"] != true {
        complaints.push(format!("{place} does not say what it takes"));
    }
}

fn of_the_parameter(id: &str, parameter: &Value, complaints: &mut Vec<String>) {
    let name = parameter["name"].as_str().unwrap();
    let schema = &parameter["schema"];
    if parameter["description"].as_str().is_none_or(str::is_empty) {
        complaints.push(format!("{id} does not describe {name}"));
    }
    if parameter.get("example").is_none() && schema.get("examples").is_none() {
        complaints.push(format!("{id} shows no {name}"));
    }
    if schema["type"].is_array() {
        complaints.push(format!("{id} takes null for {name}, which no request can say"));
    }
}

fn of_the_answer(place: &str, answer: &Value, complaints: &mut Vec<String>) {
    let description = answer["description"].as_str().unwrap_or_default();
    if description.is_empty() {
        complaints.push(format!("{place} has no description"));
    }
    let contents = answer["content"]
        .as_object()
        .into_iter()
        .flat_map(|media| media.values());
    for content in contents {
        let examples = content["examples"].as_object().into_iter().flatten();
        let examples: Vec<&Value> = content
            .get("example")
            .into_iter()
            .chain(examples.map(|(_, example)| &example["value"]))
            .collect();
        if examples.is_empty() {
            complaints.push(format!("{place} shows nothing"));
        }
        for example in examples {
            let is_error = content["schema"]["$ref"] == ENVELOPE;
            let code = example["error"]["code"].as_str().unwrap_or_default();
            if is_error && !description.contains(&format!("`{code}`")) {
                complaints.push(format!("{place} shows `{code}`"));
            }
        }
    }
}

#[test]
fn everything_is_described_and_shown() {
    let complaints = complaints(&document());
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn what_is_not_is_named() {
    let mut document = document();
    let project = &mut document["components"]["schemas"]["Project"]["properties"];
    project["ownerId"] = json!({ "type": ["string", "null"], "description": "An id.", "maxLength": 36 });
    project["labels"] = json!({ "type": "object" });
    let list = &mut document["paths"]["/api/v1/organizations/{orgId}/projects"]["get"];
    list["parameters"] = json!([{ "name": "color", "in": "query", "schema": { "type": ["string", "null"] } }]);
    list["responses"]["200"]["content"]["application/json"]
        .as_object_mut()
        .unwrap()
        .remove("example");
    list["responses"]["404"]["content"]["application/json"]["example"]["error"]["code"] = json!("CONFLICT");
    assert_eq!(
        complaints(&document),
        [
            "Project.labels has no description",
            "Project.labels does not say what it takes",
            "Project.ownerId is no uuid",
            "listProjects does not describe color",
            "listProjects shows no color",
            "listProjects takes null for color, which no request can say",
            "listProjects 200 shows nothing",
            "listProjects 404 shows `CONFLICT`",
        ]
    );
}
