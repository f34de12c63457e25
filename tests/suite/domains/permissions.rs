//! Who may see domains, and who may change them.

use reqwest::StatusCode;
use serde_json::Value;
use tenantry_tests::client::{Answer, Client};

use super::{Zone, add, expect_forbidden, expect_unknown, path_of, show, verify};
use crate::mfa::expect_unauthorized;

#[tokio::test]
async fn an_admin_may() {
    let zone = Zone::new().await;
    let admin = zone.scene.joined("admin").await;
    let organization = &zone.scene.organization;
    let added = add(&admin.client, organization, "example.com").await;
    let domain = added.expect(StatusCode::CREATED).data();
    show(&zone.dns, &domain);
    let verified = verify(&admin.client, organization, &domain).await;
    assert_eq!(verified.expect(StatusCode::OK).data()["status"], "verified");
    let gone = admin.client.delete(&zone.domain(&domain)).await;
    gone.expect(StatusCode::NO_CONTENT);
}

/// What each of the operations says to somebody, in the order of: list, one, add, verify, remove.
async fn tried(zone: &Zone, client: &Client, domain: &Value) -> [Answer; 5] {
    let organization = &zone.scene.organization;
    let path = path_of(organization, domain);
    [
        client.get(&zone.domains()).await,
        client.get(&path).await,
        add(client, organization, "example.org").await,
        verify(client, organization, domain).await,
        client.delete(&path).await,
    ]
}

#[tokio::test]
async fn who_lacks_the_permission_is_told_which() {
    let zone = Zone::new().await;
    let domain = zone.added("example.com").await;
    show(&zone.dns, &domain);
    for role in ["member", "viewer", "guest"] {
        let account = zone.scene.joined(role).await;
        let answers = tried(&zone, &account.client, &domain).await;
        for (number, answer) in answers.iter().enumerate() {
            let permission = if number < 2 { "settings:view" } else { "settings:manage" };
            expect_forbidden(answer, permission);
        }
    }
    let (stranger, _) = zone.neighbour().await;
    for answer in tried(&zone, &stranger.client, &domain).await {
        expect_unknown(&answer);
    }
    for answer in tried(&zone, &zone.scene.app.client(), &domain).await {
        expect_unauthorized(&answer);
    }
    assert_eq!(zone.found(&domain).await, domain);
    assert_eq!(zone.scene.database.count("domains").await, 1);
}

#[tokio::test]
async fn nobody_reaches_the_domains_of_another_organization_through_their_own() {
    let zone = Zone::new().await;
    let domain = zone.added("example.com").await;
    show(&zone.dns, &domain);
    let (neighbour, organization) = zone.neighbour().await;
    let elsewhere = path_of(&organization, &domain);
    expect_unknown(&neighbour.client.get(&elsewhere).await);
    expect_unknown(&verify(&neighbour.client, &organization, &domain).await);
    expect_unknown(&neighbour.client.delete(&elsewhere).await);
    assert_eq!(zone.found(&domain).await, domain);
}
