//! The fields of a JSON object, taken one by one, with all that is wrong with them said at once.
//!
//! A body implements [`FromFields`]: it takes each field by name with a rule that turns JSON into the value it needs.
//! Whatever is left over is unknown, and refused by name.

use std::borrow::Cow;

use serde_json::{Map, Value};
use tenantry_domain::settings::SettingsChange;

use crate::errors::{ApiError, ApiResult, FieldFailure};

/// What is wrong with a value.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: Cow<'static, str>,
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn new(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
        }
    }

    pub(crate) fn not_a(kind: &str) -> Self {
        Self::new("type", format!("must be {kind}"))
    }
}

/// A body that is made of a JSON object's fields.
pub(crate) trait FromFields: Sized {
    /// Whether taking them takes so long that other requests of the same thread would notice.
    const IS_SLOW: bool = false;

    /// Takes the fields. `None` only where something wrong has been noted.
    fn from_fields(fields: &mut Fields) -> Option<Self>;
}

/// The fields that are yet to be taken, and what was wrong so far.
pub(crate) struct Fields {
    object: Map<String, Value>,
    /// What they are the fields of: the pointer to it.
    place: String,
    failures: Vec<FieldFailure>,
}

/// What becomes of the fields of an object that nobody took.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rest {
    /// They are unknown, and refused by name.
    Refused,
    /// They are passed over: the object is made by browsers, which may come to say more.
    PassedOver,
}

impl Fields {
    /// Makes a body of JSON.
    pub(crate) fn decode<T: FromFields>(json: Value) -> ApiResult<T> {
        let Value::Object(object) = json else {
            let failure = Failure::not_a("an object");
            return Err(ApiError::Validation(vec![failure.at(String::new())]));
        };
        let mut fields = Self {
            object,
            place: String::new(),
            failures: Vec::new(),
        };
        let decoded = T::from_fields(&mut fields);
        fields.refuse_rest();
        match decoded {
            Some(body) if fields.failures.is_empty() => Ok(body),
            _ => Err(ApiError::Validation(fields.failures)),
        }
    }

    /// A field that must be there.
    pub(crate) fn required<T>(&mut self, name: &str, rule: impl Fn(Value) -> Result<T, Failure>) -> Option<T> {
        match self.object.remove(name) {
            None => self.note(name, Failure::new("required", "is required")),
            Some(value) => self.taken(name, rule(value)),
        }
    }

    fn refuse_rest(&mut self) {
        let unknown = std::mem::take(&mut self.object);
        for name in unknown.keys() {
            self.note::<()>(name, Failure::new("unknown", "is not a field of this body"));
        }
    }

    /// A field that must be there and is an object, of which `take` takes the fields.
    pub(crate) fn inside<T>(&mut self, name: &str, rest: Rest, take: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let object = self.required(name, |value| match value {
            Value::Object(object) => Ok(object),
            _ => Err(Failure::not_a("an object")),
        })?;
        let mut inside = Self {
            object,
            place: self.pointer(name),
            failures: std::mem::take(&mut self.failures),
        };
        let taken = take(&mut inside);
        if rest == Rest::Refused {
            inside.refuse_rest();
        }
        self.failures = inside.failures;
        taken
    }

    /// The same of a field that may be absent or `null`.
    pub(crate) fn optional_inside<T>(
        &mut self,
        name: &str,
        rest: Rest,
        take: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<T> {
        if self.has(name) {
            self.inside(name, rest, take)
        } else {
            self.object.remove(name);
            None
        }
    }

    /// A field that may be absent or `null`, which is the same.
    pub(crate) fn optional<T>(&mut self, name: &str, rule: impl Fn(Value) -> Result<T, Failure>) -> Option<T> {
        match self.object.remove(name) {
            None | Some(Value::Null) => None,
            Some(value) => self.taken(name, rule(value)),
        }
    }

    /// A field that must be there and may be `null`.
    pub(crate) fn nullable<T>(&mut self, name: &str, rule: impl Fn(Value) -> Result<T, Failure>) -> Option<Option<T>> {
        self.required(name, |value| match value {
            Value::Null => Ok(None),
            value => rule(value).map(Some),
        })
    }

    /// A field of a merge patch (RFC 7396) that cannot be cleared: `None` where it is absent.
    pub(crate) fn patched<T>(&mut self, name: &str, rule: impl Fn(Value) -> Result<T, Failure>) -> Option<T> {
        let value = self.object.remove(name)?;
        self.taken(name, rule(value))
    }

    /// A field of a merge patch that `null` clears: `None` where it is absent.
    pub(crate) fn clearable<T>(&mut self, name: &str, rule: impl Fn(Value) -> Result<T, Failure>) -> Option<Option<T>> {
        match self.object.remove(name)? {
            Value::Null => Some(None),
            value => self.taken(name, rule(value)).map(Some),
        }
    }

    /// Whether there is a field of this name with a value, which is yet to be taken.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.object.get(name).is_some_and(|value| !value.is_null())
    }

    /// Something wrong with a field that was taken, seen only beside another.
    pub(crate) fn refuse(&mut self, name: &str, failure: Failure) {
        self.note::<()>(name, failure);
    }

    fn taken<T>(&mut self, name: &str, result: Result<T, Failure>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(failure) => self.note(name, failure),
        }
    }

    fn note<T>(&mut self, name: &str, failure: Failure) -> Option<T> {
        if self.failures.len() < MAX_FAILURES {
            let pointer = self.pointer(name);
            self.failures.push(failure.at(pointer));
        }
        None
    }

    fn pointer(&self, name: &str) -> String {
        // RFC 6901, section 3; a name is the client's and may be long.
        let shown: String = name.chars().take(MAX_NAME).collect();
        format!("{}/{}", self.place, shown.replace('~', "~0").replace('/', "~1"))
    }
}

/// A member of a merge patch that is an object (RFC 7396): merged, or cleared by `null`.
pub(crate) fn merge_patch(patch: Option<Map<String, Value>>) -> SettingsChange {
    patch.map_or_else(|| SettingsChange::Replace(Map::new()), SettingsChange::Merge)
}

/// The most failures that are told of: a body may have a great many unknown fields.
const MAX_FAILURES: usize = 100;

/// The most characters of a field's name that are told.
const MAX_NAME: usize = 100;

impl Failure {
    fn at(self, field: String) -> FieldFailure {
        FieldFailure {
            field,
            code: self.code,
            message: self.message,
        }
    }
}
