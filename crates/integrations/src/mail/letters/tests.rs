#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

mod accounts;
mod identities;
mod second_factors;

use uuid::Uuid;

use super::{Letter, MAX_INVITATION_NAME, MAX_NAME, one_line};
use crate::mail::{Language, Mail, Recipient};

const BASE: &str = "https://app.example.com/";

fn letter(name: &str) -> Letter {
    Letter::example(name, BASE).unwrap()
}

fn written(letter: &Letter, name: &str, language: Language) -> Mail {
    let to = Recipient {
        name: name.to_owned(),
        address: "ann@example.com".to_owned(),
    };
    letter.write(Uuid::nil(), to, language).unwrap()
}

fn link(letter: &Letter) -> Option<&str> {
    match letter {
        Letter::VerifyEmail { link, .. }
        | Letter::ResetPassword { link, .. }
        | Letter::Invitation { link, .. }
        | Letter::IdentityConfirmation { link, .. }
        | Letter::EmailChangeApproval { link, .. }
        | Letter::EmailChangeProof { link, .. } => Some(link),
        Letter::PasswordChanged { .. }
        | Letter::SecondFactor { .. }
        | Letter::Identity { .. }
        | Letter::EmailChanged { .. }
        | Letter::NewDevice { .. } => None,
    }
}

/// An invitation in which this is chosen by strangers.
fn invitation(inviter: &str, organization: &str, workspace: Option<&str>, role: &str) -> Letter {
    Letter::Invitation {
        link: BASE.to_owned(),
        organization: organization.to_owned(),
        workspace: workspace.map(str::to_owned),
        inviter: inviter.to_owned(),
        role: role.to_owned(),
        days: 7,
    }
}

/// What a reader of the HTML sees of it, as far as these letters escape anything.
fn unescaped(html: &str) -> String {
    html.replace("&quot;", "\"").replace("&amp;", "&")
}

#[test]
fn every_letter_is_written_in_every_language() {
    for name in Letter::NAMES {
        for language in Language::ALL {
            let letter = letter(name);
            assert_eq!(letter.name(), name);
            let mail = written(&letter, "Zoë 王", language);
            let what = format!("{name} in {language:?}");
            assert!(!mail.subject.trim().is_empty(), "{what}");
            assert!(!mail.subject.contains(['\r', '\n']), "{what}");
            assert!(!mail.text.contains("Subject:"), "{what}");
            assert!(!mail.text.starts_with('\n'), "{what}");
            assert!(mail.text.contains("Zoë 王"), "{what}");
            assert!(mail.html.contains("Zoë 王"), "{what}");
            assert!(mail.html.starts_with("<!doctype html>"), "{what}");
            assert!(
                mail.html.contains(&format!("<html lang=\"{}\">", language.tag())),
                "{what}"
            );
            assert!(
                mail.html.contains(&format!("<title>{}</title>", mail.subject)),
                "{what}"
            );
            assert!(!mail.text.contains("{{") && !mail.html.contains("{{"), "{what}");
        }
    }
}

#[test]
fn languages_differ() {
    for name in Letter::NAMES {
        let english = written(&letter(name), "Ann", Language::English);
        let german = written(&letter(name), "Ann", Language::German);
        assert_ne!(english.subject, german.subject);
        assert!(english.text.starts_with("Hello Ann,"), "{name}");
        assert!(german.text.starts_with("Guten Tag Ann,"), "{name}");
    }
}

#[test]
fn a_link_has_a_line_of_its_own_and_can_be_clicked_and_read() {
    let letter = Letter::VerifyEmail {
        link: "https://app.example.com/verify?a=1&b=\"2\"#token=tnv_abc".to_owned(),
        hours: 24,
    };
    for language in Language::ALL {
        let mail = written(&letter, "Ann", language);
        let link = link(&letter).unwrap();
        assert!(mail.text.lines().any(|line| line == link));
        assert!(!mail.html.contains(link), "the quotation marks are escaped");
        let html = unescaped(&mail.html);
        assert!(html.contains(&format!("href=\"{link}\"")));
        assert!(html.contains(&format!(">{link}</a>")));
    }
}

#[test]
fn numbers_agree_with_their_nouns() {
    for (hours, english, german) in [(1, " 1 hour.", " 1 Stunde."), (24, " 24 hours.", " 24 Stunden.")] {
        let letter = Letter::VerifyEmail {
            link: BASE.to_owned(),
            hours,
        };
        assert!(written(&letter, "Ann", Language::English).text.contains(english));
        assert!(written(&letter, "Ann", Language::German).text.contains(german));
    }
    for (count, english, german) in [(1, " 1 day.", " 1 Tag lang."), (7, " 7 days.", " 7 Tage lang.")] {
        let mut letter = invitation("Ann", "Acme", None, "Member");
        if let Letter::Invitation { days, .. } = &mut letter {
            *days = count;
        }
        for (language, told) in [(Language::English, english), (Language::German, german)] {
            let mail = written(&letter, "", language);
            assert!(mail.text.contains(told) && mail.html.contains(told), "{}", mail.text);
        }
    }
}

#[test]
fn markup_in_a_name_stays_text() {
    for name in Letter::NAMES {
        for language in Language::ALL {
            let mail = written(&letter(name), "<script>alert(1)</script>", language);
            assert!(!mail.html.contains("<script"), "{name}");
            assert!(mail.html.contains("&lt;script&gt;"), "{name}");
            assert!(mail.text.contains("<script>alert(1)</script>"), "{name}");
            let mail = written(&letter(name), "{{ link }}{% raw %}", language);
            assert!(mail.text.contains("{{ link }}{% raw %}"), "{name}");
        }
    }
}

#[test]
fn a_name_adds_no_lines_and_has_its_limits() {
    for name in Letter::NAMES {
        let plain = written(&letter(name), "Ann", Language::English);
        let lines = written(
            &letter(name),
            "Ann\r\n\r\nhttps://evil.example\u{2028}",
            Language::English,
        );
        assert_eq!(lines.text.lines().count(), plain.text.lines().count());
        let long = written(&letter(name), &"x".repeat(5000), Language::English);
        assert!(long.text.contains(&"x".repeat(MAX_NAME)));
        assert!(!long.text.contains(&"x".repeat(MAX_NAME + 1)));
    }
}

#[test]
fn what_is_printed_holds_no_secret() {
    for name in Letter::NAMES {
        let letter = letter(name);
        assert_eq!(format!("{letter:?}"), name);
        let shown = format!("{:?}", written(&letter, "Ann", Language::English));
        for secret in ["token", "example", "Ann", "http", "password", "address"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

#[test]
fn there_is_an_example_of_each_and_of_nothing_else() {
    for name in Letter::NAMES {
        let letter = letter(name);
        assert!(
            link(&letter).is_none_or(|link| link.starts_with("https://app.example.com/") && !link.contains("com//"))
        );
    }
    assert!(Letter::example("", BASE).is_none());
    assert!(Letter::example("layout", BASE).is_none());
}

#[test]
fn a_name_that_carries_a_message_is_not_repeated() {
    for evil in [
        "Your prize: https://evil.example/win",
        "See WWW.evil.example",
        "evil.example/win",
        "You won: evil.example?x=1",
        "evil.example:8443",
        "evil\u{3002}example/win",
        "Write to a@evil.example",
        "\u{200f}Ann",
        "Ann \u{202e}elpmaxe",
    ] {
        for language in Language::ALL {
            for name in Letter::NAMES {
                let mail = written(&letter(name), evil, language);
                assert!(
                    !mail.text.contains("evil") && !mail.text.contains(['\u{202e}', '\u{200f}']),
                    "{}",
                    mail.text
                );
                assert!(
                    !mail.html.contains("evil") && !mail.html.contains(['\u{202e}', '\u{200f}']),
                    "{}",
                    mail.html
                );
            }
        }
    }
}

#[test]
fn an_invitation_says_who_invites_whom_to_what() {
    let whole = invitation("Olivia", "Acme", None, "Admin");
    let part = invitation("Olivia", "Acme", Some("Design"), "Admin");
    for (language, subject, role, only) in [
        (
            Language::English,
            "Olivia invites you to Acme",
            "Your role: Admin",
            "The invitation is only for its workspace Design.",
        ),
        (
            Language::German,
            "Olivia lädt Sie zu Acme ein",
            "Ihre Rolle: Admin",
            "Die Einladung gilt nur für den Arbeitsbereich Design.",
        ),
    ] {
        for (letter, is_part) in [(&whole, false), (&part, true)] {
            let mail = written(letter, "", language);
            assert_eq!(mail.subject, subject);
            for body in [&mail.text, &mail.html] {
                assert!(body.contains(role), "{body}");
                assert_eq!(body.contains(only), is_part, "{body}");
            }
            assert!(mail.text.lines().any(|line| line == BASE), "{}", mail.text);
        }
    }
}

#[test]
fn a_reader_without_a_name_is_greeted() {
    for name in Letter::NAMES {
        for (language, greeting) in [(Language::English, "Hello,"), (Language::German, "Guten Tag,")] {
            let mail = written(&letter(name), "", language);
            assert_eq!(mail.text.lines().next(), Some(greeting), "{name}");
            assert!(mail.html.contains(&format!("<p>{greeting}</p>")), "{name}");
        }
    }
}

#[test]
fn an_invitation_reads_well_without_names_that_carry_a_message() {
    let evil = "Your prize: https://evil.example/win";
    for (language, subject, start, only, role) in [
        (
            Language::English,
            "Somebody invites you to an organization",
            "somebody invites you to an organization at Tenantry.",
            "The invitation is only for one of its workspaces.",
            "Your role",
        ),
        (
            Language::German,
            "Jemand lädt Sie zu einer Organisation ein",
            "jemand lädt Sie zu einer Organisation bei Tenantry ein.",
            "Die Einladung gilt nur für einen Arbeitsbereich darin.",
            "Ihre Rolle",
        ),
    ] {
        let mail = written(&invitation(evil, evil, Some(evil), evil), "", language);
        assert_eq!(mail.subject, subject);
        for body in [&mail.text, &mail.html] {
            assert!(!body.contains("evil") && !body.contains(role), "{body}");
            assert!(body.contains(start) && body.contains(only), "{body}");
        }
    }
    // Each is judged by itself.
    let mail = written(&invitation("Ann", evil, None, "Admin"), "", Language::English);
    assert_eq!(mail.subject, "Ann invites you to an organization");
    let mail = written(&invitation(evil, "Acme", None, "Admin"), "", Language::English);
    assert_eq!(mail.subject, "Somebody invites you to Acme");
}

#[test]
fn names_in_an_invitation_add_no_lines_and_no_markup_and_have_their_limits() {
    let lines = "A\r\nBcc: eve\r\n\r\nYou owe us money\u{2028}";
    let markup = "<b>{{ link }}</b>";
    let long = "x".repeat(5000);
    for language in Language::ALL {
        let plain = written(&invitation("A", "A", Some("A"), "A"), "", language);
        let mail = written(&invitation(lines, lines, Some(lines), lines), "", language);
        assert!(!mail.subject.contains(['\r', '\n', '\u{2028}']), "{:?}", mail.subject);
        assert_eq!(mail.text.lines().count(), plain.text.lines().count(), "{}", mail.text);
        assert_eq!(mail.html.lines().count(), plain.html.lines().count(), "{}", mail.html);

        let mail = written(&invitation(markup, markup, Some(markup), markup), "", language);
        assert!(
            mail.subject.contains(markup) && mail.text.contains(markup),
            "{}",
            mail.text
        );
        assert!(
            !mail.html.contains("<b>") && mail.html.contains("&lt;b&gt;"),
            "{}",
            mail.html
        );

        let mail = written(&invitation(&long, &long, Some(&long), &long), "", language);
        assert!(mail.text.contains(&"x".repeat(MAX_INVITATION_NAME)));
        assert!(!mail.text.contains(&"x".repeat(MAX_INVITATION_NAME + 1)));
        assert_eq!(one_line(&mail.subject, 200), mail.subject, "no header cuts it");
    }
}
