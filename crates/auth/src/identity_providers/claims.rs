//! What is taken of what a provider says of somebody: bounded, and of the shape that is kept.

use tenantry_domain::{emails::Email, text::Name};
use url::Url;
use uuid::Uuid;

/// The most bytes of a subject.
const MAX_SUBJECT: usize = 512;

/// The most characters of the URL of a picture: it travels in a URL itself.
const MAX_PICTURE: usize = 500;

/// Whom a provider means, where that can be kept.
pub(crate) fn subject(text: &str) -> Option<String> {
    let fits = (1..=MAX_SUBJECT).contains(&text.len()) && !text.contains(char::is_control);
    // As it is kept of those whom an organization's own provider means.
    let is_scoped = text
        .split_once('/')
        .is_some_and(|(scope, _)| Uuid::try_parse(scope).is_ok());
    (fits && !is_scoped).then(|| text.to_owned())
}

/// An address, where it is one.
pub(crate) fn email(text: &str) -> Option<Email> {
    text.parse().ok()
}

/// A name, without what no name may have.
pub(crate) fn name(text: &str) -> Option<String> {
    let name: String = text
        .trim()
        .chars()
        .filter(|c| !c.is_control())
        .take(Name::MAX)
        .collect();
    (!name.is_empty()).then_some(name)
}

/// A picture, where its URL is `https`.
pub(crate) fn picture(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    (url.scheme() == "https" && text.len() <= MAX_PICTURE).then(|| String::from(url))
}

/// A language, where it has the shape of a tag (BCP 47).
pub(crate) fn locale(text: &str) -> Option<String> {
    // Some write `pt_BR`.
    let tag = text.replace('_', "-");
    let mut parts = tag.split('-');
    let language = parts.next().unwrap_or_default();
    let shaped = (2..=8).contains(&language.len())
        && language.bytes().all(|byte| byte.is_ascii_alphabetic())
        && parts.all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    (shaped && tag.len() <= 35).then_some(tag)
}

#[cfg(test)]
mod tests {
    use super::{locale, name, picture, subject};

    #[test]
    fn what_cannot_be_kept_is_left_out() {
        assert_eq!(name(" Ann\r\nBcc: all\0 ").as_deref(), Some("AnnBcc: all"));
        assert_eq!(name("\u{7}  "), None);
        assert_eq!(name(&"é".repeat(300)).map(|name| name.chars().count()), Some(255));
        assert_eq!(
            picture("https://example.com/a b.png").as_deref(),
            Some("https://example.com/a%20b.png")
        );
        for bad in ["http://example.com/a.png", "javascript:alert(1)", "", "https://"] {
            assert_eq!(picture(bad), None, "{bad}");
        }
        assert_eq!(picture(&format!("https://example.com/{}", "a".repeat(500))), None);
        assert_eq!(locale("pt_BR").as_deref(), Some("pt-BR"));
        for bad in ["", "d", "de-", "1e", "de-ß"] {
            assert_eq!(locale(bad), None, "{bad}");
        }
        assert_eq!(subject(""), None);
        assert_eq!(subject(&"s".repeat(513)), None);
        assert_eq!(subject("auth0|1").as_deref(), Some("auth0|1"));
    }
}
