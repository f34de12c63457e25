//! Removing domains.

use reqwest::StatusCode;
use serde_json::json;

use super::{Zone, expect_unknown, token};
use crate::{
    mfa::{FRESH, expect_stale, freshen},
    oidc::expect_conflict,
};

#[tokio::test]
async fn what_is_removed_is_gone() {
    let zone = Zone::new().await;
    for domain in [zone.added("example.org").await, zone.proven("example.com").await] {
        let path = zone.domain(&domain);
        let gone = zone.client().delete(&path).await;
        assert_eq!(gone.expect(StatusCode::NO_CONTENT).text, "");
        expect_unknown(&zone.client().get(&path).await);
        expect_unknown(&zone.client().delete(&path).await);
        expect_unknown(&zone.verify(&domain).await);
        assert_eq!(zone.events("domain.removed", &domain).await, 1);
    }
    let list = zone.client().get(&zone.domains()).await;
    assert_eq!(list.json()["data"], json!([]));
}

/// Whoever bought the domain since would find the record of the one before.
#[tokio::test]
async fn what_is_added_again_is_proven_again() {
    let zone = Zone::new().await;
    let before = zone.proven("example.com").await;
    let gone = zone.client().delete(&zone.domain(&before)).await;
    gone.expect(StatusCode::NO_CONTENT);
    let after = zone.added("example.com").await;
    assert_ne!(after["id"], before["id"]);
    assert_ne!(token(&after), token(&before));
    assert_eq!(after["status"], "pending");
    expect_conflict(&zone.verify(&after).await, "domain_not_proven");
    super::show(&zone.dns, &after);
    zone.verify(&after).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn who_removes_one_proved_lately_who_they_are() {
    let zone = Zone::new().await;
    let domain = zone.added("example.com").await;
    let path = zone.domain(&domain);
    let member = zone.scene.joined("member").await;
    zone.scene.app.clock.advance(FRESH);
    expect_stale(&zone.client().delete(&path).await);
    let late = zone.client().with_header("if-match", "\"4711\"");
    expect_stale(&late.delete(&path).await);
    // To add one and to look at it takes none.
    zone.added("example.org").await;
    assert_eq!(zone.found(&domain).await, domain);
    // Who may not is not asked to prove anything.
    super::expect_forbidden(&member.client.delete(&path).await, "settings:manage");
    freshen(zone.client()).await;
    let gone = zone.client().delete(&path).await;
    gone.expect(StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn only_what_was_seen_is_removed() {
    let zone = Zone::new().await;
    let domain = zone.added("example.com").await;
    let path = zone.domain(&domain);
    super::show(&zone.dns, &domain);
    zone.verify(&domain).await.expect(StatusCode::OK);
    for tag in ["\"1\"", "\"3\"", "W/\"2\""] {
        let refused = zone.client().with_header("if-match", tag).delete(&path).await;
        refused.expect_error(StatusCode::PRECONDITION_FAILED, "PRECONDITION_FAILED");
    }
    assert_eq!(zone.events("domain.removed", &domain).await, 0);
    let gone = zone.client().with_header("if-match", "\"2\"").delete(&path).await;
    gone.expect(StatusCode::NO_CONTENT);
}
