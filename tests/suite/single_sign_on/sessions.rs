//! Which sessions are let into an organization that demands its own connection.

use reqwest::{Method, StatusCode};
use serde_json::json;
use tenantry_tests::client::Account;

use super::{DOMAIN, House, MY_ORGANIZATIONS, ORGANIZATIONS, by_password, expect_demanded, refreshed, same_address};
use crate::{
    identities::IDENTITIES,
    mfa::{ME, freshen},
    world::new_id,
};

/// Panics where somebody is told anything of the organization, or kept from what is their own.
async fn expect_outside(house: &House, account: &Account) {
    let (client, office, unknown) = (&account.client, &house.office, new_id());
    for (method, below) in [
        (Method::GET, String::new()),
        (Method::GET, "/context".to_owned()),
        (Method::GET, "/members".to_owned()),
        (Method::GET, "/projects".to_owned()),
        (Method::GET, format!("/projects/{unknown}")),
        (Method::GET, "/sso".to_owned()),
        (Method::GET, "/domains".to_owned()),
        (Method::PATCH, String::new()),
        (Method::POST, "/workspaces".to_owned()),
        (Method::POST, "/domains".to_owned()),
        (Method::PUT, "/sso".to_owned()),
        (Method::DELETE, "/sso".to_owned()),
        (Method::DELETE, format!("/members/{unknown}")),
    ] {
        let mut request = client.request(method.clone(), &office.path(&below));
        if method != Method::GET {
            request = request.json(&json!({ "nobody": "knows" }));
        }
        expect_demanded(&client.send(request).await, office);
    }
    for path in [ME, MY_ORGANIZATIONS, ORGANIZATIONS, IDENTITIES, "/api/v1/auth/sessions"] {
        client.get(path).await.expect(StatusCode::OK);
    }
}

#[tokio::test]
async fn a_session_from_before_is_outside() {
    let house = House::new().await;
    let member = house.employee("member").await;
    let admin = house.employee("admin").await;
    for account in [&member, &admin] {
        let seen = account.client.get(&house.office.path("")).await;
        seen.expect(StatusCode::OK);
    }
    house.demand().await;
    for account in [&member, &admin] {
        expect_outside(&house, account).await;
        // It goes on, and stays outside; and the password proves nothing that matters here.
        let renewed = refreshed(&house, account).await;
        expect_outside(&house, &renewed).await;
        freshen(&renewed.client).await;
        expect_outside(&house, &renewed).await;
    }
    let renamed = member.client.patch(ME, &json!({ "name": "Ann Other" })).await;
    renamed.expect(StatusCode::OK);
    house.choose(json!({})).await;
    let seen = admin.client.get(&house.office.path("")).await;
    seen.expect(StatusCode::OK);
}

#[tokio::test]
async fn a_session_through_the_connection_is_inside() {
    let house = House::new().await;
    let account = house.employee("member").await;
    let linked = house.link(&account, &same_address(&account)).await;
    house.demand().await;
    let signed_in = house.come_in(&same_address(&account)).await;
    let workspace = house.office.owner.default_workspace(&house.office.id).await;
    // Also one from before, and each by its next tokens.
    for inside in [
        refreshed(&house, &linked).await,
        linked,
        refreshed(&house, &signed_in).await,
        signed_in,
    ] {
        for below in ["", "/context", "/members", "/projects"] {
            let seen = inside.client.get(&house.office.path(below)).await;
            seen.expect(StatusCode::OK);
        }
        inside
            .create_project(&house.office.id, &workspace, &json!({ "name": "Website" }))
            .await;
    }
    // It is the session that counts, not the person.
    expect_outside(&house, &account).await;
    expect_demanded(&by_password(&house, &account).await, &house.office);
}

#[tokio::test]
async fn somebody_new_is_inside_at_once() {
    let house = House::new().await;
    house.demand().await;
    let account = house.come_in(&super::ann()).await;
    let seen = account.client.get(&house.office.path("")).await;
    seen.expect(StatusCode::OK);
}

#[tokio::test]
async fn everybody_may_leave() {
    let house = House::new().await;
    let account = house.somebody_of(DOMAIN).await;
    let membership = house.join(&account, "member").await;
    house.demand().await;
    expect_outside(&house, &account).await;
    let left = account.client.delete(&membership).await;
    left.expect(StatusCode::NO_CONTENT);
    super::expect_unknown(&account.client.get(&house.office.path("")).await);
    assert_eq!(house.events_of("member.left", &account).await, 1);
}

#[tokio::test]
async fn other_organizations_let_the_same_session_in() {
    let house = House::new().await;
    let account = house.employee("member").await;
    let founded = account.client.post(ORGANIZATIONS, &json!({ "name": "Globex" })).await;
    let founded = founded.expect(StatusCode::CREATED).data();
    house.demand().await;
    expect_outside(&house, &account).await;
    let own = format!("{ORGANIZATIONS}/{}", founded["id"].as_str().unwrap());
    account.client.get(&own).await.expect(StatusCode::OK);
    let renamed = account.client.patch(&own, &json!({ "name": "Globex Ltd" })).await;
    renamed.expect(StatusCode::OK);
}

#[tokio::test]
async fn others_are_told_nothing_of_it() {
    let house = House::new().await;
    house.demand().await;
    let stranger = house.somebody_of(DOMAIN).await;
    let path = house.office.path("");
    super::expect_unknown(&stranger.client.get(&path).await);
    let anybody = house.stage.anybody().get(&path).await;
    anybody.expect_error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED");
    let member = house.employee("member").await;
    house.set_status("suspended").await;
    let suspended = member.client.get(&path).await;
    suspended.expect_error(StatusCode::FORBIDDEN, "TENANT_SUSPENDED");
}

/// Whoever signed in through the provider of before did not sign in through this one.
#[tokio::test]
async fn another_connection_lets_no_session_in_from_before() {
    let house = House::new().await;
    let account = house.come_in(&super::ann()).await;
    let successor = tenantry_tests::identity_provider::IdentityProvider::start().await;
    let demanded = super::settings(&successor, json!({ "ssoRequired": true }));
    let replaced = house.office.replace(&demanded).await;
    replaced.expect(StatusCode::OK);
    expect_outside(&house, &account).await;
    // Nor where it is what it was before.
    house.demand().await;
    expect_outside(&house, &account).await;
    let linked = house.link(&account, &super::ann()).await;
    let seen = linked.client.get(&house.office.path("")).await;
    seen.expect(StatusCode::OK);
    // The one from before goes with the identity that opened it, which gave way.
    account.client.get(ME).await.expect(StatusCode::UNAUTHORIZED);
}
