//! E-mail addresses.
//!
//! The syntax is that of the HTML standard's e-mail field (<https://html.spec.whatwg.org/#valid-e-mail-address>), with
//! internationalised domain names besides and without address literals (`user@[192.0.2.1]`): mail goes to names that
//! the DNS answers for, never to an address on somebody's network.
//!
//! Addresses compare without case. RFC 5321 (section 2.4) would let a server tell `Ann@` from `ann@`; none that people use
//! does, and two accounts for one mailbox are worse. The form that is compared, the canonical one, has its local part in
//! lower case and its domain as the DNS knows it (IDNA, UTS 46). The latter matters: plain lower-casing would make one
//! address of two domains that belong to different people (`ΑΣ.example`, `ας.example`), and let the one sign in as
//! the other.

use std::{
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
};

use idna::AsciiDenyList;
use serde::{Deserialize, Serialize, Serializer};
use validator::ValidateEmail as _;

/// An e-mail address: kept as it was typed, compared by its canonical form.
///
/// It is personal data: `Debug` does not show it and there is no `Display`, so that it gets into a log only where
/// someone writes [`as_str`](Self::as_str).
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Email {
    typed: String,
    canonical: String,
}

impl Email {
    /// The most bytes an address may have, as typed and in its canonical form: RFC 5321 (section 4.5.3.1.3) allows a path
    /// of 256, two of which are its angle brackets.
    pub const MAX: usize = 254;

    /// Takes what was checked when it was stored. A rule that has become stricter since must not make a row unreadable,
    /// so nothing is checked again.
    #[must_use]
    pub fn from_stored(address: String) -> Self {
        let canonical = canonical(&address).unwrap_or_else(|| address.to_lowercase());
        Self {
            typed: address,
            canonical,
        }
    }

    /// The address as it was typed: what is shown, and where mail is sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.typed
    }

    /// The form that is compared: what is unique, and what is looked up.
    #[must_use]
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// What comes after the `@` of the canonical form: the domain as the DNS knows it.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.canonical.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

impl TryFrom<String> for Email {
    type Error = EmailError;

    fn try_from(address: String) -> Result<Self, EmailError> {
        if address.len() > Self::MAX {
            return Err(EmailError::TooLong);
        }
        if !address.validate_email() {
            return Err(EmailError::Format);
        }
        let canonical = canonical(&address).ok_or(EmailError::Format)?;
        if canonical.len() > Self::MAX {
            return Err(EmailError::TooLong);
        }
        Ok(Self {
            typed: address,
            canonical,
        })
    }
}

impl FromStr for Email {
    type Err = EmailError;

    fn from_str(address: &str) -> Result<Self, EmailError> {
        Self::try_from(address.to_owned())
    }
}

impl PartialEq for Email {
    fn eq(&self, other: &Self) -> bool {
        self.canonical == other.canonical
    }
}

impl Eq for Email {}

impl Hash for Email {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.canonical.hash(state);
    }
}

impl Serialize for Email {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.typed)
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(redacted)")
    }
}

/// Why an address was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EmailError {
    /// Longer than [`Email::MAX`].
    #[error("must have {max} or fewer bytes", max = Email::MAX)]
    TooLong,
    /// Not the syntax of an address.
    #[error("must be an e-mail address")]
    Format,
}

impl EmailError {
    /// The error's name in the public contract.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLong => "length",
            Self::Format => "format",
        }
    }
}

/// None where the domain is none that the DNS could hold, address literals among them.
fn canonical(address: &str) -> Option<String> {
    let (local, domain) = address.rsplit_once('@')?;
    let domain = idna::domain_to_ascii_cow(domain.as_bytes(), AsciiDenyList::URL).ok()?;
    Some(format!("{}@{domain}", local.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests;
