#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

#[test]
fn slugs_that_are_taken() {
    for text in [
        "a",
        "0",
        "a-b",
        "a--b",
        "abc--d",
        "x1-2-3",
        "0x",
        "item",
        "deadbeef",
        &"a".repeat(63),
    ] {
        assert_eq!(text.parse::<Slug>().unwrap().as_str(), text);
    }
}

#[test]
fn slugs_that_are_refused() {
    for (text, error) in [
        ("", SlugError::Length),
        (&*"a".repeat(64), SlugError::Length),
        ("-a", SlugError::Pattern),
        ("a-", SlugError::Pattern),
        ("-", SlugError::Pattern),
        ("A", SlugError::Pattern),
        ("a_b", SlugError::Pattern),
        ("a b", SlugError::Pattern),
        ("a\n", SlugError::Pattern),
        ("a\0b", SlugError::Pattern),
        ("ä", SlugError::Pattern),
        ("٣", SlugError::Pattern),
        ("a.b", SlugError::Pattern),
        ("../a", SlugError::Pattern),
        ("xn--bcher-kva", SlugError::LooksInternationalised),
        ("ab--c", SlugError::LooksInternationalised),
        ("0192f3a4-7b1c-7def-8123-456789abcdef", SlugError::LooksLikeId),
        ("0192f3a47b1c7def8123456789abcdef", SlugError::LooksLikeId),
        ("00000000000000000000000000000000", SlugError::LooksLikeId),
    ] {
        assert_eq!(text.parse::<Slug>(), Err(error), "{text:?}");
        assert_eq!(text.parse::<OrganizationSlug>(), Err(error), "{text:?}");
    }
}

#[test]
fn reserved_words_are_kept_from_organizations_alone() {
    for word in RESERVED {
        assert_eq!(word.parse::<OrganizationSlug>(), Err(SlugError::Reserved));
        assert_eq!(word.parse::<Slug>().map(Slug::into_string).as_deref(), Ok(*word));
    }
    for word in ["www", "api", "docs", "admin", "app", "auth"] {
        assert!(RESERVED.contains(&word), "{word}");
    }
}

#[test]
fn the_reserved_list_is_sorted_and_says_nothing_twice() {
    assert!(RESERVED.is_sorted_by(|a, b| a < b));
}

/// Else a reserved word could be the answer when a name without the number is taken, or when nothing is left of one.
#[test]
fn no_reserved_word_is_what_deriving_makes() {
    assert!(
        RESERVED
            .iter()
            .all(|word| !word.starts_with("item") && !word.contains('-'))
    );
}

#[test]
fn errors_carry_the_contracts_code_and_say_the_bound() {
    let codes = [
        (SlugError::Length, "length"),
        (SlugError::Pattern, "pattern"),
        (SlugError::LooksLikeId, "reserved"),
        (SlugError::LooksInternationalised, "reserved"),
        (SlugError::Reserved, "reserved"),
    ];
    for (error, code) in codes {
        assert_eq!(error.code(), code);
    }
    assert_eq!(SlugError::Length.to_string(), "must have 1 to 63 characters");
}

#[test]
fn deriving_follows_the_contract() {
    for (name, slug) in [
        ("Acme", "acme"),
        ("  Acme,   Inc.  ", "acme-inc"),
        ("Bob's & Söhne GmbH", "bob-s-sohne-gmbh"),
        ("Ægir/Þór", "aegir-thor"),
        ("Привет мир", "privet-mir"),
        ("東京", "dong-jing"),
        ("🦄 rides", "unicorn-rides"),
        ("", "item"),
        ("!!!", "item"),
        ("\u{e000}", "item"),
        ("a--b", "a-b"),
        ("xn--bcher-kva", "xn-bcher-kva"),
        ("-", "item"),
        (
            "0192F3A4-7B1C-7DEF-8123-456789ABCDEF",
            "item-0192f3a4-7b1c-7def-8123-456789abcdef",
        ),
        (
            "0192f3a47b1c7def8123456789abcdef",
            "item-0192f3a47b1c7def8123456789abcdef",
        ),
    ] {
        assert_eq!(Slug::derive(name).as_str(), slug, "{name:?}");
        assert_eq!(OrganizationSlug::derive(name).as_str(), slug, "{name:?}");
    }
    assert_eq!(Slug::derive("Admin").as_str(), "admin");
    assert_eq!(OrganizationSlug::derive("Admin").as_str(), "item-admin");
    assert_eq!(Slug::derive(&"ab ".repeat(100)).as_str(), ["ab"; 21].join("-"));
}

#[test]
fn a_suffix_fits_by_cutting_what_is_before_it() {
    let suffixed = |slug: &str, n| slug.parse::<Slug>().unwrap().with_suffix(n).into_string();
    assert_eq!(suffixed("acme", 2), "acme-2");
    assert_eq!(suffixed("acme-2", 3), "acme-2-3");
    assert_eq!(suffixed(&"a".repeat(63), 10), format!("{}-10", "a".repeat(60)));
    assert_eq!(
        suffixed(&format!("{}-bc", "a".repeat(60)), 2),
        format!("{}-2", "a".repeat(60))
    );
    assert_eq!(suffixed("a", u32::MAX), "a-4294967295");
    assert_eq!(
        "acme".parse::<OrganizationSlug>().unwrap().with_suffix(2).as_str(),
        "acme-2"
    );
}

#[test]
fn json_cannot_go_round_the_check() {
    assert_eq!(serde_json::from_str::<Slug>(r#""acme""#).unwrap().as_str(), "acme");
    assert!(serde_json::from_str::<Slug>(r#""Acme""#).is_err());
    assert!(serde_json::from_str::<OrganizationSlug>(r#""api""#).is_err());
    assert_eq!(serde_json::to_string(&Slug::derive("Acme")).unwrap(), r#""acme""#);
}

/// The contract's words once more, as a walk over its regular expression and over a UUID's groups.
fn reference(text: &str) -> bool {
    let edge = |c: &char| c.is_ascii_digit() || c.is_ascii_lowercase();
    let characters: Vec<char> = text.chars().collect();
    let [first, rest @ ..] = &*characters else { return false };
    let pattern = match rest {
        [] => edge(first),
        [inner @ .., last] => {
            edge(first) && edge(last) && inner.len() <= 61 && inner.iter().all(|c| *c == '-' || edge(c))
        }
    };
    let hex = |part: &str| part.chars().all(|c| c.is_ascii_hexdigit());
    let groups: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let id = groups.iter().all(|group| hex(group)) && (lengths == [8, 4, 4, 4, 12] || lengths == [32]);
    let internationalised = characters.get(2) == Some(&'-') && characters.get(3) == Some(&'-');
    pattern && !id && !internationalised
}

/// Slugs, almost slugs, ids and anything else; mostly what the pattern's alphabet can make.
fn candidates() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z0-9-]{0,66}",
        3 => "[a-z0-9][a-z0-9-]{0,61}[a-z0-9]",
        2 => "[a-c-]{1,6}",
        1 => "[0-9a-f]{32}",
        1 => "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        1 => "[0-9a-g]{8}-[0-9a-f]{4,5}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{11,12}",
        1 => "[a-zA-Z0-9_. -]{0,8}",
        1 => any::<String>(),
    ]
}

/// Names as people write them, names that are slugs or ids, reserved words, and long ones.
fn names() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        candidates(),
        prop::sample::select(RESERVED).prop_map(str::to_uppercase),
        prop::collection::vec(any::<char>(), 50..255).prop_map(String::from_iter),
    ]
}

fn valid_slugs() -> impl Strategy<Value = Slug> {
    candidates().prop_filter_map("not a slug", |text| text.parse().ok())
}

proptest! {
    #[test]
    fn exactly_the_pattern_minus_the_refused_is_taken(text in candidates()) {
        prop_assert_eq!(text.parse::<Slug>().is_ok(), reference(&text));
        let reserved = RESERVED.contains(&&*text);
        prop_assert_eq!(text.parse::<OrganizationSlug>().is_ok(), reference(&text) && !reserved);
    }

    #[test]
    fn a_derived_slug_is_valid_and_derives_itself(name in names()) {
        let slug = Slug::derive(&name);
        prop_assert!(reference(slug.as_str()), "{slug}");
        prop_assert_eq!(Slug::derive(slug.as_str()), slug);

        let slug = OrganizationSlug::derive(&name);
        prop_assert!(slug.as_str().parse::<OrganizationSlug>().is_ok(), "{slug}");
        prop_assert_eq!(OrganizationSlug::derive(slug.as_str()), slug);
    }

    #[test]
    fn a_valid_slug_without_double_hyphens_derives_itself(slug in valid_slugs()) {
        prop_assume!(!slug.as_str().contains("--"));
        prop_assert_eq!(Slug::derive(slug.as_str()), slug);
    }

    #[test]
    fn a_suffixed_slug_is_valid_and_ends_in_its_number(slug in valid_slugs(), n: u32) {
        let suffixed = slug.with_suffix(n);
        prop_assert!(reference(suffixed.as_str()), "{suffixed}");
        prop_assert_eq!(suffixed.as_str().rsplit('-').next(), Some(&*n.to_string()));
        prop_assert!(suffixed.as_str().parse::<OrganizationSlug>().is_ok(), "{suffixed}");
    }

    #[test]
    fn different_numbers_give_different_slugs(slug in valid_slugs(), numbers: BTreeSet<u32>) {
        let slugs: BTreeSet<Slug> = numbers.iter().map(|n| slug.with_suffix(*n)).collect();
        prop_assert_eq!(slugs.len(), numbers.len());
    }
}
