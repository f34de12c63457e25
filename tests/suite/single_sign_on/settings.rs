//! What can be chosen of how members sign in, who may choose it, and how it is told.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::identity_provider::{Endpoint, IdentityProvider};

use super::{House, settings};
use crate::{
    mfa::{FRESH, expect_stale, freshen, names},
    oidc::APP,
};

/// Panics where a field alone was not refused, with this code.
#[track_caller]
fn expect_refused(answer: &tenantry_tests::client::Answer, field: &str, code: &str) {
    answer.expect_error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    assert_eq!(
        answer.refused_fields(),
        [(field.to_owned(), code.to_owned())],
        "{}",
        answer.text
    );
}

/// How members sign in, as it is told to those who may see it.
async fn told(house: &House) -> Value {
    let answer = house.office.client().get(&house.office.sso()).await;
    answer.expect(StatusCode::OK).data()
}

#[tokio::test]
async fn it_is_told_replaced_and_reset() {
    let house = House::unconnected(|_| {}).await;
    let never = told(&house).await;
    assert_eq!(
        names(&never),
        [
            "callbackUrl",
            "connection",
            "createdAt",
            "defaultRole",
            "id",
            "mfa",
            "sessionMaxAge",
            "ssoRequired",
            "updatedAt"
        ]
    );
    let callback = format!("http://tenantry.test/api/v1/auth/oidc/{}/callback", house.office.id);
    assert_eq!(never["callbackUrl"], callback);
    let by_default = json!(["admins", false, null, "member", null]);
    let chosen = |told: &Value| {
        let names = ["mfa", "ssoRequired", "sessionMaxAge", "defaultRole", "connection"];
        Value::from(names.map(|name| told[name].clone()).to_vec())
    };
    assert_eq!(chosen(&never), by_default);

    let body = settings(
        &house.provider,
        json!({ "mfa": "everyone", "ssoRequired": true, "sessionMaxAge": 86_400, "defaultRole": "viewer" }),
    );
    let replaced = house.office.replace(&body).await;
    let connection = json!({
        "issuer": house.provider.issuer(), "clientId": house.provider.client_id(), "hasClientSecret": true,
    });
    assert_eq!(
        chosen(&replaced.expect(StatusCode::OK).data()),
        json!(["everyone", true, 86_400, "viewer", connection])
    );
    assert_eq!(replaced.header("etag"), Some("\"1\""));
    assert_eq!(told(&house).await, replaced.data());
    // What is absent is as by default, but for the secret of the same connection.
    let alone = json!({ "connection": { "issuer": house.provider.issuer(), "clientId": house.provider.client_id() } });
    let alone = house.office.replace(&alone).await;
    assert_eq!(
        chosen(&alone.expect(StatusCode::OK).data()),
        json!(["admins", false, null, "member", connection])
    );
    assert_eq!(alone.header("etag"), Some("\"2\""));
    let none = house.office.replace(&json!({ "defaultRole": null })).await;
    assert_eq!(
        chosen(&none.expect(StatusCode::OK).data()),
        json!(["admins", false, null, null, null])
    );
    house.choose(json!({ "ssoRequired": true, "sessionMaxAge": 900 })).await;
    let late = house.office.client().with_header("if-match", "\"1\"");
    let refused = late.put(&house.office.sso(), &body).await;
    refused.expect_error(StatusCode::PRECONDITION_FAILED, "PRECONDITION_FAILED");
    let reset = house.office.client().delete(&house.office.sso()).await;
    reset.expect(StatusCode::NO_CONTENT);
    assert_eq!(chosen(&told(&house).await), by_default);
}

#[tokio::test]
async fn what_cannot_be_chosen_is_refused() {
    let house = House::unconnected(|_| {}).await;
    for (wrong, field) in [
        (json!({ "sessionMaxAge": 899 }), "/sessionMaxAge"),
        (json!({ "sessionMaxAge": 2_592_001 }), "/sessionMaxAge"),
        (json!({ "sessionMaxAge": 0 }), "/sessionMaxAge"),
        (json!({ "sessionMaxAge": -3600 }), "/sessionMaxAge"),
        (json!({ "sessionMaxAge": 900.5 }), "/sessionMaxAge"),
        (json!({ "sessionMaxAge": "3600" }), "/sessionMaxAge"),
        (json!({ "defaultRole": "owner" }), "/defaultRole"),
        (json!({ "defaultRole": "admin" }), "/defaultRole"),
        (json!({ "defaultRole": "" }), "/defaultRole"),
        (json!({ "ssoRequired": "yes" }), "/ssoRequired"),
        (json!({ "ssoRequired": null }), "/ssoRequired"),
        (json!({ "connection": "https://login.example" }), "/connection"),
        (json!({ "callbackUrl": "https://evil.test" }), "/callbackUrl"),
    ] {
        house.office.replace(&wrong).await.expect_refused(&[field]);
    }
    let demanded = json!({ "ssoRequired": true });
    expect_refused(
        &house.office.replace(&demanded).await,
        "/ssoRequired",
        "connection_missing",
    );
    let demanded = json!({ "ssoRequired": true, "connection": null });
    expect_refused(
        &house.office.replace(&demanded).await,
        "/ssoRequired",
        "connection_missing",
    );
    assert_eq!(house.stage.database.count("sign_on_policies").await, 0);
    for seconds in [900, 2_592_000] {
        house.choose(json!({ "sessionMaxAge": seconds })).await;
        assert_eq!(told(&house).await["sessionMaxAge"], seconds);
    }
}

#[tokio::test]
async fn a_connection_that_cannot_be_one_is_refused() {
    let house = House::unconnected(|_| {}).await;
    let long = format!("https://login.example/{}", "a".repeat(512));
    for issuer in [
        "",
        "login.example",
        "http://login.example",
        "ftp://login.example",
        "javascript:alert(1)",
        "https://",
        "https://user@login.example",
        "https://user:password@login.example",
        "https://login.example?tenant=1",
        "https://login.example/#fragment",
        "https://login.example/?",
        &long,
    ] {
        let body = json!({ "connection": { "issuer": issuer, "clientId": "x" } });
        let refused = house.office.replace(&body).await;
        refused.expect_refused(&["/connection/issuer"]);
        // It was not asked.
        assert_ne!(refused.refused_fields()[0].1, "unreachable", "{issuer}");
    }
    let (issuer, id) = (house.provider.issuer(), house.provider.client_id());
    for (connection, field) in [
        (json!({ "clientId": id }), "/connection/issuer"),
        (json!({ "issuer": issuer }), "/connection/clientId"),
        (json!({ "issuer": issuer, "clientId": "" }), "/connection/clientId"),
        (
            json!({ "issuer": issuer, "clientId": "x".repeat(256) }),
            "/connection/clientId",
        ),
        (json!({ "issuer": issuer, "clientId": null }), "/connection/clientId"),
        (
            json!({ "issuer": issuer, "clientId": id, "clientSecret": "x".repeat(1001) }),
            "/connection/clientSecret",
        ),
        (
            json!({ "issuer": issuer, "clientId": id, "clientSecret": 1 }),
            "/connection/clientSecret",
        ),
        (
            json!({ "issuer": issuer, "clientId": id, "hasClientSecret": true }),
            "/connection/hasClientSecret",
        ),
    ] {
        let refused = house.office.replace(&json!({ "connection": connection })).await;
        refused.expect_refused(&[field]);
    }
    assert_eq!(house.provider.times_asked(Endpoint::Metadata), 0);
    assert_eq!(house.stage.database.count("sign_on_policies").await, 0);
    let longest = json!({ "issuer": issuer, "clientId": id, "clientSecret": "x".repeat(1000) });
    let replaced = house.office.replace(&json!({ "connection": longest })).await;
    replaced.expect(StatusCode::OK);
}

#[tokio::test]
async fn an_admin_may_and_others_may_not() {
    let house = House::new().await;
    let (client, office) = (house.office.client(), &house.office);
    let body = settings(&house.provider, json!({ "ssoRequired": true }));
    for role in ["member", "viewer"] {
        let account = house.stage.newcomer("Mia").await;
        house.join(&account, role).await;
        for (answer, permission) in [
            (account.client.get(&office.sso()).await, "settings:view"),
            (account.client.put(&office.sso(), &body).await, "settings:manage"),
            (account.client.delete(&office.sso()).await, "settings:manage"),
        ] {
            answer.expect_error(StatusCode::FORBIDDEN, "FORBIDDEN");
            assert_eq!(
                answer.json()["error"]["details"],
                json!({ "requiredPermission": permission })
            );
        }
    }
    let admin = house.stage.newcomer("Ada").await;
    house.join(&admin, "admin").await;
    let replaced = admin.client.put(&office.sso(), &body).await;
    replaced.expect(StatusCode::OK);

    house.stage.app.clock.advance(FRESH);
    expect_stale(&client.put(&office.sso(), &body).await);
    expect_stale(&client.delete(&office.sso()).await);
    client.get(&office.sso()).await.expect(StatusCode::OK);
    freshen(client).await;
    client.put(&office.sso(), &body).await.expect(StatusCode::OK);
}

/// Where the provider is told to send browsers back to.
#[tokio::test]
async fn the_callback_that_is_told_is_the_one_that_is_used() {
    let house = House::new().await;
    house.provider.signs_in(&super::ann());
    house
        .browser()
        .walk(&house.office.id, &[("redirectUri", APP)])
        .await
        .code();
    let asked = house.provider.authorization();
    assert_eq!(told(&house).await["callbackUrl"], asked["redirect_uri"].as_str());
    assert_eq!(asked["client_id"], house.provider.client_id());
}

/// A connection is there once its provider has answered.
#[tokio::test]
async fn a_connection_is_asked_for_when_it_is_another() {
    let house = House::new().await;
    let asked = house.provider.times_asked(Endpoint::Metadata);
    assert_eq!(asked, 1);
    house.choose(json!({ "sessionMaxAge": 3600 })).await;
    house.choose(json!({ "defaultRole": "viewer" })).await;
    assert_eq!(house.provider.times_asked(Endpoint::Metadata), asked);
    let other = IdentityProvider::start().await;
    let replaced = house.office.replace(&settings(&other, json!({}))).await;
    replaced.expect(StatusCode::OK);
    assert_eq!(other.times_asked(Endpoint::Metadata), 1);
}

/// Whoever has not seen what holds now has nobody asked.
#[tokio::test]
async fn a_connection_is_not_asked_for_by_whoever_is_late() {
    let house = House::new().await;
    let before = told(&house).await;
    let other = IdentityProvider::start().await;
    let body = settings(&other, json!({}));
    for tag in ["\"0\"", "\"4711\"", "W/\"1\""] {
        let late = house.office.client().with_header("if-match", tag);
        let refused = late.put(&house.office.sso(), &body).await;
        refused.expect_error(StatusCode::PRECONDITION_FAILED, "PRECONDITION_FAILED");
    }
    assert_eq!(other.times_asked(Endpoint::Metadata), 0);
    assert_eq!(told(&house).await, before);
    let in_time = house.office.client().with_header("if-match", "\"1\"");
    let replaced = in_time.put(&house.office.sso(), &body).await;
    replaced.expect(StatusCode::OK);
    assert_eq!(other.times_asked(Endpoint::Metadata), 1);
}
