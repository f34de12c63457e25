//! Accounts and memberships of people whom an organization's provider vouches for, and who have none yet.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry::configuration::Registration;
use tenantry_tests::{
    app::{Options, TestApp},
    client::{Account, text},
    identity_provider::{Browser, Person},
};

use super::{House, MY_ORGANIZATIONS, ann, bob, expect_unknown};
use crate::{
    domains,
    identities::IDENTITIES,
    mfa::ME,
    oidc::{APP, EXCHANGE, expect_conflict},
};

/// What somebody is in the organization, as they are told it.
async fn role_of(house: &House, account: &Account) -> Value {
    let context = account.client.get(&house.office.path("/context")).await;
    context.expect(StatusCode::OK).data()["role"]["key"].clone()
}

#[tokio::test]
async fn somebody_new_becomes_a_member() {
    let house = House::new().await;
    let account = house.come_in(&ann()).await;
    let me = account.client.get(ME).await.data();
    assert_eq!(
        (&me["email"], &me["emailVerified"], &me["name"]),
        (&json!("ann@corp.example"), &json!(true), &json!("Ann Lee"))
    );
    assert_eq!(role_of(&house, &account).await, "member");
    let identities = account.client.get(IDENTITIES).await.data();
    assert_eq!(identities.as_array().unwrap().len(), 1);
    assert_eq!(identities[0]["provider"], house.office.id.as_str());
    assert_eq!(house.stored().await, [2, 2, 1, 2]);
    assert_eq!(house.events_of("member.joined", &account).await, 1);
    assert_eq!(house.stage.database.count("credentials").await, 1);
    assert_eq!(house.provider.complaints(), [] as [String; 0]);
    // As any member does.
    let workspace = account.default_workspace(&house.office.id).await;
    account
        .create_project(&house.office.id, &workspace, &json!({ "name": "Website" }))
        .await;
}

#[tokio::test]
async fn somebody_new_becomes_what_the_organization_chose() {
    let house = House::new().await;
    house.choose(json!({ "defaultRole": "viewer" })).await;
    let account = house.come_in(&ann()).await;
    assert_eq!(role_of(&house, &account).await, "viewer");
    // Who is there already stays what they are.
    house.choose(json!({ "defaultRole": "member" })).await;
    let again = house.come_in(&ann()).await;
    assert_eq!(role_of(&house, &again).await, "viewer");
    assert_eq!(role_of(&house, &house.come_in(&bob()).await).await, "member");
}

#[tokio::test]
async fn somebody_known_comes_back_to_the_same_account() {
    let house = House::new().await;
    let first = house.come_in(&ann()).await;
    let married = ann()
        .with("email", "ann.miller@corp.example")
        .with("name", "Ann Miller");
    let second = house.come_in(&married).await;
    assert_eq!(second.user_id, first.user_id);
    assert_eq!(second.email, "ann@corp.example");
    assert_eq!(house.stored().await, [2, 2, 1, 3]);
    // Another subject is somebody else, though the address is of the domain.
    let other = house.come_in(&bob()).await;
    assert_ne!(other.user_id, first.user_id);
}

/// The organization says who has which of its addresses.
#[tokio::test]
async fn an_address_of_which_the_provider_says_nothing_is_the_organizations() {
    let house = House::new().await;
    let silent = ann().without("email_verified").with("email", "Ann@CORP.Example");
    let account = house.come_in(&silent).await;
    assert_eq!(account.client.get(ME).await.data()["emailVerified"], true);
}

#[tokio::test]
async fn a_server_on_which_nobody_registers_takes_the_organizations_people() {
    let house = House::new().await;
    let options = Options {
        registration: Registration::Private,
        dns_servers: vec![house.dns.address()],
        redirect_uris: vec![APP.to_owned()],
        ..Options::default()
    };
    let closed = TestApp::with(&house.stage.database, options).await;
    closed.clock.stop();
    closed
        .clock
        .advance(house.stage.now() - closed.clock.environment().now());
    let enter = async |person: &Person| {
        house.provider.signs_in(person);
        let query = [("redirectUri", APP)];
        let code = Browser::new(&closed).walk(&house.office.id, &query).await.code();
        closed.client().post(EXCHANGE, &json!({ "code": code })).await
    };
    let account = house.account_of(&enter(&ann()).await);
    assert_eq!(role_of(&house, &account).await, "member");
    // Of anybody else there is none made there.
    let stranger = Person::new("1", "stranger@example.com");
    expect_conflict(&enter(&stranger).await, "email_not_in_domain");
    assert_eq!(house.stage.database.count("users").await, 2);
}

#[tokio::test]
async fn without_a_role_for_them_nobody_comes_in() {
    let house = House::new().await;
    house.choose(json!({ "defaultRole": null })).await;
    let before = house.stored().await;
    expect_conflict(&house.enter(&ann()).await, "identity_not_linked");
    assert_eq!(house.stored().await, before);
    // Who has an account may link it, and is no member for that.
    let account = house.somebody_of(super::DOMAIN).await;
    let linked = house.link(&account, &super::same_address(&account)).await;
    expect_unknown(&linked.client.get(&house.office.path("")).await);
    assert_eq!(house.stage.database.count("members").await, 1);
    // A membership comes with the first use of an identity, and that has been.
    house.choose(json!({})).await;
    let again = house.come_in(&super::same_address(&account)).await;
    expect_unknown(&again.client.get(&house.office.path("")).await);
}

#[tokio::test]
async fn an_address_that_is_not_of_the_organization_is_nobody_of_it() {
    let house = House::new().await;
    let pending = domains::add(house.office.client(), &house.office.id, "pending.example").await;
    pending.expect(StatusCode::CREATED);
    let known = house.stage.newcomer("Carl").await;
    let employee = house.somebody_of(super::DOMAIN).await;
    let (before, mails) = (house.stored().await, house.stage.app.mails().await.len());
    for person in [
        Person::new("1", "ann@example.com"),
        Person::new("2", "ann@www.corp.example"),
        Person::new("3", "ann@notcorp.example"),
        Person::new("4", "ann@corp.example.evil.test"),
        Person::new("5", "ann@pending.example"),
        Person::new("7", &known.email),
        Person::new("8", "ann@corp.example").with("email_verified", false),
        Person::new("9", &employee.email).with("email_verified", false),
    ] {
        expect_conflict(&house.enter(&person).await, "email_not_in_domain");
        assert_eq!(house.stored().await, before, "{person:?}");
    }
    let nameless = ann().without("email").without("email_verified");
    house.enter(&nameless).await.expect(StatusCode::CONFLICT);
    assert_eq!(house.stored().await, before);
    assert_eq!(house.stage.app.mails().await.len(), mails);
    assert_eq!(
        house.stage.database.count("events where type = 'member.joined'").await,
        0
    );
}

#[tokio::test]
async fn every_domain_that_is_proven_counts() {
    let house = House::new().await;
    domains::proven(house.office.client(), &house.office.id, &house.dns, "bücher.example").await;
    for (number, email) in ["ann@corp.example", "bob@bücher.example", "cy@xn--bcher-kva.example"]
        .into_iter()
        .enumerate()
    {
        let account = house.come_in(&Person::new(&format!("s{number}"), email)).await;
        assert_eq!(account.email, email);
    }
    assert_eq!(house.stage.database.count("members").await, 4);
}

#[tokio::test]
async fn where_all_seats_are_taken_nothing_is_made() {
    let house = House::new().await;
    let seats = async |seats: u32| {
        let set = format!("update organizations set max_seats = {seats}");
        house.stage.database.superuser(set).await;
    };
    seats(1).await;
    let before = house.stored().await;
    let refused = house.enter(&ann()).await;
    refused.expect_error(StatusCode::PAYMENT_REQUIRED, "QUOTA_EXCEEDED");
    assert_eq!(
        refused.json()["error"]["details"],
        json!({ "metric": "seats", "limit": 1, "used": 1 })
    );
    assert_eq!(house.stored().await, before);
    assert_eq!(house.stage.events("user.registered").await, 1);
    seats(2).await;
    house.come_in(&ann()).await;
    // Who has a seat comes back to it.
    house.come_in(&ann()).await;
    assert_eq!(house.stored().await, [2, 2, 1, 3]);
}

#[tokio::test]
async fn who_was_removed_does_not_come_back_by_signing_in() {
    let house = House::new().await;
    let account = house.come_in(&ann()).await;
    let mine = account.client.get(MY_ORGANIZATIONS).await.data();
    let path = house.office.path(&format!("/members/{}", text(&mine[0]["id"])));
    let removed = house.office.client().delete(&path).await;
    removed.expect(StatusCode::NO_CONTENT);
    let again = house.come_in(&ann()).await;
    assert_eq!(again.user_id, account.user_id);
    assert_eq!(again.client.get(MY_ORGANIZATIONS).await.data(), json!([]));
    expect_unknown(&again.client.get(&house.office.path("")).await);
    assert_eq!(house.stage.database.count("members").await, 1);
    assert_eq!(house.events_of("member.joined", &account).await, 1);
}
