//! Changes of settings: merging is RFC 7396, doing it twice is doing it once, and what comes of it is bounded.

use serde_json::{Map, Value};
use tenantry_domain::settings::{self, MAX_BYTES, SettingsChange};

use super::setting::two_lines;

/// The bytes are two lines of JSON: settings, and a patch of them.
pub fn run(data: &[u8]) {
    let Some((target, patch)) = std::str::from_utf8(data).ok().and_then(two_lines) else {
        return;
    };
    let (Ok(target), Ok(patch)) = (
        serde_json::from_str::<Map<_, _>>(target),
        serde_json::from_str::<Map<_, _>>(patch),
    ) else {
        return;
    };
    let expected = merged(Value::Object(target.clone()), &Value::Object(patch.clone()));
    let Value::Object(expected) = expected else { return };
    match SettingsChange::Merge(patch.clone()).applied_to(&target) {
        Ok(once) => {
            assert_eq!(once, expected);
            assert!(Value::Object(once.clone()).to_string().len() <= MAX_BYTES);
            assert_eq!(SettingsChange::Merge(patch.clone()).applied_to(&once), Ok(once));
        }
        Err(_) => assert!(settings::check(&expected).is_err()),
    }
    let replaced = SettingsChange::Replace(patch.clone()).applied_to(&target);
    assert_eq!(replaced, settings::check(&patch).map(|()| patch));
}

/// The algorithm as RFC 7396, section 2, writes it.
fn merged(target: Value, patch: &Value) -> Value {
    let Value::Object(patch) = patch else {
        return patch.clone();
    };
    let mut target = match target {
        Value::Object(target) => target,
        _ => Map::new(),
    };
    for (name, value) in patch {
        if value.is_null() {
            target.remove(name);
        } else {
            let member = target.remove(name).unwrap_or(Value::Null);
            target.insert(name.clone(), merged(member, value));
        }
    }
    Value::Object(target)
}
