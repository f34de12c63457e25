//! Inviting, inviting again, and taking it back.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::{
    client::{Answer, Client, text},
    scene::{Place, Scene},
};

use super::{
    accept, ask, chief_below, events, expect_forbidden, expect_gone, expect_replay, expect_unknown, invite, invited,
    joined, keyed, preview, resend, somebody, time, tokens,
};
use crate::world::new_id;

/// Everything that can be done to one invitation.
async fn everything(client: &Client, path: &str) -> [Answer; 3] {
    [
        client.get(path).await,
        resend(client, path).await,
        client.delete(path).await,
    ]
}

/// An error without what is another for each request.
fn told(answer: &Answer) -> Value {
    let mut body = answer.json();
    body["error"]["traceId"] = Value::Null;
    body
}

#[tokio::test]
async fn invitations_are_sorted() {
    let scene = Scene::new().await;
    scene.app.clock.stop();
    for email in ["carl@example.com", "Ann@example.com", "bea@example.com"] {
        let asked = invite(&scene, scene.client(), email, "viewer").await;
        asked.expect(StatusCode::CREATED);
        scene.app.clock.advance(TimeDelta::minutes(1));
    }
    for (sort, names) in [
        ("createdAt", ["carl", "Ann", "bea"]),
        ("-expiresAt", ["bea", "Ann", "carl"]),
        ("email", ["Ann", "bea", "carl"]),
    ] {
        let list = scene
            .client()
            .get(&scene.path(&format!("/invitations?sort={sort}")))
            .await;
        let list = list.expect(StatusCode::OK).data();
        let emails: Vec<_> = list.as_array().unwrap().iter().map(|one| text(&one["email"])).collect();
        assert_eq!(emails, names.map(|name| format!("{name}@example.com")), "{sort}");
    }
    let refused = scene.client().get(&scene.path("/invitations?sort=role")).await;
    refused.expect_error(StatusCode::BAD_REQUEST, "MALFORMED_REQUEST");
}

#[tokio::test]
async fn another_invitation_takes_the_place_of_the_first() {
    let scene = Scene::new().await;
    let guest = somebody(&scene).await;
    let first = invited(&scene, &guest.email, "admin").await;
    let shouted = guest.email.to_uppercase();
    let second = invited(&scene, &shouted, "viewer").await;
    assert!(first.path != second.path && first.token != second.token);
    for answer in everything(scene.client(), &first.path).await {
        expect_unknown(&answer);
    }
    expect_gone(&preview(&scene, &first.token).await);
    expect_gone(&accept(&guest.client, &first.token).await);
    let list = scene.client().get(&scene.path("/invitations")).await;
    assert_eq!(list.json()["meta"]["total"], 1);
    assert_eq!(list.data()[0]["email"], shouted.as_str());

    let member = accept(&guest.client, &second.token).await;
    assert_eq!(member.expect(StatusCode::CREATED).data()["role"]["key"], "viewer");
    assert_eq!(scene.database.count("invitations").await, 0);
}

#[tokio::test]
async fn who_may_not_invite_knows_of_no_invitation() {
    let scene = Scene::new().await;
    let invitation = invited(&scene, "ann@example.com", "viewer").await;
    let nothing = scene.path(&format!("/invitations/{}", new_id()));
    let below = scene.app.client().register("Owner below", None).await;
    scene
        .join(&below, &[("owner", Place::Workspace(&scene.workspace))])
        .await;
    let (member, _) = joined(&scene, "member").await;
    let (viewer, _) = joined(&scene, "viewer").await;
    let stranger = scene.app.client().register("Stranger", Some("Elsewhere")).await;
    let in_workspace = json!({ "email": "bea@example.com", "role": "viewer", "workspaceId": scene.workspace });
    for client in [&below.client, &member.client, &viewer.client] {
        expect_forbidden(
            &invite(&scene, client, "bea@example.com", "viewer").await,
            Some("member:invite"),
        );
        expect_forbidden(&ask(&scene, client, &in_workspace).await, Some("member:invite"));
        expect_forbidden(&client.get(&scene.path("/invitations")).await, Some("member:invite"));
        for path in [&invitation.path, &nothing] {
            for answer in everything(client, path).await {
                expect_forbidden(&answer, Some("member:invite"));
            }
        }
    }
    expect_unknown(&invite(&scene, &stranger.client, "bea@example.com", "viewer").await);
    expect_unknown(&stranger.client.get(&scene.path("/invitations")).await);
    for answer in everything(&stranger.client, &invitation.path).await {
        expect_unknown(&answer);
    }
    for answer in everything(&scene.app.client(), &invitation.path).await {
        answer.expect_error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED");
    }
    let anonymous = invite(&scene, &scene.app.client(), "bea@example.com", "viewer").await;
    anonymous.expect_error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED");
    assert_eq!(scene.database.count("invitations").await, 1);
    assert_eq!(tokens(&scene, "ann@example.com").await.len(), 1);
}

#[tokio::test]
async fn invitations_of_other_organizations_are_none() {
    let scene = Scene::new().await;
    let invitation = invited(&scene, "ann@example.com", "viewer").await;
    let before = scene.client().get(&invitation.path).await.data();
    let stranger = scene.app.client().register("Stranger", Some("Elsewhere")).await;
    let elsewhere = format!("/api/v1/organizations/{}/invitations", stranger.organization().await);
    let foreign = format!("{elsewhere}/{}", text(&before["id"]));
    let unknown = format!("{elsewhere}/{}", new_id());
    let answers = everything(&stranger.client, &foreign).await;
    for (answer, nothing) in answers.iter().zip(&everything(&stranger.client, &unknown).await) {
        expect_unknown(answer);
        assert_eq!(told(answer), told(nothing));
    }
    assert_eq!(stranger.client.get(&elsewhere).await.data(), json!([]));
    assert_eq!(scene.client().get(&invitation.path).await.data(), before);
    for answer in everything(scene.client(), &scene.path("/invitations/no-id")).await {
        answer.expect_error(StatusCode::BAD_REQUEST, "MALFORMED_REQUEST");
        assert_eq!(answer.json()["error"]["details"]["location"], "path.invitationId");
    }
}

#[tokio::test]
async fn nobody_invites_to_more_than_they_hold() {
    let scene = Scene::new().await;
    let second = scene.add_workspace("second").await;
    let context = scene.client().get(&scene.path("/context")).await;
    let owner_role = text(&context.data()["role"]["id"]);
    let (admin, _) = joined(&scene, "admin").await;
    for role in ["owner", &owner_role] {
        expect_forbidden(&invite(&scene, &admin.client, "ann@example.com", role).await, Some("*"));
    }
    let (chief, _) = chief_below(&scene).await;
    let invite_below = async |client: &Client, workspace: &str| {
        let body = json!({ "email": "ann@example.com", "role": "owner", "workspaceId": workspace });
        ask(&scene, client, &body).await
    };
    // What is held further down can be given there, and nowhere else.
    expect_forbidden(&invite_below(&admin.client, &scene.workspace).await, Some("*"));
    expect_forbidden(&invite_below(&chief.client, &second).await, Some("*"));
    expect_forbidden(
        &invite(&scene, &chief.client, "ann@example.com", "owner").await,
        Some("*"),
    );
    assert_eq!(scene.database.count("invitations").await, 0);
    invite_below(&chief.client, &scene.workspace)
        .await
        .expect(StatusCode::CREATED);
    for (client, role) in [(&admin.client, "admin"), (scene.client(), "owner")] {
        let asked = invite(&scene, client, "bea@example.com", role).await;
        asked.expect(StatusCode::CREATED);
    }
}

#[tokio::test]
async fn what_is_no_role_or_workspace_of_the_organization_is_refused() {
    let scene = Scene::new().await;
    let stranger = scene.app.client().register("Stranger", Some("Elsewhere")).await;
    let elsewhere = stranger.organization().await;
    let context = format!("/api/v1/organizations/{elsewhere}/context");
    let foreign_role = text(&stranger.client.get(&context).await.data()["role"]["id"]);
    for role in [&foreign_role, &new_id(), "editor", "Owner", "", "*"] {
        let refused = invite(&scene, scene.client(), "ann@example.com", role).await;
        refused.expect_refused(&["/role"]);
        assert_eq!(refused.refused_fields()[0].1, "enum", "{role}");
    }
    let mut answers = Vec::new();
    for workspace in [stranger.default_workspace(&elsewhere).await, new_id()] {
        let body = json!({ "email": "ann@example.com", "role": "viewer", "workspaceId": workspace });
        let refused = ask(&scene, scene.client(), &body).await;
        expect_unknown(&refused);
        answers.push(told(&refused));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(scene.database.count("invitations").await, 0);
}

#[tokio::test]
async fn who_is_a_member_already_is_not_invited() {
    let scene = Scene::new().await;
    let guest = scene.app.client().register("Guest", None).await;
    scene
        .join(&guest, &[("viewer", Place::Workspace(&scene.workspace))])
        .await;
    for email in [&scene.owner.email, &scene.owner.email.to_uppercase(), &guest.email] {
        let refused = invite(&scene, scene.client(), email, "viewer").await;
        refused.expect_error(StatusCode::CONFLICT, "CONFLICT");
        assert_eq!(refused.reason(), "already_member");
    }
    assert_eq!(scene.database.count("invitations").await, 0);
}

#[tokio::test]
async fn a_cancelled_invitation_is_gone() {
    let scene = Scene::new().await;
    let guest = somebody(&scene).await;
    let invitation = invited(&scene, &guest.email, "viewer").await;
    let (admin, _) = joined(&scene, "admin").await;
    let id = scene.client().get(&invitation.path).await.data()["id"].clone();
    let cancelled = admin.client.delete(&invitation.path).await;
    assert_eq!(cancelled.expect(StatusCode::NO_CONTENT).text, "");
    for answer in everything(scene.client(), &invitation.path).await {
        expect_unknown(&answer);
    }
    expect_gone(&preview(&scene, &invitation.token).await);
    expect_gone(&accept(&guest.client, &invitation.token).await);
    assert_eq!(scene.client().get(&scene.path("/invitations")).await.data(), json!([]));
    assert_eq!(events(&scene, "invitation.cancelled", &id).await, 1);
    assert_eq!(scene.database.count("members").await, 2);
}

#[tokio::test]
async fn whoever_sends_it_again_is_its_sender_from_then_on() {
    let scene = Scene::new().await;
    scene.app.clock.stop();
    let invitation = invited(&scene, "ann@example.com", "viewer").await;
    let before = scene.client().get(&invitation.path).await;
    let (admin, admin_id) = joined(&scene, "admin").await;
    scene.app.clock.advance(TimeDelta::minutes(30));
    let again = resend(&admin.client, &invitation.path).await;
    again.expect(StatusCode::OK);
    let (was, is) = (before.data(), again.data());
    let mut expected = was.clone();
    expected["invitedBy"] = json!(admin_id);
    expected["expiresAt"] = is["expiresAt"].clone();
    expected["updatedAt"] = is["updatedAt"].clone();
    assert_eq!(is, expected);
    assert_eq!(time(&is["expiresAt"]) - time(&was["expiresAt"]), TimeDelta::minutes(30));
    let read = scene.client().get(&invitation.path).await;
    assert_eq!((read.data(), read.header("etag")), (is.clone(), again.header("etag")));
    assert_ne!(read.header("etag"), before.header("etag"));
    let mailed = tokens(&scene, "ann@example.com").await;
    assert_eq!(mailed, [invitation.token.as_str(), &invitation.token]);
    assert_eq!(
        preview(&scene, &invitation.token).await.data()["invitedByName"],
        "The admin"
    );
    assert_eq!(events(&scene, "invitation.resent", &is["id"]).await, 1);

    // It grants what an admin lacks.
    let above = invited(&scene, "boss@example.com", "owner").await;
    let before = scene.client().get(&above.path).await.data();
    expect_forbidden(&resend(&admin.client, &above.path).await, Some("*"));
    assert_eq!(scene.client().get(&above.path).await.data(), before);
    expect_unknown(&resend(scene.client(), &scene.path(&format!("/invitations/{}", new_id()))).await);
}

#[tokio::test]
async fn with_a_key_it_is_sent_once() {
    let scene = Scene::new().await;
    let client = keyed(scene.client(), "k");
    let first = invite(&scene, &client, "ann@example.com", "viewer").await;
    first.expect(StatusCode::CREATED);
    assert_eq!(first.header("idempotency-replayed"), None);
    expect_replay(&invite(&scene, &client, "ann@example.com", "viewer").await, &first);
    let other = invite(&scene, &client, "bea@example.com", "viewer").await;
    other.expect_error(StatusCode::UNPROCESSABLE_ENTITY, "IDEMPOTENCY_KEY_REUSED");
    let path = scene.path(&format!("/invitations/{}", text(&first.data()["id"])));
    let again = resend(&client, &path).await;
    again.expect(StatusCode::OK);
    expect_replay(&resend(&client, &path).await, &again);
    assert_eq!(tokens(&scene, "ann@example.com").await.len(), 2);
    assert_eq!(events(&scene, "invitation.created", &first.data()["id"]).await, 1);
    assert_eq!(events(&scene, "invitation.resent", &first.data()["id"]).await, 1);
    assert_eq!(scene.database.count("invitations").await, 1);
}

#[tokio::test]
async fn all_that_is_wrong_with_an_invitation_is_told() {
    let scene = Scene::new().await;
    for email in [
        "",
        "ann",
        "ann@",
        "@example.com",
        "ann lee@example.com",
        "ann@example.com,eve@example.com",
        "Ann <ann@example.com>",
        "ann@[192.0.2.1]",
        "ann@example.com\r\nBcc: eve@example.com",
        "ann@example.com\nSubject: x",
        "ann\u{0}@example.com",
        &format!("{}@example.com", "a".repeat(250)),
    ] {
        let refused = invite(&scene, scene.client(), email, "viewer").await;
        refused.expect_refused(&["/email"]);
    }
    let right = json!({ "email": "ann@example.com", "role": "viewer", "workspaceId": null });
    let with = |field: &str, value: Value| {
        let mut body = right.clone();
        body[field] = value;
        body
    };
    for (body, fields) in [
        (json!({}), vec!["/email", "/role"]),
        (
            json!({ "email": 5, "role": [], "workspaceId": true }),
            vec!["/email", "/role", "/workspaceId"],
        ),
        (with("email", Value::Null), vec!["/email"]),
        (with("role", Value::Null), vec!["/role"]),
        (with("workspaceId", json!("no-id")), vec!["/workspaceId"]),
        (with("projectId", json!(new_id())), vec!["/projectId"]),
        (with("expiresAt", json!("2099-01-01T00:00:00Z")), vec!["/expiresAt"]),
    ] {
        ask(&scene, scene.client(), &body).await.expect_refused(&fields);
    }
    assert_eq!(scene.database.count("invitations").await, 0);
    assert_eq!(scene.database.count("organization_jobs").await, 0);
    let asked = ask(&scene, scene.client(), &right).await;
    assert_eq!(asked.expect(StatusCode::CREATED).data()["workspaceId"], Value::Null);
}
