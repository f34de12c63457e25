use super::Language;

#[test]
fn the_primary_subtag_decides() {
    for (tag, language) in [
        (None, Language::English),
        (Some(""), Language::English),
        (Some("en"), Language::English),
        (Some("en-GB"), Language::English),
        (Some("de"), Language::German),
        (Some("DE"), Language::German),
        (Some("de-AT"), Language::German),
        (Some("de_CH"), Language::German),
        (Some("de-Latn-DE-1996"), Language::German),
        (Some("fr"), Language::English),
        (Some("den"), Language::English),
        (Some("x-de"), Language::English),
        (Some("-de"), Language::English),
    ] {
        assert_eq!(Language::of(tag), language, "{tag:?}");
    }
}

#[test]
fn a_language_comes_back_from_its_tag() {
    for language in Language::ALL {
        assert_eq!(Language::parse(language.tag()), Some(language));
    }
    assert_eq!(Language::parse("De"), Some(Language::German));
    assert_eq!(Language::parse("de-AT"), None);
    assert_eq!(Language::parse(""), None);
}
