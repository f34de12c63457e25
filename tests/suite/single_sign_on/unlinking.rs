//! Unlinking what an organization's provider knows somebody by.

use reqwest::StatusCode;
use serde_json::Value;
use tenantry_tests::{
    client::{Account, text},
    identity_provider::{IdentityProvider, Person},
};

use super::{House, ann, refreshed, same_address};
use crate::{
    identities::IDENTITIES,
    mfa::{ME, REFRESH, expect_unauthorized},
    oidc::{WORK, expect_conflict},
};

/// The path of what a provider knows somebody by.
async fn identity(account: &Account, provider: &str) -> String {
    let list = account.client.get(IDENTITIES).await.expect(StatusCode::OK).data();
    let mut of_it = list
        .as_array()
        .unwrap()
        .iter()
        .filter(|identity| identity["provider"] == provider);
    format!("{IDENTITIES}/{}", text(&of_it.next().expect("an identity")["id"]))
}

#[tokio::test]
async fn the_sessions_that_it_opened_end_with_it() {
    let house = House::new().await;
    let account = house.employee("member").await;
    let first = house.link(&account, &same_address(&account)).await;
    let second = house.come_in(&same_address(&account)).await;
    let renewed = refreshed(&house, &second).await;
    let gone = account.client.delete(&identity(&account, &house.office.id).await).await;
    gone.expect(StatusCode::NO_CONTENT);
    for ended in [&first, &second, &renewed] {
        expect_unauthorized(&ended.client.get(ME).await);
    }
    let refresh = serde_json::json!({ "refreshToken": renewed.refresh_token });
    expect_unauthorized(&house.stage.anybody().post(REFRESH, &refresh).await);
    // The one by the password is as good as before.
    account.client.get(ME).await.expect(StatusCode::OK);
    let seen = account.client.get(&house.office.path("")).await;
    seen.expect(StatusCode::OK);
    // Whoever comes with it is asked by a mail again.
    expect_conflict(&house.enter(&same_address(&account)).await, "identity_not_linked");
}

#[tokio::test]
async fn who_has_nothing_else_keeps_it() {
    let house = House::new().await;
    let account = house.come_in(&ann()).await;
    let path = identity(&account, &house.office.id).await;
    expect_conflict(&account.client.delete(&path).await, "last_sign_in_method");
    account.client.get(&path).await.expect(StatusCode::OK);
    account.client.get(ME).await.expect(StatusCode::OK);
    house.come_in(&ann()).await;
}

/// The organization takes it away whenever it likes.
#[tokio::test]
async fn it_is_no_way_in_beside_which_another_could_go() {
    let work = IdentityProvider::start().await;
    let house = House::with(|options| options.identity_providers = work.configured(WORK)).await;
    work.follow(&house.stage.app.clock);
    let account = house.come_in(&ann()).await;
    house
        .link_at_work(&work, &account, &Person::new("1", "ann@example.com"))
        .await;
    let at_work = identity(&account, WORK).await;
    expect_conflict(&account.client.delete(&at_work).await, "last_sign_in_method");
    // The other way round it is one.
    let of_connection = identity(&account, &house.office.id).await;
    let by_work = house.account_of(&house.enter_at_work(&work, &Person::new("1", "ann@example.com")).await);
    assert_eq!(by_work.user_id, account.user_id);
    let gone = by_work.client.delete(&of_connection).await;
    gone.expect(StatusCode::NO_CONTENT);
    expect_unauthorized(&account.client.get(ME).await);
    expect_conflict(&by_work.client.delete(&at_work).await, "last_sign_in_method");
}

#[tokio::test]
async fn a_membership_stays_when_the_identity_goes() {
    let house = House::new().await;
    let account = house.employee("viewer").await;
    house.link(&account, &same_address(&account)).await;
    let path = identity(&account, &house.office.id).await;
    account.client.delete(&path).await.expect(StatusCode::NO_CONTENT);
    assert_eq!(account.client.get(IDENTITIES).await.data(), Value::Array(Vec::new()));
    assert_eq!(house.stage.database.count("members").await, 2);
    assert_eq!(house.stage.events("identity.unlinked").await, 1);
}
