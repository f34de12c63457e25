//! Members.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test should stop where it fails"
)]

mod going;
mod last_owner;
mod meanwhile;
mod profiles;
mod reading;
mod roles;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::{
    client::{Account, Answer, text},
    scene::{Place, Scene},
};

/// Somebody who is a member.
struct Joined {
    account: Account,
    /// The id of the membership.
    id: String,
    /// The path of the membership.
    path: String,
}

impl std::ops::Deref for Joined {
    type Target = Account;

    fn deref(&self) -> &Account {
        &self.account
    }
}

/// Somebody new of this name, with a built-in role in the organization.
async fn joined_as(scene: &Scene, name: &str, role: &str) -> Joined {
    let account = scene.app.client().register(name, None).await;
    let id = scene.join(&account, &[(role, Place::Organization)]).await;
    let path = scene.path(&format!("/members/{id}"));
    Joined { account, id, path }
}

/// Somebody new with a built-in role in the organization.
async fn joined(scene: &Scene, role: &str) -> Joined {
    joined_as(scene, &format!("The {role}"), role).await
}

/// The path of the founder's own membership.
pub(crate) async fn founder(scene: &Scene) -> String {
    let list = scene.client().get(&scene.path("/members?sort=joinedAt")).await;
    assert_eq!(list.data()[0]["userId"], scene.owner.user_id.as_str());
    scene.path(&format!("/members/{}", text(&list.data()[0]["id"])))
}

#[track_caller]
fn expect_forbidden(answer: &Answer, permission: &str) {
    answer.expect_error(StatusCode::FORBIDDEN, "FORBIDDEN");
    assert_eq!(
        answer.json()["error"]["details"],
        json!({ "requiredPermission": permission })
    );
}

#[track_caller]
fn expect_unknown(answer: &Answer) {
    answer.expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
}

#[track_caller]
fn expect_last_owner(answer: &Answer) {
    answer.expect_error(StatusCode::CONFLICT, "CONFLICT");
    assert_eq!(answer.reason(), "last_owner");
}

#[tokio::test]
async fn members_are_listed_to_those_who_may_view_them() {
    let scene = Scene::new().await;
    let (admin, member, viewer) = (
        scene.joined("admin").await,
        scene.joined("member").await,
        scene.joined("viewer").await,
    );
    let guest = scene.app.client().register("Guest", None).await;
    scene
        .join(&guest, &[("viewer", Place::Workspace(&scene.workspace))])
        .await;
    scene.app.client().register("Stranger", Some("Elsewhere")).await;

    let list = member.client.get(&scene.path("/members?sort=name")).await;
    list.expect(StatusCode::OK);
    assert_eq!(list.json()["meta"]["total"], 5);
    let members = list.data();
    for entry in members.as_array().unwrap() {
        let mut names: Vec<_> = entry.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(
            names,
            [
                "avatarUrl",
                "createdAt",
                "email",
                "id",
                "joinedAt",
                "lastSeenAt",
                "name",
                "role",
                "status",
                "updatedAt",
                "userId"
            ]
        );
        assert_eq!(entry["status"], "active");
        assert_ne!(entry["id"], entry["userId"]);
    }
    let by_user = |id: &str| {
        members
            .as_array()
            .unwrap()
            .iter()
            .find(|entry| entry["userId"] == id)
            .unwrap()
            .clone()
    };
    assert_eq!(by_user(&admin.user_id)["role"]["key"], "admin");
    assert_eq!(by_user(&member.user_id)["email"], member.email.as_str());
    assert_eq!(by_user(&guest.user_id)["role"], Value::Null);
    assert_eq!(by_user(&scene.owner.user_id)["name"], "Olga Owner");
    // Whoever has called has been seen.
    assert!(by_user(&member.user_id)["lastSeenAt"].is_string());
    assert_eq!(by_user(&admin.user_id)["lastSeenAt"], Value::Null);

    let forbidden = viewer.client.get(&scene.path("/members")).await;
    forbidden.expect_error(StatusCode::FORBIDDEN, "FORBIDDEN");
    assert_eq!(
        forbidden.json()["error"]["details"],
        json!({ "requiredPermission": "member:view" })
    );
}

#[tokio::test]
async fn members_are_sorted_and_searched() {
    let scene = Scene::new().await;
    for name in ["Zoe", "adam", "Bea"] {
        let account = scene.app.client().register(name, None).await;
        scene.join(&account, &[("viewer", Place::Organization)]).await;
    }
    let names = async |query: &str| -> Vec<String> {
        let list = scene.client().get(&scene.path(&format!("/members?{query}"))).await;
        list.expect(StatusCode::OK);
        list.data()
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| text(&entry["name"]))
            .collect()
    };
    assert_eq!(names("sort=joinedAt").await, ["Olga Owner", "Zoe", "adam", "Bea"]);
    assert_eq!(names("sort=-joinedAt").await, ["Bea", "adam", "Zoe", "Olga Owner"]);
    assert_eq!(names("q=OWN").await, ["Olga Owner"]);
    for sort in ["email", "-email", "name", "createdAt", "updatedAt"] {
        let mut sorted = names(&format!("sort={sort}")).await;
        sorted.sort();
        assert_eq!(sorted, ["Bea", "Olga Owner", "Zoe", "adam"]);
    }
    let emails = scene.client().get(&scene.path("/members?sort=email")).await.data();
    let emails: Vec<_> = emails
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| text(&entry["email"]))
        .collect();
    assert!(emails.is_sorted(), "{emails:?}");
    for sort in ["role", "lastSeenAt", "id", "password", "userId"] {
        let refused = scene.client().get(&scene.path(&format!("/members?sort={sort}"))).await;
        refused.expect_error(StatusCode::BAD_REQUEST, "MALFORMED_REQUEST");
    }
}
