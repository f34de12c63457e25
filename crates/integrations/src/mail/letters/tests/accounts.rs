//! What is written of changes of address, and of sign-ins from new devices.

use super::{
    super::{Letter, MAX_ADDRESS, MAX_NAME},
    written,
};
use crate::mail::{Language, Mail};

const LINK: &str = "https://app.example.com/confirm-email-change?token=tnl_abc";
const AT: &str = "2026-01-31 09:30 UTC";

fn approval(email: &str, hours: u32) -> Letter {
    Letter::EmailChangeApproval {
        link: LINK.to_owned(),
        email: email.to_owned(),
        hours,
    }
}

fn proof(email: &str, hours: u32) -> Letter {
    Letter::EmailChangeProof {
        link: LINK.to_owned(),
        email: email.to_owned(),
        hours,
    }
}

fn changed(email: &str) -> Letter {
    Letter::EmailChanged {
        email: email.to_owned(),
        at: AT.to_owned(),
    }
}

fn new_device(device: &str, ip: &str) -> Letter {
    Letter::NewDevice {
        device: device.to_owned(),
        ip: ip.to_owned(),
        at: AT.to_owned(),
    }
}

/// Both forms of a mail. A line may end within what is looked for.
fn bodies(mail: &Mail) -> [String; 2] {
    [mail.text.replace('\n', " "), mail.html.clone()]
}

fn assert_tidy(mail: &Mail) {
    assert!(
        !mail.text.contains("\n\n\n") && mail.text.lines().all(|line| line == line.trim()),
        "{}",
        mail.text
    );
}

#[test]
fn both_addresses_are_told_what_to_do_and_what_if_it_was_not_them() {
    for (language, present, wanted) in [
        (
            Language::English,
            [
                "If that was you, and only then,",
                "do not open the link. Somebody else is signed in to your account",
                "Forgot password?",
                "contact your administrator",
            ],
            [
                "If that was you, confirm it",
                "do not open the link and ignore this mail: nothing will happen.",
            ],
        ),
        (
            Language::German,
            [
                "Wenn Sie das waren, und nur dann,",
                "öffnen Sie den Link nicht. Jemand anders ist in Ihrem Konto angemeldet",
                "Passwort vergessen?",
                "Administratorin oder Ihren Administrator",
            ],
            [
                "Wenn Sie das waren, bestätigen Sie sie",
                "öffnen Sie den Link nicht und ignorieren Sie diese E-Mail: Dann geschieht nichts.",
            ],
        ),
    ] {
        for (letter, told) in [
            (approval("ann@example.org", 24), present.as_slice()),
            (proof("ann@example.org", 24), wanted.as_slice()),
        ] {
            let mail = written(&letter, "Ann", language);
            assert!(mail.text.lines().any(|line| line == LINK), "{}", mail.text);
            assert!(mail.html.contains(&format!("href=\"{LINK}\"")), "{}", mail.html);
            for body in bodies(&mail) {
                assert!(body.contains("ann@example.org"), "{body}");
                for told in told {
                    assert!(body.contains(told), "{told}: {body}");
                }
            }
            assert_tidy(&mail);
        }
    }
}

#[test]
fn the_links_of_a_change_say_for_how_long_they_are_good() {
    for (hours, english, german) in [
        (1, "once, for 1 hour.", "einmal und 1 Stunde lang."),
        (24, "once, for 24 hours.", "einmal und 24 Stunden lang."),
    ] {
        for letter in [approval("ann@example.org", hours), proof("ann@example.org", hours)] {
            for (language, told) in [(Language::English, english), (Language::German, german)] {
                for body in bodies(&written(&letter, "Ann", language)) {
                    assert!(body.contains(told), "{body}");
                }
            }
        }
    }
}

#[test]
fn the_former_address_is_told_when_and_to_what() {
    for (language, advised) in [
        (
            Language::English,
            ["contact your administrator now", "change the password of your mailbox"],
        ),
        (
            Language::German,
            [
                "an Ihre Administratorin oder Ihren Administrator",
                "ändern Sie das Passwort Ihres Postfachs",
            ],
        ),
    ] {
        let mail = written(&changed("ann@example.org"), "Ann", language);
        for body in bodies(&mail) {
            assert!(body.contains(AT) && body.contains("ann@example.org"), "{body}");
            for advised in advised {
                assert!(body.contains(advised), "{advised}: {body}");
            }
        }
        // The reset would go to the other address.
        assert!(
            !mail.text.contains("Forgot password?") && !mail.text.contains("Passwort vergessen?"),
            "{}",
            mail.text
        );
        assert_tidy(&mail);
    }
}

#[test]
fn an_address_that_is_wanted_adds_no_lines_and_no_markup_and_has_its_limits() {
    let lines = "ann@example.org\r\n\r\nYou owe us money\u{2028}";
    let markup = "<b>&{{ link }}@example.org";
    let long = "x".repeat(5000);
    let letters: [fn(&str) -> Letter; 3] = [|email| approval(email, 24), |email| proof(email, 24), changed];
    for letter in letters {
        for language in Language::ALL {
            let plain = written(&letter("ann@example.org"), "Ann", language);
            let mail = written(&letter(lines), "Ann", language);
            assert_eq!(mail.text.lines().count(), plain.text.lines().count(), "{}", mail.text);
            assert_eq!(mail.html.lines().count(), plain.html.lines().count(), "{}", mail.html);
            assert_eq!(mail.subject, plain.subject, "strangers choose nothing of it");

            let mail = written(&letter(markup), "Ann", language);
            assert!(mail.text.contains(markup), "{}", mail.text);
            assert!(
                !mail.html.contains("<b>") && mail.html.contains("&lt;b&gt;&amp;"),
                "{}",
                mail.html
            );

            let mail = written(&letter(&long), "Ann", language);
            assert!(mail.text.contains(&"x".repeat(MAX_ADDRESS)));
            assert!(!mail.text.contains(&"x".repeat(MAX_ADDRESS + 1)));
        }
    }
}

#[test]
fn a_sign_in_from_a_new_device_says_when_with_what_and_from_where() {
    for (language, device_label, ip_label, advised) in [
        (
            Language::English,
            "Device: ",
            "IP address: ",
            ["Forgot password?", "signs everybody out", "contact your administrator"],
        ),
        (
            Language::German,
            "Gerät: ",
            "IP-Adresse: ",
            [
                "Passwort vergessen?",
                "was alle abmeldet",
                "Administratorin oder Ihren Administrator",
            ],
        ),
    ] {
        for (device, ip) in [
            ("Firefox on Linux", "203.0.113.7"),
            ("", "2001:db8::7"),
            ("Firefox on Linux", ""),
            ("", ""),
        ] {
            let mail = written(&new_device(device, ip), "Ann", language);
            for body in bodies(&mail) {
                assert!(body.contains(AT), "{body}");
                for (label, value) in [(device_label, device), (ip_label, ip)] {
                    assert_eq!(body.contains(label), !value.is_empty(), "{label}: {body}");
                    assert!(body.contains(&format!("{label}{value}")) || value.is_empty(), "{body}");
                }
                for advised in advised {
                    assert!(body.contains(advised), "{advised}: {body}");
                }
            }
            assert_tidy(&mail);
        }
    }
}

/// Whoever signed in chose what it names itself, and the mail goes to somebody else where they were not to.
#[test]
fn what_a_device_names_itself_carries_no_message() {
    for language in Language::ALL {
        let nameless = written(&new_device("", "203.0.113.7"), "Ann", language);
        for evil in [
            "Call us at https://evil.example/help",
            "evil.example/help",
            "help@evil.example",
            "evil \u{202e}elpmaxe",
        ] {
            let mail = written(&new_device(evil, "203.0.113.7"), "Ann", language);
            assert_eq!(mail.text, nameless.text);
            assert_eq!(mail.html, nameless.html);
        }

        let named = written(&new_device("A", "203.0.113.7"), "Ann", language);
        let mail = written(&new_device("A\r\n\r\nYou owe us money", "203.0.113.7"), "Ann", language);
        assert_eq!(mail.text.lines().count(), named.text.lines().count(), "{}", mail.text);
        assert_eq!(mail.html.lines().count(), named.html.lines().count(), "{}", mail.html);
        assert_eq!(mail.subject, named.subject, "strangers choose nothing of it");

        let mail = written(&new_device("<b>A</b>", "203.0.113.7"), "Ann", language);
        assert!(
            !mail.html.contains("<b>") && mail.html.contains("&lt;b&gt;"),
            "{}",
            mail.html
        );

        let mail = written(&new_device(&"x".repeat(5000), "203.0.113.7"), "Ann", language);
        assert!(mail.text.contains(&"x".repeat(MAX_NAME)));
        assert!(!mail.text.contains(&"x".repeat(MAX_NAME + 1)));
    }
}
