//! The issuers whose access tokens are taken, from a file of their own.

use std::collections::HashSet;

use tenantry_auth::{
    identity_providers::is_loopback,
    trusted_issuers::{ALGORITHMS, ClaimNames, ClaimPath, IssuerSettings},
};
use url::Url;

use super::{
    Http, IdentityProviders,
    reader::Reader,
    setting::Setting,
    toml_tables::{self, TomlTable},
};

const TRUSTED_ISSUERS: Setting = Setting::plain(
    "TENANTRY_TRUSTED_ISSUERS",
    "an existing TOML file of at most 64 KiB with a table for each issuer of access tokens",
);

/// The settings of this section.
pub(super) const SETTINGS: &[&Setting] = &[&TRUSTED_ISSUERS];

/// The issuers whose access tokens are taken.
#[derive(Debug, Clone)]
pub struct TrustedIssuers {
    /// Those of the file that `TENANTRY_TRUSTED_ISSUERS` names.
    pub issuers: Vec<IssuerSettings>,
}

impl TrustedIssuers {
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let issuers = toml_tables::read(reader, &TRUSTED_ISSUERS, parse)?;
        Some(Self { issuers })
    }

    /// Reports issuers that would be taken for somebody else.
    pub(super) fn check(&self, http: &Http, identity_providers: &IdentityProviders, reader: &mut Reader<'_>) {
        let own = http.public_url(http.listen);
        for IssuerSettings { key, issuer, .. } in &self.issuers {
            if issuer.trim_end_matches('/') == own {
                reader.forbid(
                    &TRUSTED_ISSUERS,
                    format!("issuer `{key}`: issuer is this service itself"),
                );
            }
            // A key is what an identity is shown by, whichever of the two it came through.
            let namesake = identity_providers.providers.iter().find(|other| other.key == *key);
            if namesake.is_some_and(|other| other.issuer != *issuer) {
                reader.forbid(
                    &TRUSTED_ISSUERS,
                    format!("issuer `{key}`: key is that of an identity provider with another issuer"),
                );
            }
        }
    }
}

/// The issuers that a file describes.
///
/// # Errors
/// All that is wrong with it, each problem a sentence with the issuer's key and the field. No value is repeated.
pub fn parse(text: &str) -> Result<Vec<IssuerSettings>, Vec<String>> {
    let mut known = HashSet::new();
    toml_tables::parse(text, "issuer", |table| issuer(table, &mut known))
}

/// One issuer. `known` has the `iss` of those that were read before.
fn issuer(table: &mut TomlTable, known: &mut HashSet<String>) -> Option<IssuerSettings> {
    let key = table.key().to_owned();
    let name = table.name(key.clone());
    let issuer = url(table, "issuer");
    if let Some(issuer) = &issuer
        && !known.insert(issuer.clone())
    {
        table.problem("issuer", "is that of another issuer here, too");
    }
    let jwks_url = url(table, "jwks_url");
    if let (Some(issuer), Some(jwks_url)) = (&issuer, &jwks_url)
        && !is(issuer, is_loopback)
        && !is(jwks_url, |url| url.scheme() == "https")
    {
        table.problem("jwks_url", "must be https where the issuer is not on this machine");
    }
    // Without either, a token that was issued for any other service would do.
    if !table.has("audience") && !table.has("authorized_parties") {
        table.problem(
            "audience",
            "is missing: say for whom its tokens are, or in authorized_parties to whom they are issued",
        );
    }
    let audiences = table.texts("audience").unwrap_or_default();
    let authorized_parties = table.texts("authorized_parties").unwrap_or_default();
    let wanted = table.texts("algorithms");
    let is_wanted = |name: &str| {
        wanted
            .as_ref()
            .is_none_or(|wanted| wanted.iter().any(|one| one == name))
    };
    let algorithms = ALGORITHMS
        .iter()
        .filter(|(name, _)| is_wanted(name))
        .map(|(_, algorithm)| *algorithm)
        .collect();
    let is_known = |one: &String| ALGORITHMS.iter().any(|(name, _)| name == one);
    if !wanted.iter().flatten().all(is_known) {
        let names = ALGORITHMS.map(|(name, _)| name).join(", ");
        table.problem("algorithms", &format!("must be among {names}"));
    }
    let trusts_email = flag(table, "trust_email");
    let claims = claims(table, trusts_email);
    table.refuse_others();
    Some(IssuerSettings {
        key,
        name,
        issuer: issuer?,
        audiences,
        authorized_parties,
        jwks_url: jwks_url?,
        algorithms,
        trusts_email,
        claims,
    })
}

/// A URL that must be there, to the character.
fn url(table: &mut TomlTable, field: &str) -> Option<String> {
    let text = table.required(field)?;
    table.checked(field, text)
}

/// Whether this is true of a URL.
fn is(url: &str, what: impl FnOnce(&Url) -> bool) -> bool {
    Url::parse(url).is_ok_and(|url| what(&url))
}

/// Whether something holds, which it does not where nothing is said of it.
fn flag(table: &mut TomlTable, field: &str) -> bool {
    let Some(written) = table.take(field) else {
        return false;
    };
    match written.kind {
        config::ValueKind::Boolean(holds) => holds,
        _ => {
            table.problem(field, "must be true or false");
            false
        }
    }
}

/// Where the tokens of an issuer say what.
fn claims(table: &mut TomlTable, trusts_email: bool) -> ClaimNames {
    table.open("claims");
    let mut names = ClaimNames::default();
    for (field, place) in [
        ("claims.subject", &mut names.subject),
        ("claims.email", &mut names.email),
        ("claims.email_verified", &mut names.email_verified),
        ("claims.name", &mut names.name),
        ("claims.picture", &mut names.picture),
        ("claims.locale", &mut names.locale),
    ] {
        if let Some(path) = claim(table, field) {
            *place = path;
        }
    }
    let usual = ClaimNames::default();
    if names.email != usual.email && names.email_verified == usual.email_verified && !trusts_email {
        // What is said of one address would count for another.
        table.problem(
            "claims.email_verified",
            "is missing: where the address is told in another claim, so is whether it is proven",
        );
    }
    if let Some(path) = claim(table, "claims.session") {
        names.session = vec![path];
    }
    names
}

/// A claim by its name, or a place inside of one by a JSON pointer (RFC 6901, section 3).
fn claim(table: &mut TomlTable, field: &str) -> Option<ClaimPath> {
    let text = table.text(field)?;
    let fits = text.strip_prefix('/').is_none_or(|pointer| {
        let names_a_claim = !pointer.is_empty() && !pointer.starts_with('/');
        names_a_claim && pointer.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']))
    });
    if fits {
        return Some(ClaimPath::new(text));
    }
    table.problem(
        field,
        "must be the name of a claim, or a JSON pointer that begins with one",
    );
    None
}

#[cfg(test)]
mod tests;
