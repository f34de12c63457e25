//! Slugs: the names of things in URLs.
//!
//! A slug is what a DNS label may be (RFC 1123, section 2.1: lower-case letters, digits and inner hyphens, at most 63), so
//! an organization's may become a subdomain. Two shapes are refused beyond that: what a UUID parser accepts, since
//! `{orgId}` takes an id or a slug, and `--` as third and fourth characters, which RFC 5891 (section 4.2.3.1) keeps for
//! internationalised names (`xn--…`).
//!
//! An [`OrganizationSlug`] also keeps off [`RESERVED`]. To reserve one more: a line in that list. An organization that
//! has the word already keeps it: rows are read with `from_stored`, and a slug in a path is looked up as text.

use deunicode::AsciiChars as _;
use uuid::Uuid;

use crate::text::checked_text;

/// The most characters a slug may have: those of a DNS label.
pub const MAX: usize = 63;

/// What no organization may be called in a URL: hosts and paths that the service has, may come to have, or that would
/// pass for the service's own. Sorted.
pub const RESERVED: &[&str] = &[
    "about",
    "abuse",
    "access",
    "account",
    "accounts",
    "admin",
    "administrator",
    "analytics",
    "api",
    "app",
    "apps",
    "assets",
    "audit",
    "auth",
    "autoconfig",
    "autodiscover",
    "billing",
    "blog",
    "cache",
    "callback",
    "cdn",
    "cname",
    "config",
    "console",
    "contact",
    "context",
    "dashboard",
    "dev",
    "developer",
    "developers",
    "dns",
    "docs",
    "domains",
    "download",
    "downloads",
    "email",
    "events",
    "favicon",
    "feed",
    "files",
    "ftp",
    "git",
    "graphql",
    "group",
    "groups",
    "health",
    "help",
    "home",
    "hostmaster",
    "id",
    "identity",
    "images",
    "imap",
    "img",
    "info",
    "integrations",
    "internal",
    "invitations",
    "invite",
    "js",
    "jwks",
    "legal",
    "local",
    "localhost",
    "login",
    "logout",
    "mail",
    "me",
    "members",
    "metrics",
    "monitoring",
    "mx",
    "new",
    "noreply",
    "ns",
    "null",
    "oauth",
    "oidc",
    "openapi",
    "organization",
    "organizations",
    "owner",
    "password",
    "permissions",
    "platform",
    "pop",
    "postmaster",
    "preview",
    "pricing",
    "privacy",
    "private",
    "prod",
    "production",
    "profile",
    "projects",
    "proxy",
    "public",
    "register",
    "reset",
    "roles",
    "root",
    "saml",
    "sandbox",
    "scim",
    "search",
    "secure",
    "security",
    "service",
    "services",
    "session",
    "sessions",
    "settings",
    "signin",
    "signout",
    "signup",
    "smtp",
    "sso",
    "staging",
    "static",
    "status",
    "storage",
    "support",
    "system",
    "tenant",
    "tenantry",
    "tenants",
    "terms",
    "test",
    "token",
    "undefined",
    "uploads",
    "user",
    "users",
    "verify",
    "webhook",
    "webhooks",
    "webmail",
    "wiki",
    "workspaces",
    "ws",
    "www",
];

checked_text! {
    /// The slug of anything but an organization, unique among its siblings.
    Slug, SlugError, check
}

checked_text! {
    /// The slug of an organization: unique everywhere, and none of [`RESERVED`].
    OrganizationSlug, SlugError, check_for_organization
}

macro_rules! derivable {
    ($($name:ident, $check:expr;)*) => {$(
        impl $name {
            /// The slug that a thing called `name` gets when none was given: transliterated to ASCII, lower case, every
            /// other run of characters a hyphen, `item` when nothing is left, and `item-` put before what is refused.
            #[must_use]
            pub fn derive(name: &str) -> Self {
                let slug = transliterated(name);
                if $check(&slug).is_ok() { Self(slug) } else { Self(cut(&format!("item-{slug}"), MAX).to_owned()) }
            }

            /// This slug with `-n` at its end, cut so that the whole fits: what to try when this one is taken. Different
            /// numbers give different slugs.
            #[must_use]
            pub fn with_suffix(&self, n: u32) -> Self {
                let suffix = format!("-{n}");
                Self(format!("{}{suffix}", cut(&self.0, MAX - suffix.len())))
            }
        }
    )*};
}

derivable! {
    Slug, check;
    OrganizationSlug, check_for_organization;
}

/// Why a slug was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SlugError {
    /// Empty or longer than [`MAX`].
    #[error("must have 1 to {MAX} characters")]
    Length,
    /// Something else than lower-case ASCII letters, digits and inner hyphens.
    #[error("must be made of a-z, 0-9 and hyphens, and begin and end with a letter or digit")]
    Pattern,
    /// A UUID parser would take it for an id.
    #[error("must not look like an id")]
    LooksLikeId,
    /// Hyphens where internationalised domain names have them.
    #[error("must not have hyphens as both its third and its fourth character")]
    LooksInternationalised,
    /// One of [`RESERVED`].
    #[error("is reserved")]
    Reserved,
}

impl SlugError {
    /// The error's name in the public contract.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Length => "length",
            Self::Pattern => "pattern",
            Self::LooksLikeId | Self::LooksInternationalised | Self::Reserved => "reserved",
        }
    }
}

fn check(text: &str) -> Result<(), SlugError> {
    if text.is_empty() || text.len() > MAX {
        return Err(SlugError::Length);
    }
    let allowed = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    if !text.bytes().all(allowed) || text.starts_with('-') || text.ends_with('-') {
        return Err(SlugError::Pattern);
    }
    if text.get(2..4) == Some("--") {
        return Err(SlugError::LooksInternationalised);
    }
    if Uuid::try_parse(text).is_ok() {
        return Err(SlugError::LooksLikeId);
    }
    Ok(())
}

fn check_for_organization(text: &str) -> Result<(), SlugError> {
    check(text)?;
    if RESERVED.binary_search(&text).is_ok() {
        Err(SlugError::Reserved)
    } else {
        Ok(())
    }
}

/// `name` in the characters of a slug, runs of all others a single hyphen; `item` when none is left.
fn transliterated(name: &str) -> String {
    let mut slug = String::with_capacity(MAX);
    for c in name.ascii_chars().flat_map(|ascii| ascii.unwrap_or(" ").chars()) {
        if slug.len() == MAX {
            break;
        }
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let kept = slug.trim_end_matches('-').len();
    slug.truncate(kept);
    if slug.is_empty() { "item".to_owned() } else { slug }
}

/// The first `max` characters of a slug, without a hyphen at the end.
fn cut(slug: &str, max: usize) -> &str {
    slug.get(..max).unwrap_or(slug).trim_end_matches('-')
}

#[cfg(test)]
mod tests;
