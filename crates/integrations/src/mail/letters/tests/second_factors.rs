//! What is written of second factors.

use std::collections::BTreeSet;

use tenantry_domain::text::Name;

use super::{
    super::{FactorChange, Letter, MAX_NAME},
    written,
};
use crate::mail::Language;

/// What became of somebody's two-step sign-in.
fn second_factor(change: FactorChange) -> Letter {
    Letter::SecondFactor {
        change,
        at: "2026-01-31 09:30 UTC".to_owned(),
    }
}

/// What becomes of a passkey of that name.
fn passkey_changes(name: &str) -> [FactorChange; 3] {
    let name = Name::from_stored(name.to_owned());
    [
        FactorChange::PasskeyAdded { name: name.clone() },
        FactorChange::PasskeyRemoved { name: name.clone() },
        FactorChange::PasskeySuspected { name },
    ]
}

#[test]
fn every_change_of_a_second_factor_is_told_and_what_to_do_about_it() {
    for language in Language::ALL {
        let mut subjects = BTreeSet::new();
        let mut texts = BTreeSet::new();
        for change in [
            FactorChange::Enabled,
            FactorChange::Disabled,
            FactorChange::Reset,
            FactorChange::Locked { minutes: 15 },
            FactorChange::RecoveryCodeUsed { left: 7 },
            FactorChange::RecoveryCodesReplaced,
        ]
        .into_iter()
        .chain(passkey_changes("Ann's laptop"))
        {
            let mail = written(&second_factor(change.clone()), "Ann", language);
            let (forgot, advised) = match language {
                Language::English => ("Forgot password?", "contact your administrator"),
                Language::German => ("Passwort vergessen?", "Administratorin oder Ihren Administrator"),
            };
            for body in [&mail.text, &mail.html] {
                // A line may end within what is looked for.
                let body = body.replace('\n', " ");
                assert!(body.contains("2026-01-31 09:30 UTC"), "{change:?}: {body}");
                assert!(body.contains(forgot) && body.contains(advised), "{change:?}: {body}");
            }
            assert!(
                !mail.text.contains("\n\n\n") && mail.text.lines().all(|line| line == line.trim()),
                "{change:?}: {}",
                mail.text
            );
            assert!(
                mail.html.contains(&format!("<title>{}</title>", mail.subject)),
                "{change:?}"
            );
            subjects.insert(mail.subject);
            texts.insert(mail.text);
        }
        assert_eq!((subjects.len(), texts.len()), (9, 9), "{language:?}: {subjects:?}");
    }
}

#[test]
fn the_recovery_codes_that_are_left_are_counted() {
    for (left, english, german) in [
        (
            0,
            "You have no recovery codes left: make new ones now",
            "Sie haben keinen Wiederherstellungscode mehr: Erstellen Sie jetzt neue",
        ),
        (
            1,
            "You have 1 recovery code left.",
            "Sie haben noch 1 Wiederherstellungscode.",
        ),
        (
            7,
            "You have 7 recovery codes left.",
            "Sie haben noch 7 Wiederherstellungscodes.",
        ),
    ] {
        let letter = second_factor(FactorChange::RecoveryCodeUsed { left });
        for (language, told, settled) in [
            (Language::English, english, "there is nothing to do."),
            (Language::German, german, "brauchen Sie nichts zu tun."),
        ] {
            let mail = written(&letter, "Ann", language);
            for body in [&mail.text, &mail.html] {
                assert!(body.contains(told), "{body}");
                // Who has none left has something to do.
                assert_eq!(body.contains(settled), left > 0, "{body}");
            }
        }
    }
}

#[test]
fn a_lock_tells_how_long_it_lasts_and_that_the_password_is_known() {
    for (minutes, english, german) in [
        (1, "For 1 minute no code", "1 Minute lang"),
        (15, "For 15 minutes no code", "15 Minuten lang"),
    ] {
        let letter = second_factor(FactorChange::Locked { minutes });
        for (language, told, known) in [
            (Language::English, english, "somebody knows your password"),
            (Language::German, german, "kennt jemand Ihr Passwort"),
        ] {
            let mail = written(&letter, "Ann", language);
            for body in [&mail.text, &mail.html] {
                assert!(body.contains(told) && body.contains(known), "{body}");
            }
        }
    }
}

#[test]
fn a_reset_tells_what_is_gone_and_that_the_password_alone_signs_in() {
    for (language, subject, told, settled) in [
        (
            Language::English,
            "Your second factors were taken away",
            [
                "an operator took all second factors of your account at Tenantry away",
                "the authenticator app, the passkeys and the recovery codes.",
                "No device is trusted any more, and you are signed out everywhere.",
                "From now on your password alone signs you in.",
                "If you asked for that, sign in by your password and set up an authenticator app or a passkey anew.",
                "Passkeys that your devices still offer do not work any more.",
                "to get into your account by your password alone: reset it now",
            ],
            "there is nothing to do.",
        ),
        (
            Language::German,
            "Ihre zweiten Faktoren wurden entfernt",
            [
                "alle zweiten Faktoren Ihres Kontos bei Tenantry wurden vom Betreiber entfernt",
                "die Authentifizierungs-App, die Passkeys und die Wiederherstellungscodes.",
                "Keinem Gerät wird mehr vertraut, und Sie sind überall abgemeldet.",
                "Von jetzt an genügt Ihr Passwort allein.",
                "richten Sie eine Authentifizierungs-App oder einen Passkey neu ein.",
                "Passkeys, die Ihre Geräte noch anbieten, gelten nicht mehr.",
                "mit Ihrem Passwort allein in Ihr Konto zu kommen: Setzen Sie es bitte umgehend zurück",
            ],
            "brauchen Sie nichts zu tun.",
        ),
    ] {
        let mail = written(&second_factor(FactorChange::Reset), "Ann", language);
        assert_eq!(mail.subject, subject);
        for body in [mail.text.replace('\n', " "), mail.html] {
            for told in told {
                assert!(body.contains(told), "{told}: {body}");
            }
            // Whoever asked for it has to set something up.
            assert!(!body.contains(settled), "{body}");
        }
    }
}

#[test]
fn what_became_of_a_passkey_is_told_with_its_name() {
    for (language, subjects, label) in [
        (
            Language::English,
            [
                "A passkey was added to your account",
                "A passkey was removed from your account",
                "A passkey of your account may have been copied",
            ],
            "Its name: ",
        ),
        (
            Language::German,
            [
                "Ein Passkey wurde Ihrem Konto hinzugefügt",
                "Ein Passkey wurde aus Ihrem Konto entfernt",
                "Ein Passkey Ihres Kontos wurde vielleicht kopiert",
            ],
            "Name des Passkeys: ",
        ),
    ] {
        for (change, subject) in passkey_changes("Telefon 王").into_iter().zip(subjects) {
            let mail = written(&second_factor(change), "Ann", language);
            assert_eq!(mail.subject, subject);
            let line = format!("{label}Telefon 王");
            assert!(mail.text.lines().any(|found| found == line), "{}", mail.text);
            assert!(mail.html.contains(&format!("<p>{line}</p>")), "{}", mail.html);
        }
    }
}

#[test]
fn a_passkey_that_the_reader_did_not_add_goes_with_the_password_that_they_forgot_in_time() {
    for (language, told) in [
        (
            Language::English,
            [
                "Within 7 days, the reset takes this passkey away and signs everybody out.",
                "Later, or where you change the password while signed in, the passkey stays until you remove it.",
            ],
        ),
        (
            Language::German,
            [
                "Innerhalb von 7 Tagen entfernt das Zurücksetzen diesen Passkey und meldet alle ab.",
                "Danach, oder wenn Sie das Passwort angemeldet ändern, bleibt er, bis Sie ihn entfernen.",
            ],
        ),
    ] {
        for (change, is_told) in passkey_changes("Ann's laptop").into_iter().zip([true, false, false]) {
            let mail = written(&second_factor(change.clone()), "Ann", language);
            for body in [mail.text.replace('\n', " "), mail.html] {
                for told in told {
                    assert_eq!(body.contains(told), is_told, "{change:?}: {body}");
                }
            }
        }
    }
}

#[test]
fn a_passkey_that_may_have_been_copied_is_to_be_removed_as_an_older_one_outlasts_the_password() {
    for (language, told) in [
        (
            Language::English,
            "remove that passkey, which stays unless it was added in the last 7 days, and",
        ),
        (
            Language::German,
            "entfernen Sie diesen Passkey, der bleibt, wenn er nicht in den letzten 7 Tagen hinzugefügt wurde, und",
        ),
    ] {
        for (change, is_told) in passkey_changes("Ann's laptop").into_iter().zip([false, false, true]) {
            let mail = written(&second_factor(change.clone()), "Ann", language);
            for body in [mail.text.replace('\n', " "), mail.html] {
                assert_eq!(body.contains(told), is_told, "{change:?}: {body}");
            }
        }
    }
}

#[test]
fn the_name_of_a_passkey_adds_no_lines_no_markup_and_no_message_and_has_its_limits() {
    let labels = ["Its name", "Name des Passkeys"];
    for language in Language::ALL {
        let plain = passkey_changes("A").map(|change| written(&second_factor(change), "Ann", language));
        let mails = |name: &str| {
            let changes = passkey_changes(name).map(|change| written(&second_factor(change), "Ann", language));
            changes.into_iter().zip(&plain)
        };
        for (mail, plain) in mails("A\u{2028}https: you owe us money\u{2029}") {
            assert_eq!(mail.text.lines().count(), plain.text.lines().count(), "{}", mail.text);
            assert_eq!(mail.html.lines().count(), plain.html.lines().count(), "{}", mail.html);
            assert!(!mail.text.contains('\u{2028}') && !mail.html.contains('\u{2028}'));
        }
        let markup = "<b>{{ link }}</b> & \"co\"";
        for (mail, _) in mails(markup) {
            assert!(mail.text.contains(markup), "{}", mail.text);
            assert!(!mail.html.contains("<b>"), "{}", mail.html);
            assert!(mail.html.contains("&lt;b&gt;{{ link }}"), "{}", mail.html);
        }
        for (mail, _) in mails(&"x".repeat(Name::MAX)) {
            for body in [&mail.text, &mail.html] {
                assert!(body.contains(&"x".repeat(MAX_NAME)), "{body}");
                assert!(!body.contains(&"x".repeat(MAX_NAME + 1)), "{body}");
            }
        }
        for (mail, plain) in mails("Call https://evil.example/help") {
            assert_eq!(mail.subject, plain.subject);
            for body in [&mail.text, &mail.html] {
                assert!(!body.contains("evil"), "{body}");
                assert!(labels.iter().all(|label| !body.contains(label)), "{body}");
            }
        }
    }
}
