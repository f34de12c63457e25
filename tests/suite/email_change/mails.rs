//! What is mailed: to whom, in which words, and what it does not tell.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::json;
use tenantry_integrations::mail::Kept;
use tenantry_tests::app::PUBLIC_URL;

use super::{Asked, CHANGE, PAGE, WANTED, ask, confirm, mails_to};
use crate::mfa::{ME, Stage};

/// All that a reader sees of a mail.
fn parts(mail: &Kept) -> [&String; 3] {
    [&mail.subject, &mail.text, &mail.html]
}

/// Panics where not both bodies of a mail show something.
#[track_caller]
fn shows(mail: &Kept, what: &str) {
    for body in [&mail.text, &mail.html] {
        assert!(body.contains(what), "no {what:?} in {body}");
    }
}

/// Panics where a mail shows something anywhere, however it is spelt.
#[track_caller]
fn keeps(mail: &Kept, what: &str) {
    for part in parts(mail) {
        assert!(
            !part.to_lowercase().contains(&what.to_lowercase()),
            "{what:?} in {part}"
        );
    }
}

#[tokio::test]
async fn each_address_is_told_what_its_reader_has_to_know() {
    let mut subjects = Vec::new();
    for (locale, language, password) in [("en", "en", "password"), ("de-AT", "de", "Passwort")] {
        let stage = Stage::new().await;
        let ann = stage.newcomer("Ann").await;
        ann.client
            .patch(ME, &json!({ "locale": locale }))
            .await
            .expect(StatusCode::OK);
        let before = mails_to(&stage, &ann.email).await.len();
        let asked = Asked::by(&stage, &ann, WANTED).await;

        let to_present = mails_to(&stage, &ann.email).await;
        assert_eq!(to_present.len(), before + 1);
        let approval = &to_present[0];
        shows(approval, WANTED);
        shows(approval, "24");
        // What to do where it was somebody else who asked.
        shows(approval, password);
        shows(approval, &format!("{PUBLIC_URL}/{PAGE}?token={}", asked.approval));
        keeps(approval, &asked.proof);

        let to_new = mails_to(&stage, WANTED).await;
        assert_eq!(to_new.len(), 1);
        let proof = &to_new[0];
        shows(proof, "24");
        shows(proof, &format!("{PUBLIC_URL}/{PAGE}?token={}", asked.proof));
        // Perhaps it is a stranger's, who learns of no account.
        for private in [&ann.email, &ann.user_id, &asked.approval] {
            keeps(proof, private);
        }

        confirm(&stage, &asked.approval).await.expect(StatusCode::OK);
        assert_eq!(mails_to(&stage, &ann.email).await.len(), before + 1);
        stage.app.clock.advance(TimeDelta::minutes(5));
        let changed_at = stage.now().format("%Y-%m-%d %H:%M UTC").to_string();
        confirm(&stage, &asked.proof).await.expect(StatusCode::OK);
        stage.app.clock.advance(TimeDelta::minutes(5));
        let to_former = mails_to(&stage, &ann.email).await;
        assert_eq!(to_former.len(), before + 2);
        let told = &to_former[0];
        shows(told, WANTED);
        shows(told, &changed_at);
        // There is nothing to follow: whoever reads there has no part in the account.
        keeps(told, "token=");
        assert_eq!(mails_to(&stage, WANTED).await.len(), 1);

        for mail in [approval, proof, told] {
            assert!(mail.html.contains(&format!("lang=\"{language}\"")), "{}", mail.html);
            subjects.push(mail.subject.clone());
        }
    }
    subjects.sort();
    subjects.dedup();
    assert_eq!(subjects.len(), 6, "{subjects:?}");
}

/// Whoever has mails sent to strangers has them carry no message.
#[tokio::test]
async fn a_mail_leads_nowhere_but_here_whatever_somebody_is_called() {
    let stage = Stage::new().await;
    for (number, name) in [
        "Win at http://evil.example/prize",
        "www.evil.example",
        "Ann\nhttp://evil.example/prize",
        "<a href=http://evil.example>Ann</a>",
    ]
    .into_iter()
    .enumerate()
    {
        let ann = stage.newcomer("Ann").await;
        // Names that the API would refuse, too.
        let rename = format!("update users set name = $${name}$$ where id = '{}'", ann.user_id);
        stage.database.superuser(rename).await;
        let wanted = format!("stranger{number}@example.org");
        let asked = Asked::by(&stage, &ann, &wanted).await;
        for (email, secret) in [(&ann.email, &asked.approval), (&wanted, &asked.proof)] {
            let mail = mails_to(&stage, email).await.remove(0);
            let own = format!("{PUBLIC_URL}/{PAGE}?token={secret}");
            let links: Vec<_> = mail.text.lines().filter(|line| line.starts_with("http")).collect();
            assert_eq!(links, [own.as_str()], "{}", mail.text);
            for evil in ["http://evil", "www.evil", "<a href=http://evil"] {
                keeps(&mail, evil);
            }
        }
    }
}

#[tokio::test]
async fn what_is_over_before_its_mails_is_not_mailed() {
    let stage = Stage::new().await;
    let ann = stage.newcomer("Ann").await;
    let before = stage.app.mails().await.len();
    ask(&ann.client, WANTED).await.expect(StatusCode::ACCEPTED);
    ann.client.delete(CHANGE).await.expect(StatusCode::NO_CONTENT);
    assert_eq!(stage.app.mails().await.len(), before);
    // One that was replaced, too.
    ask(&ann.client, WANTED).await.expect(StatusCode::ACCEPTED);
    ask(&ann.client, "ann.other@example.org")
        .await
        .expect(StatusCode::ACCEPTED);
    let mails = stage.app.mails().await;
    assert_eq!(mails.len(), before + 2);
    for mail in &mails[..2] {
        keeps(mail, WANTED);
        assert_ne!(mail.to, WANTED);
    }
    // And what somebody asked for who is gone.
    ask(&ann.client, WANTED).await.expect(StatusCode::ACCEPTED);
    ann.client.delete(ME).await.expect(StatusCode::NO_CONTENT);
    assert_eq!(stage.app.mails().await.len(), before + 2);
}
