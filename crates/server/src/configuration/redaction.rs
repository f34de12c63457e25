//! How values are shown: without passwords, and short.

use url::Url;

use super::setting::{Kind, Setting};

/// What stands where a secret was.
const REDACTED: &str = "[redacted]";

/// What is shown of one value, in characters.
const SHOWN: usize = 120;

/// Schemes of the URLs whose parts are known well enough to show some.
const KNOWN_SCHEMES: &[&str] = &[
    "postgres",
    "postgresql",
    "redis",
    "rediss",
    "redis+unix",
    "unix",
    "smtp",
    "smtps",
];

/// Parameters of such a URL that are shown; any other may be a password.
const HARMLESS_PARAMETERS: &[&str] = &[
    "sslmode",
    "host",
    "hostaddr",
    "port",
    "user",
    "dbname",
    "application_name",
    "tls",
];

/// A value as it may be shown to people.
pub(super) fn shown(setting: &Setting, value: &str) -> String {
    match setting.kind {
        Kind::Plain => plain(value),
        Kind::SecretUrl => Url::parse(value)
            .ok()
            .and_then(url)
            .unwrap_or_else(|| REDACTED.to_owned()),
    }
}

/// A value that should be no secret. One with a login in it was meant for another setting, so it is not repeated.
pub(super) fn plain(value: &str) -> String {
    if value.contains('@') && value.contains("://") {
        return REDACTED.to_owned();
    }
    let mut characters = value.chars();
    let mut escaped: String = characters.by_ref().take(SHOWN).flat_map(char::escape_debug).collect();
    if characters.next().is_some() {
        escaped.push('…');
    }
    escaped
}

/// The URL with its password and unknown parameters replaced; `None` where parts of a password may be anywhere.
fn url(mut url: Url) -> Option<String> {
    if !KNOWN_SCHEMES.contains(&url.scheme()) || !is_unambiguous(&url) {
        return None;
    }
    let has_password = url.password().is_some();
    if has_password {
        url.set_password(None).ok()?;
    }
    let parameters: Vec<String> = url
        .query_pairs()
        .map(|(key, value)| {
            let harmless = HARMLESS_PARAMETERS.contains(&key.as_ref());
            if harmless {
                format!("{key}={value}")
            } else {
                format!("{REDACTED}={REDACTED}")
            }
        })
        .collect();
    url.set_query(None);
    let mut text = String::from(url);
    if has_password {
        text = text.replacen('@', &format!(":{REDACTED}@"), 1);
        // A password without a user leaves no `@` behind.
        if !text.contains('@') {
            text = text.replacen("://", &format!("://:{REDACTED}@"), 1);
        }
    }
    if !parameters.is_empty() {
        text = format!("{text}?{}", parameters.join("&"));
    }
    Some(text)
}

/// Whether the login of a URL ends where its writer meant it to: a password with `#`, `?` or `/` that is not
/// percent-encoded ends up in other parts of the URL.
pub(super) fn is_unambiguous(url: &Url) -> bool {
    let astray = |part: &str| part.contains('@');
    !url.cannot_be_a_base() && url.fragment().is_none() && !astray(url.path()) && !url.query().is_some_and(astray)
}
