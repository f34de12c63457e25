//! Where connections may reach: the public internet, and what the operator allows.

use std::{io::ErrorKind, net::TcpListener};

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry::configuration::RateLimits;
use tenantry_tests::{
    client::Answer,
    identity_provider::{Endpoint, Fault, IdentityProvider},
};

use super::{House, ann, settings};
use crate::{domains, oidc::expect_conflict};

/// How long a provider is not asked again that was away.
const PAUSE: TimeDelta = TimeDelta::seconds(11);

/// Somebody who counts who comes, and answers nobody.
struct Bystander(TcpListener);

impl Bystander {
    fn at(address: &str) -> Self {
        let listener = TcpListener::bind((address, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    /// Panics where anybody came.
    #[track_caller]
    fn expect_alone(&self) {
        let came = self.0.accept();
        assert!(
            came.as_ref().is_err_and(|error| error.kind() == ErrorKind::WouldBlock),
            "{came:?}"
        );
    }
}

fn connecting(issuer: &str) -> Value {
    json!({ "connection": { "issuer": issuer, "clientId": "x" } })
}

#[track_caller]
fn expect_unreachable(answer: &Answer) {
    answer.expect_error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    assert_eq!(
        answer.refused_fields(),
        [("/connection/issuer".to_owned(), "unreachable".to_owned())],
        "{}",
        answer.text
    );
}

#[tokio::test]
async fn no_private_address_is_asked() {
    let house = House::unconnected(|options| options.connection_networks.clear()).await;
    let bystander = Bystander::at("127.0.0.1");
    let port = bystander.port();
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0.0.0.0"] {
        let answer = house
            .office
            .replace(&connecting(&format!("https://{host}:{port}")))
            .await;
        expect_unreachable(&answer);
        bystander.expect_alone();
    }
    for host in ["127.0.0.1", "localhost"] {
        let answer = house
            .office
            .replace(&connecting(&format!("http://{host}:{port}")))
            .await;
        expect_unreachable(&answer);
        bystander.expect_alone();
    }
    expect_unreachable(&house.office.replace(&settings(&house.provider, json!({}))).await);
    assert_eq!(house.provider.times_asked(Endpoint::Metadata), 0);
    assert_eq!(house.stage.database.count("sign_on_policies").await, 0);
}

#[tokio::test]
async fn what_the_operator_allows_is_asked_and_nothing_beside() {
    let house = House::unconnected(|options| {
        options.connection_networks = vec!["127.0.0.1/32".parse().unwrap()];
    })
    .await;
    let bystander = Bystander::at("127.0.0.2");
    let place = format!("http://127.0.0.2:{}", bystander.port());
    expect_unreachable(&house.office.replace(&connecting(&place)).await);
    bystander.expect_alone();
    // Nor what a provider names that may be asked.
    let domain = domains::proven(house.office.client(), &house.office.id, &house.dns, super::DOMAIN).await;
    assert_eq!(domain["status"], "verified");
    house
        .provider
        .behave(|told| told.metadata = vec![("jwks_uri", json!(format!("{place}/keys")))]);
    let refused = house.office.replace(&settings(&house.provider, json!({}))).await;
    expect_unreachable(&refused);
    bystander.expect_alone();

    house.stage.app.clock.advance(PAUSE);
    house
        .provider
        .behave(|told| told.metadata = vec![("token_endpoint", json!(format!("{place}/token")))]);
    let replaced = house.office.replace(&settings(&house.provider, json!({}))).await;
    if replaced.status == StatusCode::OK {
        let returned = house.walk_to(&house.office, &house.provider, &ann()).await;
        returned.error();
    } else {
        expect_unreachable(&replaced);
    }
    bystander.expect_alone();
    assert_eq!(house.stage.database.count("identities").await, 0);

    let honest = IdentityProvider::start().await;
    honest.follow(&house.stage.app.clock);
    honest.register(&house.office.id);
    let replaced = house.office.replace(&settings(&honest, json!({}))).await;
    replaced.expect(StatusCode::OK);
    house.walk_to(&house.office, &honest, &ann()).await.code();
}

#[tokio::test]
async fn a_provider_that_does_not_say_what_it_is_is_unreachable() {
    let house = House::unconnected(|_| {}).await;
    let mut gone = IdentityProvider::start().await;
    gone.stop().await;
    expect_unreachable(&house.office.replace(&settings(&gone, json!({}))).await);
    for fault in [
        Fault::Status(500),
        Fault::Status(404),
        Fault::Garbage,
        Fault::Redirect,
        Fault::Away,
        Fault::Huge,
    ] {
        house.stage.app.clock.advance(PAUSE);
        house.provider.behave(|told| {
            told.faults.insert(Endpoint::Metadata, fault);
        });
        let refused = house.office.replace(&settings(&house.provider, json!({}))).await;
        expect_unreachable(&refused);
        // Nothing of what was answered is told.
        assert!(!refused.text.contains("out of order"), "{}", refused.text);
    }
    house.stage.app.clock.advance(PAUSE);
    house.provider.behave_well();
    house
        .provider
        .behave(|told| told.metadata = vec![("issuer", json!("https://login.example"))]);
    expect_unreachable(&house.office.replace(&settings(&house.provider, json!({}))).await);
    assert_eq!(house.stage.database.count("sign_on_policies").await, 0);
    house.stage.app.clock.advance(PAUSE);
    house.provider.behave_well();
    house.choose(json!({})).await;
    // One that fails takes the place of none that works.
    expect_unreachable(&house.office.replace(&settings(&gone, json!({}))).await);
    let told = house.office.client().get(&house.office.sso()).await.data();
    assert_eq!(told["connection"]["issuer"], house.provider.issuer());
}

/// Of what anybody may have us read, less is read than of what the operator chose.
#[tokio::test]
async fn what_is_larger_than_128_kib_is_not_read() {
    let house = House::unconnected(|_| {}).await;
    let padded = |kibibytes: usize| {
        let padding = json!("x".repeat(kibibytes * 1024));
        house.provider.behave(|told| told.metadata = vec![("padding", padding)]);
    };
    padded(128);
    expect_unreachable(&house.office.replace(&settings(&house.provider, json!({}))).await);
    assert_eq!(house.stage.database.count("sign_on_policies").await, 0);
    house.stage.app.clock.advance(PAUSE);
    padded(120);
    house.choose(json!({})).await;
}

/// Whoever may name issuers and domains has others asked no more often than that.
#[tokio::test]
async fn issuers_and_domains_are_looked_up_sixty_times_an_hour() {
    let house = House::unconnected(|options| options.rate_limits = RateLimits::On).await;
    let added = domains::add(house.office.client(), &house.office.id, "example.com").await;
    let domain = added.expect(StatusCode::CREATED).data();
    let verify = async || domains::verify(house.office.client(), &house.office.id, &domain).await;
    for _ in 0..59 {
        expect_conflict(&verify().await, "domain_not_proven");
    }
    house.choose(json!({})).await;
    let other = IdentityProvider::start().await;
    for refused in [verify().await, house.office.replace(&settings(&other, json!({}))).await] {
        refused.expect_error(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED");
        let details = &refused.json()["error"]["details"];
        assert_eq!(
            (&details["scope"], &details["limit"]),
            (&json!("organization"), &json!(60))
        );
    }
    assert_eq!(other.times_asked(Endpoint::Metadata), 0);
    // What asks nobody goes on.
    house.choose(json!({ "sessionMaxAge": 3600 })).await;
}
