//! Lists of domains.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::client::text;

use super::{Zone, add, show};

/// A zone with four domains, each a second after the one before, of which two are proven.
async fn with_four() -> Zone {
    let zone = Zone::new().await;
    zone.scene.app.clock.stop();
    let mut domains = Vec::new();
    for name in ["c.example", "a.example", "d.example", "b.example"] {
        domains.push(zone.added(name).await);
        zone.scene.app.clock.advance(TimeDelta::seconds(1));
    }
    for number in [2, 0] {
        show(&zone.dns, &domains[number]);
        zone.verify(&domains[number]).await.expect(StatusCode::OK);
        zone.scene.app.clock.advance(TimeDelta::seconds(1));
    }
    zone
}

/// The first letters of the domains of a list, and the list itself.
async fn listed(zone: &Zone, query: &str) -> (String, Value) {
    let answer = zone.client().get(&format!("{}{query}", zone.domains())).await;
    let list = answer.expect(StatusCode::OK).json();
    let domains = list["data"].as_array().unwrap().iter();
    let letters = domains.map(|domain| text(&domain["domain"])[..1].to_owned());
    (letters.collect(), list)
}

#[tokio::test]
async fn domains_are_sorted_and_filtered() {
    let zone = with_four().await;
    for (query, letters) in [
        ("", "bdac"),
        ("?sort=createdAt", "cadb"),
        ("?sort=-createdAt", "bdac"),
        ("?sort=name", "abcd"),
        ("?sort=-name", "dcba"),
        ("?sort=updatedAt", "abdc"),
        ("?sort=-updatedAt,name", "cdba"),
        ("?status=verified", "dc"),
        ("?status=pending", "ba"),
        ("?status=verified&sort=name", "cd"),
    ] {
        let (told, list) = listed(&zone, query).await;
        assert_eq!(told, letters, "{query}");
        assert_eq!(list["meta"]["total"], letters.len(), "{query}");
    }
    let (_, list) = listed(&zone, "?sort=name").await;
    let statuses: Vec<&Value> = list["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["status"])
        .collect();
    assert_eq!(statuses, ["pending", "pending", "verified", "verified"]);
    // As each of them is told by itself.
    let first = &list["data"][0];
    assert_eq!(&zone.found(first).await, first);
}

#[tokio::test]
async fn domains_come_in_pages() {
    let zone = with_four().await;
    let (first, list) = listed(&zone, "?sort=name&pageSize=3").await;
    assert_eq!((first.as_str(), &list["meta"]["total"]), ("abc", &json!(4)));
    let (second, _) = listed(&zone, "?sort=name&pageSize=3&page=2").await;
    assert_eq!(second, "d");
    let cursor = text(&list["meta"]["nextCursor"]);
    let (rest, last) = listed(&zone, &format!("?sort=name&pageSize=3&cursor={cursor}")).await;
    assert_eq!((rest.as_str(), &last["meta"]["nextCursor"]), ("d", &Value::Null));
    // A cursor is of its list alone.
    let other = format!("{}?sort=name&status=pending&cursor={cursor}", zone.domains());
    let refused = zone.client().get(&other).await;
    refused.expect_error(StatusCode::BAD_REQUEST, "MALFORMED_REQUEST");
}

#[tokio::test]
async fn what_lists_know_nothing_of_is_refused() {
    let zone = Zone::new().await;
    for query in [
        "q=example",
        "status=proven",
        "status=",
        "status=pending&status=verified",
        "domain=example.com",
        "sort=status",
        "sort=domain",
        "sort=verifiedAt",
        "pageSize=101",
        "cursor=forged",
    ] {
        let refused = zone.client().get(&format!("{}?{query}", zone.domains())).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{query}: {}", refused.text);
        assert_eq!(refused.code(), "MALFORMED_REQUEST", "{query}");
    }
}

#[tokio::test]
async fn an_organization_sees_its_own_alone() {
    let zone = Zone::new().await;
    let (neighbour, organization) = zone.neighbour().await;
    zone.proven("example.com").await;
    let theirs = add(&neighbour.client, &organization, "example.org").await;
    theirs.expect(StatusCode::CREATED);
    assert_eq!(listed(&zone, "").await.1["meta"]["total"], 1);
    let list = neighbour.client.get(&super::domains(&organization)).await;
    assert_eq!(list.json()["data"], json!([theirs.data()]));
}
