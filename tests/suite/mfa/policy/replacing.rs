//! Reading the policy and choosing another.

use chrono::TimeDelta;
use reqwest::{Method, StatusCode, header::CONTENT_TYPE};
use serde_json::json;
use tenantry_tests::authenticator::STEP;

use super::{MIGHTY, ORGANIZATIONS, Site, expect_forbidden};
use crate::{
    mfa::{FRESH, expect_stale, freshen, names, time},
    world::new_id,
};

#[tokio::test]
async fn the_policy_is_read_and_replaced() {
    let site = Site::new().await;
    let (client, sso) = (site.client(), site.sso());
    let never = client.get(&sso).await;
    let policy = never.expect(StatusCode::OK).data();
    assert_eq!(
        names(&policy),
        [
            "callbackUrl",
            "connection",
            "createdAt",
            "defaultRole",
            "id",
            "mfa",
            "sessionMaxAge",
            "ssoRequired",
            "updatedAt"
        ]
    );
    assert_eq!(
        (&policy["id"], &policy["mfa"]),
        (&json!(site.organization), &json!("admins"))
    );
    assert_eq!(
        (time(&policy["createdAt"]), time(&policy["updatedAt"])),
        (site.founded, site.founded)
    );
    assert_eq!(never.header("etag"), Some("\"0\""));
    let by_slug = client.get(&format!("{ORGANIZATIONS}/acme/sso")).await;
    assert_eq!(by_slug.data(), policy);

    // What holds already is not written.
    site.stage.app.clock.advance(STEP);
    for body in [json!({}), json!({ "mfa": "admins" })] {
        let same = client.put(&sso, &body).await;
        assert_eq!(same.expect(StatusCode::OK).data(), policy);
        assert_eq!(same.header("etag"), Some("\"0\""));
    }
    let reset = client.delete(&sso).await;
    assert_eq!(reset.expect(StatusCode::NO_CONTENT).text, "");
    assert_eq!(site.stage.database.count("sign_on_policies").await, 0);
    assert_eq!(site.changes().await, 0);

    let chosen = client.put(&sso, &json!({ "mfa": "everyone" })).await;
    let (first, at) = (chosen.expect(StatusCode::OK).data(), site.stage.now());
    assert_eq!((&first["id"], &first["mfa"]), (&policy["id"], &json!("everyone")));
    assert_eq!(
        (&first["createdAt"], time(&first["updatedAt"])),
        (&policy["createdAt"], at)
    );
    assert_eq!(chosen.header("etag"), Some("\"1\""));
    site.stage.app.clock.advance(STEP);
    let same = client.put(&sso, &json!({ "mfa": "everyone" })).await;
    assert_eq!(
        (same.expect(StatusCode::OK).data(), same.header("etag")),
        (first.clone(), Some("\"1\""))
    );
    let found = client.get(&sso).await;
    assert_eq!((found.data(), found.header("etag")), (first.clone(), Some("\"1\"")));
    let unchanged = client.with_header("if-none-match", "\"1\"").get(&sso).await;
    assert_eq!(unchanged.expect(StatusCode::NOT_MODIFIED).text, "");
    assert_eq!(site.changes().await, 1);

    // What is not named is as if it had never been chosen.
    let absent = client.put(&sso, &json!({})).await;
    let second = absent.expect(StatusCode::OK).data();
    assert_eq!(
        (&second["mfa"], &second["createdAt"]),
        (&json!("admins"), &first["createdAt"])
    );
    assert_eq!(time(&second["updatedAt"]), site.stage.now());
    assert_eq!(absent.header("etag"), Some("\"2\""));
    site.choose("everyone").await;
    for _ in 0..2 {
        client.delete(&sso).await.expect(StatusCode::NO_CONTENT);
        let reset = client.get(&sso).await;
        assert_eq!(
            (&reset.data()["mfa"], reset.header("etag")),
            (&json!("admins"), Some("\"4\""))
        );
    }

    for (before, after, times) in [("admins", "everyone", 2), ("everyone", "admins", 2)] {
        let event = format!(
            "events where type = 'sign_on_policy.changed' and resource_type = 'sign_on_policy'
             and resource_id = organization_id and organization_id = '{}' and actor_user_id = '{}'
             and before ->> 'mfa' = '{before}' and after ->> 'mfa' = '{after}'",
            site.organization, site.founder.account.user_id
        );
        assert_eq!(site.stage.database.count(&event).await, times, "{before} {after}");
    }
    assert_eq!(site.changes().await, 4);
}

#[tokio::test]
async fn a_policy_that_is_none_is_refused() {
    let site = Site::new().await;
    let (client, sso) = (site.client(), site.sso());
    for wrong in [
        json!(null),
        json!(""),
        json!("nobody"),
        json!("Everyone"),
        json!(" admins"),
        json!(1),
        json!([]),
    ] {
        let refused = client.put(&sso, &json!({ "mfa": wrong })).await;
        refused.expect_refused(&["/mfa"]);
    }
    let refused = client.put(&sso, &json!({ "mfa": "everyone", "saml": true })).await;
    refused.expect_refused(&["/saml"]);
    let refused = client.put(&sso, &json!({ "mfa": "nobody", "id": new_id() })).await;
    refused.expect_refused(&["/id", "/mfa"]);
    let refused = client.put(&sso, &json!(["everyone"])).await;
    refused.expect_error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    let body = json!({ "mfa": "everyone" });
    let unknown = format!("{sso}?force=true");
    for refused in [
        client.put(&unknown, &body).await,
        client.delete(&unknown).await,
        client.get(&unknown).await,
    ] {
        refused.expect_error(StatusCode::BAD_REQUEST, "MALFORMED_REQUEST");
    }
    let request = client.request(Method::PUT, &sso).header(CONTENT_TYPE, "text/plain");
    let refused = client.send(request.body("{}")).await;
    refused.expect_error(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE");

    // Nor is one that somebody else has changed meanwhile.
    for tag in ["\"1\"", "W/\"0\"", "\"4711\""] {
        let late = client.with_header("if-match", tag);
        for refused in [
            late.put(&sso, &body).await,
            late.put(&sso, &json!({})).await,
            late.delete(&sso).await,
        ] {
            refused.expect_error(StatusCode::PRECONDITION_FAILED, "PRECONDITION_FAILED");
        }
    }
    assert_eq!(site.changes().await, 0);
    for (tag, then) in [("\"0\"", "\"1\""), ("\"7\", \"1\"", "\"2\""), ("*", "\"3\"")] {
        let policy = if tag.contains('7') { "admins" } else { "everyone" };
        let in_time = client.with_header("if-match", tag);
        let chosen = in_time.put(&sso, &json!({ "mfa": policy })).await;
        assert_eq!(chosen.expect(StatusCode::OK).header("etag"), Some(then));
    }
    let in_time = client.with_header("if-match", "\"3\"");
    in_time.delete(&sso).await.expect(StatusCode::NO_CONTENT);
    let late = in_time.delete(&sso).await;
    late.expect_error(StatusCode::PRECONDITION_FAILED, "PRECONDITION_FAILED");
}

#[tokio::test]
async fn who_changes_the_policy_proved_lately_who_they_are() {
    let site = Site::new().await;
    let (client, sso) = (site.client(), site.sso());
    let member = site.joined("member").await;
    let body = json!({ "mfa": "everyone" });
    // It was founded half a minute after the founder had signed in.
    site.stage.app.clock.advance(FRESH - STEP);
    let requests = || {
        let put = || client.request(Method::PUT, &sso);
        [
            put(),
            put().json(&body),
            put().json(&json!({ "mfa": null })),
            put().header(CONTENT_TYPE, "text/plain").body("{}"),
            put().header(CONTENT_TYPE, "application/json").body("{"),
            put()
                .header(CONTENT_TYPE, "application/json")
                .body(vec![b' '; 1024 * 1024 + 1]),
            put().header("if-match", "\"4711\"").json(&body),
            client.request(Method::DELETE, &sso),
            client.request(Method::DELETE, &format!("{sso}?nobody=knows")),
        ]
    };
    for request in requests() {
        expect_stale(&client.send(request).await);
    }
    assert_eq!(site.changes().await, 0);
    client.get(&sso).await.expect(StatusCode::OK);
    // Who may not is not asked to prove anything.
    expect_forbidden(&member.client().put(&sso, &body).await, "settings:manage");
    expect_forbidden(&member.client().delete(&sso).await, "settings:manage");

    freshen(client).await;
    site.stage.app.clock.advance(FRESH - TimeDelta::milliseconds(1));
    client.put(&sso, &body).await.expect(StatusCode::OK);
    client.delete(&sso).await.expect(StatusCode::NO_CONTENT);
    site.stage.app.clock.advance(TimeDelta::milliseconds(1));
    expect_stale(&client.put(&sso, &body).await);
    expect_stale(&client.delete(&sso).await);
}

#[tokio::test]
async fn who_may_see_and_change_the_policy() {
    let site = Site::new().await;
    let sso = site.sso();
    let stranger = site.stage.newcomer("Sam Stranger").await;
    for (role, member) in site.everybody().await {
        let client = member.client();
        let (seen, chosen) = (
            client.get(&sso).await,
            client.put(&sso, &json!({ "mfa": "everyone" })).await,
        );
        let reset = client.delete(&sso).await;
        if MIGHTY.contains(&role) {
            seen.expect(StatusCode::OK);
            chosen.expect(StatusCode::OK);
            reset.expect(StatusCode::NO_CONTENT);
        } else {
            expect_forbidden(&seen, "settings:view");
            expect_forbidden(&chosen, "settings:manage");
            expect_forbidden(&reset, "settings:manage");
        }
    }
    for (client, status) in [
        (&stranger.client, StatusCode::NOT_FOUND),
        (&site.stage.anybody(), StatusCode::UNAUTHORIZED),
    ] {
        client.get(&sso).await.expect(status);
        client.put(&sso, &json!({})).await.expect(status);
        client.delete(&sso).await.expect(status);
    }
    assert_eq!(site.changes().await, 4);
}
