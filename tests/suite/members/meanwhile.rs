//! Members who are removed, or given another role, in the middle of a request of their own: it is wholly done or not at all.

use reqwest::StatusCode;
use serde_json::json;
use tenantry_tests::{client::Answer, scene::Scene, statements, wire::Wire};
use tokio::task::JoinHandle;

use super::{Joined, expect_forbidden, expect_unknown, joined};
use crate::{
    binary::process::eventually,
    hold::{Hold, held_up},
};

async fn remove(scene: &Scene, member: &Joined) {
    scene.client().delete(&member.path).await.expect(StatusCode::NO_CONTENT);
}

/// A project that is being created by a member, and waits.
async fn creating(scene: &Scene, member: &Joined) -> JoinHandle<Answer> {
    let (client, path) = (member.client.clone(), scene.projects());
    held_up(
        scene,
        1,
        async move { client.post(&path, &json!({ "name": "Late" })).await },
    )
    .await
}

#[tokio::test]
async fn a_write_that_waits_while_its_author_is_removed_is_none() {
    let scene = Scene::new().await;
    let member = joined(&scene, "member").await;
    let hold = Hold::begin(&scene, "lock table projects in exclusive mode").await;
    let creating = creating(&scene, &member).await;
    remove(&scene, &member).await;
    hold.end().await;
    expect_unknown(&creating.await.unwrap());
    assert_eq!(scene.database.count("projects").await, 0);
    assert_eq!(scene.database.count("events where type = 'project.created'").await, 0);
}

#[tokio::test]
async fn a_write_that_waits_while_its_author_is_signed_out_is_none() {
    let scene = Scene::new().await;
    let member = joined(&scene, "member").await;
    let hold = Hold::begin(&scene, "lock table projects in exclusive mode").await;
    let creating = creating(&scene, &member).await;
    let token = json!({ "refreshToken": member.refresh_token });
    let signed_out = member.client.anonymous().post("/api/v1/auth/logout", &token).await;
    signed_out.expect(StatusCode::NO_CONTENT);
    hold.end().await;
    creating
        .await
        .unwrap()
        .expect_error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED");
    assert_eq!(scene.database.count("projects").await, 0);
}

#[tokio::test]
async fn a_write_that_waits_while_its_authors_role_changes_is_decided_anew() {
    let scene = Scene::new().await;
    for (role, other) in [("member", "viewer"), ("member", "admin"), ("admin", "member")] {
        let member = joined(&scene, role).await;
        let hold = Hold::begin(&scene, "lock table projects in exclusive mode").await;
        let creating = creating(&scene, &member).await;
        scene
            .client()
            .put(&format!("{}/role", member.path), &json!({ "role": other }))
            .await
            .expect(StatusCode::OK);
        hold.end().await;
        let answer = creating.await.unwrap();
        if other == "viewer" {
            expect_forbidden(&answer, "project:create");
        } else {
            answer.expect_error(StatusCode::CONFLICT, "CONFLICT");
            assert_eq!(answer.reason(), "rights_changed");
            let again = member.client.post(&scene.projects(), &json!({ "name": "Again" })).await;
            again.expect(StatusCode::CREATED);
        }
    }
    assert_eq!(scene.database.count("projects where name = 'Late'").await, 0);
    assert_eq!(scene.database.count("events where type = 'project.created'").await, 2);
}

#[tokio::test]
async fn a_write_whose_body_comes_after_is_none() {
    let scene = Scene::new().await;
    let body = json!({ "name": "Afterwards" }).to_string();
    let (first, rest) = body.split_at(5);
    for number in 0..3_u32 {
        let member = joined(&scene, "member").await;
        let own = member
            .create_project(&scene.organization, &scene.workspace, &json!({ "name": "Own" }))
            .await;
        let (method, path) = match number {
            0 => ("POST", scene.projects()),
            1 => ("PATCH", scene.project(&own)),
            _ => ("PATCH", member.path.clone()),
        };
        let trace = format!("{:032x}", 0xd001 + number);
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: tenantry.test\r\nAuthorization: Bearer {}\r\ntraceparent: {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            member.client.token().unwrap(),
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
        remove(&scene, &member).await;
        assert!(slow.send(rest).await);
        expect_unknown(&slow.answer().await.unwrap());
        let kept = scene.client().get(&scene.project(&own)).await;
        assert_eq!(kept.data()["name"], "Own", "{method} {path}");
    }
    assert_eq!(scene.database.count("projects").await, 3);
    assert_eq!(scene.database.count("events where type = 'member.updated'").await, 0);
}

#[tokio::test]
async fn a_change_of_oneself_comes_before_or_after_the_removal() {
    let profile = json!({ "name": "Changed" });
    for removed_first in [false, true] {
        let scene = Scene::new().await;
        let member = joined(&scene, "viewer").await;
        let lock = format!(
            "select 1 from organizations where id = '{}' for update",
            scene.organization
        );
        let hold = Hold::begin(&scene, &lock).await;
        let changing = {
            let (client, path, body) = (member.client.clone(), member.path.clone(), profile.clone());
            async move { client.patch(&path, &body).await }
        };
        let removing = {
            let (client, path) = (scene.client().clone(), member.path.clone());
            async move { client.delete(&path).await }
        };
        let (changing, removing) = if removed_first {
            let removing = held_up(&scene, 1, removing).await;
            (held_up(&scene, 2, changing).await, removing)
        } else {
            let changing = held_up(&scene, 1, changing).await;
            (changing, held_up(&scene, 2, removing).await)
        };
        hold.end().await;
        let (changed, removed) = (changing.await.unwrap(), removing.await.unwrap());
        removed.expect(StatusCode::NO_CONTENT);
        if removed_first {
            expect_unknown(&changed);
        } else {
            assert_eq!(changed.expect(StatusCode::OK).data()["name"], "Changed");
        }
        let updates = scene.database.count("events where type = 'member.updated'").await;
        assert_eq!(updates, i64::from(!removed_first));
    }
}

#[tokio::test]
async fn who_loses_a_right_while_they_wait_has_lost_it() {
    let scene = Scene::new().await;
    let (admin, viewer) = (joined(&scene, "admin").await, joined(&scene, "viewer").await);
    let lock = format!(
        "select 1 from organizations where id = '{}' for update",
        scene.organization
    );
    let hold = Hold::begin(&scene, &lock).await;
    let demoting = {
        let (client, path) = (scene.client().clone(), format!("{}/role", admin.path));
        async move { client.put(&path, &json!({ "role": "viewer" })).await }
    };
    let giving = {
        let (client, path) = (admin.client.clone(), format!("{}/role", viewer.path));
        async move { client.put(&path, &json!({ "role": "admin" })).await }
    };
    let demoting = held_up(&scene, 1, demoting).await;
    let giving = held_up(&scene, 2, giving).await;
    hold.end().await;
    demoting.await.unwrap().expect(StatusCode::OK);
    expect_forbidden(&giving.await.unwrap(), "member:update");
    let kept = scene.client().get(&viewer.path).await;
    assert_eq!(kept.data()["role"]["key"], "viewer");
}
