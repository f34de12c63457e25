//! Members of whom it is demanded to sign in through the connection can open a session in no other way.

use reqwest::StatusCode;
use serde_json::json;
use tenantry_tests::{app::PUBLIC_URL, client::Account, identity_provider::IdentityProvider};

use super::{DOMAIN, House, by_password, expect_demanded, same_address};
use crate::{
    domains,
    email_change::{enter_by, phone_of},
    mfa::{LOGIN, ME, OTHER, expect_mfa_required, expect_session, expect_unauthorized},
    oidc::{WORK, expect_conflict},
};

const CHANGE: &str = "/api/v1/auth/email/change";

/// How many sessions somebody has ever had.
async fn sessions(house: &House, account: &Account) -> i64 {
    house.stage.sessions(account).await
}

#[tokio::test]
async fn a_password_signs_nobody_in() {
    let house = House::new().await;
    let mut accounts = Vec::new();
    for role in ["admin", "member", "viewer", "guest"] {
        let account = house.employee(role).await;
        expect_session(&by_password(&house, &account).await);
        accounts.push(account);
    }
    house.demand().await;
    for account in &accounts {
        let before = sessions(&house, account).await;
        expect_demanded(&by_password(&house, account).await, &house.office);
        let shouting = Account {
            email: account.email.to_uppercase(),
            ..account.clone()
        };
        expect_demanded(&by_password(&house, &shouting).await, &house.office);
        // Whoever does not know it is told no more than before.
        let wrong = json!({ "email": account.email, "password": OTHER });
        expect_unauthorized(&house.stage.anybody().post(LOGIN, &wrong).await);
        assert_eq!(sessions(&house, account).await, before);
    }
    // Through the connection they come in.
    let linked = house.link(&accounts[1], &same_address(&accounts[1])).await;
    linked.client.get(&house.office.path("")).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn a_passkey_signs_nobody_in() {
    let house = House::new().await;
    let account = house.employee("member").await;
    let mut phone = phone_of(&account.client).await;
    let anybody = house.stage.anybody();
    expect_session(&enter_by(&mut phone, &anybody).await);
    house.demand().await;
    let before = sessions(&house, &account).await;
    expect_demanded(&enter_by(&mut phone, &anybody).await, &house.office);
    assert_eq!(sessions(&house, &account).await, before);
}

#[tokio::test]
async fn no_other_provider_signs_anybody_in() {
    let work = IdentityProvider::start().await;
    let house = House::with(|options| options.identity_providers = work.configured(WORK)).await;
    work.follow(&house.stage.app.clock);
    let account = house.employee("member").await;
    let person = same_address(&account);
    house.link_at_work(&work, &account, &person).await;
    expect_session(&house.enter_at_work(&work, &person).await);
    house.demand().await;
    let before = sessions(&house, &account).await;
    expect_demanded(&house.enter_at_work(&work, &person).await, &house.office);
    assert_eq!(sessions(&house, &account).await, before);
}

#[tokio::test]
async fn it_is_for_the_organization_to_demand_that_has_the_domain() {
    let house = House::new().await;
    let provider = IdentityProvider::start().await;
    let other = house.office_of("other.example", &provider).await;
    let account = house.somebody_of("other.example").await;
    house.join(&account, "member").await;
    house.demand().await;
    // Their address is of the other organization's domain, so it is that one's to say.
    expect_session(&by_password(&house, &account).await);
    let demanded = super::settings(&provider, json!({ "ssoRequired": true }));
    other.replace(&demanded).await.expect(StatusCode::OK);
    // They are no member there.
    expect_session(&by_password(&house, &account).await);
}

#[tokio::test]
async fn a_second_step_ends_where_the_first_is_not_enough_any_more() {
    let house = House::new().await;
    let account = house.employee("member").await;
    let person = house.stage.equipped(account).await;
    let token = house.stage.mfa_token(&person).await;
    house.demand().await;
    let before = sessions(&house, &person.account).await;
    let code = house.stage.next_code(&person);
    expect_demanded(&house.stage.verify(&token, &code).await, &house.office);
    assert_eq!(sessions(&house, &person.account).await, before);
}

#[tokio::test]
async fn whoever_has_a_second_factor_uses_it_after_the_connection() {
    let house = House::new().await;
    let account = house.employee("admin").await;
    house.link(&account, &same_address(&account)).await;
    let person = house.stage.equipped(account).await;
    house.demand().await;
    let token = expect_mfa_required(&house.enter(&same_address(&person.account)).await);
    let code = house.stage.next_code(&person);
    let signed_in = house.account_of(&house.stage.verify(&token, &code).await);
    let seen = signed_in.client.get(&house.office.path("")).await;
    seen.expect(StatusCode::OK);
}

#[tokio::test]
async fn nobody_else_is_kept_from_anything() {
    let house = House::new().await;
    // A member with another address, somebody with the domain's who is none, and a member with one that is not proven.
    let elsewhere = house.stage.newcomer("Carl").await;
    house.join(&elsewhere, "member").await;
    let stranger = house.somebody_of(DOMAIN).await;
    let added = domains::add(house.office.client(), &house.office.id, "pending.example").await;
    added.expect(StatusCode::CREATED);
    let pending = house.somebody_of("pending.example").await;
    house.join(&pending, "member").await;
    let below = house.somebody_of("www.corp.example").await;
    house.join(&below, "member").await;
    house.demand().await;
    for account in [&elsewhere, &stranger, &pending, &below] {
        expect_session(&by_password(&house, account).await);
    }
    for account in [&elsewhere, &pending, &below] {
        let seen = account.client.get(&house.office.path("")).await;
        seen.expect(StatusCode::OK);
    }
    // Who was a member and is none any more is a stranger.
    let former = house.employee("member").await;
    expect_demanded(&by_password(&house, &former).await, &house.office);
    let away = format!("delete from members where user_id = '{}'", former.user_id);
    house.stage.database.superuser(away).await;
    expect_session(&by_password(&house, &former).await);
}

#[tokio::test]
async fn it_ends_with_the_demand() {
    let house = House::new().await;
    let account = house.employee("member").await;
    for end in 0..4 {
        house.demand().await;
        expect_demanded(&by_password(&house, &account).await, &house.office);
        match end {
            0 => house.choose(json!({})).await,
            1 => {
                let reset = house.office.client().delete(&house.office.sso()).await;
                reset.expect(StatusCode::NO_CONTENT);
            }
            2 => house.set_status("suspended").await,
            _ => {
                let list = house.office.client().get(&house.office.path("/domains")).await.data();
                let path = domains::path_of(&house.office.id, &list[0]);
                let gone = house.office.client().delete(&path).await;
                gone.expect(StatusCode::NO_CONTENT);
            }
        }
        expect_session(&by_password(&house, &account).await);
        if end == 2 {
            house.set_status("active").await;
        }
    }
}

/// By another address they would be somebody of whom nothing is demanded.
#[tokio::test]
async fn nobody_leaves_the_demand_by_another_address() {
    let house = House::new().await;
    let account = house.employee("member").await;
    let linked = house.link(&account, &same_address(&account)).await;
    let elsewhere = house.stage.newcomer("Carl").await;
    house.join(&elsewhere, "member").await;
    house.demand().await;
    let wanted = json!({ "email": "ann.new@example.org" });
    for client in [&account.client, &linked.client] {
        expect_conflict(&client.post(CHANGE, &wanted).await, "sso_required");
    }
    let others = json!({ "email": "carl.new@example.org" });
    let asked = elsewhere.client.post(CHANGE, &others).await;
    asked.expect(StatusCode::ACCEPTED);
    house.choose(json!({})).await;
    linked.client.post(CHANGE, &wanted).await.expect(StatusCode::ACCEPTED);
}

/// Nobody signs in through the provider of such a one, and nobody gets away from it meanwhile.
#[tokio::test]
async fn a_suspended_organization_demands_no_more_than_the_address() {
    let house = House::new().await;
    let account = house.employee("member").await;
    house.demand().await;
    expect_demanded(&by_password(&house, &account).await, &house.office);
    house.set_status("suspended").await;
    let signed_in = house.account_of(&by_password(&house, &account).await);
    let wanted = json!({ "email": "ann.new@example.org" });
    expect_conflict(&signed_in.client.post(CHANGE, &wanted).await, "sso_required");
    assert_eq!(house.stage.events("user.email_change_requested").await, 0);
    house.set_status("active").await;
    expect_demanded(&by_password(&house, &account).await, &house.office);
    let seen = signed_in.client.get(&house.office.path("")).await;
    expect_demanded(&seen, &house.office);
}

/// The secret of the newest mail by which an address is asked to agree to another.
async fn agreement(house: &House, email: &str) -> String {
    let start = format!("{PUBLIC_URL}/confirm-email-change?token=");
    let mails = house.stage.app.mails().await;
    let mut links = mails
        .iter()
        .filter(|mail| mail.to == email)
        .flat_map(|mail| mail.text.lines())
        .filter_map(|line| line.strip_prefix(&start));
    links.next().expect("a link").to_owned()
}

#[tokio::test]
async fn a_change_of_the_address_from_before_does_not_end() {
    let house = House::new().await;
    let account = house.employee("member").await;
    let wanted = "ann.new@example.org";
    let asked = account.client.post(CHANGE, &json!({ "email": wanted })).await;
    asked.expect(StatusCode::ACCEPTED);
    let (approval, proof) = (agreement(&house, &account.email).await, agreement(&house, wanted).await);
    house.demand().await;
    let confirm = async |token: &str| {
        let path = format!("{CHANGE}/confirm");
        house.stage.anybody().post(&path, &json!({ "token": token })).await
    };
    let first = confirm(&approval).await;
    assert_eq!(first.expect(StatusCode::OK).data()["status"], "pending");
    expect_conflict(&confirm(&proof).await, "sso_required");
    let me = account.client.get(ME).await.expect(StatusCode::OK).data();
    assert_eq!(me["email"], account.email.as_str());
    assert_eq!(house.stage.events("user.email_changed").await, 0);
    house.choose(json!({})).await;
    let last = confirm(&proof).await;
    assert_eq!(last.expect(StatusCode::OK).data()["status"], "changed");
}
