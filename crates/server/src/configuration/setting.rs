//! What a setting is: its name, what it expects, and what stands in its place when it is not given.

/// What the names of all environment variables begin with.
pub(super) const PREFIX: &str = "TENANTRY_";

/// One setting.
#[derive(Debug, PartialEq, Eq)]
pub struct Setting {
    /// The environment variable.
    pub variable: &'static str,
    /// What a value must be, as the end of the sentence "expects …".
    pub expects: &'static str,
    /// The value when none is given.
    pub default: Option<&'static str>,
    /// How a value is shown.
    pub kind: Kind,
    /// For a setting that is accepted and checked but does not do all it will: what it means meanwhile, as the rest of
    /// a sentence that begins with its name.
    pub not_yet: Option<&'static str>,
}

/// How a value is shown to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// As it is.
    Plain,
    /// A URL that may hold a password, which is replaced.
    SecretUrl,
}

impl Setting {
    /// A setting that holds no secret and has no default.
    pub(super) const fn plain(variable: &'static str, expects: &'static str) -> Self {
        Self {
            variable,
            expects,
            default: None,
            kind: Kind::Plain,
            not_yet: None,
        }
    }

    /// A URL with a password in it.
    pub(super) const fn secret_url(variable: &'static str, expects: &'static str) -> Self {
        Self {
            kind: Kind::SecretUrl,
            ..Self::plain(variable, expects)
        }
    }

    /// The same with a default.
    pub(super) const fn or(self, default: &'static str) -> Self {
        Self {
            default: Some(default),
            ..self
        }
    }

    /// The same, marked as not doing all it will yet.
    pub(super) const fn not_yet(self, consequence: &'static str) -> Self {
        Self {
            not_yet: Some(consequence),
            ..self
        }
    }

    /// The name in the file: the variable's in lower case, without the prefix.
    #[must_use]
    pub fn key(&self) -> String {
        self.variable
            .strip_prefix(PREFIX)
            .unwrap_or(self.variable)
            .to_ascii_lowercase()
    }
}
