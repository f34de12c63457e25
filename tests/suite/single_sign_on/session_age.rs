//! How old a sign-in may be in an organization.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::json;
use tenantry_tests::client::{Account, Answer};

use super::{DOMAIN, House, ann, by_password, refreshed, same_address};
use crate::mfa::{ME, OTHER, expect_unauthorized, freshen, reauthenticate};

const HOUR: u32 = 3600;

/// Panics where an answer does not say how old a sign-in may be.
#[track_caller]
fn expect_too_old(answer: &Answer) {
    answer.expect_error(StatusCode::FORBIDDEN, "REAUTHENTICATION_REQUIRED");
    assert_eq!(
        answer.json()["error"]["details"],
        json!({ "maxAgeSeconds": HOUR }),
        "{}",
        answer.text
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

/// A house where a sign-in is good for an hour.
async fn forgetful() -> House {
    let house = House::new().await;
    house.choose(json!({ "sessionMaxAge": HOUR })).await;
    house
}

/// Lets time pass, and gives the account by its next tokens.
async fn later(house: &House, account: &Account, by: TimeDelta) -> Account {
    house.stage.app.clock.advance(by);
    refreshed(house, account).await
}

#[tokio::test]
async fn a_sign_in_is_good_for_as_long_as_was_chosen() {
    let house = forgetful().await;
    let member = house.stage.newcomer("Mia").await;
    house.join(&member, "member").await;
    let path = house.office.path("");
    let almost = TimeDelta::seconds(i64::from(HOUR) - 1);
    let member = later(&house, &member, almost).await;
    member.client.get(&path).await.expect(StatusCode::OK);
    let newer = house.account_of(&by_password(&house, &member).await);
    house.stage.app.clock.advance(TimeDelta::seconds(1));
    for below in ["", "/context", "/members", "/projects"] {
        expect_too_old(&member.client.get(&house.office.path(below)).await);
    }
    let settings = json!({ "settings": { "theme": "dark" } });
    expect_too_old(&member.client.patch(&path, &settings).await);
    // Each session for itself, and what is one's own goes on.
    newer.client.get(&path).await.expect(StatusCode::OK);
    member.client.get(ME).await.expect(StatusCode::OK);

    // Who proves once more who they are is let in for as long again.
    let wrong = json!({ "password": OTHER });
    expect_unauthorized(&reauthenticate(&member.client, &wrong).await);
    expect_too_old(&member.client.get(&path).await);
    freshen(&member.client).await;
    member.client.get(&path).await.expect(StatusCode::OK);
    let member = later(&house, &member, almost).await;
    member.client.get(&path).await.expect(StatusCode::OK);
    house.stage.app.clock.advance(TimeDelta::seconds(1));
    expect_too_old(&member.client.get(&path).await);
}

#[tokio::test]
async fn it_holds_for_all_and_however_they_signed_in() {
    let house = forgetful().await;
    let by_connection = house.come_in(&ann()).await;
    let admin = house.employee("admin").await;
    let path = house.office.path("");
    house.stage.app.clock.advance(TimeDelta::seconds(HOUR.into()));
    for account in [&by_connection, &admin, &house.office.owner] {
        let account = refreshed(&house, account).await;
        expect_too_old(&account.client.get(&path).await);
        account.client.get(ME).await.expect(StatusCode::OK);
    }
    // Another sign-in is a new one.
    let again = house.come_in(&ann()).await;
    again.client.get(&path).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn everybody_may_leave_however_long_ago_they_signed_in() {
    let house = forgetful().await;
    let member = house.somebody_of(DOMAIN).await;
    let membership = house.join(&member, "member").await;
    let member = later(&house, &member, TimeDelta::seconds(HOUR.into())).await;
    expect_too_old(&member.client.get(&membership).await);
    let left = member.client.delete(&membership).await;
    left.expect(StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn it_holds_from_the_moment_on_that_it_is_chosen_and_as_long_as_it_is() {
    let house = House::new().await;
    let member = house.employee("member").await;
    let member = later(&house, &member, TimeDelta::seconds(HOUR.into())).await;
    let path = house.office.path("");
    member.client.get(&path).await.expect(StatusCode::OK);
    let owner = house.account_of(&by_password(&house, &house.office.owner).await);
    let chosen = super::settings(&house.provider, json!({ "sessionMaxAge": HOUR }));
    let chosen = owner.client.put(&house.office.sso(), &chosen).await;
    chosen.expect(StatusCode::OK);
    expect_too_old(&member.client.get(&path).await);
    let longer = super::settings(&house.provider, json!({ "sessionMaxAge": 2 * HOUR }));
    let longer = owner.client.put(&house.office.sso(), &longer).await;
    longer.expect(StatusCode::OK);
    member.client.get(&path).await.expect(StatusCode::OK);
}

/// What is proven to us proves nothing to the organization, which has its own provider for that.
#[tokio::test]
async fn what_the_connection_is_demanded_for_no_password_prolongs() {
    let house = House::new().await;
    let account = house.employee("member").await;
    let linked = house.link(&account, &same_address(&account)).await;
    let owner = house.employee("owner").await;
    house
        .choose(json!({ "ssoRequired": true, "sessionMaxAge": HOUR }))
        .await;
    let path = house.office.path("");
    let almost = TimeDelta::seconds(i64::from(HOUR) - 1);
    house.stage.app.clock.advance(almost);
    let (linked, owner) = (refreshed(&house, &linked).await, refreshed(&house, &owner).await);
    freshen(&linked.client).await;
    linked.client.get(&path).await.expect(StatusCode::OK);
    house.stage.app.clock.advance(TimeDelta::seconds(1));
    for client in [&linked.client, &owner.client] {
        expect_too_old(&client.get(&path).await);
        freshen(client).await;
    }
    expect_too_old(&linked.client.get(&path).await);
    // Owners are not held to the provider, and prove here who they are.
    owner.client.get(&path).await.expect(StatusCode::OK);
    let again = house.come_in(&same_address(&account)).await;
    again.client.get(&path).await.expect(StatusCode::OK);
    expect_too_old(&linked.client.get(&path).await);
}
