//! Slugs: what is accepted is one, and what is derived is accepted.

use tenantry_domain::slugs::{MAX, OrganizationSlug, RESERVED, Slug};
use uuid::Uuid;

/// The bytes are a name, or a slug that somebody chose.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(slug) = text.parse::<Slug>() {
        assert_eq!(slug.as_str(), text);
        assert_is_label(text);
    }
    if let Ok(slug) = text.parse::<OrganizationSlug>() {
        assert_eq!(slug.as_str(), text);
        assert_is_label(text);
        assert!(!RESERVED.contains(&text));
    }
    let derived = Slug::derive(text);
    assert_eq!(derived.as_str().parse(), Ok(derived.clone()));
    assert_eq!(Slug::derive(derived.as_str()), derived);
    let of_organization = OrganizationSlug::derive(text);
    assert_eq!(of_organization.as_str().parse(), Ok(of_organization.clone()));
    assert_eq!(OrganizationSlug::derive(of_organization.as_str()), of_organization);

    let numbers = [2, 3, 10, 4_294_967_295];
    let suffixed = numbers.map(|number| derived.with_suffix(number));
    for (index, slug) in suffixed.iter().enumerate() {
        assert_eq!(slug.as_str().parse(), Ok(slug.clone()));
        assert!(!suffixed.iter().take(index).any(|earlier| earlier == slug));
        let of_organization = numbers.map(|number| of_organization.with_suffix(number));
        assert!(
            of_organization
                .iter()
                .all(|slug| slug.as_str().parse() == Ok(slug.clone()))
        );
    }
}

/// RFC 1123, section 2.1, in lower case, and nothing that passes for an id or an internationalised name.
fn assert_is_label(text: &str) {
    assert!((1..=MAX).contains(&text.len()));
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    assert!(text.bytes().all(|byte| inner(byte) || byte == b'-'));
    assert!(text.bytes().next().is_some_and(inner) && text.bytes().last().is_some_and(inner));
    assert!(Uuid::try_parse(text).is_err());
    assert!(text.get(2..4) != Some("--"));
}
