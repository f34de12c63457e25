//! What is written of sign-ins through providers.

use super::{
    super::{IdentityChange, Letter},
    written,
};
use crate::mail::Language;

/// What became of a sign-in through a provider.
fn identity(change: IdentityChange, account: &str) -> Letter {
    Letter::Identity {
        change,
        provider: "Company account".to_owned(),
        account: account.to_owned(),
        at: "2026-01-31 09:30 UTC".to_owned(),
    }
}

#[test]
fn what_was_linked_and_unlinked_is_told_and_what_to_do_about_it() {
    for (language, linked, unlinked) in [
        (
            Language::English,
            [
                "Signing in through Company account was added to your account",
                "can sign in to yours with it, without your password.",
            ],
            [
                "Signing in through Company account was removed from your account",
                "It does not sign you in any more.",
            ],
        ),
        (
            Language::German,
            [
                "Die Anmeldung über Company account wurde Ihrem Konto hinzugefügt",
                "kann sich damit ohne Ihr Passwort in Ihrem Konto anmelden.",
            ],
            [
                "Die Anmeldung über Company account wurde aus Ihrem Konto entfernt",
                "Damit können Sie sich nicht mehr anmelden.",
            ],
        ),
    ] {
        let (forgot, advised) = match language {
            Language::English => ("Forgot password?", "contact your administrator"),
            Language::German => ("Passwort vergessen?", "Administratorin oder Ihren Administrator"),
        };
        for (change, [subject, told], [_, other]) in [
            (IdentityChange::Linked, linked, unlinked),
            (IdentityChange::Unlinked, unlinked, linked),
        ] {
            let mail = written(&identity(change, "ann@example.com"), "Ann", language);
            assert_eq!(mail.subject, subject);
            assert!(
                mail.html.contains(&format!("<title>{subject}</title>")),
                "{}",
                mail.html
            );
            // A line may end within what is looked for.
            for body in [mail.text.replace('\n', " "), mail.html] {
                assert!(body.contains(told) && !body.contains(other), "{body}");
                assert!(body.contains("Company account"), "{body}");
                assert!(body.contains("2026-01-31 09:30 UTC"), "{body}");
                assert!(body.contains("ann@example.com"), "{body}");
                assert!(body.contains(forgot) && body.contains(advised), "{body}");
            }
            assert!(
                !mail.text.contains("\n\n\n") && mail.text.lines().all(|line| line == line.trim()),
                "{}",
                mail.text
            );
        }
    }
}

/// Not every provider tells an address.
#[test]
fn an_account_without_an_address_is_not_told_of() {
    for (language, label) in [
        (Language::English, "The account there"),
        (Language::German, "Das Konto dort"),
    ] {
        for change in [IdentityChange::Linked, IdentityChange::Unlinked] {
            for (account, is_told) in [("ann@example.com", true), ("", false)] {
                let mail = written(&identity(change, account), "Ann", language);
                for body in [&mail.text, &mail.html] {
                    assert_eq!(body.contains(&format!("{label}: ")), is_told, "{body}");
                }
            }
        }
    }
}

#[test]
fn a_link_that_lets_somebody_in_says_who_and_for_how_long() {
    for (minutes, english, german) in [
        (1, "once, for 1 minute.", "einmal und 1 Minute lang."),
        (60, "once, for 60 minutes.", "einmal und 60 Minuten lang."),
    ] {
        let letter = Letter::IdentityConfirmation {
            link: "https://app.example.com/confirm-identity?token=tnl_abc".to_owned(),
            provider: "Company account".to_owned(),
            account: "ann@example.com".to_owned(),
            minutes,
        };
        for (language, life, settled) in [
            (Language::English, english, "ignore this mail: nothing will happen."),
            (
                Language::German,
                german,
                "ignorieren Sie diese E-Mail: Dann geschieht nichts.",
            ),
        ] {
            let mail = written(&letter, "Ann", language);
            let link = "https://app.example.com/confirm-identity?token=tnl_abc";
            assert!(mail.text.lines().any(|line| line == link), "{}", mail.text);
            assert!(mail.html.contains(&format!("href=\"{link}\"")), "{}", mail.html);
            for body in [mail.text.replace('\n', " "), mail.html] {
                for told in ["Company account", "ann@example.com", life, settled] {
                    assert!(body.contains(told), "{told}: {body}");
                }
            }
        }
    }
}
