//! Reads typed values out of merged texts and keeps all that does not fit.

use secrecy::SecretString;

use super::{
    Purpose,
    problems::Problems,
    redaction,
    setting::{Kind, Setting},
    sources::Merged,
};

/// Reads one setting after the other. A section is complete only if each of its readings gave something, which the
/// caller learns after having read them all; whatever did not fit is then among the problems.
pub(super) struct Reader<'a> {
    merged: &'a Merged,
    problems: Problems,
    purpose: Purpose,
}

impl<'a> Reader<'a> {
    pub(super) fn new(merged: &'a Merged, problems: Problems, purpose: Purpose) -> Self {
        Self {
            merged,
            problems,
            purpose,
        }
    }

    /// What the configuration is for.
    pub(super) fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// Reports a setting that has no value.
    pub(super) fn require(&mut self, setting: &Setting) {
        if self.merged.elements(setting).is_none() {
            self.problems
                .add(setting.variable, format!("is not set; expects {}", setting.expects));
        }
    }

    /// A setting that may be absent. `Some(None)`: it is absent; `None`: it does not fit, which is reported.
    pub(super) fn optional<T>(
        &mut self,
        setting: &Setting,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<Option<T>> {
        let merged = self.merged;
        let value = match merged.elements(setting) {
            None => return Some(None),
            Some([value]) => value,
            Some(_) => {
                self.refuse(setting, None);
                return None;
            }
        };
        let parsed = parse(value);
        if parsed.is_none() {
            self.refuse(setting, Some(value));
        }
        parsed.map(Some)
    }

    /// A setting with a default, or one that is required anyway.
    pub(super) fn value<T>(&mut self, setting: &Setting, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        match self.optional(setting, parse)? {
            Some(value) => Some(value),
            None => {
                self.require(setting);
                None
            }
        }
    }

    /// A URL with a password in it, kept as it was written.
    pub(super) fn secret(
        &mut self,
        setting: &Setting,
        fits: impl FnOnce(&str) -> bool,
    ) -> Option<Option<SecretString>> {
        self.optional(setting, |text| fits(text).then(|| SecretString::from(text)))
    }

    /// A list: elements in the file, separated by commas in a text. Each one that does not fit is reported.
    pub(super) fn list<T>(&mut self, setting: &Setting, parse: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
        let merged = self.merged;
        let mut values = Some(Vec::new());
        if merged.elements(setting).is_some_and(<[String]>::is_empty) {
            self.refuse(setting, None);
            values = None;
        }
        let texts = merged.elements(setting).unwrap_or_default().iter();
        for text in texts
            .flat_map(|text| text.split(','))
            .map(str::trim)
            .filter(|text| !text.is_empty())
        {
            match parse(text) {
                Some(value) => {
                    if let Some(values) = &mut values {
                        values.push(value);
                    }
                }
                None => {
                    self.refuse(setting, Some(text));
                    values = None;
                }
            }
        }
        values
    }

    /// Reports a value that does not fit, or a list or table where one value belongs.
    fn refuse(&mut self, setting: &Setting, got: Option<&str>) {
        let expects = setting.expects;
        let message = match (setting.kind, got) {
            (Kind::Plain, Some(got)) => format!("expects {expects}; got \"{}\"", redaction::plain(got)),
            (Kind::SecretUrl, Some(_)) => format!("expects {expects}; got something else, not shown here"),
            (_, None) => format!("expects {expects}; got a list or a table"),
        };
        self.problems.add(self.merged.name(setting), message);
    }

    /// Reports a value that fits by itself and may not be used like this.
    pub(super) fn forbid(&mut self, setting: &Setting, why: impl Into<String>) {
        self.problems.add(self.merged.name(setting), why);
    }

    pub(super) fn into_problems(self) -> Problems {
        self.problems
    }
}
