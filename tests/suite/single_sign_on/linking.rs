//! People whose address has an account already, and what becomes of an identity when the domain or the connection goes.

use reqwest::StatusCode;
use serde_json::json;
use tenantry_tests::identity_provider::IdentityProvider;

use super::{DOMAIN, House, ann, same_address, settings};
use crate::{
    domains,
    mfa::{ME, expect_unauthorized},
    oidc::{CONFIRM, expect_conflict},
};

#[tokio::test]
async fn whoever_reads_the_mails_of_the_address_links_by_one_and_then_becomes_a_member() {
    let house = House::new().await;
    let account = house.somebody_of(DOMAIN).await;
    let before = house.stored().await;
    expect_conflict(&house.enter(&same_address(&account)).await, "identity_not_linked");
    assert_eq!(house.stored().await, before);
    let token = house.confirmation(&account.email).await;
    let confirmed = house.stage.anybody().post(CONFIRM, &json!({ "token": token })).await;
    let identity = confirmed.expect(StatusCode::OK).data();
    assert_eq!(identity["provider"], house.office.id.as_str());
    // Nobody is a member who has not signed in through it.
    assert_eq!(house.stage.database.count("members").await, 1);
    super::expect_unknown(&account.client.get(&house.office.path("")).await);

    let signed_in = house.come_in(&same_address(&account)).await;
    assert_eq!(signed_in.user_id, account.user_id);
    let context = signed_in.client.get(&house.office.path("/context")).await;
    assert_eq!(context.expect(StatusCode::OK).data()["role"]["key"], "member");
    assert_eq!(house.events_of("member.joined", &account).await, 1);
    house.come_in(&same_address(&account)).await;
    assert_eq!(house.stage.database.count("members").await, 2);
}

#[tokio::test]
async fn a_member_stays_what_they_are() {
    let house = House::new().await;
    let admin = house.employee("admin").await;
    let linked = house.link(&admin, &same_address(&admin)).await;
    let context = linked.client.get(&house.office.path("/context")).await;
    assert_eq!(context.expect(StatusCode::OK).data()["role"]["key"], "admin");
    assert_eq!(house.stage.database.count("members").await, 2);
    assert_eq!(
        house.stage.database.count("events where type = 'member.joined'").await,
        0
    );
}

#[tokio::test]
async fn a_full_organization_takes_nobody_who_has_an_account_either() {
    let house = House::new().await;
    let account = house.somebody_of(DOMAIN).await;
    expect_conflict(&house.enter(&same_address(&account)).await, "identity_not_linked");
    let token = house.confirmation(&account.email).await;
    let confirmed = house.stage.anybody().post(CONFIRM, &json!({ "token": token })).await;
    confirmed.expect(StatusCode::OK);
    house
        .stage
        .database
        .superuser("update organizations set max_seats = 1")
        .await;
    let before = house.stored().await;
    let refused = house.enter(&same_address(&account)).await;
    refused.expect_error(StatusCode::PAYMENT_REQUIRED, "QUOTA_EXCEEDED");
    assert_eq!(house.stored().await, before);
    // It was no use of the identity.
    house
        .stage
        .database
        .superuser("update organizations set max_seats = 2")
        .await;
    house.come_in(&same_address(&account)).await;
    assert_eq!(house.stage.database.count("members").await, 2);
}

#[tokio::test]
async fn without_the_domain_the_provider_vouches_for_nobody() {
    let house = House::new().await;
    let account = house.come_in(&ann()).await;
    let code = house.code(&ann()).await;
    let list = house.office.client().get(&house.office.path("/domains")).await.data();
    let gone = house
        .office
        .client()
        .delete(&domains::path_of(&house.office.id, &list[0]))
        .await;
    gone.expect(StatusCode::NO_CONTENT);
    let before = house.stored().await;
    // Also with what was given before it went.
    expect_conflict(&house.exchange(&code).await, "email_not_in_domain");
    expect_conflict(&house.enter(&ann()).await, "email_not_in_domain");
    assert_eq!(house.stored().await, before);
    // Pending is not proven.
    let added = domains::add(house.office.client(), &house.office.id, DOMAIN).await;
    let domain = added.expect(StatusCode::CREATED).data();
    expect_conflict(&house.enter(&ann()).await, "email_not_in_domain");
    domains::show(&house.dns, &domain);
    let verified = domains::verify(house.office.client(), &house.office.id, &domain).await;
    verified.expect(StatusCode::OK);
    assert_eq!(house.come_in(&ann()).await.user_id, account.user_id);
}

/// What the provider claims is no matter then: the account is of another domain.
#[tokio::test]
async fn an_account_with_an_address_elsewhere_is_not_the_organizations() {
    let house = House::new().await;
    let account = house.come_in(&ann()).await;
    let moved = format!(
        "update users set email = 'ann@example.com', email_canonical = 'ann@example.com' where id = '{}'",
        account.user_id
    );
    house.stage.database.superuser(moved).await;
    let before = house.stored().await;
    expect_conflict(&house.enter(&ann()).await, "email_not_in_domain");
    assert_eq!(house.stored().await, before);
}

/// Another issuer's people are not those of the one before, whatever they are called there.
#[tokio::test]
async fn a_connection_to_another_provider_knows_nobody_yet() {
    let house = House::new().await;
    let account = house.come_in(&ann()).await;
    let code = house.code(&ann()).await;
    let successor = IdentityProvider::start().await;
    successor.follow(&house.stage.app.clock);
    successor.register(&house.office.id);
    let replaced = house.office.replace(&settings(&successor, json!({}))).await;
    replaced.expect(StatusCode::OK);
    let before = house.stored().await;
    expect_unauthorized(&house.exchange(&code).await);
    expect_conflict(
        &house.enter_at(&house.office, &successor, &ann()).await,
        "identity_not_linked",
    );
    assert_eq!(house.stored().await, before);
    assert_eq!(house.stage.mails_to(&account).await, 1);

    // Whoever is back at the first is asked as well: it may have been anybody's meanwhile.
    house.choose(json!({})).await;
    assert_eq!(house.link(&account, &ann()).await.user_id, account.user_id);
    // The one from before gave way.
    assert_eq!(house.stage.database.count("identities").await, 1);
}

#[tokio::test]
async fn without_the_connection_nobody_signs_in_through_it() {
    let house = House::new().await;
    house.come_in(&ann()).await;
    let code = house.code(&ann()).await;
    let reset = house.office.client().delete(&house.office.sso()).await;
    reset.expect(StatusCode::NO_CONTENT);
    expect_unauthorized(&house.exchange(&code).await);
    assert_eq!(house.stored().await, [2, 2, 1, 2]);
}

#[tokio::test]
async fn a_suspended_organization_vouches_for_nobody() {
    let house = House::new().await;
    let account = house.come_in(&ann()).await;
    let code = house.code(&ann()).await;
    house.set_status("suspended").await;
    let refused = house.exchange(&code).await;
    assert!(refused.status.is_client_error(), "{}", refused.text);
    assert_eq!(house.stored().await, [2, 2, 1, 2]);
    // What is their own goes on.
    account.client.get(ME).await.expect(StatusCode::OK);
    house.set_status("active").await;
    house.come_in(&ann()).await;
}
