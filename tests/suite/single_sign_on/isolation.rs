//! A provider vouches for the people of its organization, and for nobody elsewhere.

use reqwest::StatusCode;
use serde_json::json;
use tenantry_tests::{
    client::Answer,
    identity_provider::{Endpoint, IdentityProvider, Person},
};

use super::{House, ORGANIZATIONS, ann, expect_unknown};
use crate::{
    mfa::post_nothing,
    oidc::{APP, PROVIDERS, WORK, expect_conflict},
    world::new_id,
};

/// How a browser is sent to the provider of whatever is called so.
async fn authorize(house: &House, provider: &str) -> Answer {
    house.browser().authorize(provider, &[("redirectUri", APP)]).await
}

#[tokio::test]
async fn one_subject_at_two_organizations_is_two_people() {
    let house = House::new().await;
    let other = house.office_of("other.example", &house.provider).await;
    let here = house.come_in(&ann()).await;
    // The same provider, asked by the other organization.
    let same_subject = ann().with("email", "ann@other.example");
    let there = house.account_of(&house.enter_at(&other, &house.provider, &same_subject).await);
    assert_ne!(there.user_id, here.user_id);
    assert_eq!(house.stage.database.count("identities").await, 2);
    expect_unknown(&there.client.get(&house.office.path("")).await);
    expect_unknown(&here.client.get(&other.path("")).await);
    // Each comes back to their own.
    assert_eq!(house.come_in(&ann()).await.user_id, here.user_id);
    let again = house.account_of(&house.enter_at(&other, &house.provider, &same_subject).await);
    assert_eq!(again.user_id, there.user_id);
}

/// Whoever runs a provider has it say whatever they like.
#[tokio::test]
async fn a_provider_of_another_organization_signs_nobody_in() {
    let house = House::new().await;
    let evil = IdentityProvider::start().await;
    let other = house.office_of("other.example", &evil).await;
    let victim = house.come_in(&ann()).await;
    let owner = &house.office.owner;
    let mails = house.stage.app.mails().await.len();
    let before = house.stored().await;
    for person in [
        ann(),
        Person::new("1", "ann@corp.example"),
        Person::new(&victim.user_id, &owner.email),
        ann().with("iss", house.provider.issuer()),
    ] {
        let returned = house.walk_to(&other, &evil, &person).await;
        if returned.parameter("error").is_none() {
            let answer = house.exchange(&returned.code()).await;
            expect_conflict(&answer, "email_not_in_domain");
        }
        assert_eq!(house.stored().await, before, "{person:?}");
    }
    assert_eq!(house.stage.app.mails().await.len(), mails);
}

#[tokio::test]
async fn a_provider_of_the_configuration_is_another_even_where_it_is_the_same() {
    let work = IdentityProvider::start().await;
    let house = House::with(|options| options.identity_providers = work.configured(WORK)).await;
    work.follow(&house.stage.app.clock);
    let other = house.office_of("other.example", &work).await;
    let by_work = house.account_of(&house.enter_at_work(&work, &Person::new("1", "ann@example.com")).await);
    let by_connection = Person::new("1", "ann@other.example");
    let by_connection = house.account_of(&house.enter_at(&other, &work, &by_connection).await);
    assert_ne!(by_connection.user_id, by_work.user_id);
    // Who is known to all is not of the organization.
    expect_conflict(
        &house
            .enter_at(&other, &work, &Person::new("2", "bob@example.com"))
            .await,
        "email_not_in_domain",
    );
}

#[tokio::test]
async fn a_callback_is_for_what_was_begun_with_its_own_provider() {
    let work = IdentityProvider::start().await;
    let house = House::with(|options| options.identity_providers = work.configured(WORK)).await;
    let other = house.office_of("other.example", &house.provider).await;
    house.provider.signs_in(&ann());
    let asked = house.provider.times_asked(Endpoint::Token);
    for elsewhere in [other.id.as_str(), WORK] {
        let mut browser = house.browser();
        let callback = browser.reach_callback(&house.office.id, &[("redirectUri", APP)]).await;
        let moved = callback.replace(&house.office.id, elsewhere);
        assert_ne!(moved, callback);
        let refused = browser.return_to(&moved).await;
        refused.expect_error(StatusCode::BAD_REQUEST, "MALFORMED_REQUEST");
        assert_eq!(refused.header("location"), None);
    }
    assert_eq!(house.provider.times_asked(Endpoint::Token), asked);
    assert_eq!(house.stage.database.count("identities").await, 0);
}

#[tokio::test]
async fn there_is_nowhere_to_sign_in_without_a_connection() {
    let house = House::new().await;
    authorize(&house, &house.office.id).await.expect(StatusCode::FOUND);
    let founded = json!({ "name": "Globex" });
    let founded = house.office.client().post(ORGANIZATIONS, &founded).await.data();
    for nothing in [founded["id"].as_str().unwrap(), &new_id(), "acme", "ACME"] {
        expect_unknown(&authorize(&house, nothing).await);
    }
    // What is one by its id is one by no other spelling of it.
    let id = &house.office.id;
    for spelling in [id.to_uppercase(), id.replace('-', "")] {
        assert_ne!(&spelling, id);
        expect_unknown(&authorize(&house, &spelling).await);
    }
    house.set_status("suspended").await;
    expect_unknown(&authorize(&house, &house.office.id).await);
    house.set_status("active").await;
    let path = house.office.path("");
    let deleted = house.office.client().delete(&path).await;
    deleted.expect(StatusCode::NO_CONTENT);
    expect_unknown(&authorize(&house, &house.office.id).await);
    let restored = post_nothing(house.office.client(), &house.office.path("/restore")).await;
    restored.expect(StatusCode::OK);
    authorize(&house, &house.office.id).await.expect(StatusCode::FOUND);
    let reset = house.office.client().delete(&house.office.sso()).await;
    reset.expect(StatusCode::NO_CONTENT);
    expect_unknown(&authorize(&house, &house.office.id).await);
}

/// Whose connections there are is told to nobody who does not ask for an address.
#[tokio::test]
async fn a_connection_is_none_of_the_providers() {
    let house = House::new().await;
    let list = house.stage.anybody().get(PROVIDERS).await;
    assert_eq!(list.expect(StatusCode::OK).data(), json!([]));
    assert!(!list.text.contains(&house.office.id), "{}", list.text);
}
