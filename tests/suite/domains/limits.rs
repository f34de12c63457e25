//! How many domains an organization may have, and how often it may have them looked for.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::json;
use tenantry::configuration::RateLimits;
use tenantry_tests::client::{Answer, PASSWORD, text};

use super::{Zone, add, domains, show, verify};
use crate::{
    mfa::{LOGIN, expect_session},
    oidc::expect_conflict,
};

/// How many domains an organization may have.
const MOST: usize = 20;

/// How often it may have one looked for in an hour.
const LOOKUPS: usize = 60;

#[track_caller]
fn expect_quota(answer: &Answer) {
    answer.expect_error(StatusCode::PAYMENT_REQUIRED, "QUOTA_EXCEEDED");
    assert_eq!(
        answer.json()["error"]["details"],
        json!({ "metric": "domains", "limit": MOST, "used": MOST })
    );
}

#[track_caller]
fn expect_limited(answer: &Answer) {
    answer.expect_error(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED");
    let details = &answer.json()["error"]["details"];
    assert_eq!(
        (&details["scope"], &details["limit"]),
        (&json!("organization"), &json!(LOOKUPS)),
        "{}",
        answer.text
    );
}

#[tokio::test]
async fn an_organization_has_twenty_domains() {
    let zone = Zone::new().await;
    let mut last = zone.proven("example.com").await;
    for number in 1..MOST {
        last = zone.added(&format!("example-{number}.com")).await;
    }
    expect_quota(&zone.add("one-more.example").await);
    // Another organization has its own.
    let (neighbour, organization) = zone.neighbour().await;
    let theirs = add(&neighbour.client, &organization, "one-more.example").await;
    theirs.expect(StatusCode::CREATED);
    let gone = zone.client().delete(&zone.domain(&last)).await;
    gone.expect(StatusCode::NO_CONTENT);
    zone.added("one-more.example").await;
    expect_quota(&zone.add("another.example").await);
}

#[tokio::test]
async fn of_many_that_are_added_at_once_no_more_are_taken() {
    let zone = Zone::new().await;
    for number in 0..MOST - 2 {
        zone.added(&format!("example-{number}.com")).await;
    }
    let crowd: Vec<_> = (0..10)
        .map(|number| {
            let (client, organization) = (zone.client().clone(), zone.scene.organization.clone());
            tokio::spawn(async move { add(&client, &organization, &format!("late-{number}.com")).await })
        })
        .collect();
    let mut added = 0;
    for one in crowd {
        let answer = one.await.unwrap();
        if answer.status == StatusCode::CREATED {
            added += 1;
        } else {
            expect_quota(&answer);
        }
    }
    assert_eq!(added, 2);
    assert_eq!(zone.scene.database.count("domains").await, 20);
}

#[tokio::test]
async fn an_organization_has_domains_looked_for_sixty_times_an_hour() {
    let zone = Zone::with(|options| options.rate_limits = RateLimits::On).await;
    let domain = zone.added("example.com").await;
    for _ in 0..LOOKUPS {
        expect_conflict(&zone.verify(&domain).await, "domain_not_proven");
    }
    show(&zone.dns, &domain);
    for _ in 0..2 {
        expect_limited(&zone.verify(&domain).await);
    }
    // Whoever of the organization asks.
    let admin = zone.scene.joined("admin").await;
    let organization = &zone.scene.organization;
    expect_limited(&verify(&admin.client, organization, &domain).await);
    // What asks nobody is not held back, nor are others.
    let list = zone.client().get(&domains(organization)).await;
    list.expect(StatusCode::OK);
    let (neighbour, theirs) = zone.neighbour().await;
    let other = add(&neighbour.client, &theirs, "example.org").await;
    let other = other.expect(StatusCode::CREATED).data();
    show(&zone.dns, &other);
    verify(&neighbour.client, &theirs, &other).await.expect(StatusCode::OK);

    zone.scene.app.clock.advance(TimeDelta::hours(1));
    let login = json!({ "email": zone.scene.owner.email, "password": PASSWORD });
    let session = expect_session(&zone.scene.app.client().post(LOGIN, &login).await);
    let client = zone.scene.app.client().with_token(&text(&session["accessToken"]));
    verify(&client, organization, &domain).await.expect(StatusCode::OK);
}
