#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

use chrono::{DateTime, TimeDelta};
use proptest::prelude::*;
use secrecy::ExposeSecret as _;
use tenantry_domain::{emails::Email, environment::Timestamp};

use super::{SECRET_BYTES, ShowError, TotpSecret, is_code};
use crate::test_environment::test_environment;

/// The secret of RFC 6238, appendix B.
const SECRET: &[u8; SECRET_BYTES] = b"12345678901234567890";

/// A moment of that appendix, its step, and its code for SHA-1, of which we show the last six digits.
const VECTORS: [(i64, u64, &str); 6] = [
    (59, 1, "94287082"),
    (1_111_111_109, 37_037_036, "07081804"),
    (1_111_111_111, 37_037_037, "14050471"),
    (1_234_567_890, 41_152_263, "89005924"),
    (2_000_000_000, 66_666_666, "69279037"),
    (20_000_000_000, 666_666_666, "65353130"),
];

fn secret() -> TotpSecret {
    TotpSecret::from_bytes(SECRET).unwrap()
}

fn at(seconds: i64) -> Timestamp {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

fn email(address: &str) -> Email {
    address.parse().unwrap()
}

#[test]
fn the_codes_are_those_of_the_standard() {
    for (seconds, step, digits) in VECTORS {
        assert_eq!(secret().step_of(&digits[2..], at(seconds)), Some(step), "{seconds}");
        assert_eq!(secret().step_of(digits, at(seconds)), None, "{seconds}");
    }
}

#[test]
fn a_code_is_right_one_step_early_or_late_and_tells_its_own_step() {
    for (_, step, digits) in VECTORS {
        let code = &digits[2..];
        let begins = i64::try_from(step).unwrap() * 30;
        let almost = |seconds| at(seconds) - TimeDelta::milliseconds(1);
        for good in [
            at(begins - 30),
            almost(begins),
            at(begins),
            almost(begins + 30),
            at(begins + 30),
            almost(begins + 60),
        ] {
            assert_eq!(secret().step_of(code, good), Some(step), "{code} at {good}");
        }
        for bad in [at(begins - 60), almost(begins - 30), at(begins + 60), at(begins + 90)] {
            assert_eq!(secret().step_of(code, bad), None, "{code} at {bad}");
        }
    }
}

#[test]
fn another_code_or_another_secret_is_wrong() {
    for code in ["287083", "287081", "287028", "387082", "000000", "999999"] {
        assert!(is_code(code));
        assert_eq!(secret().step_of(code, at(59)), None, "{code}");
    }
    let other = TotpSecret::from_bytes(&[7; SECRET_BYTES]).unwrap();
    assert_eq!(other.step_of("287082", at(59)), None);
    assert_eq!(other.step_of("428410", at(59)), Some(1));
}

#[test]
fn blanks_may_be_anywhere() {
    for code in [
        "287082".to_owned(),
        "287 082".to_owned(),
        " 287082 ".to_owned(),
        "28 70 82".to_owned(),
        "2 8 7 0 8 2".to_owned(),
        "\t287082\r\n".to_owned(),
        "287\u{a0}082".to_owned(),
        "287\u{2009}082".to_owned(),
        format!("287082{}", " ".repeat(10)),
    ] {
        assert!(is_code(&code), "{code:?}");
        assert_eq!(secret().step_of(&code, at(59)), Some(1), "{code:?}");
    }
}

#[test]
fn whatever_is_not_six_digits_is_none() {
    for text in [
        String::new(),
        " ".to_owned(),
        " ".repeat(6),
        "28708".to_owned(),
        "2870820".to_owned(),
        "0287082".to_owned(),
        "94287082".to_owned(),
        "287082 287082".to_owned(),
        "28708a".to_owned(),
        "a87082".to_owned(),
        "abcdef".to_owned(),
        "+87082".to_owned(),
        "-87082".to_owned(),
        "+287082".to_owned(),
        "-287082".to_owned(),
        "287-082".to_owned(),
        "287.082".to_owned(),
        "28708\0".to_owned(),
        "0x7082".to_owned(),
        "287e02".to_owned(),
        // No blank, though it is not seen.
        "287\u{200b}082".to_owned(),
        // Six digits that are not ASCII, in Arabic-Indic and in full width, and six bytes of such.
        "\u{662}\u{668}\u{667}\u{660}\u{668}\u{662}".to_owned(),
        "\u{ff12}\u{ff18}\u{ff17}\u{ff10}\u{ff18}\u{ff12}".to_owned(),
        "\u{662}\u{668}\u{667}".to_owned(),
        "2870\u{b2}".to_owned(),
        "28708\u{b2}".to_owned(),
        format!("287082{}", " ".repeat(11)),
        format!("{}287082", " ".repeat(11)),
        "287082".repeat(100_000),
    ] {
        assert!(!is_code(&text), "{text:.60}");
        assert_eq!(secret().step_of(&text, at(59)), None, "{text:.60}");
    }
    // A leading zero is a digit as any.
    assert_eq!(secret().step_of("005924", at(1_234_567_890)), Some(41_152_263));
    assert_eq!(secret().step_of("5924", at(1_234_567_890)), None);
}

#[test]
fn no_code_is_right_before_1970() {
    assert_eq!(secret().step_of("755224", at(0)), Some(0));
    assert_eq!(secret().step_of("755224", at(-1)), None);
    assert_eq!(secret().step_of("755224", Timestamp::MIN_UTC), None);
    assert_eq!(secret().step_of("755224", Timestamp::MAX_UTC), None);
}

#[test]
fn a_secret_comes_back_from_its_bytes_and_from_no_others() {
    let (environment, _) = test_environment(1);
    let new = TotpSecret::generate(&environment);
    assert_eq!(
        TotpSecret::from_bytes(new.as_bytes()).unwrap().as_bytes(),
        new.as_bytes()
    );
    assert_ne!(TotpSecret::generate(&environment).as_bytes(), new.as_bytes());
    assert_eq!(secret().as_bytes(), SECRET);
    for length in [0, 1, 10, 16, 19, 21, 32, 40, 1_000_000] {
        assert!(TotpSecret::from_bytes(&vec![7; length]).is_none(), "{length}");
    }
}

#[test]
fn a_secret_is_shown_as_apps_understand_it() {
    let shown = secret().show(&email("ann+x@example.com")).unwrap();
    assert_eq!(shown.secret.expose_secret(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    assert_eq!(
        shown.url.expose_secret(),
        "otpauth://totp/Tenantry:ann%2Bx%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Tenantry"
    );
    let picture = shown.picture.expose_secret();
    assert!(picture.contains("<svg "), "{picture:.200}");
    assert!(picture.ends_with("</svg>"));
    assert!(!picture.contains("ann"));
    assert!(!picture.contains("GEZDGNBV"));

    let again = secret().show(&email("ann+x@example.com")).unwrap();
    assert_eq!(again.picture.expose_secret(), picture);
    let other = secret().show(&email("ann+y@example.com")).unwrap();
    assert_ne!(other.picture.expose_secret(), picture);
}

#[test]
fn any_secret_is_shown_in_32_letters() {
    let (environment, _) = test_environment(1);
    for _ in 0..20 {
        let shown = TotpSecret::generate(&environment)
            .show(&email("ann@example.com"))
            .unwrap();
        let letters = shown.secret.expose_secret();
        assert_eq!(letters.len(), 32);
        assert!(
            letters
                .bytes()
                .all(|letter| matches!(letter, b'A'..=b'Z' | b'2'..=b'7')),
            "{letters}"
        );
        assert!(shown.url.expose_secret().contains(&format!("secret={letters}&")));
    }
    let zero = TotpSecret::from_bytes(&[0; SECRET_BYTES]).unwrap();
    let shown = zero.show(&email("ann@example.com")).unwrap();
    assert_eq!(shown.secret.expose_secret(), "A".repeat(32));
}

#[test]
fn the_longest_addresses_are_drawn() {
    let ascii = format!("{}@{}", "+".repeat(14), vec!["a".repeat(59); 4].join("."));
    // All of it is escaped but the dots and the last label; the DNS has it in fewer bytes.
    let label = "ü".repeat(50);
    let international = format!("{}@{label}.{label}.example", "+".repeat(44));
    for address in [ascii, international] {
        assert_eq!(address.len(), Email::MAX);
        let shown = secret().show(&email(&address)).unwrap();
        assert!(shown.url.expose_secret().is_ascii());
        assert!(shown.url.expose_secret().starts_with("otpauth://totp/Tenantry:%2B%2B"));
        assert!(shown.picture.expose_secret().ends_with("</svg>"));
    }
}

#[test]
fn an_address_that_apps_would_read_otherwise_is_an_error() {
    for address in ["ann:x@example.com", ""] {
        let error = secret().show(&Email::from_stored(address.to_owned())).err();
        assert!(matches!(error, Some(ShowError::Url)), "{address}");
    }
}

#[test]
fn a_secret_is_not_printed() {
    assert_eq!(format!("{:?}", secret()), "TotpSecret");
    assert_eq!(format!("{:#?}", secret()), "TotpSecret");
}

proptest! {
    #[test]
    fn only_six_digits_are_a_code(text in "[0-9 ]{6,8}|[0-9 a+]{0,18}|.{0,20}") {
        let digits = text.chars().filter(char::is_ascii_digit).count();
        let others = text.chars().filter(|letter| !letter.is_ascii_digit()).all(char::is_whitespace);
        prop_assert_eq!(is_code(&text), digits == 6 && others && text.len() <= 16);
        if !is_code(&text) {
            prop_assert_eq!(secret().step_of(&text, at(59)), None);
        }
    }
}
