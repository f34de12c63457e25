//! What is refused for want of it, before what else, and what is not.

use reqwest::{Method, StatusCode, header::CONTENT_TYPE};
use serde_json::{Value, json};
use tenantry_tests::{
    app::{Options, TestApp},
    authenticator::STEP,
    client::{Client, text},
    database::TestDatabase,
};

use super::{GRACE, MY_ORGANIZATIONS, ORGANIZATIONS, Site, expect_demanded, expect_unknown, found};
use crate::{
    mfa::{FRESH, ME, MFA, TRUSTED_DEVICES, expect_unauthorized, post_nothing},
    operations::{self, Meaning},
    world::{World, new_id},
};

#[tokio::test]
async fn no_operation_in_the_organization_goes_without_it() {
    let database = TestDatabase::new().await;
    let options = Options {
        mfa_grace_days: 7,
        ..Options::default()
    };
    let app = TestApp::with(&database, options).await;
    // Both demand it of everyone.
    let world = World::make(&app, &database).await;
    app.clock.advance(GRACE);
    let (tenant, anybody) = (&world.a, app.client());
    let stranger = world.b.owner.sign_in("stranger", &anybody).await;
    let mut callers = Vec::new();
    for (name, person) in tenant.people() {
        callers.push(person.sign_in(name, &anybody).await);
    }
    let (events, mut asked) = (database.count("events").await, 0);
    for operation in operations::all() {
        if !operation.has(Meaning::Organization) {
            continue;
        }
        asked += 1;
        for organization in [&tenant.organization, &tenant.slug] {
            for caller in callers.iter().chain([&stranger]) {
                let mut values = tenant.inputs(&operation, caller, None, &[]).await;
                for (input, value) in &mut values {
                    if input.meaning == Meaning::Organization {
                        value.clone_from(organization);
                    }
                }
                let answer = caller.client.send(operation.request(&caller.client, &values)).await;
                let is_stranger = caller.name == stranger.name;
                let expected = if is_stranger { 404 } else { 403 };
                let what = format!("{} as {}: {}", operation.name, caller.name, answer.text);
                assert_eq!(answer.status.as_u16(), expected, "{what}");
                if !is_stranger {
                    assert_eq!(answer.code(), "MFA_REQUIRED", "{what}");
                    assert_eq!(answer.json()["error"]["details"], Value::Null, "{what}");
                    assert_eq!(answer.header("cache-control"), Some("no-store"), "{what}");
                }
            }
        }
    }
    assert!(asked > 25, "{asked}");
    assert_eq!(database.count("events").await, events);
}

#[tokio::test]
async fn it_is_told_before_anything_else_of_the_inside() {
    let site = Site::demanding().await;
    site.choose("everyone").await;
    let (admin, viewer) = (site.joined("admin").await, site.joined("viewer").await);
    let stranger = site.stage.newcomer("Sam Stranger").await;
    // Nor does it matter that the sign-ins are too old for some of it.
    site.stage.app.clock.advance(FRESH);
    let unknown = new_id();
    let anonymous = site.stage.anybody();
    for (method, below) in [
        (Method::GET, format!("/projects/{unknown}")),
        (Method::GET, "/projects/no-id".to_owned()),
        (Method::GET, "/projects?page=0&nobody=knows".to_owned()),
        (Method::PATCH, format!("/projects/{unknown}")),
        (Method::PATCH, "/projects/no-id".to_owned()),
        (Method::POST, "/workspaces".to_owned()),
        (Method::POST, format!("/workspaces/{unknown}/projects")),
        (Method::PUT, format!("/members/{unknown}/role")),
        (Method::POST, "/members/invite".to_owned()),
        (Method::PUT, "/sso".to_owned()),
        (Method::DELETE, "/sso?nobody=knows".to_owned()),
        (Method::DELETE, String::new()),
        (Method::POST, "/restore".to_owned()),
    ] {
        for (media_type, body) in [
            ("application/json", b"{\"nobody\": \"knows\"}".to_vec()),
            ("application/json", b"{\"name\": ".to_vec()),
            ("text/plain", b"{}".to_vec()),
            ("application/json", vec![b' '; 1024 * 1024 + 1]),
        ] {
            let send = async |client: &Client| {
                let client = client
                    .with_header("if-match", "\"4711\"")
                    .with_header("idempotency-key", "a key");
                let mut request = client.request(method.clone(), &site.path(&below));
                if method != Method::GET {
                    request = request.header(CONTENT_TYPE, media_type).body(body.clone());
                }
                client.send(request).await
            };
            expect_demanded(&send(admin.client()).await);
            expect_demanded(&send(viewer.client()).await);
            expect_unknown(&send(&stranger.client).await);
            expect_unauthorized(&send(&anonymous).await);
        }
    }
    // What nobody asks of an organization, nobody is asked for.
    for client in [admin.client(), &stranger.client, &anonymous] {
        expect_unknown(&client.get(&site.path("/nothing/here")).await);
        let refused = post_nothing(client, &site.sso()).await;
        refused.expect_error(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED");
    }
}

#[tokio::test]
async fn a_suspended_organization_is_suspended_for_all() {
    let site = Site::demanding().await;
    let owner = site.joined("owner").await;
    let stranger = site.stage.newcomer("Sam Stranger").await;
    expect_demanded(&site.context(owner.client()).await);
    let set_status = async |status: &str| {
        let change = format!(
            "update organizations set status = '{status}' where id = '{}'",
            site.organization
        );
        site.stage.database.owner(change).await;
        // No answer from before is remembered.
        site.stage.app.clock.advance(STEP);
    };
    set_status("suspended").await;
    for client in [owner.client(), site.client()] {
        for answer in [
            site.context(client).await,
            client.get(&site.sso()).await,
            client.put(&site.sso(), &json!({ "mfa": "everyone" })).await,
            client.delete(&owner.path).await,
            site.restore(client).await,
        ] {
            answer.expect_error(StatusCode::FORBIDDEN, "TENANT_SUSPENDED");
        }
    }
    expect_unknown(&site.context(&stranger.client).await);
    set_status("active").await;
    expect_demanded(&site.context(owner.client()).await);
    site.context(site.client()).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn a_deleted_organization_is_restored_by_who_used_one() {
    let site = Site::demanding().await;
    let (owner, admin) = (site.joined("owner").await, site.joined("admin").await);
    let viewer = site.joined("viewer").await;
    let stranger = site.stage.newcomer("Sam Stranger").await;
    site.choose("everyone").await;
    let deleted = site.client().delete(&site.path("")).await;
    deleted.expect(StatusCode::NO_CONTENT);
    expect_demanded(&site.restore(owner.client()).await);
    for client in [admin.client(), viewer.client(), &stranger.client] {
        expect_unknown(&site.restore(client).await);
    }
    // All else is gone, with a factor and without.
    for client in [owner.client(), site.client()] {
        for below in ["", "/context", "/sso", "/members"] {
            expect_unknown(&client.get(&site.path(below)).await);
        }
        expect_unknown(&client.delete(&owner.path).await);
    }
    site.stage.equipped(owner.account.clone()).await;
    site.restore(owner.client()).await.expect(StatusCode::OK);
    site.context(owner.client()).await.expect(StatusCode::OK);
    expect_demanded(&site.context(admin.client()).await);
    expect_demanded(&site.restore(admin.client()).await);
    let policy = owner.client().get(&site.sso()).await;
    assert_eq!(policy.expect(StatusCode::OK).data()["mfa"], "everyone");
}

#[tokio::test]
async fn everybody_may_leave_without_it() {
    let site = Site::demanding().await;
    site.choose("everyone").await;
    for (role, member) in site.everybody().await {
        let client = member.client();
        expect_demanded(&client.get(&member.path).await);
        expect_demanded(&client.patch(&member.path, &json!({ "name": "x" })).await);
        // Where one finds the way out.
        let mine = client.get(MY_ORGANIZATIONS).await.data();
        assert_eq!(site.path(&format!("/members/{}", text(&mine[0]["id"]))), member.path);
        let elsewhere = client.with_header("if-match", "\"4711\"").delete(&member.path).await;
        elsewhere.expect_error(StatusCode::PRECONDITION_FAILED, "PRECONDITION_FAILED");
        let left = client.delete(&member.path).await;
        assert_eq!(left.expect(StatusCode::NO_CONTENT).text, "", "{role}");
        expect_unknown(&client.delete(&member.path).await);
        expect_unknown(&site.context(client).await);
    }
    let database = &site.stage.database;
    assert_eq!(database.count("events where type = 'member.left'").await, 5);
    assert_eq!(database.count("members").await, 1);

    // But for who would leave nobody behind.
    let ann = site.stage.newcomer("Ann").await;
    let organization = text(&found(&ann.client, "Globex").await["id"]);
    let mine = ann.client.get(MY_ORGANIZATIONS).await.data();
    for organization in [organization.as_str(), "globex"] {
        let path = format!("{ORGANIZATIONS}/{organization}/members/{}", text(&mine[0]["id"]));
        let refused = ann.client.delete(&path).await;
        refused.expect_error(StatusCode::CONFLICT, "CONFLICT");
        assert_eq!(refused.reason(), "last_owner");
    }
}

#[tokio::test]
async fn who_would_be_removed_makes_no_difference() {
    let site = Site::demanding().await;
    site.choose("everyone").await;
    let everybody = site.everybody().await;
    // The founder's own, here and elsewhere.
    found(site.client(), "Globex").await;
    let mine = site.client().get(MY_ORGANIZATIONS).await.data();
    let own = mine.as_array().unwrap().iter().map(|one| text(&one["id"]));
    let mut paths: Vec<String> = own.map(|id| site.path(&format!("/members/{id}"))).collect();
    paths.extend([
        site.path(&format!("/members/{}", new_id())),
        site.path("/members/no-id"),
    ]);
    paths.extend(everybody.iter().map(|(_, member)| member.path.clone()));
    for (_, member) in &everybody {
        let mut told = Vec::new();
        for path in paths.iter().filter(|path| **path != member.path) {
            let answer = member.client().delete(path).await;
            expect_demanded(&answer);
            told.push(answer.json()["error"]["message"].clone());
        }
        assert_eq!(told.len(), 8);
        told.dedup();
        assert_eq!(told.len(), 1, "{told:?}");
    }
    assert_eq!(site.stage.database.count("members").await, 7);
}

#[tokio::test]
async fn all_that_is_ones_own_goes_on_without_it() {
    let site = Site::demanding().await;
    site.choose("everyone").await;
    let ann = site.joined("viewer").await;
    let client = ann.client();
    expect_demanded(&site.context(client).await);
    for path in [
        ME,
        MY_ORGANIZATIONS,
        ORGANIZATIONS,
        MFA,
        TRUSTED_DEVICES,
        "/api/v1/auth/sessions",
        "/api/v1/permissions",
    ] {
        client.get(path).await.expect(StatusCode::OK);
    }
    let mine = client.get(ORGANIZATIONS).await.data();
    assert_eq!(mine[0]["id"], site.organization.as_str());
    let renamed = client.patch(ME, &json!({ "name": "Ann Other" })).await;
    renamed.expect(StatusCode::OK);
    let current = json!({ "organizationId": site.organization });
    let chosen = client.put("/api/v1/me/current-organization", &current).await;
    chosen.expect(StatusCode::OK);

    // Who is invited comes in, and as far as that.
    let bob = site.stage.newcomer("Bob").await;
    let invitation = json!({ "email": bob.email, "role": "member" });
    let invited = site.client().post(&site.path("/members/invite"), &invitation).await;
    invited.expect(StatusCode::CREATED);
    let mails = site.stage.app.mails().await;
    let mut links = mails
        .iter()
        .filter(|mail| mail.to == bob.email)
        .flat_map(|mail| mail.text.lines());
    let start = "http://tenantry.test/accept-invitation?token=";
    let secret = links.find_map(|line| line.strip_prefix(start)).expect("a link");
    let accept = json!({ "token": secret });
    let accepted = bob.client.post("/api/v1/invitations/accept", &accept).await;
    accepted.expect(StatusCode::CREATED);
    expect_demanded(&site.context(&bob.client).await);

    client.delete(ME).await.expect(StatusCode::NO_CONTENT);
    assert_eq!(site.stage.database.count("members").await, 2);
}
