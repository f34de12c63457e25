//! The mails of invitations: to whom, in which words, and how many.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::json;
use tenantry::configuration::RateLimits;
use tenantry_tests::{
    app::Options,
    client::{Answer, Client, text},
    scene::Scene,
};

use super::{
    expect_limited, expect_replay, invite, invited, invited_by, joined, keyed, resend, signed_in_again, tokens,
};

/// A scene in which limits hold and time stands still.
async fn limited() -> Scene {
    let options = Options {
        rate_limits: RateLimits::On,
        ..Options::default()
    };
    let scene = Scene::with(options).await;
    scene.app.clock.stop();
    scene
}

/// Invites as somebody else, to an organization of their own.
async fn invite_elsewhere(scene: &Scene, email: &str) -> Answer {
    let other = scene.app.client().register("Other", Some("Elsewhere")).await;
    let path = format!("/api/v1/organizations/{}/members/invite", other.organization().await);
    let body = json!({ "email": email, "role": "viewer" });
    other.client.post(&path, &body).await
}

#[tokio::test]
async fn a_mail_is_in_the_language_of_its_sender() {
    let scene = Scene::new().await;
    let locale = scene.client().patch("/api/v1/me", &json!({ "locale": "de-AT" })).await;
    locale.expect(StatusCode::OK);
    invited(&scene, "ann@example.com", "viewer").await;
    let mail = scene.app.mails().await.remove(0);
    assert_eq!(mail.to, "ann@example.com");
    assert!(mail.html.contains("lang=\"de\""), "{}", mail.html);
}

#[tokio::test]
async fn what_is_cancelled_or_replaced_before_its_mail_is_not_mailed() {
    let scene = Scene::new().await;
    let mut paths = Vec::new();
    for email in ["ann@example.com", "bea@example.com", "Bea@Example.com"] {
        let asked = invite(&scene, scene.client(), email, "viewer").await;
        let id = text(&asked.expect(StatusCode::CREATED).data()["id"]);
        paths.push(scene.path(&format!("/invitations/{id}")));
    }
    let cancelled = scene.client().delete(&paths[0]).await;
    cancelled.expect(StatusCode::NO_CONTENT);
    assert_eq!(tokens(&scene, "bea@example.com").await.len(), 1);
    let mails = scene.app.mails().await;
    assert!(mails.iter().all(|mail| mail.to != "ann@example.com"));
    assert_eq!(scene.database.count("organization_jobs").await, 0);
}

#[tokio::test]
async fn a_mail_leads_nowhere_but_here_whatever_things_are_called() {
    let scene = Scene::new().await;
    for (number, name) in [
        "Acme http://evil.example/join",
        "HTTPS://EVIL.example",
        "Acme www.evil.example",
        "Acme\nhttp://evil.example/join\nCall 555-0100",
        "Acme\r\n\r\nhttp://tenantry.test/accept-invitation?token=evil",
        "<a href=http://evil.example>Acme</a>",
        "<b>Acme</b>",
        "Acme \u{202e}moc.live",
    ]
    .into_iter()
    .enumerate()
    {
        // Names that the API would refuse, too.
        scene
            .database
            .superuser(format!(
                "update organizations set name = $${name}$$; update users set name = $${name}$$;
                 update workspaces set name = $${name}$$"
            ))
            .await;
        scene.app.clock.advance(TimeDelta::seconds(5));
        let email = format!("ann{number}@example.com");
        let body = json!({ "email": email, "role": "viewer", "workspaceId": scene.workspace });
        let invitation = invited_by(&scene, scene.client(), &body).await;
        let mail = scene.app.mails().await.remove(0);
        assert_eq!(mail.to, email);
        let own = format!("http://tenantry.test/accept-invitation?token={}", invitation.token);
        let lines: Vec<_> = mail.text.lines().filter(|line| line.starts_with("http")).collect();
        assert_eq!(lines, [own.as_str()], "{}", mail.text);
        for written in [&mail.subject, &mail.text, &mail.html] {
            let written = written.to_lowercase();
            for evil in ["http://evil", "https://evil", "www.evil", "token=evil", "\u{202e}"] {
                assert!(!written.contains(evil), "{evil:?} in {written}");
            }
        }
        assert!(!mail.html.contains("<b>Acme") && !mail.subject.contains(['\r', '\n']));
        assert!(
            !mail.text.lines().any(|line| line.starts_with("Call 555")),
            "{}",
            mail.text
        );
    }
}

#[tokio::test]
async fn nobody_is_mailed_more_than_five_times_an_hour() {
    let scene = limited().await;
    let attempt = async |client: &Client, email: &str| invite(&scene, client, email, "viewer").await;
    let mut path = String::new();
    for email in ["ann@example.com", "ANN@example.com", "Ann@EXAMPLE.com"] {
        let asked = attempt(scene.client(), email).await;
        let id = text(&asked.expect(StatusCode::CREATED).data()["id"]);
        path = scene.path(&format!("/invitations/{id}"));
    }
    for _ in 0..2 {
        resend(scene.client(), &path).await.expect(StatusCode::OK);
    }
    expect_limited(&resend(scene.client(), &path).await, "user", 5);
    expect_limited(&attempt(scene.client(), "ann@example.com").await, "user", 5);
    // Whoever asks.
    expect_limited(&invite_elsewhere(&scene, "aNN@example.com").await, "user", 5);
    attempt(scene.client(), "bea@example.com")
        .await
        .expect(StatusCode::CREATED);
    assert_eq!(scene.database.count("invitations").await, 2);

    scene.app.clock.advance(TimeDelta::hours(1));
    let owner = signed_in_again(&scene, &scene.owner).await;
    resend(&owner, &path).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn an_organization_sends_a_hundred_invitations_an_hour() {
    let scene = limited().await;
    let attempt = async |client: &Client, number: usize| {
        let email = format!("user{number}@example.com");
        invite(&scene, client, &email, "viewer").await
    };
    let mut path = String::new();
    for number in 0..98 {
        let asked = attempt(scene.client(), number).await;
        let id = text(&asked.expect(StatusCode::CREATED).data()["id"]);
        path = scene.path(&format!("/invitations/{id}"));
    }
    for _ in 0..2 {
        resend(scene.client(), &path).await.expect(StatusCode::OK);
    }
    expect_limited(&attempt(scene.client(), 98).await, "organization", 100);
    expect_limited(&resend(scene.client(), &path).await, "organization", 100);
    let (admin, _) = joined(&scene, "admin").await;
    expect_limited(&attempt(&admin.client, 98).await, "organization", 100);
    // Others have their own, and what is not sent is not limited.
    let elsewhere = invite_elsewhere(&scene, "user98@example.com").await;
    elsewhere.expect(StatusCode::CREATED);
    let cancelled = scene.client().delete(&path).await;
    cancelled.expect(StatusCode::NO_CONTENT);

    scene.app.clock.advance(TimeDelta::hours(1));
    let owner = signed_in_again(&scene, &scene.owner).await;
    attempt(&owner, 98).await.expect(StatusCode::CREATED);
}

#[tokio::test]
async fn what_is_refused_or_was_answered_before_counts_for_nothing() {
    let scene = limited().await;
    let (viewer, _) = joined(&scene, "viewer").await;
    for _ in 0..6 {
        let unknown = invite(&scene, scene.client(), "ann@example.com", "nosuch").await;
        unknown.expect_error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
        let member = invite(&scene, scene.client(), &viewer.email, "viewer").await;
        member.expect_error(StatusCode::CONFLICT, "CONFLICT");
    }
    let mut last = None;
    for number in 0..5 {
        let client = keyed(scene.client(), &format!("key {number}"));
        let sent = invite(&scene, &client, "ann@example.com", "viewer").await;
        sent.expect(StatusCode::CREATED);
        last = Some((client, sent));
    }
    // The answer to the last one was lost on the way.
    let (client, sent) = last.unwrap();
    expect_replay(&invite(&scene, &client, "ann@example.com", "viewer").await, &sent);
    expect_limited(
        &invite(&scene, scene.client(), "ann@example.com", "viewer").await,
        "user",
        5,
    );
    // What one address refuses counts for no other.
    for number in 0..95 {
        let email = format!("user{number}@example.com");
        let sent = invite(&scene, scene.client(), &email, "viewer").await;
        sent.expect(StatusCode::CREATED);
    }
    expect_limited(
        &invite(&scene, scene.client(), "bea@example.com", "viewer").await,
        "organization",
        100,
    );
}

#[tokio::test]
async fn somebody_sends_two_hundred_invitations_an_hour_wherever() {
    let scene = limited().await;
    for organization in 0..3 {
        let founded = scene
            .client()
            .post("/api/v1/organizations", &json!({ "name": "Relay" }))
            .await;
        let id = text(&founded.expect(StatusCode::CREATED).data()["id"]);
        let path = format!("/api/v1/organizations/{id}/members/invite");
        for number in 0..100 {
            let body = json!({ "email": format!("user{organization}-{number}@example.com"), "role": "viewer" });
            let sent = scene.client().post(&path, &body).await;
            if organization == 2 {
                expect_limited(&sent, "user", 200);
                return;
            }
            sent.expect(StatusCode::CREATED);
        }
    }
}
