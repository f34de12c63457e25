//! Domains: names in the DNS that an organization says are its own, and proves to be by a record there.
//!
//! A domain is kept as the DNS knows it (IDNA, UTS 46), the same way as the domain in the canonical form of an
//! [`Email`](crate::emails::Email): the two are compared to the byte.

use std::{fmt, str::FromStr};

use idna::AsciiDenyList;
use serde::{Deserialize, Serialize};

use crate::{
    environment::Timestamp,
    ids::{DomainId, OrganizationId},
    keywords,
};

/// The most domains that an organization has at a time, those that are not proven included.
pub const MAX_DOMAINS: u64 = 20;

/// The most characters of a label of a name (RFC 1035, section 2.3.4).
const MAX_LABEL: usize = 63;

keywords! {
    /// Whether a domain is proven.
    pub enum DomainStatus {
        /// It is not.
        Pending = "pending",
        /// It is.
        Verified = "verified",
    }
}

/// A domain as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Domain {
    /// Its id.
    pub id: DomainId,
    /// The tenant that it belongs to.
    pub organization_id: OrganizationId,
    /// What it is called in the DNS.
    pub name: DomainName,
    /// What its record holds. It is in no JSON, and so in no event: whoever keeps a domain as JSON keeps it beside.
    #[serde(skip)]
    pub token: String,
    /// When it was found there; `None` as long as it was not.
    pub verified_at: Option<Timestamp>,
    /// Counts the changes.
    pub version: i64,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was added, or else proven.
    pub updated_at: Timestamp,
}

impl Domain {
    /// Whether it is proven.
    #[must_use]
    pub const fn status(&self) -> DomainStatus {
        match self.verified_at {
            None => DomainStatus::Pending,
            Some(_) => DomainStatus::Verified,
        }
    }

    /// Where the record is that proves it.
    #[must_use]
    pub fn record_name(&self) -> String {
        format!("_tenantry.{}", self.name)
    }

    /// What that record says, as one of type `TXT`.
    #[must_use]
    pub fn record_value(&self) -> String {
        format!("tenantry-domain-verification={}", self.token)
    }
}

/// The name of a domain, as the DNS knows it: in ASCII and lower case, of two labels at least, without a dot at its end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct DomainName(String);

impl DomainName {
    /// The most characters it may have: RFC 1035 (section 2.3.4) allows 255 bytes, two of which are the length of the first
    /// label and the root's, and the name of the record that proves it has ten more.
    pub const MAX: usize = 243;

    /// Takes what was checked when it was stored. A rule that has become stricter since must not make a row unreadable,
    /// so nothing is checked again.
    #[must_use]
    pub const fn from_stored(name: String) -> Self {
        Self(name)
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DomainName {
    type Err = DomainNameError;

    fn from_str(text: &str) -> Result<Self, DomainNameError> {
        // As many characters as a name has, and a dot.
        if text.chars().nth(Self::MAX + 1).is_some() {
            return Err(DomainNameError);
        }
        let name = idna::domain_to_ascii_cow(text.as_bytes(), AsciiDenyList::URL).map_err(|_| DomainNameError)?;
        let name = name.strip_suffix('.').unwrap_or(&name);
        let (_, top) = name.rsplit_once('.').ok_or(DomainNameError)?;
        // The last label of an IPv4 address is a number, in whatever base; that of a name is none (RFC 1123, section 2.1).
        let is_of_letters = top.starts_with(|first: char| first.is_ascii_alphabetic());
        if name.len() <= Self::MAX && is_of_letters && name.split('.').all(is_label) {
            Ok(Self(name.to_owned()))
        } else {
            Err(DomainNameError)
        }
    }
}

impl TryFrom<String> for DomainName {
    type Error = DomainNameError;

    fn try_from(text: String) -> Result<Self, DomainNameError> {
        text.parse()
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether hosts may be called that (RFC 1123, section 2.1).
fn is_label(label: &str) -> bool {
    let letter = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    (1..=MAX_LABEL).contains(&label.len())
        && label.bytes().all(letter)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// The text is no name of a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be the name of a domain such as example.com")]
pub struct DomainNameError;

#[cfg(test)]
mod tests;
