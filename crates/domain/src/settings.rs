//! Free-form settings: a JSON object that clients keep with a resource, bounded by what it costs to store.

use serde_json::{Map, Value};

/// The most bytes that settings may have as they are stored.
pub const MAX_BYTES: usize = 16_384;

/// A change of settings.
#[derive(Debug, Clone, PartialEq)]
pub enum SettingsChange {
    /// These and no others.
    Replace(Map<String, Value>),
    /// A merge patch (RFC 7396): members are merged, `null` removes.
    Merge(Map<String, Value>),
}

/// The settings are larger than [`MAX_BYTES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must have {MAX_BYTES} or fewer bytes as JSON")]
pub struct SettingsTooLarge;

impl SettingsChange {
    /// What comes of `current`.
    ///
    /// # Errors
    /// When that is too large, which a merge of two that are not can be.
    pub fn applied_to(self, current: &Map<String, Value>) -> Result<Map<String, Value>, SettingsTooLarge> {
        let settings = match self {
            Self::Replace(settings) => settings,
            Self::Merge(patch) => {
                let mut merged = current.clone();
                merge(&mut merged, patch);
                merged
            }
        };
        check(&settings).map(|()| settings)
    }
}

/// That settings are not too large.
///
/// # Errors
/// When they are.
pub fn check(settings: &Map<String, Value>) -> Result<(), SettingsTooLarge> {
    if object_bytes(settings) <= MAX_BYTES {
        Ok(())
    } else {
        Err(SettingsTooLarge)
    }
}

fn merge(target: &mut Map<String, Value>, patch: Map<String, Value>) {
    for (name, value) in patch {
        match value {
            Value::Null => {
                target.remove(&name);
            }
            Value::Object(patch) => {
                let member = target.entry(name).or_insert(Value::Null);
                if !member.is_object() {
                    *member = Value::Object(Map::new());
                }
                if let Value::Object(member) = member {
                    merge(member, patch);
                }
            }
            value => {
                target.insert(name, value);
            }
        }
    }
}

/// Bytes as PostgreSQL prints what it stores: a number without an exponent, which may be much longer than it was sent, and
/// with the zeros that it was sent with.
fn bytes(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 5,
        Value::Number(number) => {
            let without_exponent = number.as_f64().filter(|_| number.is_f64());
            let sent = number.to_string().len();
            sent.max(without_exponent.map_or(0, |number| number.to_string().len()))
        }
        Value::String(text) => string_bytes(text),
        Value::Array(items) => 2 + items.iter().map(|item| 2 + bytes(item)).sum::<usize>(),
        Value::Object(object) => object_bytes(object),
    }
}

fn object_bytes(object: &Map<String, Value>) -> usize {
    2 + object
        .iter()
        .map(|(name, value)| string_bytes(name) + 4 + bytes(value))
        .sum::<usize>()
}

fn string_bytes(text: &str) -> usize {
    let escaped = text.chars().filter(|character| matches!(character, '"' | '\\')).count();
    let control = text.chars().filter(|character| character.is_control()).count();
    2 + text.len() + escaped + 5 * control
}

#[cfg(test)]
mod tests;
