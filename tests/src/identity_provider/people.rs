//! Who signs in at a provider.

use serde_json::{Map, Value, json};

/// Somebody whom a provider knows.
#[derive(Debug, Clone)]
pub struct Person {
    /// What OpenID providers tell of them: `sub`, and whatever else is known.
    pub claims: Map<String, Value>,
    /// The addresses that GitHub tells, where they are not the one above alone.
    pub emails: Option<Value>,
}

impl Person {
    /// Somebody of whom a subject, a verified address and a name are known.
    #[must_use]
    pub fn new(subject: &str, email: &str) -> Self {
        let claims = [
            ("sub", json!(subject)),
            ("email", json!(email)),
            ("email_verified", json!(true)),
            ("name", json!("Ann Lee")),
        ];
        Self {
            claims: claims
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            emails: None,
        }
    }

    /// The same with something else or more known of them.
    #[must_use]
    pub fn with(mut self, claim: &str, value: impl Into<Value>) -> Self {
        self.claims.insert(claim.to_owned(), value.into());
        self
    }

    /// The same with less known of them.
    #[must_use]
    pub fn without(mut self, claim: &str) -> Self {
        self.claims.remove(claim);
        self
    }

    /// The same with these addresses at GitHub.
    #[must_use]
    pub fn with_emails(mut self, emails: Value) -> Self {
        self.emails = Some(emails);
        self
    }

    /// Whom the provider means.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.claims["sub"].as_str().expect("a subject")
    }

    /// Something that is known of them, or null.
    #[must_use]
    pub fn claim(&self, name: &str) -> Value {
        self.claims.get(name).cloned().unwrap_or_default()
    }
}
