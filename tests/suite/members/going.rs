//! Removing members, and leaving.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::scene::{Place, Scene};

use super::{expect_forbidden, expect_unknown, founder, joined};

#[tokio::test]
async fn a_removed_member_is_out_at_once() {
    let scene = Scene::new().await;
    let member = joined(&scene, "member").await;
    let projects = scene.path("/projects");
    let own = member
        .create_project(&scene.organization, &scene.workspace, &json!({ "name": "Own" }))
        .await;
    let private = json!({ "name": "Private", "visibility": "private" });
    let private = member
        .create_project(&scene.organization, &scene.workspace, &private)
        .await;
    member.client.get(&projects).await.expect(StatusCode::OK);
    let before = member.client.get(&member.path).await.data();

    let gone = scene.client().delete(&member.path).await;
    gone.expect(StatusCode::NO_CONTENT);
    assert_eq!(gone.text, "");
    for path in [&projects, &scene.path(""), &scene.path("/context"), &member.path] {
        expect_unknown(&member.client.get(path).await);
    }
    expect_unknown(&member.client.patch(&scene.project(&own), &json!({ "name": "x" })).await);
    expect_unknown(&member.client.delete(&member.path).await);
    expect_unknown(&scene.client().get(&member.path).await);
    expect_unknown(&scene.client().delete(&member.path).await);
    assert_eq!(member.client.get("/api/v1/organizations").await.data(), json!([]));
    let list = scene.client().get(&scene.path("/members")).await.json();
    assert_eq!(list["meta"]["total"], 1);

    // The person is who they were, and what they created is what it was.
    member.client.get("/api/v1/me").await.expect(StatusCode::OK);
    for project in [&own, &private] {
        let kept = scene.client().get(&scene.project(project)).await;
        assert_eq!(kept.expect(StatusCode::OK).data()["createdBy"], member.user_id.as_str());
    }
    let event = "events where type = 'member.removed' and resource_type = 'member' and after is null";
    let event = format!(
        "{event} and resource_id = '{}' and before ->> 'id' = '{}'",
        member.id, member.id
    );
    let event = format!("{event} and actor_user_id = '{}'", scene.owner.user_id);
    assert_eq!(scene.database.count(&event).await, 1, "{before}");
}

#[tokio::test]
async fn roles_go_with_the_member_and_do_not_come_back() {
    let scene = Scene::new().await;
    let project = scene.create_project(&json!({ "name": "Website" })).await;
    let project_id = project["id"].as_str().unwrap();
    let account = scene.app.client().register("Held much", None).await;
    let roles = [
        ("member", Place::Organization),
        ("admin", Place::Workspace(&scene.workspace)),
        ("owner", Place::Project(project_id)),
    ];
    let id = scene.join(&account, &roles).await;
    let held = format!("grants where member_id = '{id}'");
    assert_eq!(scene.database.count(&held).await, 3);
    let path = scene.path(&format!("/members/{id}"));
    scene.client().delete(&path).await.expect(StatusCode::NO_CONTENT);
    assert_eq!(scene.database.count(&held).await, 0);
    assert_eq!(scene.database.count("grants").await, 1);

    scene.join(&account, &[("viewer", Place::Organization)]).await;
    let context = account.client.get(&scene.path("/context")).await.data();
    assert_eq!(
        (&context["role"]["key"], &context["grants"]),
        (&json!("viewer"), &json!([]))
    );
}

#[tokio::test]
async fn everybody_may_leave() {
    let scene = Scene::new().await;
    let mut leaving = Vec::new();
    for role in ["viewer", "member", "admin", "owner"] {
        let member = joined(&scene, role).await;
        leaving.push((member.client.clone(), member.path.clone()));
    }
    let guest = scene.app.client().register("Guest", None).await;
    let id = scene
        .join(&guest, &[("viewer", Place::Workspace(&scene.workspace))])
        .await;
    leaving.push((guest.client, scene.path(&format!("/members/{id}"))));
    for (client, path) in &leaving {
        client.delete(path).await.expect(StatusCode::NO_CONTENT);
        expect_unknown(&client.get(path).await);
        expect_unknown(&client.get(&scene.path("")).await);
    }
    let left = "events where type = 'member.left' and after is null";
    assert_eq!(scene.database.count(left).await, 5);
    assert_eq!(scene.database.count("members").await, 1);
}

#[tokio::test]
async fn who_may_remove_whom() {
    let scene = Scene::new().await;
    let owner = founder(&scene).await;
    let (admin, other, member, viewer) = (
        joined(&scene, "admin").await,
        joined(&scene, "admin").await,
        joined(&scene, "member").await,
        joined(&scene, "viewer").await,
    );
    expect_forbidden(&member.client.delete(&viewer.path).await, "member:remove");
    expect_unknown(&viewer.client.delete(&member.path).await);
    expect_forbidden(&admin.client.delete(&owner).await, "*");
    expect_forbidden(&member.client.delete(&owner).await, "member:remove");
    for path in [&viewer.path, &member.path, &other.path] {
        admin.client.delete(path).await.expect(StatusCode::NO_CONTENT);
    }
    let co_owner = joined(&scene, "owner").await;
    co_owner.client.delete(&owner).await.expect(StatusCode::NO_CONTENT);
    co_owner.client.delete(&admin.path).await.expect(StatusCode::NO_CONTENT);
    let list = co_owner.client.get(&scene.path("/members")).await.data();
    assert_eq!(list.as_array().map(Vec::len), Some(1));
    assert_eq!(list[0]["userId"], co_owner.user_id.as_str());
}

#[tokio::test]
async fn a_membership_that_does_not_count_gives_nothing_and_can_be_removed() {
    let scene = Scene::new().await;
    let away = joined(&scene, "owner").await;
    scene
        .database
        .owner(format!(
            "update members set status = 'inactive' where id = '{}'",
            away.id
        ))
        .await;
    expect_unknown(&away.client.get(&away.path).await);
    assert_eq!(scene.client().get(&away.path).await.data()["status"], "inactive");
    // An owner who is away is no owner to leave the organization to.
    let owner = founder(&scene).await;
    super::expect_last_owner(&scene.client().delete(&owner).await);
    scene.client().delete(&away.path).await.expect(StatusCode::NO_CONTENT);
    let refused = scene.client().delete(&format!("{owner}?force=true")).await;
    refused.expect_error(StatusCode::BAD_REQUEST, "MALFORMED_REQUEST");
    assert_ne!(scene.client().get(&owner).await.data(), Value::Null);
}
