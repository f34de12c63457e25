#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;

use super::*;

#[test]
fn what_was_sent_comes_back() {
    for text in [
        " ",
        "  padded  ",
        "Ω≈ç√",
        "مرحبا بالعالم",
        "👩‍👩‍👧‍👦 family",
        "'; drop table users; --",
        "<script>alert(1)</script>",
        "e\u{301} is not é",
        "\u{202e}reversed",
        "\u{feff}bom",
    ] {
        let name: Name = text.parse().unwrap();
        assert_eq!(name.as_str(), text);
        assert_eq!(name.to_string(), text);
        assert_eq!(serde_json::to_value(&name).unwrap(), text);
        assert_eq!(serde_json::from_value::<Name>(text.into()).unwrap(), name);
        assert_eq!(name.into_string(), text);
    }
}

#[test]
fn length_is_counted_in_characters() {
    assert_eq!("".parse::<Name>(), Err(TextError::TooShort { min: 1 }));
    assert_eq!("".parse::<SearchText>(), Err(TextError::TooShort { min: 1 }));
    assert_eq!("".parse::<Description>().unwrap().as_str(), "");
    assert!("😀".repeat(255).parse::<Name>().is_ok());
    assert_eq!("😀".repeat(256).parse::<Name>(), Err(TextError::TooLong { max: 255 }));
    assert_eq!(
        "a".repeat(256).parse::<SearchText>(),
        Err(TextError::TooLong { max: 255 })
    );
    assert!("ß".repeat(2000).parse::<Description>().is_ok());
    assert_eq!(
        "ß".repeat(2001).parse::<Description>(),
        Err(TextError::TooLong { max: 2000 })
    );
}

#[test]
fn every_control_character_is_refused_everywhere() {
    for code in (0..=0x1f).chain(0x7f..=0x9f) {
        let text = format!("a{}b", char::from_u32(code).unwrap());
        assert_eq!(text.parse::<Name>(), Err(TextError::ControlCharacter), "U+{code:04X}");
        assert_eq!(
            text.parse::<Description>(),
            Err(TextError::ControlCharacter),
            "U+{code:04X}"
        );
        assert_eq!(
            text.parse::<SearchText>(),
            Err(TextError::ControlCharacter),
            "U+{code:04X}"
        );
    }
}

#[test]
fn errors_say_the_bound_and_carry_the_contracts_code() {
    let shown = |error: TextError| (error.code(), error.to_string());
    assert_eq!(
        shown(TextError::TooShort { min: 1 }),
        ("length", "must have 1 or more characters".to_owned())
    );
    assert_eq!(
        shown(TextError::TooLong { max: 255 }),
        ("length", "must have 255 or fewer characters".to_owned())
    );
    assert_eq!(
        shown(TextError::ControlCharacter),
        ("control_character", "must not contain control characters".to_owned())
    );
}

#[test]
fn json_cannot_go_round_the_check() {
    for json in [r#""""#, r#""a\u0000b""#, r#""a\nb""#, "null", "7"] {
        assert!(serde_json::from_str::<Name>(json).is_err(), "{json}");
    }
    assert!(serde_json::from_value::<Name>("a".repeat(256).into()).is_err());
}

#[test]
fn a_stored_text_is_read_whatever_the_rule_says_now() {
    assert_eq!(Name::from_stored(String::new()).as_str(), "");
}

/// Lengths crowd round the bounds, where an off-by-one would be.
fn texts_near(max: usize) -> impl Strategy<Value = String> {
    let length = prop_oneof![0..4_usize, max - 2..max + 3];
    let character =
        prop_oneof![2000 => any::<char>().prop_filter("not a control", |c| !c.is_control()), 1 => any::<char>()];
    length
        .prop_flat_map(move |length| prop::collection::vec(character.clone(), length))
        .prop_map(String::from_iter)
}

/// Category Cc by its code points, as the Unicode Character Database lists them.
fn has_control(text: &str) -> bool {
    text.chars().any(|c| matches!(u32::from(c), 0..=0x1f | 0x7f..=0x9f))
}

proptest! {
    #[test]
    fn a_name_is_1_to_255_characters_without_controls(text in texts_near(255)) {
        let fits = (1..=255).contains(&text.chars().count()) && !has_control(&text);
        let name = text.parse::<Name>();
        prop_assert_eq!(name.is_ok(), fits);
        prop_assert_eq!(text.parse::<SearchText>().is_ok(), fits);
        if let Ok(name) = name {
            prop_assert_eq!(name.into_string(), text);
        }
    }

    #[test]
    fn a_description_is_up_to_2000_characters_without_controls(text in texts_near(2000)) {
        let fits = text.chars().count() <= 2000 && !has_control(&text);
        prop_assert_eq!(text.parse::<Description>().is_ok(), fits);
    }
}
