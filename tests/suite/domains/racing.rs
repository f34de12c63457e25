//! Two organizations that prove one domain in the same moment.

use reqwest::StatusCode;
use tenantry_tests::client::text;

use super::{Zone, add, verify};
use crate::oidc::expect_conflict;

#[tokio::test]
async fn one_of_two_gets_it() {
    let zone = Zone::new().await;
    let (neighbour, organization) = zone.neighbour().await;
    for number in 0..8 {
        let name = format!("race-{number}.example");
        let ours = zone.added(&name).await;
        let theirs = add(&neighbour.client, &organization, &name).await;
        let theirs = theirs.expect(StatusCode::CREATED).data();
        let values = [&ours, &theirs].map(|domain| text(&domain["record"]["value"]));
        zone.dns
            .set_text(&text(&ours["record"]["name"]), &[&values[0], &values[1]]);
        let answers = tokio::join!(zone.verify(&ours), verify(&neighbour.client, &organization, &theirs));
        let (won, lost) = match answers.0.status {
            StatusCode::OK => (answers.0, answers.1),
            _ => (answers.1, answers.0),
        };
        assert_eq!(won.expect(StatusCode::OK).data()["status"], "verified");
        expect_conflict(&lost, "domain_taken");
    }
    let database = &zone.scene.database;
    assert_eq!(database.count("domains where verified_at is not null").await, 8);
    assert_eq!(database.count("events where type = 'domain.verified'").await, 8);
}

#[tokio::test]
async fn a_domain_is_proven_once_however_often_it_is_asked_for_at_once() {
    let zone = Zone::new().await;
    let domain = zone.added("example.com").await;
    super::show(&zone.dns, &domain);
    let crowd: Vec<_> = (0..10)
        .map(|_| {
            let (client, domain) = (zone.client().clone(), domain.clone());
            let organization = zone.scene.organization.clone();
            tokio::spawn(async move { verify(&client, &organization, &domain).await })
        })
        .collect();
    for one in crowd {
        let answer = one.await.unwrap();
        assert_eq!(answer.expect(StatusCode::OK).data()["status"], "verified");
        assert_eq!(answer.header("etag"), Some("\"2\""));
    }
    assert_eq!(zone.events("domain.verified", &domain).await, 1);
}
