//! The secret of a connection: kept, replaced, and shown to nobody.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::identity_provider::{IdentityProvider, Returned};

use super::{House, ann};
use crate::oidc::APP;

/// A body that connects to a provider, with this secret or, without one, by its name alone.
fn connecting(provider: &IdentityProvider, secret: Option<Value>) -> Value {
    let mut connection = json!({ "issuer": provider.issuer(), "clientId": provider.client_id() });
    if let Some(secret) = secret {
        connection["clientSecret"] = secret;
    }
    json!({ "connection": connection })
}

/// Replaces the settings, and gives whether a secret is shown to the provider.
async fn has_secret(house: &House, body: &Value) -> Value {
    let replaced = house.office.replace(body).await;
    replaced.expect(StatusCode::OK).data()["connection"]["hasClientSecret"].clone()
}

/// How Ann comes back who signs in through the connection.
async fn walked(house: &House, provider: &IdentityProvider) -> Returned {
    house.walk_to(&house.office, provider, &ann()).await
}

#[tokio::test]
async fn the_secret_is_shown_to_nobody() {
    let house = House::new().await;
    let secret = house.provider.client_secret();
    let digits: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    house.choose(json!({ "sessionMaxAge": 3600 })).await;
    house.come_in(&ann()).await;
    let seen = house.office.client().get(&house.office.sso()).await;
    assert!(!seen.text.contains(&secret), "{}", seen.text);
    assert_eq!(seen.data()["connection"]["clientSecret"], Value::Null);
    let sealed = "sign_on_policies where octet_length(client_secret) > 0";
    assert_eq!(house.stage.database.count(sealed).await, 1);
    let all = house.stage.all_that_is_stored().await;
    assert!(all.contains(&house.provider.client_id()), "the connection is stored");
    assert!(!all.contains(&secret) && !all.contains(&digits), "in the clear");
    let reset = house.office.client().delete(&house.office.sso()).await;
    reset.expect(StatusCode::NO_CONTENT);
    let events = "events where type = 'sign_on_policy.changed'";
    assert_eq!(house.stage.database.count(events).await, 3);
    let telling = format!("{events} and concat(before, after) ilike '%secret%{secret}%'");
    assert_eq!(house.stage.database.count(&telling).await, 0);
    assert!(!house.stage.all_that_is_stored().await.contains(&secret));
    let kept = "sign_on_policies where client_secret is not null";
    assert_eq!(house.stage.database.count(kept).await, 0);
}

#[tokio::test]
async fn the_secret_stays_with_the_connection_that_it_is_of() {
    let house = House::new().await;
    assert_eq!(has_secret(&house, &connecting(&house.provider, None)).await, true);
    // It is still the right one: the provider asks for it.
    walked(&house, &house.provider).await.code();

    let another_client = json!({ "connection": { "issuer": house.provider.issuer(), "clientId": "another" } });
    assert_eq!(has_secret(&house, &another_client).await, false);
    // Nor does it come back.
    assert_eq!(has_secret(&house, &connecting(&house.provider, None)).await, false);
    assert_eq!(walked(&house, &house.provider).await.error(), "server_error");
    house.choose(json!({})).await;
    walked(&house, &house.provider).await.code();

    let other = IdentityProvider::start().await;
    other.follow(&house.stage.app.clock);
    other.register(&house.office.id);
    assert_eq!(has_secret(&house, &connecting(&other, None)).await, false);
    walked(&house, &other).await.error();
    assert!(!other.complaints().is_empty());
    let own = json!(other.client_secret());
    assert_eq!(has_secret(&house, &connecting(&other, Some(own))).await, true);
    walked(&house, &other).await.code();
}

#[tokio::test]
async fn the_secret_is_replaced_and_taken_away() {
    let house = House::new().await;
    let wrong = connecting(&house.provider, Some(json!("another secret")));
    assert_eq!(has_secret(&house, &wrong).await, true);
    assert_eq!(walked(&house, &house.provider).await.error(), "server_error");
    let right = connecting(&house.provider, Some(json!(house.provider.client_secret())));
    assert_eq!(has_secret(&house, &right).await, true);
    walked(&house, &house.provider).await.code();
    let none = connecting(&house.provider, Some(Value::Null));
    assert_eq!(has_secret(&house, &none).await, false);
    assert_eq!(walked(&house, &house.provider).await.error(), "server_error");
}

#[tokio::test]
async fn a_connection_without_a_secret_has_its_verifier() {
    let house = House::new().await;
    let public = IdentityProvider::start().await;
    public.behave(|told| told.public_client = true);
    public.follow(&house.stage.app.clock);
    public.register(&house.office.id);
    assert_eq!(has_secret(&house, &connecting(&public, Some(Value::Null))).await, false);
    public.signs_in(&ann());
    let query = [("redirectUri", APP)];
    let code = house.browser().walk(&house.office.id, &query).await.code();
    house.account_of(&house.exchange(&code).await);
    assert_eq!(public.complaints(), [] as [String; 0]);
}
