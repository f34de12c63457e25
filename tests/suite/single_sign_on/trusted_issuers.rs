//! Tokens of an issuer that the operator trusts, where an organization demands its own connection.

use reqwest::StatusCode;
use serde_json::json;
use tenantry_tests::{
    client::{Account, Answer},
    identity_provider::Person,
    token_issuer::TokenIssuer,
};

use super::{House, expect_demanded};
use crate::{mfa::ME, oidc::CONFIRM};

const BYPASSED: &str = "sign_on.bypassed";

/// A house whose people may come with the tokens of an issuer, too.
async fn bordered() -> (House, TokenIssuer) {
    let issuer = TokenIssuer::start().await;
    let trusted = issuer.settings("cloud");
    let house = House::with(|options| options.trusted_issuers.push(trusted)).await;
    issuer.follow(&house.stage.app.clock);
    (house, issuer)
}

/// Whom the issuer knows by the address of an account, in a session of its.
fn known(account: &Account, session: &str) -> Person {
    Person::new(&account.user_id, &account.email).with("sid", session)
}

/// What somebody is told who shows a token.
async fn show(house: &House, token: &str, path: &str) -> Answer {
    house.stage.anybody().with_token(token).get(path).await
}

/// A member whom the issuer knows, and who has not come with a token of its yet.
async fn linked(house: &House, issuer: &TokenIssuer, role: &str) -> Account {
    let account = house.employee(role).await;
    let refused = show(house, &issuer.token(&known(&account, "first")), ME).await;
    refused.expect(StatusCode::UNAUTHORIZED);
    let token = house.confirmation(&account.email).await;
    let confirmed = house.stage.anybody().post(CONFIRM, &json!({ "token": token })).await;
    confirmed.expect(StatusCode::OK);
    account
}

#[tokio::test]
async fn a_token_opens_no_session_for_a_member() {
    let (house, issuer) = bordered().await;
    let account = linked(&house, &issuer, "member").await;
    let earlier = issuer.token(&known(&account, "earlier"));
    show(&house, &earlier, ME).await.expect(StatusCode::OK);
    let seen = show(&house, &earlier, &house.office.path("")).await;
    seen.expect(StatusCode::OK);

    house.demand().await;
    let before = house.stage.sessions(&account).await;
    let later = issuer.token(&known(&account, "later"));
    for path in [ME, &house.office.path("")] {
        expect_demanded(&show(&house, &later, path).await, &house.office);
    }
    assert_eq!(house.stage.sessions(&account).await, before);
    // The one from before is outside.
    show(&house, &earlier, ME).await.expect(StatusCode::OK);
    expect_demanded(&show(&house, &earlier, &house.office.path("")).await, &house.office);
    assert_eq!(house.events_of(BYPASSED, &account).await, 0);

    house.choose(json!({})).await;
    show(&house, &later, ME).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn an_owner_comes_with_a_token_and_it_is_written_down() {
    let (house, issuer) = bordered().await;
    let owner = linked(&house, &issuer, "owner").await;
    house.demand().await;
    let token = issuer.token(&known(&owner, "first"));
    show(&house, &token, ME).await.expect(StatusCode::OK);
    assert_eq!(house.events_of(BYPASSED, &owner).await, 1);
    // It is the session that is written down, not each of its requests.
    let seen = show(&house, &token, &house.office.path("")).await;
    seen.expect(StatusCode::OK);
    assert_eq!(house.events_of(BYPASSED, &owner).await, 1);
    let other = issuer.token(&known(&owner, "second"));
    show(&house, &other, ME).await.expect(StatusCode::OK);
    assert_eq!(house.events_of(BYPASSED, &owner).await, 2);
}
