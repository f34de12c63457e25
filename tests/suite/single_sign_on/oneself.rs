//! Linking what an organization's provider knows one by to one's own account, while one is signed in.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::{
    client::{Account, Answer},
    identity_provider::{IdentityProvider, Person, Pkce},
};

use super::{DOMAIN, House, same_address, settings};
use crate::{
    identities::IDENTITIES,
    oidc::{APP, expect_conflict, with_verifier},
};

/// The body that links somebody whom the organization's provider vouches for.
async fn vouched_for(house: &House, person: &Person) -> Value {
    house.provider.signs_in(person);
    let pkce = Pkce::new();
    let query = [("redirectUri", APP), ("codeChallenge", pkce.challenge.as_str())];
    let code = house.browser().walk(&house.office.id, &query).await.code();
    with_verifier(&code, &pkce)
}

async fn link(house: &House, account: &Account, body: &Value) -> Answer {
    let path = format!("{IDENTITIES}/{}", house.office.id);
    account.client.post(&path, body).await
}

/// Panics where a code was not found wrong, or the caller is told that they are not signed in.
#[track_caller]
fn expect_incorrect(answer: &Answer) {
    answer.expect_error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    assert_eq!(
        answer.refused_fields(),
        [("/code".to_owned(), "incorrect".to_owned())],
        "{}",
        answer.text
    );
    assert_eq!(answer.header("www-authenticate"), None);
}

#[tokio::test]
async fn whoever_has_an_address_of_the_organization_links() {
    let house = House::new().await;
    let account = house.somebody_of(DOMAIN).await;
    // What they are called there is no matter.
    let person = Person::new("4711", "ann@corp.example");
    let linked = link(&house, &account, &vouched_for(&house, &person).await).await;
    let identity = linked.expect(StatusCode::CREATED).data();
    assert_eq!(identity["provider"], house.office.id.as_str());
    let path = linked.header("location").unwrap();
    assert_eq!(account.client.get(path).await.expect(StatusCode::OK).data(), identity);
    assert_eq!(house.stage.events("identity.linked").await, 1);
    // They become a member by the first use.
    super::expect_unknown(&account.client.get(&house.office.path("")).await);
    let signed_in = house.come_in(&person).await;
    assert_eq!(signed_in.user_id, account.user_id);
    let seen = signed_in.client.get(&house.office.path("")).await;
    seen.expect(StatusCode::OK);
}

#[tokio::test]
async fn whoever_has_another_address_does_not() {
    let house = House::new().await;
    let elsewhere = house.stage.newcomer("Carl").await;
    house.join(&elsewhere, "member").await;
    let below = house.somebody_of("www.corp.example").await;
    for account in [&elsewhere, &below, &house.office.owner] {
        let body = vouched_for(&house, &super::ann()).await;
        expect_conflict(&link(&house, account, &body).await, "email_not_in_domain");
        let list = account.client.get(IDENTITIES).await;
        assert_eq!(list.expect(StatusCode::OK).data(), Value::Array(Vec::new()));
    }
    assert_eq!(house.stage.database.count("identities").await, 0);
}

/// The access token is as good as before: no client is told to renew it.
#[tokio::test]
async fn a_code_of_a_connection_that_was_replaced_is_incorrect() {
    let house = House::new().await;
    let account = house.somebody_of(DOMAIN).await;
    let body = vouched_for(&house, &same_address(&account)).await;
    let other = IdentityProvider::start().await;
    let replaced = house.office.replace(&settings(&other, json!({}))).await;
    replaced.expect(StatusCode::OK);
    expect_incorrect(&link(&house, &account, &body).await);
    house.choose(json!({})).await;
    expect_incorrect(&link(&house, &account, &body).await);
    assert_eq!(house.stage.database.count("identities").await, 0);
    let body = vouched_for(&house, &same_address(&account)).await;
    let linked = link(&house, &account, &body).await;
    linked.expect(StatusCode::CREATED);
    // It is good once.
    expect_incorrect(&link(&house, &account, &body).await);
}
