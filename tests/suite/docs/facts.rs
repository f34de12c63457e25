//! Lists that documents repeat from the code.

use std::collections::BTreeSet;

use serde_json::Value;
use tenantry::{
    configuration::{CONFIG, settings},
    exit_code::ExitCode,
};
use tenantry_api::ErrorCode;
use tenantry_cache::limits::Limit;
use tenantry_domain::slugs;
use tenantry_services::error::Conflict;

use super::{document, documents, rows, section};

/// Variables that something else than the configuration of the server reads, and what does.
const ELSEWHERE: [(&str, &str); 4] = [
    ("TENANTRY_TEST_DATABASE_URL", "tests/src/database/server.rs"),
    ("TENANTRY_TEST_POOLER", "tests/src/database/pooler.rs"),
    ("TENANTRY_REDIS_BIN", "xtask/src/surroundings.rs"),
    ("TENANTRY_TOOLS_DIR", "xtask/src/surroundings.rs"),
];

/// The names of variables in a text.
fn variables(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'));
    words
        .filter(|word| word.strip_prefix("TENANTRY_").is_some_and(|rest| !rest.is_empty()))
        .collect()
}

#[test]
fn every_variable_in_the_documents_is_read() {
    let known: BTreeSet<&str> = settings()
        .chain([&CONFIG])
        .map(|setting| setting.variable)
        .chain(ELSEWHERE.map(|(name, _)| name))
        .collect();
    for document in documents() {
        let unknown: Vec<&str> = variables(&document.text).difference(&known).copied().collect();
        assert!(
            unknown.is_empty(),
            "{} names {unknown:?}, which nothing reads",
            document.path
        );
    }
    for (name, reader) in ELSEWHERE {
        assert!(
            document(reader).contains(name),
            "{reader} does not read {name} any more"
        );
    }
}

#[test]
fn every_setting_is_documented_with_its_default() {
    let text = document("docs/configuration.md");
    let rows = rows(&text);
    for setting in settings().chain([&CONFIG]) {
        let name = format!("`{}`", setting.variable);
        let row = rows.iter().find(|row| row[0] == name);
        let row = row.unwrap_or_else(|| panic!("docs/configuration.md has no row for {name}"));
        let default = setting.default.map_or("–".to_owned(), |default| format!("`{default}`"));
        assert_eq!(row[1], default, "the default of {name}");
        let warns = row[2].contains("No effect yet") || row[2].contains("Not yet");
        assert_eq!(
            warns,
            setting.not_yet.is_some(),
            "whether {name} does what it will: {}",
            row[2]
        );
    }
    let documented = variables(&text).len();
    assert_eq!(
        documented,
        settings().count() + 1 + ELSEWHERE.len(),
        "every variable, and no other"
    );
}

#[test]
fn every_error_code_is_documented_with_its_status() {
    let text = document("docs/integrators.md");
    let documented: BTreeSet<(String, String)> = rows(section(&text, "## Errors"))
        .iter()
        .map(|row| (row[0].to_owned(), row[1].trim_matches('`').to_owned()))
        .collect();
    let codes: BTreeSet<&str> = documented.iter().map(|(_, code)| code.as_str()).collect();
    assert_eq!(codes, ErrorCode::ALL.iter().map(|code| code.as_str()).collect());
    for (status, code) in answered() {
        assert!(
            documented.contains(&(status.clone(), code.clone())),
            "{code} is answered with {status}"
        );
    }
}

/// The codes that operations say to answer with, each with its status.
fn answered() -> BTreeSet<(String, String)> {
    let document: Value = serde_json::from_str(&tenantry_api::openapi_json()).unwrap();
    let mut answered = BTreeSet::new();
    for operation in document["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|item| item.as_object().unwrap().values())
    {
        for (status, answer) in operation["responses"].as_object().unwrap() {
            if let Some(code) = answer.pointer("/content/application~1json/example/error/code") {
                answered.insert((status.clone(), code.as_str().unwrap().to_owned()));
            }
        }
    }
    assert!(answered.len() > 5, "the document was not read");
    answered
}

#[test]
fn every_reason_of_a_conflict_is_documented() {
    let text = document("docs/integrators.md");
    let row = rows(section(&text, "## Errors"));
    let row = row.into_iter().find(|row| row[1] == "`CONFLICT`").unwrap();
    for reason in Conflict::WORDS {
        assert!(row[2].contains(&format!("`{reason}`")), "{reason} is not documented");
    }
}

#[test]
fn the_reserved_slugs_are_documented() {
    let text = document("docs/integrators.md");
    let block = section(&text, "## Reserved slugs").split("```").nth(1).unwrap();
    let documented: Vec<&str> = block.split_whitespace().skip_while(|word| *word == "text").collect();
    assert_eq!(documented, slugs::RESERVED);
}

#[test]
fn the_limits_are_documented() {
    let text = document("docs/integrators.md");
    let documented = section(&text, "## Rate limits");
    for limit in Limit::ALL {
        let rule = limit.rule();
        let window = match rule.window.num_minutes() {
            60 => "an hour".to_owned(),
            minutes => format!("{minutes} minutes"),
        };
        let row = format!("| `{}` | {} in {window} |", rule.scope.as_str(), rule.count);
        assert!(documented.contains(&row), "{limit:?} has no row that ends with {row}");
    }
}

#[test]
fn the_exit_codes_are_documented() {
    let text = document("docs/operating.md");
    let documented = section(&text, "## Exit codes");
    for code in ExitCode::ALL {
        let row = format!("| {} | {} |", code as u8, code.meaning());
        assert!(documented.contains(&row), "there is no row {row}");
    }
}
