//! The link of an invitation: how long it is good, and what is none.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::json;
use tenantry::configuration::RateLimits;
use tenantry_tests::{app::Options, client::Answer, scene::Scene};

use super::{
    ACCEPT, accept, expect_gone, expect_limited, invited, preview, resend, secrets, signed_in_again, somebody, tokens,
};

#[track_caller]
fn expect_clients_fault(answer: &Answer) {
    assert!(answer.status.is_client_error(), "{}: {}", answer.status, answer.text);
    assert!(answer.json()["error"]["code"].is_string(), "{}", answer.text);
}

#[tokio::test]
async fn a_link_is_good_for_seven_days_from_when_it_was_last_sent() {
    let scene = Scene::new().await;
    scene.app.clock.stop();
    let guest = somebody(&scene).await;
    let invitation = invited(&scene, &guest.email, "viewer").await;
    scene.app.clock.advance(TimeDelta::days(7) - TimeDelta::milliseconds(1));
    let owner = signed_in_again(&scene, &scene.owner).await;
    let nora = signed_in_again(&scene, &guest).await;
    preview(&scene, &invitation.token).await.expect(StatusCode::OK);
    let pending = owner.get(&invitation.path).await;
    assert_eq!(pending.data()["status"], "pending");

    scene.app.clock.advance(TimeDelta::milliseconds(1));
    expect_gone(&preview(&scene, &invitation.token).await);
    expect_gone(&accept(&nora, &invitation.token).await);
    let list = owner.get(&scene.path("/invitations")).await;
    assert_eq!(list.data()[0]["status"], "expired");
    // Who knows it as pending is told, and who would cancel it then does.
    let tag = pending.header("etag").unwrap();
    let expired = owner.with_header("if-none-match", tag).get(&invitation.path).await;
    assert_eq!(expired.expect(StatusCode::OK).data()["status"], "expired");
    let tag = expired.header("etag").unwrap();
    let unchanged = owner.with_header("if-none-match", tag).get(&invitation.path).await;
    unchanged.expect(StatusCode::NOT_MODIFIED);

    let again = resend(&owner, &invitation.path).await;
    assert_eq!(again.expect(StatusCode::OK).data()["status"], "pending");
    assert_eq!(
        tokens(&scene, &guest.email).await,
        [invitation.token.as_str(), &invitation.token]
    );
    scene.app.clock.advance(TimeDelta::days(7) - TimeDelta::milliseconds(1));
    preview(&scene, &invitation.token).await.expect(StatusCode::OK);
    let nora = signed_in_again(&scene, &guest).await;
    accept(&nora, &invitation.token).await.expect(StatusCode::CREATED);
}

#[tokio::test]
async fn a_link_that_was_not_mailed_is_none() {
    let scene = Scene::new().await;
    let guest = somebody(&scene).await;
    let bob = scene.app.client().register("Bob", None).await;
    let one = invited(&scene, &guest.email, "viewer").await.token;
    let other = invited(&scene, "other@example.com", "owner").await.token;
    let mut forged: Vec<_> = (1..one.len())
        .map(|cut| format!("{}{}", &one[..cut], &other[cut..]))
        .filter(|token| ![&one, &other].contains(&token))
        .collect();
    assert!(forged.len() > 20, "{}", forged.len());
    forged.extend([
        format!("{one}A"),
        format!("A{one}"),
        one[1..].to_owned(),
        one[..one.len() - 1].to_owned(),
        // Good for something else.
        secrets(&scene, &bob.email, "verify-email").await.remove(0),
    ]);
    for token in &forged {
        expect_gone(&preview(&scene, token).await);
        expect_gone(&accept(&guest.client, token).await);
    }
    let proof = json!({ "token": one });
    expect_gone(&scene.app.client().post("/api/v1/auth/email/verify", &proof).await);
    assert_eq!(scene.database.count("members").await, 1);
    accept(&guest.client, &one).await.expect(StatusCode::CREATED);
}

#[tokio::test]
async fn odd_tokens_have_even_answers() {
    let scene = Scene::new().await;
    let guest = somebody(&scene).await;
    let good = invited(&scene, &guest.email, "viewer").await.token;
    let long = "x".repeat(2000);
    for odd in [
        "%00",
        "a%00b",
        &format!("{good}%00"),
        &format!("{good}%20"),
        "%0d%0aX-Odd:%20a",
        "%ff%fe",
        "%zz",
        "%",
        "..%2f..%2fhealth",
        "%2e%2e",
        "'--",
        "\u{202e}",
        &long,
    ] {
        expect_clients_fault(&preview(&scene, odd).await);
    }
    let longest = "x".repeat(100_000);
    for odd in [
        "",
        "\0",
        "a\0b",
        &format!("{good}\0"),
        "\r\n",
        "é",
        &format!(" {good}"),
        &long,
        &longest,
    ] {
        let answer = accept(&guest.client, odd).await;
        expect_clients_fault(&answer);
        assert!([400, 410].contains(&answer.status.as_u16()), "{}", answer.text);
    }
    for (body, fields) in [
        (json!({}), ["/token"]),
        (json!({ "token": null }), ["/token"]),
        (json!({ "token": 5 }), ["/token"]),
        (json!({ "token": good, "role": "owner" }), ["/role"]),
    ] {
        guest.client.post(ACCEPT, &body).await.expect_refused(&fields);
    }
    assert_eq!(scene.database.count("members").await, 1);
    preview(&scene, &good).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn a_hundred_links_are_tried_from_one_address() {
    let options = Options {
        rate_limits: RateLimits::On,
        ..Options::default()
    };
    let scene = Scene::with(options).await;
    scene.app.clock.stop();
    let guest = somebody(&scene).await;
    let good = invited(&scene, &guest.email, "viewer").await;
    for number in 0..100 {
        expect_gone(&preview(&scene, &format!("guess{number}")).await);
    }
    // Not even the right one goes through now, in whatever spelling.
    expect_limited(&preview(&scene, &good.token).await, "ip", 100);
    expect_limited(&accept(&guest.client, &good.token).await, "ip", 100);
    let spelled = format!("/api/v1/%69nvitations/{}", good.token);
    expect_limited(&scene.app.client().get(&spelled).await, "ip", 100);
    scene.client().get(&good.path).await.expect(StatusCode::OK);
    scene.app.clock.advance(TimeDelta::minutes(15));
    accept(&guest.client, &good.token).await.expect(StatusCode::CREATED);
}
