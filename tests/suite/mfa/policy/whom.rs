//! Of whom it is demanded, and from when on.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::{
    client::{Account, text},
    scene::Place,
};

use super::{GRACE, MIGHTY, ORGANIZATIONS, Site, by_password, expect_demanded, expect_unknown, found};
use crate::mfa::time;

#[tokio::test]
async fn it_is_demanded_from_the_very_end_of_the_grace_on() {
    let site = Site::new().await;
    let everybody = site.everybody().await;
    let deadline = site.founded + GRACE;
    for (role, member) in &everybody {
        let from = site.required_from(member.client()).await;
        if MIGHTY.contains(role) {
            assert_eq!(time(&from), deadline, "{role}");
        } else {
            assert_eq!(from, Value::Null, "{role}");
        }
    }

    site.until(deadline - TimeDelta::minutes(1));
    let founder = site.stage.sign_in(&site.founder).await;
    let mut sessions = Vec::new();
    for (role, member) in &everybody {
        sessions.push((*role, by_password(&site.stage, &member.account).await));
    }
    site.until(deadline - TimeDelta::milliseconds(1));
    for (role, client) in &sessions {
        site.context(client).await.expect(StatusCode::OK);
        if MIGHTY.contains(role) {
            client.get(&site.path("")).await.expect(StatusCode::OK);
        }
    }
    let (_, owner) = &sessions[0];
    let settings = json!({ "settings": { "theme": "dark" } });
    let changed = owner.patch(&site.path(""), &settings).await;
    changed.expect(StatusCode::OK);

    site.until(deadline);
    for later in [TimeDelta::zero(), TimeDelta::milliseconds(1), TimeDelta::minutes(5)] {
        site.stage.app.clock.advance(later);
        for (role, client) in &sessions {
            if MIGHTY.contains(role) {
                expect_demanded(&site.context(client).await);
                expect_demanded(&client.get(&site.path("")).await);
            } else {
                site.context(client).await.expect(StatusCode::OK);
            }
        }
        // Who has used one is told of it all the same.
        assert_eq!(time(&site.required_from(&founder).await), deadline);
    }
    expect_demanded(&owner.patch(&site.path(""), &settings).await);
}

#[tokio::test]
async fn of_whom_it_is_demanded_is_chosen_and_holds_at_once() {
    let site = Site::demanding().await;
    let everybody = site.everybody().await;
    let workspace = site.founder.account.default_workspace(&site.organization).await;
    let project = site
        .founder
        .account
        .create_project(&site.organization, &workspace, &json!({ "name": "Website" }))
        .await;
    // Mighty in a part of the organization, and a guest in the whole of it.
    let guest = site.stage.newcomer("Gus Guest").await;
    let roles = [
        ("admin", Place::Workspace(&workspace)),
        ("owner", Place::Project(project["id"].as_str().unwrap())),
    ];
    site.join(&guest, &roles).await;

    let check = async |everyone: bool| {
        let mut told = Vec::new();
        for (role, member) in &everybody {
            told.push((MIGHTY.contains(role), site.context(member.client()).await));
        }
        told.push((false, site.context(&guest.client).await));
        for (mighty, answer) in told {
            if mighty || everyone {
                expect_demanded(&answer);
            } else {
                let data = answer.expect(StatusCode::OK).data();
                assert_eq!(data["mfaRequiredFrom"], Value::Null);
            }
        }
        assert_eq!(time(&site.required_from(site.client()).await), site.founded);
    };
    check(false).await;
    site.choose("everyone").await;
    check(true).await;
    site.choose("admins").await;
    check(false).await;
    site.choose("everyone").await;
    check(true).await;
    let reset = site.client().delete(&site.sso()).await;
    reset.expect(StatusCode::NO_CONTENT);
    check(false).await;
}

#[tokio::test]
async fn everybody_has_the_same_time_whenever_it_was_chosen_and_whenever_they_came() {
    let site = Site::new().await;
    let everybody = site.everybody().await;
    let deadline = site.founded + GRACE;
    site.until(deadline - TimeDelta::days(1));
    let founder = site.stage.sign_in(&site.founder).await;
    let chosen = founder.put(&site.sso(), &json!({ "mfa": "everyone" })).await;
    chosen.expect(StatusCode::OK);
    let late = site.joined("viewer").await;
    let mut accounts: Vec<&Account> = everybody.iter().map(|(_, member)| &member.account).collect();
    accounts.push(&late.account);
    let mut clients = vec![founder];
    for account in accounts {
        clients.push(by_password(&site.stage, account).await);
    }
    for client in &clients {
        assert_eq!(time(&site.required_from(client).await), deadline);
    }
    // To choose it after the deadline closes at once.
    let reset = clients[0].delete(&site.sso()).await;
    reset.expect(StatusCode::NO_CONTENT);
    site.until(deadline);
    let founder = site.stage.sign_in(&site.founder).await;
    let viewer = by_password(&site.stage, &late.account).await;
    assert_eq!(site.required_from(&viewer).await, Value::Null);
    let chosen = founder.put(&site.sso(), &json!({ "mfa": "everyone" })).await;
    chosen.expect(StatusCode::OK);
    expect_demanded(&site.context(&viewer).await);
}

/// Organizations that were there before a factor could be demanded have a row that says from when on their time counts.
#[tokio::test]
async fn the_time_of_an_organization_can_begin_after_its_founding() {
    let site = Site::demanding().await;
    let begins = site.founded + TimeDelta::days(3);
    let row = format!(
        "insert into sign_on_policies (organization_id, mfa_grace_from, created_at, updated_at)
         values ('{}', '{}', '{}', '{}')",
        site.organization,
        begins.to_rfc3339(),
        site.founded.to_rfc3339(),
        site.founded.to_rfc3339()
    );
    site.stage.database.owner(row).await;
    let member = site.joined("member").await;
    let admin = site.joined("admin").await;
    assert_eq!(time(&site.required_from(admin.client()).await), begins);
    // What is chosen changes nothing of that.
    site.choose("everyone").await;
    for client in [admin.client(), member.client(), site.client()] {
        assert_eq!(time(&site.required_from(client).await), begins);
    }
    let reset = site.client().delete(&site.sso()).await;
    reset.expect(StatusCode::NO_CONTENT);
    assert_eq!(time(&site.required_from(admin.client()).await), begins);
    site.until(begins - TimeDelta::milliseconds(1));
    let admin = by_password(&site.stage, &admin.account).await;
    site.context(&admin).await.expect(StatusCode::OK);
    site.until(begins);
    expect_demanded(&site.context(&admin).await);
}

#[tokio::test]
async fn without_grace_it_is_demanded_from_the_founding_on() {
    let site = Site::demanding().await;
    let ann = site.stage.newcomer("Ann").await;
    let organization = text(&found(&ann.client, "Globex").await["id"]);
    let context = format!("{ORGANIZATIONS}/{organization}/context");
    expect_demanded(&ann.client.get(&context).await);
    // By whatever name.
    expect_demanded(&ann.client.get(&format!("{ORGANIZATIONS}/globex/context")).await);
    let bob = site.stage.anybody().register("Bob", Some("Initech")).await;
    expect_demanded(&bob.client.get(&format!("{ORGANIZATIONS}/initech")).await);
    site.stage.equipped(ann.clone()).await;
    let opened = ann.client.get(&context).await;
    assert_eq!(
        time(&opened.expect(StatusCode::OK).data()["mfaRequiredFrom"]),
        site.stage.now()
    );
    expect_unknown(&bob.client.get(&context).await);
}

#[tokio::test]
async fn who_is_made_an_admin_late_is_asked_at_once() {
    let site = Site::new().await;
    let member = site.joined("member").await;
    site.until(site.founded + GRACE);
    let founder = site.stage.sign_in(&site.founder).await;
    let client = by_password(&site.stage, &member.account).await;
    for role in ["admin", "owner"] {
        assert_eq!(site.required_from(&client).await, Value::Null);
        let role_path = format!("{}/role", member.path);
        let made = founder.put(&role_path, &json!({ "role": role })).await;
        made.expect(StatusCode::OK);
        expect_demanded(&site.context(&client).await);
        expect_demanded(&client.get(&site.path("/members")).await);
        expect_demanded(&client.put(&role_path, &json!({ "role": "member" })).await);
        let made = founder.put(&role_path, &json!({ "role": "member" })).await;
        made.expect(StatusCode::OK);
    }
    site.context(&client).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn each_organization_demands_for_itself() {
    let site = Site::new().await;
    let admin = site.joined("admin").await;
    site.choose("everyone").await;
    site.until(site.founded + GRACE);
    let client = by_password(&site.stage, &admin.account).await;
    expect_demanded(&site.context(&client).await);
    let other = text(&found(&client, "Globex").await["id"]);
    let context = format!("{ORGANIZATIONS}/{other}/context");
    let told = client.get(&context).await;
    let from = time(&told.expect(StatusCode::OK).data()["mfaRequiredFrom"]);
    assert_eq!(from, site.stage.now() + GRACE);
    let workspaces = format!("{ORGANIZATIONS}/{other}/workspaces");
    let created = client.post(&workspaces, &json!({ "name": "Design" })).await;
    created.expect(StatusCode::CREATED);
    let policy = client.get(&format!("{ORGANIZATIONS}/{other}/sso")).await;
    assert_eq!(policy.expect(StatusCode::OK).data()["mfa"], "admins");
    // What is chosen in one is chosen in that one alone.
    let member = site.stage.newcomer("Mia").await;
    let row = format!(
        "insert into members (organization_id, id, user_id, joined_at, created_at, updated_at)
         values ('{other}', gen_random_uuid(), '{}', now(), now(), now())",
        member.user_id
    );
    site.stage.database.owner(row).await;
    let told = member.client.get(&context).await;
    assert_eq!(told.expect(StatusCode::OK).data()["mfaRequiredFrom"], Value::Null);
    expect_demanded(&site.context(&client).await);
}
