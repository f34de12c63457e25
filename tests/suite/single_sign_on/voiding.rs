//! What was vouched for through a connection counts for that very one: another, though it be the same again, knows nobody yet.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::{
    client::Account,
    identity_provider::{IdentityProvider, Person},
};

use super::{House, ann, by_password, expect_demanded, same_address, settings};
use crate::{
    mfa::{ME, OTHER, RESET, expect_mfa_required, expect_unauthorized},
    oidc::{CONFIRM, expect_conflict},
};

/// For how long an identity is doubted that anybody may have linked.
const WEEK: TimeDelta = TimeDelta::days(7);

/// The same connection under another name of ours, and this besides.
fn of_another_client(house: &House, besides: Value) -> Value {
    let mut settings = settings(&house.provider, besides);
    settings["connection"]["clientId"] = json!("another");
    settings
}

async fn replace(house: &House, settings: &Value) {
    house.office.replace(settings).await.expect(StatusCode::OK);
}

async fn delete(house: &House) {
    let reset = house.office.client().delete(&house.office.sso()).await;
    reset.expect(StatusCode::NO_CONTENT);
}

/// Panics where somebody gets in whom the connection does not know yet, or is not asked by a mail.
async fn expect_asked(house: &House, account: &Account, person: &Person) {
    let (stored, mails) = (house.stored().await, house.stage.mails_to(account).await);
    expect_conflict(&house.enter(person).await, "identity_not_linked");
    assert_eq!(house.stored().await, stored);
    assert_eq!(house.stage.mails_to(account).await, mails + 1);
}

async fn expect_inside(house: &House, account: &Account) {
    let seen = account.client.get(&house.office.path("")).await;
    seen.expect(StatusCode::OK);
}

/// Panics where a session is let into the organization, which demands another.
async fn expect_outside(house: &House, account: &Account) {
    for below in ["", "/context", "/members"] {
        expect_demanded(&account.client.get(&house.office.path(below)).await, &house.office);
    }
    account.client.get(ME).await.expect(StatusCode::OK);
}

/// Panics where it counts for anything that a session was opened through a connection before this one, which is demanded.
async fn expect_void(house: &House, account: &Account) {
    expect_outside(house, account).await;
    expect_asked(house, account, &ann()).await;
    let linked = house.link(account, &ann()).await;
    expect_inside(house, &linked).await;
    // The session from before goes with the identity that opened it, which gave way.
    account.client.get(ME).await.expect(StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn another_issuer_and_back_voids_all_of_them() {
    let house = House::new().await;
    let account = house.come_in(&ann()).await;
    house.demand().await;
    expect_inside(&house, &account).await;
    let code = house.code(&ann()).await;
    let other = IdentityProvider::start().await;
    replace(&house, &settings(&other, json!({ "ssoRequired": true }))).await;
    expect_outside(&house, &account).await;
    house.demand().await;
    // Nor does a code that was given before.
    expect_unauthorized(&house.exchange(&code).await);
    expect_void(&house, &account).await;
}

#[tokio::test]
async fn another_client_and_back_voids_all_of_them() {
    let house = House::new().await;
    let account = house.come_in(&ann()).await;
    house.demand().await;
    replace(&house, &of_another_client(&house, json!({ "ssoRequired": true }))).await;
    expect_outside(&house, &account).await;
    house.demand().await;
    expect_void(&house, &account).await;
}

#[tokio::test]
async fn a_connection_that_is_made_again_is_another() {
    let house = House::new().await;
    let account = house.come_in(&ann()).await;
    house.demand().await;
    delete(&house).await;
    // Nothing is demanded, and so nothing is missing.
    expect_inside(&house, &account).await;
    house.demand().await;
    expect_void(&house, &account).await;

    // It is the same where it is taken away alone.
    let again = house.come_in(&ann()).await;
    replace(&house, &json!({ "mfa": "admins" })).await;
    house.demand().await;
    expect_void(&house, &again).await;
}

/// Whoever is asked by a mail of before links what counts no more.
#[tokio::test]
async fn a_mail_of_before_leads_nowhere() {
    let house = House::new().await;
    let account = house.employee("member").await;
    let person = same_address(&account);
    expect_conflict(&house.enter(&person).await, "identity_not_linked");
    let token = house.confirmation(&account.email).await;
    replace(&house, &of_another_client(&house, json!({}))).await;
    house.choose(json!({})).await;
    // Whether or not it is linked, nobody signs in by it.
    let confirm = json!({ "token": token });
    house.stage.anybody().post(CONFIRM, &confirm).await;
    expect_asked(&house, &account, &person).await;
}

#[tokio::test]
async fn a_second_step_ends_with_the_connection_of_the_first() {
    let house = House::new().await;
    let account = house.employee("member").await;
    house.link(&account, &same_address(&account)).await;
    let person = house.stage.equipped(account).await;
    let token = expect_mfa_required(&house.enter(&same_address(&person.account)).await);
    replace(&house, &of_another_client(&house, json!({}))).await;
    house.choose(json!({})).await;
    let before = house.stored().await;
    let code = house.stage.next_code(&person);
    expect_unauthorized(&house.stage.verify(&token, &code).await);
    assert_eq!(house.stored().await, before);
}

#[tokio::test]
async fn all_else_that_changes_keeps_them() {
    let house = House::new().await;
    let account = house.come_in(&ann()).await;
    let again = async || {
        house.demand().await;
        expect_inside(&house, &account).await;
        assert_eq!(house.come_in(&ann()).await.user_id, account.user_id);
    };
    for besides in [
        json!({ "mfa": "everyone" }),
        json!({ "defaultRole": "viewer" }),
        json!({ "defaultRole": null }),
        json!({ "sessionMaxAge": 86_400 }),
        json!({}),
    ] {
        house.choose(besides).await;
        again().await;
    }
    for secret in [json!("another secret"), Value::Null] {
        let mut settings = settings(&house.provider, json!({}));
        settings["connection"]["clientSecret"] = secret;
        replace(&house, &settings).await;
        again().await;
    }
    assert_eq!(house.stage.database.count("identities").await, 1);
}

/// Whoever administers the organization may have had themselves linked: who proves by a mail who they are has the account alone.
#[tokio::test]
async fn a_reset_takes_them_however_old_they_are() {
    let house = House::new().await;
    let account = house.employee("member").await;
    // After the address was proven, and long before the password is another.
    house.stage.app.clock.advance(TimeDelta::hours(1));
    house.link(&account, &same_address(&account)).await;
    house.stage.app.clock.advance(WEEK * 2);
    let signed_in = house.come_in(&same_address(&account)).await;
    assert_eq!(signed_in.user_id, account.user_id);
    let token = house.stage.forgotten(&account).await;
    let body = json!({ "token": token, "password": OTHER });
    let reset = house.stage.anybody().post(RESET, &body).await;
    reset.expect(StatusCode::OK);
    assert_eq!(house.stage.database.count("identities").await, 0);
    assert_eq!(house.stage.events("identity.unlinked").await, 1);
    expect_unauthorized(&signed_in.client.get(ME).await);
    expect_unauthorized(&by_password(&house, &account).await);
    expect_asked(&house, &account, &same_address(&account)).await;
    house.link(&account, &same_address(&account)).await;
}
