//! What moved between two JSON documents, as lines for people.

use serde_json::Value;

/// A line for each place that was added, removed or changed, by its JSON pointer (RFC 6901). Of something added or
/// removed only the topmost place is named.
pub(super) fn between(past: &Value, present: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    compare("", Some(past), Some(present), &mut lines);
    lines
}

fn compare(place: &str, past: Option<&Value>, present: Option<&Value>, lines: &mut Vec<String>) {
    match (past, present) {
        (Some(Value::Object(past)), Some(Value::Object(present))) => {
            for (key, value) in past {
                compare(&below(place, key), Some(value), present.get(key), lines);
            }
            for (key, value) in present.iter().filter(|(key, _)| !past.contains_key(*key)) {
                compare(&below(place, key), None, Some(value), lines);
            }
        }
        (Some(Value::Array(past)), Some(Value::Array(present))) => {
            for index in 0..past.len().max(present.len()) {
                compare(
                    &below(place, &index.to_string()),
                    past.get(index),
                    present.get(index),
                    lines,
                );
            }
        }
        (Some(past), Some(present)) if past != present => {
            lines.push(format!("changed  {place}: {past} is now {present}"));
        }
        (None, Some(_)) => lines.push(format!("added    {place}")),
        (Some(_), None) => lines.push(format!("removed  {place}")),
        (Some(_), Some(_)) | (None, None) => {}
    }
}

fn below(place: &str, key: &str) -> String {
    format!("{place}/{}", key.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests;
