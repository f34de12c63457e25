//! Adding domains.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::client::text;

use super::{PROOF, Zone, add, path_of, token};
use crate::{
    mfa::{names, time},
    oidc::expect_conflict,
};

#[tokio::test]
async fn a_domain_waits_for_its_proof() {
    let zone = Zone::new().await;
    zone.scene.app.clock.stop();
    let added = zone.add("example.com").await;
    let domain = added.expect(StatusCode::CREATED).data();
    assert_eq!(
        names(&domain),
        [
            "createdAt",
            "domain",
            "id",
            "record",
            "status",
            "updatedAt",
            "verifiedAt"
        ]
    );
    assert_eq!(
        (&domain["domain"], &domain["status"], &domain["verifiedAt"]),
        (&json!("example.com"), &json!("pending"), &Value::Null)
    );
    let now = zone.scene.app.clock.environment().now();
    assert_eq!(time(&domain["createdAt"]).timestamp_millis(), now.timestamp_millis());
    assert_eq!(domain["updatedAt"], domain["createdAt"]);
    let record = &domain["record"];
    assert_eq!(names(record), ["name", "type", "value"]);
    assert_eq!(
        (&record["name"], &record["type"]),
        (&json!("_tenantry.example.com"), &json!("TXT"))
    );
    assert!(text(&record["value"]).starts_with(PROOF), "{record}");
    // At least 128 bits, in whatever letters.
    assert!(token(&domain).len() >= 22, "{record}");

    let path = zone.domain(&domain);
    assert_eq!(added.header("location"), Some(path.as_str()));
    assert_eq!(added.header("etag"), Some("\"1\""));
    let found = zone.client().get(&path).await;
    assert_eq!(found.expect(StatusCode::OK).data(), domain);
    assert_eq!(found.header("etag"), Some("\"1\""));
    let unchanged = zone.client().with_header("if-none-match", "\"1\"").get(&path).await;
    unchanged.expect(StatusCode::NOT_MODIFIED);
    assert_eq!(zone.events("domain.added", &domain).await, 1);
}

#[tokio::test]
async fn a_domain_is_called_as_the_dns_calls_it() {
    let zone = Zone::new().await;
    let label = "a".repeat(63);
    let long = format!("{label}.{label}.{label}.example.com");
    for (typed, known) in [
        ("Example.COM", "example.com"),
        ("dot.example.", "dot.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHEREI.Example.", "xn--bcherei-n2a.example"),
        ("faß.example", "xn--fa-hia.example"),
        ("xn--mnchen-3ya.example", "xn--mnchen-3ya.example"),
        ("full。width.example", "full.width.example"),
        ("many.labels.of.a.example", "many.labels.of.a.example"),
        ("4711.example", "4711.example"),
        (long.as_str(), long.as_str()),
    ] {
        let domain = zone.added(typed).await;
        assert_eq!(domain["domain"], known, "{typed}");
        assert_eq!(domain["record"]["name"], format!("_tenantry.{known}"), "{typed}");
    }
}

#[tokio::test]
async fn what_is_no_domain_is_refused() {
    let zone = Zone::new().await;
    let label = "a".repeat(63);
    let too_long = format!("{label}.{label}.{label}.{}.x", "a".repeat(60));
    let too_long_label = format!("{label}a.example");
    for wrong in [
        "",
        ".",
        "com",
        "com.",
        "localhost",
        "example..com",
        ".example.com",
        "example.com..",
        "192.0.2.1",
        "192.0.2.1.",
        "0xc0.0.2.1",
        "2001:db8::1",
        "[2001:db8::1]",
        "example.com:443",
        "https://example.com",
        "example.com/path",
        "ann@example.com",
        "exa mple.com",
        " example.com",
        "example.com\n",
        "example.com\u{0}",
        "exa%6Dple.com",
        "*.example.com",
        "xn--a.example",
        &too_long,
        &too_long_label,
    ] {
        let refused = zone.add(wrong).await;
        refused.expect_error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
        assert_eq!(
            refused.refused_fields(),
            [("/domain".to_owned(), "format".to_owned())],
            "{wrong:?}"
        );
    }
    let (client, path) = (zone.client(), zone.domains());
    for wrong in [json!({}), json!({ "domain": null }), json!({ "domain": 1 })] {
        client.post(&path, &wrong).await.expect_refused(&["/domain"]);
    }
    let more = json!({ "domain": "example.com", "status": "verified", "token": "x" });
    client.post(&path, &more).await.expect_refused(&["/status", "/token"]);
    assert_eq!(zone.scene.database.count("domains").await, 0);
    assert_eq!(zone.scene.database.count("events where type like 'domain.%'").await, 0);
}

#[tokio::test]
async fn an_organization_adds_a_domain_once() {
    let zone = Zone::new().await;
    let first = zone.added("bücher.example").await;
    for same in [
        "bücher.example",
        "BÜCHER.example",
        "xn--bcher-kva.example",
        "xn--bcher-kva.example.",
    ] {
        expect_conflict(&zone.add(same).await, "domain_taken");
    }
    // What is below or above of it is another.
    zone.added("www.bücher.example").await;
    zone.proven("example.com").await;
    expect_conflict(&zone.add("example.com").await, "domain_taken");

    // Whether others say that it is theirs is no matter until it is proven.
    let (neighbour, organization) = zone.neighbour().await;
    let claimed = add(&neighbour.client, &organization, "bücher.example").await;
    let claimed = claimed.expect(StatusCode::CREATED).data();
    assert_ne!(token(&claimed), token(&first));
    assert_ne!(claimed["id"], first["id"]);
    let elsewhere = path_of(&zone.scene.organization, &claimed);
    super::expect_unknown(&zone.client().get(&elsewhere).await);
}

#[tokio::test]
async fn a_key_adds_a_domain_once() {
    let zone = Zone::new().await;
    let client = zone.client().with_header("idempotency-key", "once");
    let body = json!({ "domain": "example.com" });
    let first = client.post(&zone.domains(), &body).await;
    first.expect(StatusCode::CREATED);
    assert_eq!(first.header("idempotency-replayed"), None);
    let again = client.post(&zone.domains(), &body).await;
    again.expect(StatusCode::CREATED);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(
        (again.json(), again.header("location"), again.header("etag")),
        (first.json(), first.header("location"), first.header("etag"))
    );
    let other = client.post(&zone.domains(), &json!({ "domain": "example.org" })).await;
    other.expect_error(StatusCode::UNPROCESSABLE_ENTITY, "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(zone.scene.database.count("domains").await, 1);
    assert_eq!(zone.events("domain.added", &first.data()).await, 1);
}

/// Who reads the log is not who may prove the domain.
#[tokio::test]
async fn no_event_tells_the_token() {
    let zone = Zone::new().await;
    let domain = zone.proven("proof.example").await;
    let removed = zone.client().delete(&zone.domain(&domain)).await;
    removed.expect(StatusCode::NO_CONTENT);
    for kind in ["domain.added", "domain.verified", "domain.removed"] {
        assert_eq!(zone.events(kind, &domain).await, 1, "{kind}");
    }
    let told = |what: &str| format!("events where concat(before, after) like '%{what}%'");
    assert_eq!(zone.scene.database.count(&told("proof.example")).await, 3);
    assert_eq!(zone.scene.database.count(&told(&token(&domain))).await, 0);
}
