//! People who were members: by signing in they do not become it again, whatever they are known by.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::{
    app::PUBLIC_URL,
    client::{Account, text},
    identity_provider::Person,
};

use super::{House, MY_ORGANIZATIONS, expect_unknown, same_address};
use crate::identities::IDENTITIES;

const ACCEPT: &str = "/api/v1/invitations/accept";

/// The path of somebody's membership.
async fn membership(house: &House, account: &Account) -> String {
    let mine = account.client.get(MY_ORGANIZATIONS).await.expect(StatusCode::OK).data();
    house.office.path(&format!("/members/{}", text(&mine[0]["id"])))
}

/// Has the founder remove a member.
async fn remove(house: &House, membership: &str) {
    let removed = house.office.client().delete(membership).await;
    removed.expect(StatusCode::NO_CONTENT);
}

/// Unlinks all that an account is known by.
async fn unlink(account: &Account) {
    let list = account.client.get(IDENTITIES).await.expect(StatusCode::OK).data();
    for identity in list.as_array().unwrap() {
        let path = format!("{IDENTITIES}/{}", text(&identity["id"]));
        account.client.delete(&path).await.expect(StatusCode::NO_CONTENT);
    }
}

async fn expect_stranger(house: &House, account: &Account) {
    assert_eq!(account.client.get(MY_ORGANIZATIONS).await.data(), json!([]));
    expect_unknown(&account.client.get(&house.office.path("")).await);
    assert_eq!(house.stage.database.count("members").await, 1);
    let joined = house.events_of("member.joined", account).await;
    assert_eq!(joined, 0, "somebody joined by signing in");
}

/// Panics where somebody becomes a member by an identity that was never used: the same once more, or another.
async fn expect_to_stay_away(house: &House, account: &Account) {
    let person = same_address(account);
    expect_stranger(house, &house.come_in(&person).await).await;
    unlink(account).await;
    expect_stranger(house, &house.link(account, &person).await).await;
    let second = Person::new(&format!("second-{}", account.user_id), &account.email);
    expect_stranger(house, &house.link(account, &second).await).await;
}

#[tokio::test]
async fn who_was_removed_comes_back_by_no_other_identity() {
    let house = House::new().await;
    let account = house.somebody_of(super::DOMAIN).await;
    let member = house.join(&account, "member").await;
    house.link(&account, &same_address(&account)).await;
    remove(&house, &member).await;
    expect_to_stay_away(&house, &account).await;
}

#[tokio::test]
async fn who_left_comes_back_by_no_other_identity() {
    let house = House::new().await;
    let account = house.somebody_of(super::DOMAIN).await;
    let member = house.join(&account, "member").await;
    house.link(&account, &same_address(&account)).await;
    let left = account.client.delete(&member).await;
    left.expect(StatusCode::NO_CONTENT);
    expect_to_stay_away(&house, &account).await;
}

/// Also where nothing had been linked until then.
#[tokio::test]
async fn who_was_removed_before_the_first_sign_in_does_not_come_back_by_it() {
    let house = House::new().await;
    let account = house.somebody_of(super::DOMAIN).await;
    let member = house.join(&account, "member").await;
    remove(&house, &member).await;
    expect_stranger(&house, &house.link(&account, &same_address(&account)).await).await;
}

#[tokio::test]
async fn by_an_invitation_they_do_come_back() {
    let house = House::new().await;
    let account = house.somebody_of(super::DOMAIN).await;
    let member = house.join(&account, "member").await;
    remove(&house, &member).await;
    house.link(&account, &same_address(&account)).await;

    let invitation = json!({ "email": account.email, "role": "viewer" });
    let invite = house.office.path("/members/invite");
    let invited = house.office.client().post(&invite, &invitation).await;
    invited.expect(StatusCode::CREATED);
    let accepted = account.client.post(ACCEPT, &accepting(&house, &account).await).await;
    assert!(accepted.status.is_success(), "{}", accepted.text);
    let signed_in = house.come_in(&same_address(&account)).await;
    let context = signed_in.client.get(&house.office.path("/context")).await;
    assert_eq!(context.expect(StatusCode::OK).data()["role"]["key"], "viewer");

    // Once more removed, once more away.
    remove(&house, &membership(&house, &account).await).await;
    unlink(&account).await;
    let linked = house.link(&account, &same_address(&account)).await;
    expect_unknown(&linked.client.get(&house.office.path("")).await);
    assert_eq!(house.stage.database.count("members").await, 1);
}

/// What accepts the newest invitation that was mailed to somebody.
async fn accepting(house: &House, account: &Account) -> Value {
    let start = format!("{PUBLIC_URL}/accept-invitation?token=");
    let mails = house.stage.app.mails().await;
    let mut links = mails
        .iter()
        .filter(|mail| mail.to == account.email)
        .flat_map(|mail| mail.text.lines())
        .filter_map(|line| line.strip_prefix(&start));
    json!({ "token": links.next().expect("a link") })
}
