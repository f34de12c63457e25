//! Files with a table for each thing of a kind, as the providers are that people sign in through, and the issuers whose tokens
//! are taken.
//!
//! For another kind: a function that reads one of it from a [`TomlTable`], and a section that calls [`read`] with it. What a file
//! says may be a secret, so no problem repeats a value.

use std::{fs, io::Read as _, path::Path};

use config::{Config, File, FileFormat, Value, ValueKind};
use tenantry_auth::identity_providers::is_loopback;
use tenantry_domain::slugs::Slug;
use url::Url;
use uuid::Uuid;

use super::{Purpose, reader::Reader, setting::Setting};

/// The most bytes of a file, and the most tables in it.
pub(super) const MAX_BYTES: u64 = 64 * 1024;
pub(super) const MAX_TABLES: usize = 20;

/// The most bytes of a text, the most characters of the name that people see, and the most texts of a list.
const MAX_TEXT: usize = 500;
const MAX_NAME: usize = 100;
const MAX_TEXTS: usize = 20;

/// What the file of a setting describes: nothing where there is none, and for those who have no use for it. What is wrong with it is
/// reported.
pub(super) fn read<T>(
    reader: &mut Reader<'_>,
    setting: &Setting,
    parse: impl FnOnce(&str) -> Result<Vec<T>, Vec<String>>,
) -> Option<Vec<T>> {
    let is_used = matches!(reader.purpose(), Purpose::Serve | Purpose::Worker | Purpose::Dev);
    let text = reader.optional(setting, |path| {
        if is_used {
            contents(Path::new(path))
        } else {
            Some(String::new())
        }
    });
    match parse(&text?.unwrap_or_default()) {
        Ok(described) => Some(described),
        Err(problems) => {
            for problem in problems {
                reader.forbid(setting, problem);
            }
            None
        }
    }
}

/// The text of a file, where there is one that is not too large.
fn contents(path: &Path) -> Option<String> {
    let mut text = String::new();
    let length = fs::File::open(path)
        .ok()?
        .take(MAX_BYTES + 1)
        .read_to_string(&mut text)
        .ok()?;
    u64::try_from(length)
        .is_ok_and(|length| length <= MAX_BYTES)
        .then_some(text)
}

/// What a text describes, each thing in a table of its own, in the order of their keys. `noun` is what one of them is called.
///
/// # Errors
/// All that is wrong with it, each problem a sentence with the key of the table and the field.
pub(super) fn parse<T>(
    text: &str,
    noun: &'static str,
    mut describe: impl FnMut(&mut TomlTable) -> Option<T>,
) -> Result<Vec<T>, Vec<String>> {
    let file = Config::builder()
        .add_source(File::from_str(text, FileFormat::Toml))
        .build();
    let tables = file.and_then(|file| config::Source::collect(&file));
    let tables = tables.map_err(|_| vec!["is not TOML".to_owned()])?;
    let mut problems = Vec::new();
    if tables.len() > MAX_TABLES {
        problems.push(format!("has more than {MAX_TABLES} {noun}s"));
    }
    let mut described = Vec::new();
    let mut tables: Vec<_> = tables.into_iter().collect();
    tables.sort_by(|(one, _), (other, _)| one.cmp(other));
    for (key, value) in tables.into_iter().take(MAX_TABLES) {
        let mut table = TomlTable::new(noun, &key, value);
        // Of what is no table, or an empty one of a name that is none, nothing more is to be told.
        if !table.fields.is_empty() || table.problems.is_empty() {
            described.extend(describe(&mut table));
        }
        problems.extend(table.problems);
    }
    if problems.is_empty() {
        Ok(described)
    } else {
        Err(problems)
    }
}

/// What is written of one thing, and what is wrong with it.
pub(super) struct TomlTable {
    noun: &'static str,
    key: String,
    fields: Vec<(String, Value)>,
    problems: Vec<String>,
}

impl TomlTable {
    fn new(noun: &'static str, key: &str, value: Value) -> Self {
        let mut table = Self {
            noun,
            key: key.chars().take(MAX_NAME).collect(),
            fields: Vec::new(),
            problems: Vec::new(),
        };
        if Uuid::try_parse(key).is_ok() {
            table.problem(
                "key",
                "must be no UUID: those are the keys of organizations' own connections",
            );
        } else if key.parse::<Slug>().is_err() {
            table.problem(
                "key",
                "must be 1 to 63 of a-z, 0-9 and hyphens, and neither begin nor end with one",
            );
        }
        match value.kind {
            ValueKind::Table(fields) => table.fields = fields.into_iter().collect(),
            _ => table.problems.push(format!("`{}` is not a table", table.key)),
        }
        table.fields.sort_by(|(one, _), (other, _)| one.cmp(other));
        table
    }

    /// What the thing is called in its file.
    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// Reports what is wrong with a field.
    pub(super) fn problem(&mut self, field: &str, problem: &str) {
        self.problems
            .push(format!("{} `{}`: {field} {problem}", self.noun, self.key));
    }

    /// Whether a field is there that nobody took.
    pub(super) fn has(&self, field: &str) -> bool {
        self.fields.iter().any(|(name, _)| name == field)
    }

    /// A field of whatever kind.
    pub(super) fn take(&mut self, field: &str) -> Option<Value> {
        let at = self.fields.iter().position(|(name, _)| name == field)?;
        Some(self.fields.remove(at).1)
    }

    /// Makes the fields of a table in this one fields of it, by the names of both with a dot between them.
    pub(super) fn open(&mut self, field: &str) {
        let Some(value) = self.take(field) else { return };
        let ValueKind::Table(inner) = value.kind else {
            self.problem(field, "must be a table");
            return;
        };
        let mut inner: Vec<_> = inner.into_iter().collect();
        inner.sort_by(|(one, _), (other, _)| one.cmp(other));
        let named = inner
            .into_iter()
            .map(|(name, value)| (format!("{field}.{name}"), value));
        self.fields.extend(named);
    }

    /// A text that may be absent.
    pub(super) fn text(&mut self, field: &str) -> Option<String> {
        let text = text(self.take(field)?);
        if text.is_none() {
            self.problem(field, &format!("must be a text of 1 to {MAX_TEXT} bytes"));
        }
        text
    }

    /// A text that must be there.
    pub(super) fn required(&mut self, field: &str) -> Option<String> {
        if self.has(field) {
            return self.text(field);
        }
        self.problem(field, "is missing");
        None
    }

    /// One text or several, which may be absent.
    pub(super) fn texts(&mut self, field: &str) -> Option<Vec<String>> {
        let written = self.take(field)?;
        let list = match written.kind {
            ValueKind::Array(list) => list,
            _ => vec![written],
        };
        let fits = (1..=MAX_TEXTS).contains(&list.len());
        let texts: Option<Vec<String>> = list.into_iter().map(text).collect();
        let texts = texts.filter(|_| fits);
        if texts.is_none() {
            let expected = format!("must be a text of 1 to {MAX_TEXT} bytes, or a list of 1 to {MAX_TEXTS} of them");
            self.problem(field, &expected);
        }
        texts
    }

    /// What people call it, or else this.
    pub(super) fn name(&mut self, default: String) -> String {
        let name = self.text("name").unwrap_or(default);
        if name.chars().count() > MAX_NAME {
            self.problem("name", &format!("must have {MAX_NAME} or fewer characters"));
        }
        name
    }

    /// A URL over TLS, or of this machine.
    pub(super) fn checked(&mut self, field: &str, text: String) -> Option<String> {
        let fits = Url::parse(&text).is_ok_and(|url| {
            let safe = url.scheme() == "https" || url.scheme() == "http" && is_loopback(&url);
            let bare = url.username().is_empty() && url.password().is_none();
            safe && bare && url.has_host() && url.query().is_none() && url.fragment().is_none()
        });
        if fits {
            return Some(text);
        }
        self.problem(field, "must be an https URL without login, query and fragment");
        None
    }

    /// Reports the fields that nobody took.
    pub(super) fn refuse_others(&mut self) {
        for (field, _) in std::mem::take(&mut self.fields) {
            let field: String = field.chars().take(MAX_NAME).collect();
            self.problem(&format!("`{field}`"), "is not a field of it");
        }
    }
}

/// A text that is not too long and on one line.
fn text(value: Value) -> Option<String> {
    match value.kind {
        ValueKind::String(text) if !text.is_empty() && text.len() <= MAX_TEXT && !text.contains(char::is_control) => {
            Some(text)
        }
        _ => None,
    }
}
