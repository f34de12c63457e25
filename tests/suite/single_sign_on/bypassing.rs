//! Owners, who come in otherwise when the connection fails; the organization's log tells of it.

use reqwest::StatusCode;
use serde_json::json;
use tenantry_tests::client::{Account, text};

use super::{House, by_password, refreshed, same_address};
use crate::{
    email_change::{enter_by, phone_of},
    mfa::expect_session,
};

const BYPASSED: &str = "sign_on.bypassed";

/// The id of the session that an account calls with.
async fn session(account: &Account) -> String {
    let sessions = account.client.get("/api/v1/auth/sessions").await.data();
    let mut current = sessions
        .as_array()
        .unwrap()
        .iter()
        .filter(|session| session["current"] == true);
    text(&current.next().expect("a current session")["id"])
}

#[tokio::test]
async fn an_owner_comes_in_by_the_password_and_it_is_written_down() {
    let house = House::new().await;
    let owner = house.employee("owner").await;
    house.demand().await;
    assert_eq!(house.events_of(BYPASSED, &owner).await, 0);
    let signed_in = house.account_of(&by_password(&house, &owner).await);
    assert_eq!(house.events_of(BYPASSED, &owner).await, 1);
    let told = format!(
        "events where type = '{BYPASSED}' and concat(resource_id, after) like '%{}%'",
        session(&signed_in).await
    );
    assert_eq!(house.stage.database.count(&told).await, 1);
    // They mend what is broken.
    let path = house.office.path("");
    signed_in.client.get(&path).await.expect(StatusCode::OK);
    let renewed = refreshed(&house, &signed_in).await;
    assert_eq!(house.events_of(BYPASSED, &owner).await, 1);
    let mended = renewed.client.delete(&house.office.sso()).await;
    mended.expect(StatusCode::NO_CONTENT);
    expect_session(&by_password(&house, &owner).await);
    assert_eq!(house.events_of(BYPASSED, &owner).await, 1);
}

#[tokio::test]
async fn every_other_way_of_theirs_is_written_down() {
    let house = House::new().await;
    let owner = house.employee("owner").await;
    let mut phone = phone_of(&owner.client).await;
    house.demand().await;
    expect_session(&enter_by(&mut phone, &house.stage.anybody()).await);
    assert_eq!(house.events_of(BYPASSED, &owner).await, 1);

    let person = house.stage.equipped(house.employee("owner").await).await;
    let token = house.stage.mfa_token(&person).await;
    let code = house.stage.next_code(&person);
    // The first step alone opens nothing.
    assert_eq!(house.events_of(BYPASSED, &person.account).await, 0);
    expect_session(&house.stage.verify(&token, &code).await);
    assert_eq!(house.events_of(BYPASSED, &person.account).await, 1);
}

#[tokio::test]
async fn who_bypasses_nothing_is_not_written_down() {
    let house = House::new().await;
    let owner = house.employee("owner").await;
    house.link(&owner, &same_address(&owner)).await;
    expect_session(&by_password(&house, &owner).await);
    house.demand().await;
    // Through the connection, as it is meant; and the founder, whose address is of another domain.
    house.come_in(&same_address(&owner)).await;
    expect_session(&by_password(&house, &house.office.owner).await);
    let wrong = json!({ "email": owner.email, "password": "no password of theirs" });
    let refused = house.stage.anybody().post("/api/v1/auth/login", &wrong).await;
    refused.expect(StatusCode::UNAUTHORIZED);
    let events = format!("events where type = '{BYPASSED}'");
    assert_eq!(house.stage.database.count(&events).await, 0);
}

/// Who is an owner no more is one of those of whom it is demanded.
#[tokio::test]
async fn it_is_for_owners_alone() {
    let house = House::new().await;
    let account = house.somebody_of(super::DOMAIN).await;
    let member = house.join(&account, "owner").await;
    house.demand().await;
    let signed_in = house.account_of(&by_password(&house, &account).await);
    let demoted = house
        .office
        .client()
        .put(&format!("{member}/role"), &json!({ "role": "admin" }))
        .await;
    demoted.expect(StatusCode::OK);
    super::expect_demanded(&by_password(&house, &account).await, &house.office);
    let seen = signed_in.client.get(&house.office.path("")).await;
    super::expect_demanded(&seen, &house.office);
    assert_eq!(house.events_of(BYPASSED, &account).await, 1);
}
