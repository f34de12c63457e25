//! Proving a domain by a record in the DNS.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::client::text;

use super::{PROOF, Zone, add, show, token, verify};
use crate::{mfa::time, oidc::expect_conflict};

/// A zone with a domain that waits for its proof.
async fn pending() -> (Zone, Value) {
    let zone = Zone::new().await;
    let domain = zone.added("example.com").await;
    (zone, domain)
}

/// Panics where a domain was proven, or its proof is not what is said to be missing.
async fn expect_unproven(zone: &Zone, domain: &Value, what: &str) {
    let refused = zone.verify(domain).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{what}: {}", refused.text);
    assert_eq!(refused.reason(), "domain_not_proven", "{what}");
    assert_eq!(&zone.found(domain).await, domain, "{what}");
    assert_eq!(zone.events("domain.verified", domain).await, 0, "{what}");
}

#[tokio::test]
async fn the_record_proves_it() {
    let (zone, domain) = pending().await;
    zone.scene.app.clock.stop();
    zone.scene.app.clock.advance(TimeDelta::minutes(1));
    show(&zone.dns, &domain);
    let verified = zone.verify(&domain).await;
    let proven = verified.expect(StatusCode::OK).data();
    assert_eq!(verified.header("etag"), Some("\"2\""));
    let now = zone.scene.app.clock.environment().now();
    assert_eq!(proven["status"], "verified");
    for at in ["verifiedAt", "updatedAt"] {
        assert_eq!(time(&proven[at]).timestamp_millis(), now.timestamp_millis(), "{at}");
    }
    for same in ["id", "domain", "record", "createdAt"] {
        assert_eq!(proven[same], domain[same], "{same}");
    }
    assert_eq!(zone.found(&domain).await, proven);
    assert_eq!(zone.events("domain.verified", &domain).await, 1);
}

#[tokio::test]
async fn what_is_proven_is_not_asked_for_again() {
    let zone = Zone::new().await;
    let domain = zone.proven("example.com").await;
    zone.dns.clear(&text(&domain["record"]["name"]));
    zone.scene.app.clock.advance(TimeDelta::minutes(1));
    let asked = zone.dns.times_asked();
    let again = zone.verify(&domain).await;
    assert_eq!(again.expect(StatusCode::OK).data(), domain);
    assert_eq!(again.header("etag"), Some("\"2\""));
    // Not even of a DNS that is out of order.
    zone.dns.refuse();
    assert_eq!(zone.verify(&domain).await.expect(StatusCode::OK).data(), domain);
    assert_eq!(zone.dns.times_asked(), asked);
    assert_eq!(zone.events("domain.verified", &domain).await, 1);
}

#[tokio::test]
async fn nothing_but_the_record_proves_it() {
    let (zone, domain) = pending().await;
    let (name, value) = (text(&domain["record"]["name"]), text(&domain["record"]["value"]));
    expect_unproven(&zone, &domain, "no such name").await;
    let (neighbour, organization) = zone.neighbour().await;
    let theirs = add(&neighbour.client, &organization, "example.com").await;
    let theirs = text(&theirs.expect(StatusCode::CREATED).data()["record"]["value"]);
    let own = token(&domain);
    for wrong in [
        theirs.as_str(),
        own.as_str(),
        PROOF,
        "",
        "v=spf1 -all",
        &value.to_uppercase(),
        &value[..value.len() - 1],
        &format!("{value}A"),
        &format!("{value}; {theirs}"),
    ] {
        zone.dns.set_text(&name, &[wrong]);
        expect_unproven(&zone, &domain, wrong).await;
    }
    zone.dns.set_text(&name, &[&value]);
    zone.verify(&domain).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn a_record_of_another_name_proves_nothing() {
    let (zone, domain) = pending().await;
    let value = text(&domain["record"]["value"]);
    for name in [
        "example.com",
        "tenantry.example.com",
        "_tenantry.www.example.com",
        "_tenantry.example.org",
        "_tenantry._tenantry.example.com",
        "_tenantry.com",
    ] {
        zone.dns.set_text(name, &[&value]);
        expect_unproven(&zone, &domain, name).await;
    }
    show(&zone.dns, &domain);
    zone.verify(&domain).await.expect(StatusCode::OK);
    // Of what is above, or below, it says nothing.
    let below = zone.added("www.example.com").await;
    zone.dns.clear(&text(&below["record"]["name"]));
    expect_unproven(&zone, &below, "the domain above").await;
}

#[tokio::test]
async fn one_record_of_many_is_enough() {
    let (zone, domain) = pending().await;
    let value = text(&domain["record"]["value"]);
    let name = text(&domain["record"]["name"]);
    let other = format!("{PROOF}somebody-elses-token-here");
    zone.dns
        .set_text(&name, &["v=spf1 -all", &other, &value, "another=1", &"x".repeat(200)]);
    zone.verify(&domain).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn a_name_in_other_letters_is_asked_for_as_the_dns_knows_it() {
    let zone = Zone::new().await;
    let domain = zone.proven("BÜCHER.example").await;
    assert_eq!(
        (&domain["domain"], &domain["status"]),
        (&json!("xn--bcher-kva.example"), &json!("verified"))
    );
}

#[tokio::test]
async fn a_dns_that_is_out_of_order_proves_nothing_and_denies_nothing() {
    let (zone, domain) = pending().await;
    show(&zone.dns, &domain);
    zone.dns.refuse();
    let unavailable = zone.verify(&domain).await;
    expect_conflict(&unavailable, "dns_unavailable");
    assert_eq!(zone.found(&domain).await, domain);
    zone.dns.recover();
    zone.verify(&domain).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn a_dns_that_never_answers_is_not_waited_for_forever() {
    let (zone, domain) = pending().await;
    show(&zone.dns, &domain);
    zone.dns.answer_nothing();
    let unavailable = zone.verify(&domain).await;
    expect_conflict(&unavailable, "dns_unavailable");
    assert_eq!(zone.found(&domain).await, domain);
    zone.dns.recover();
    zone.verify(&domain).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn what_another_has_proven_is_taken() {
    let zone = Zone::new().await;
    let (neighbour, organization) = zone.neighbour().await;
    let ours = zone.proven("example.com").await;
    let claimed = add(&neighbour.client, &organization, "example.com").await;
    let claimed = claimed.expect(StatusCode::CREATED).data();
    let again = async || verify(&neighbour.client, &organization, &claimed).await;
    // Whoever has the domain now shows it; who had it first keeps it until they let it go.
    show(&zone.dns, &claimed);
    expect_conflict(&again().await, "domain_taken");
    assert_eq!(zone.found(&ours).await, ours);
    let gone = zone.client().delete(&zone.domain(&ours)).await;
    gone.expect(StatusCode::NO_CONTENT);
    assert_eq!(again().await.expect(StatusCode::OK).data()["status"], "verified");
}
