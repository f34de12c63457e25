#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

use secrecy::SecretString;

use super::{Weakness, check};

fn judge(password: &str) -> Result<(), Weakness> {
    check(&SecretString::from(password), "alice.liddell@wonderland.example")
}

#[test]
fn length_is_counted_in_characters() {
    assert_eq!(judge("fjord wulzq"), Err(Weakness::TooShort));
    assert_eq!(judge("fjord wulzqy"), Ok(()));
    assert_eq!(judge("ямы и вязы и"), Ok(()), "12 characters in 20 bytes");
    assert_eq!(judge("🦀🐙🦑🐚"), Err(Weakness::TooShort), "16 bytes in 4 characters");

    let sentence = "the slow glacier carries boulders over a thousand winters; ".repeat(3);
    assert_eq!(judge(&sentence[..128]), Ok(()));
    assert_eq!(judge(&sentence[..129]), Err(Weakness::TooLong));
    assert_eq!(judge(""), Err(Weakness::TooShort));
}

#[test]
fn common_passwords_are_refused() {
    for password in [
        "password1234",
        "123456789012",
        "qwertyuiop123",
        "Password1234!",
        "P@ssw0rd1234",
        "passwordpassword",
        "aaaaaaaaaaaa",
        "abcdefghijkl",
        "letmein12345",
        "iloveyouiloveyou",
        "1q2w3e4r5t6y",
        "administrator",
        "!@#$%^&*()_+",
        "1234567890!@",
        "111111111111",
        "qwerty123456",
    ] {
        assert_eq!(judge(password), Err(Weakness::Common), "{password}");
    }
}

#[test]
fn long_repetitions_of_common_ones_are_refused() {
    for unit in ["a", "ab", "1", "password", "password1234", "qwerty", "19", "abc123"] {
        let password: String = unit.chars().cycle().take(128).collect();
        assert_eq!(judge(&password), Err(Weakness::Common), "{unit}");
    }
    assert_eq!(judge("X7#qv!R2m$X7#qv!R2m$X7"), Ok(()));
}

#[test]
fn the_owners_address_is_refused() {
    assert_eq!(judge("alice.liddell@wonderland.example"), Err(Weakness::Common));
    assert_eq!(judge("wonderland12"), Err(Weakness::Common));
    assert_eq!(judge("Liddellalice"), Err(Weakness::Common));
    let someone_else = check(
        &SecretString::from("alice.liddell@wonderland.example"),
        "bob@other.example",
    );
    assert_eq!(someone_else, Ok(()));
}

#[test]
fn sensible_passphrases_are_accepted() {
    for password in [
        "correct horse battery staple",
        "correct-horse-battery",
        "a sensible pass phrase",
        "the cat sat on the mat",
        "blue whale sings",
        "rosebud-lantern-42",
        "летом мы ходим в лес",
        "我的密码是很长的一句话吧",
        "12345678901234567890 marmalade glacier tuba",
        "marmalade glacier tuba 12345678901234567890",
        "X7#qv!R2m$Lp",
    ] {
        assert_eq!(judge(password), Ok(()), "{password}");
    }
}

#[test]
fn what_is_judged_stays_small_for_hostile_text() {
    let hostile: String = "4@8({[<369!1|70$5+7%2".chars().cycle().take(128).collect();
    assert_eq!(super::window(hostile.chars()).chars().count(), super::MIN_LENGTH);
    let harmless = "x".repeat(128);
    assert_eq!(super::window(harmless.chars()).chars().count(), super::WINDOW);
    assert_eq!(judge(&hostile), Ok(()));
}

#[test]
fn codes_are_stable() {
    assert_eq!(Weakness::TooShort.code(), "length");
    assert_eq!(Weakness::TooLong.code(), "length");
    assert_eq!(Weakness::Common.code(), "common");
}

#[test]
fn the_part_of_the_address_before_its_at_is_not_in_the_password() {
    for (email, refused) in [
        ("Lantern@example.com", true),
        ("ant@example.com", true),
        ("an@example.com", false),
        ("harbour@seven.example", true),
        ("kettle@example.com", false),
        ("no address", false),
    ] {
        let password = SecretString::from("seven lanterns over a quiet harbour");
        let expected = if refused { Err(Weakness::Common) } else { Ok(()) };
        assert_eq!(check(&password, email), expected, "{email}");
    }
}
