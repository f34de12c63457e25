//! What holds for every operation of the document.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tenantry_api::ErrorCode;
use tenantry_domain::permissions::Permission;

use super::{document, operations};

/// The name that the id after a segment of a path goes by.
const IDS: [(&str, &str); 12] = [
    ("organizations", "orgId"),
    ("members", "memberId"),
    ("workspaces", "wsId"),
    ("projects", "projectId"),
    ("sessions", "sessionId"),
    ("trusted-devices", "deviceId"),
    ("passkeys", "passkeyId"),
    ("identities", "identity"),
    ("oidc", "provider"),
    ("domains", "domainId"),
    ("invitations", "invitationId"),
    ("invitations", "token"),
];

/// What is not under `/api/v1/`.
const AT_THE_ROOT: [&str; 3] = ["/.well-known/jwks.json", "/health/live", "/health/ready"];

/// What is answered to those who are not signed in.
const FOR_ANYONE: [&str; 19] = [
    "/api/v1/auth/register",
    "/api/v1/auth/login",
    "/api/v1/auth/discover",
    "/api/v1/auth/mfa/verify",
    "/api/v1/auth/passkeys/login",
    "/api/v1/auth/passkeys/login/options",
    "/api/v1/auth/oidc/providers",
    "/api/v1/auth/oidc/{provider}/authorize",
    "/api/v1/auth/oidc/{provider}/callback",
    "/api/v1/auth/oidc/exchange",
    "/api/v1/auth/oidc/confirm",
    "/api/v1/auth/refresh",
    "/api/v1/auth/logout",
    "/api/v1/auth/email/verify",
    "/api/v1/auth/email/resend",
    "/api/v1/auth/email/change/confirm",
    "/api/v1/auth/password/forgot",
    "/api/v1/auth/password/reset",
    "/api/v1/invitations/{token}",
];

/// Where browsers go by themselves, and are sent on: nothing else is answered there to what is sound.
const NAVIGATIONS: [&str; 2] = [
    "/api/v1/auth/oidc/{provider}/authorize",
    "/api/v1/auth/oidc/{provider}/callback",
];

/// Everything in a document that breaks a rule.
fn complaints(document: &Value) -> Vec<String> {
    let mut complaints = of_the_whole(document);
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(document) {
        let mut complain = |said: String| complaints.push(format!("{} {path}: {said}", method.to_uppercase()));
        let id = operation["operationId"].as_str().unwrap_or_default();
        if !is_camel_case(id) {
            complain(format!("the operationId `{id}` is not camelCase"));
        }
        if !ids.insert(id.to_owned()) {
            complain(format!("the operationId `{id}` is another operation's too"));
        }
        of_the_words(document, operation).into_iter().for_each(&mut complain);
        of_the_path(path, operation).into_iter().for_each(&mut complain);
        of_the_caller(path, operation).into_iter().for_each(&mut complain);
        of_the_body(document, operation).into_iter().for_each(&mut complain);
        of_the_answers(path, operation).into_iter().for_each(&mut complain);
        of_the_refusals(path, operation).into_iter().for_each(&mut complain);
    }
    complaints
}

fn of_the_whole(document: &Value) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut demand = |place: &str, expected: Value| {
        let found = document.pointer(place).unwrap_or(&Value::Null);
        if *found != expected {
            complaints.push(format!("{place} is {found}, not {expected}"));
        }
    };
    demand("/openapi", json!("3.1.0"));
    demand("/info/title", json!("Tenantry"));
    demand("/info/version", json!(env!("CARGO_PKG_VERSION")));
    demand("/info/license/identifier", json!("MIT OR Apache-2.0"));
    let codes: Vec<&str> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
    demand("/components/schemas/ErrorCode/enum", json!(codes));
    let mut references = Vec::new();
    collect_references(document, &mut references);
    let dangling = references
        .into_iter()
        .filter(|reference| document.pointer(reference.trim_start_matches('#')).is_none());
    complaints.extend(dangling.map(|reference| format!("nothing is at {reference}")));
    complaints
}

fn collect_references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(object) => {
            found.extend(object.get("$ref").and_then(Value::as_str));
            object.values().for_each(|value| collect_references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_references(item, found)),
        _ => {}
    }
}

fn is_camel_case(id: &str) -> bool {
    id.starts_with(|first: char| first.is_ascii_lowercase()) && id.chars().all(|c| c.is_ascii_alphanumeric())
}

fn of_the_words(document: &Value, operation: &Value) -> Option<String> {
    let known = |tag: &Value| {
        document["tags"]
            .as_array()
            .is_some_and(|tags| tags.iter().any(|known| known["name"] == *tag))
    };
    match operation["tags"].as_array().map(Vec::as_slice) {
        Some([tag]) if known(tag) => {}
        _ => return Some("has not exactly one tag that the document declares".to_owned()),
    }
    if operation["description"].as_str().is_none_or(str::is_empty) {
        return Some("has no description".to_owned());
    }
    let summary = operation["summary"].as_str().unwrap_or_default();
    (summary.is_empty() || summary.ends_with('.')).then(|| format!("the summary `{summary}` is not a title"))
}

fn of_the_path(path: &str, operation: &Value) -> Vec<String> {
    let mut complaints = Vec::new();
    if !path.starts_with("/api/v1/") && !AT_THE_ROOT.contains(&path) {
        complaints.push("is not written from the root".to_owned());
    }
    let segments: Vec<&str> = path.split('/').collect();
    let mut in_path = BTreeSet::new();
    for pair in segments.windows(2) {
        let Some(name) = pair[1].strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) else {
            continue;
        };
        in_path.insert(name);
        if !IDS.contains(&(pair[0], name)) {
            complaints.push(format!(
                "{{{name}}} is not what the contract calls the id after `{}`",
                pair[0]
            ));
        }
    }
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let declared: BTreeSet<&str> = parameters
        .filter(|parameter| parameter["in"] == "path")
        .filter_map(|parameter| parameter["name"].as_str())
        .collect();
    if declared != in_path {
        complaints.push(format!("declares the path parameters {declared:?} and has {in_path:?}"));
    }
    complaints
}

fn of_the_caller(path: &str, operation: &Value) -> Vec<String> {
    let mut complaints = Vec::new();
    let permission = operation.get("x-permission");
    match (path.contains("{orgId}"), permission) {
        (true, None) => complaints.push("does not say its x-permission".to_owned()),
        (true, Some(Value::String(name))) if name.parse::<Permission>().is_err() => {
            complaints.push(format!("there is no permission {name}"));
        }
        (true, Some(Value::String(_) | Value::Null)) | (false, None) => {}
        (_, Some(other)) => complaints.push(format!("has no business with the x-permission {other}")),
    }
    let secured = operation["security"] == json!([{ "bearer": [] }]);
    if secured != (path.starts_with("/api/") && !FOR_ANYONE.contains(&path)) {
        complaints.push("does not say rightly whether it needs a token".to_owned());
    }
    complaints
}

fn of_the_body(document: &Value, operation: &Value) -> Option<String> {
    let schema = &operation.get("requestBody")?["content"]["application/json"]["schema"];
    let reference = schema["$ref"].as_str().unwrap_or_default();
    let schema = document.pointer(reference.trim_start_matches('#')).unwrap_or(schema);
    let has_example = schema.get("example").is_some() || schema.get("examples").is_some();
    (!has_example).then(|| "the body has no example".to_owned())
}

fn of_the_answers(path: &str, operation: &Value) -> Vec<String> {
    let mut complaints = Vec::new();
    let answers = operation["responses"].as_object();
    let mut succeeds = false;
    for (status, answer) in answers.into_iter().flatten() {
        let schema = &answer["content"]["application/json"]["schema"];
        let fits = match status.as_bytes() {
            b"204" | b"304" => answer.get("content").is_none(),
            b"302" => {
                let says_where = answer.pointer("/headers/Location").is_some();
                NAVIGATIONS.contains(&path) && says_where && answer.get("content").is_none()
            }
            [b'2', ..] => !schema.is_null(),
            // Its body is that of its 200 beside the error, so that a probe reads the same fields either way.
            b"503" if path == "/health/ready" => !schema.is_null(),
            [b'4' | b'5', ..] => schema["$ref"] == "#/components/schemas/ErrorEnvelope",
            _ => false,
        };
        succeeds |= status.starts_with('2') || status == "302";
        if !fits {
            complaints.push(format!("what {status} answers with is {schema}"));
        }
    }
    if !succeeds {
        complaints.push("never succeeds".to_owned());
    }
    complaints
}

/// What follows from what an operation takes, and from whom.
fn of_the_refusals(path: &str, operation: &Value) -> Vec<String> {
    let takes = |header: &str| {
        let parameters = operation["parameters"].as_array();
        parameters.is_some_and(|parameters| parameters.iter().any(|parameter| parameter["name"] == header))
    };
    let of_all: &[u16] = if path.starts_with("/api/") {
        &[400, 406, 500, 503, 504]
    } else {
        &[400, 500]
    };
    let demanded = [
        (true, of_all),
        (operation.get("security").is_some(), &[401]),
        (path.contains("{orgId}"), &[403]),
        (path.contains('{'), &[404]),
        (operation.get("requestBody").is_some(), &[413, 415]),
        (takes("If-Match"), &[412]),
        (takes("If-None-Match"), &[304]),
        (takes("Idempotency-Key"), &[409, 422]),
        (path.starts_with("/api/v1/auth/"), &[429]),
    ];
    let answers = &operation["responses"];
    let demanded = demanded.iter().filter(|(demanded, _)| *demanded);
    let missing = demanded
        .flat_map(|(_, statuses)| *statuses)
        .filter(|status| answers.get(status.to_string()).is_none());
    missing
        .map(|status| format!("does not say that it may answer {status}"))
        .collect()
}

#[test]
fn the_document_keeps_the_rules() {
    let document = document();
    assert!(operations(&document).count() > 20, "the document was not read");
    let complaints = complaints(&document);
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// What is said once `change` is made to a copy of the document, beyond what is said of it as it is.
fn planted(change: impl FnOnce(&mut Value)) -> Vec<String> {
    let mut document = document();
    let before = complaints(&document);
    change(&mut document);
    let after = complaints(&document);
    after.into_iter().filter(|said| !before.contains(said)).collect()
}

#[test]
fn a_planted_defect_is_reported() {
    const PROJECTS: &str = "/api/v1/organizations/{orgId}/projects";
    let list = |document: &mut Value, change: fn(&mut Value)| change(&mut document["paths"][PROJECTS]["get"]);
    for (change, said) in [
        (
            (|operation| operation["operationId"] = json!("list_projects")) as fn(&mut Value),
            "the operationId `list_projects` is not camelCase",
        ),
        (
            |operation| operation["operationId"] = json!("getMe"),
            "the operationId `getMe` is another operation's too",
        ),
        (
            |operation| operation["tags"] = json!(["Elsewhere"]),
            "has not exactly one tag that the document declares",
        ),
        (
            |operation| drop(operation.as_object_mut().unwrap().remove("description")),
            "has no description",
        ),
        (
            |operation| operation["summary"] = json!("Lists."),
            "the summary `Lists.` is not a title",
        ),
        (
            |operation| operation["x-permission"] = json!("project:fly"),
            "there is no permission project:fly",
        ),
        (
            |operation| drop(operation.as_object_mut().unwrap().remove("x-permission")),
            "does not say its x-permission",
        ),
        (
            |operation| drop(operation.as_object_mut().unwrap().remove("security")),
            "does not say rightly whether it needs a token",
        ),
        (
            |operation| operation["parameters"] = json!([]),
            r#"declares the path parameters {} and has {"orgId"}"#,
        ),
        (
            |operation| drop(operation["responses"].as_object_mut().unwrap().remove("503")),
            "does not say that it may answer 503",
        ),
        (
            |operation| operation["responses"]["404"] = json!({ "description": "gone" }),
            "what 404 answers with is null",
        ),
        (
            |operation| drop(operation["responses"].as_object_mut().unwrap().remove("200")),
            "never succeeds",
        ),
    ] {
        assert_eq!(
            planted(|document| list(document, change)),
            [format!("GET {PROJECTS}: {said}")]
        );
    }
}

#[test]
fn a_planted_defect_of_a_navigation_is_reported() {
    for path in NAVIGATIONS {
        for (change, said) in [
            (
                (|answers| drop(answers.as_object_mut().unwrap().remove("302"))) as fn(&mut Value),
                "never succeeds",
            ),
            (
                |answers| drop(answers["302"]["headers"].as_object_mut().unwrap().remove("Location")),
                "what 302 answers with is null",
            ),
            (
                |answers| answers["302"]["content"] = json!({ "text/html": {} }),
                "what 302 answers with is null",
            ),
        ] {
            assert_eq!(
                planted(|document| change(&mut document["paths"][path]["get"]["responses"])),
                [format!("GET {path}: {said}")]
            );
        }
    }
    let elsewhere = "/api/v1/auth/oidc/providers";
    let sent_on = json!({ "description": "elsewhere", "headers": { "Location": {} } });
    assert_eq!(
        planted(|document| document["paths"][elsewhere]["get"]["responses"]["302"] = sent_on),
        [format!("GET {elsewhere}: what 302 answers with is null")]
    );
}

#[test]
fn a_planted_defect_of_the_whole_is_reported() {
    let renamed = planted(|document| {
        let paths = document["paths"].as_object_mut().unwrap();
        let item = paths.remove("/api/v1/organizations/{orgId}/context").unwrap();
        paths.insert("/organizations/{organization}/context".to_owned(), item);
    });
    assert_eq!(renamed.len(), 5, "{renamed:#?}");
    let version = planted(|document| document["info"]["version"] = json!("0.0.0"));
    assert_eq!(version.len(), 1, "{version:?}");
    let dangling = planted(|document| {
        let schemas = document["components"]["schemas"].as_object_mut().unwrap();
        schemas.remove("Links");
    });
    assert!(
        dangling.contains(&"nothing is at #/components/schemas/Links".to_owned()),
        "{dangling:?}"
    );
    let body = planted(|document| {
        document["components"]["schemas"]["LoginBody"]
            .as_object_mut()
            .unwrap()
            .remove("example");
    });
    assert_eq!(body, ["POST /api/v1/auth/login: the body has no example"]);
}
