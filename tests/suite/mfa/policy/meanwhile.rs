//! A policy that is changed, or a factor that is given up, in the middle of a request: what holds then is what counts.

use reqwest::{Method, StatusCode};
use serde_json::json;
use tenantry_tests::{statements, wire::Wire};

use super::{Site, expect_demanded};
use crate::{
    binary::process::eventually,
    hold::{Hold, held_up},
    mfa::disable,
};

/// A change of how somebody is shown comes first, or after a change of the policy that waits in the same line.
#[tokio::test]
async fn a_write_that_waits_while_more_is_demanded_is_decided_by_that() {
    for first in [true, false] {
        let site = Site::demanding().await;
        let member = site.joined("viewer").await;
        let scene = site.into_scene().await;
        let lock = format!(
            "select 1 from organizations where id = '{}' for update",
            scene.organization
        );
        let hold = Hold::begin(&scene, &lock).await;
        let choosing = {
            let (client, path) = (scene.client().clone(), scene.path("/sso"));
            async move { client.put(&path, &json!({ "mfa": "everyone" })).await }
        };
        let changing = {
            let (client, path) = (member.client().clone(), member.path.clone());
            async move { client.patch(&path, &json!({ "name": "Changed" })).await }
        };
        let (choosing, changing) = if first {
            let changing = held_up(&scene, 1, changing).await;
            (held_up(&scene, 2, choosing).await, changing)
        } else {
            let choosing = held_up(&scene, 1, choosing).await;
            (choosing, held_up(&scene, 2, changing).await)
        };
        hold.end().await;
        choosing.await.unwrap().expect(StatusCode::OK);
        let changed = changing.await.unwrap();
        if first {
            assert_eq!(changed.expect(StatusCode::OK).data()["name"], "Changed");
        } else {
            expect_demanded(&changed);
        }
        let updates = scene.database.count("events where type = 'member.updated'").await;
        assert_eq!(updates, i64::from(first));
        expect_demanded(&member.client().get(&member.path).await);
    }
}

#[tokio::test]
async fn a_write_that_waits_while_its_author_gives_the_factor_up_is_none() {
    let site = Site::demanding().await;
    let admin = site.joined("admin").await;
    let person = site.stage.equipped(admin.account.clone()).await;
    let code = site.stage.next_code(&person);
    let viewer = site.joined("viewer").await;
    let scene = site.into_scene().await;
    let lock = format!(
        "select 1 from organizations where id = '{}' for update",
        scene.organization
    );
    let hold = Hold::begin(&scene, &lock).await;
    let mut waiting = Vec::new();
    for (number, method, path, body) in [
        (1, Method::PATCH, admin.path.clone(), json!({ "name": "Changed" })),
        (2, Method::DELETE, viewer.path.clone(), json!({})),
        (3, Method::PUT, scene.path("/sso"), json!({ "mfa": "everyone" })),
    ] {
        let client = admin.client().clone();
        let request = async move { client.send(client.request(method, &path).json(&body)).await };
        waiting.push(held_up(&scene, number, request).await);
    }
    let disabled = disable(admin.client(), &code).await;
    disabled.expect(StatusCode::NO_CONTENT);
    hold.end().await;
    for one in waiting {
        expect_demanded(&one.await.unwrap());
    }
    assert_eq!(scene.database.count("members").await, 3);
    let events = "events where type in ('member.updated', 'member.removed', 'sign_on_policy.changed')";
    assert_eq!(scene.database.count(events).await, 0);
}

#[tokio::test]
async fn a_write_whose_body_comes_after_is_decided_by_what_is_demanded_then() {
    let site = Site::demanding().await;
    let (member, admin) = (site.joined("member").await, site.joined("admin").await);
    let person = site.stage.equipped(admin.account.clone()).await;
    let code = site.stage.next_code(&person);
    let scene = site.into_scene().await;
    let body = json!({ "name": "Afterwards" }).to_string();
    let (first, rest) = body.split_at(5);
    for (number, method, path, author) in [
        (0_u32, "POST", scene.projects(), member.client()),
        (1, "PATCH", scene.path(""), admin.client()),
    ] {
        let trace = format!("{:032x}", 0xfac7 + number);
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: tenantry.test\r\nAuthorization: Bearer {}\r\ntraceparent: {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            author.token().unwrap(),
            statements::traceparent(&trace),
            body.len()
        );
        let mut slow = Wire::connect(scene.app.address).await;
        assert!(slow.send(head + first).await);
        eventually("the caller to be let in", async || {
            let asked = statements::of_trace(&trace);
            asked
                .iter()
                .any(|statement| statement.contains("FROM \""))
                .then_some(())
        })
        .await;
        if number == 0 {
            let policy = json!({ "mfa": "everyone" });
            let chosen = scene.client().put(&scene.path("/sso"), &policy).await;
            chosen.expect(StatusCode::OK);
        } else {
            disable(author, &code).await.expect(StatusCode::NO_CONTENT);
        }
        assert!(slow.send(rest).await);
        expect_demanded(&slow.answer().await.unwrap());
    }
    assert_eq!(scene.database.count("projects").await, 0);
    let organization = scene.client().get(&scene.path("")).await;
    assert_eq!(organization.data()["name"], "Acme");
}
