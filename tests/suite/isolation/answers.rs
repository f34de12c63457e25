//! Answers as they are compared: two of them are alike, or they tell what must not be told.

use std::collections::HashMap;

use reqwest::StatusCode;
use serde_json::Value;
use tenantry_tests::client::Answer;

use crate::operations::Input;

/// An answer without what may differ between two that are alike, and without what was sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) status: StatusCode,
    headers: Vec<(String, String)>,
    body: String,
}

/// Whether a header may differ from one answer to the next, whatever they tell.
fn varies(header: &str) -> bool {
    // `Connection` is the transport's: it says whether all of the body had come in when its sender was refused.
    matches!(header, "date" | "x-trace-id" | "connection") || header.contains("ratelimit-")
}

impl Seen {
    pub(super) fn of(answer: &Answer, values: &HashMap<Input, String>) -> Self {
        let without_sent = |text: &str| {
            values.iter().fold(text.to_owned(), |text, (input, value)| {
                text.replace(value.as_str(), &format!("<{}>", input.name))
            })
        };
        let mut headers: Vec<(String, String)> = answer
            .headers
            .iter()
            .map(|(name, value)| {
                (
                    name.as_str().to_owned(),
                    String::from_utf8_lossy(value.as_bytes()).into_owned(),
                )
            })
            .filter(|(name, _)| !varies(name))
            .map(|(name, value)| (name, without_sent(&value)))
            .collect();
        headers.sort();
        let body = match serde_json::from_str::<Value>(&answer.text) {
            Ok(mut body) => {
                if let Some(error) = body.get_mut("error").and_then(Value::as_object_mut) {
                    error.remove("traceId");
                }
                body.to_string()
            }
            Err(_) => answer.text.clone(),
        };
        Self {
            status: answer.status,
            headers,
            body: without_sent(&body),
        }
    }

    pub(super) fn holds(&self, text: &str) -> bool {
        self.body.contains(text) || self.headers.iter().any(|(_, value)| value.contains(text))
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// What is different about two answers, for people.
    pub(super) fn difference(&self, nothing: &Self) -> String {
        let only = |of: &Self, other: &Self| {
            let headers = of.headers.iter().filter(|header| !other.headers.contains(header));
            let headers: Vec<String> = headers.map(|(name, value)| format!("{name}: {value}")).collect();
            format!("{} {} {}", of.status, headers.join(", "), of.body)
        };
        format!("\n  B's  {}\n  none {}", only(self, nothing), only(nothing, self))
    }
}

#[test]
fn what_is_different_is_told_without_what_was_sent() {
    use crate::operations::{Meaning, Place};
    use reqwest::header::{DATE, HeaderMap};

    let seen = |status: StatusCode, id: &str, trace: &str, date: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert(DATE, date.parse().unwrap());
        let text = format!(r#"{{"error":{{"code":"NOT_FOUND","message":"{id}","traceId":"{trace}"}}}}"#);
        let input = Input {
            place: Place::Path,
            name: "projectId".to_owned(),
            meaning: Meaning::Project,
        };
        let answer = Answer { status, headers, text };
        Seen::of(&answer, &HashMap::from([(input, id.to_owned())]))
    };
    let one = seen(StatusCode::NOT_FOUND, "id-1", "trace-1", "today");
    assert_eq!(one, seen(StatusCode::NOT_FOUND, "id-2", "trace-2", "tomorrow"));
    assert!(one.holds("<projectId>") && !one.holds("id-1") && !one.holds("trace-1"));
    let other = seen(StatusCode::FORBIDDEN, "id-2", "trace-2", "tomorrow");
    assert_ne!(one, other);
    assert!(one.difference(&other).contains("403"));
}
