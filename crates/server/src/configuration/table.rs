//! The whole configuration as a table for people, secrets redacted.

use std::fmt;

use super::{
    redaction, settings,
    sources::{Merged, Origin},
};

/// One setting and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The environment variable.
    pub variable: &'static str,
    /// The value, its password replaced; empty when there is none.
    pub value: String,
    /// Where it comes from: the environment, a file, the default.
    pub origin: String,
}

/// Every setting. [`fmt::Display`] aligns it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table(Vec<Row>);

impl Table {
    pub(super) fn of(merged: &Merged) -> Self {
        let rows = settings().map(|setting| {
            let elements = merged.elements(setting).unwrap_or_default();
            let shown: Vec<String> = elements.iter().map(|value| redaction::shown(setting, value)).collect();
            let origin = match merged.origin(setting) {
                None => "not set".to_owned(),
                Some(Origin::Default) => "default".to_owned(),
                Some(Origin::Environment) => "environment".to_owned(),
                Some(Origin::File(path)) => path.display().to_string(),
            };
            Row {
                variable: setting.variable,
                value: shown.join(","),
                origin,
            }
        });
        Self(rows.collect())
    }

    /// Its rows, in the order of the sections.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.0.iter()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |of: fn(&Row) -> &str| {
            self.0
                .iter()
                .map(|row| of(row).chars().count())
                .max()
                .unwrap_or_default()
        };
        let (names, origins) = (width(|row| row.variable), width(|row| &row.origin));
        for (index, row) in self.0.iter().enumerate() {
            let line = format!("{:names$}  {:origins$}  {}", row.variable, row.origin, row.value);
            let end = if index == 0 { "" } else { "\n" };
            write!(f, "{end}{}", line.trim_end())?;
        }
        Ok(())
    }
}
