//! Becoming a member.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::{
    client::{Answer, PASSWORD, text},
    scene::{Place, Scene},
};

use super::{
    accept, ask, chief_below, events, expect_forbidden, expect_gone, expect_replay, expect_unknown, invite, invited,
    invited_by, is_member, keyed, preview, resend, secrets, sent_by, set_seats, somebody, time, tokens,
};
use crate::{
    hold::{Hold, held_up},
    members::founder,
};

#[tokio::test]
async fn who_is_invited_registers_proves_the_address_and_joins() {
    let scene = Scene::new().await;
    scene.app.clock.stop();
    let email = "Nora.New@example.com";
    let asked = invite(&scene, scene.client(), email, "member").await;
    let invitation = asked.expect(StatusCode::CREATED).data();
    let path = scene.path(&format!("/invitations/{}", text(&invitation["id"])));
    assert_eq!(asked.header("location"), Some(path.as_str()));
    let role = json!({ "id": invitation["role"]["id"], "key": "member", "name": "Member" });
    let founder = founder(&scene).await;
    let expected = json!({
        "id": invitation["id"],
        "email": email,
        "role": role,
        "workspaceId": null,
        "invitedBy": founder.rsplit('/').next(),
        "status": "pending",
        "expiresAt": invitation["expiresAt"],
        "createdAt": invitation["createdAt"],
        "updatedAt": invitation["createdAt"],
    });
    assert_eq!(invitation, expected);
    assert_eq!(
        time(&invitation["expiresAt"]) - time(&invitation["createdAt"]),
        TimeDelta::days(7)
    );
    let read = scene.client().get(&path).await;
    assert_eq!(
        (read.data(), read.header("etag")),
        (invitation.clone(), asked.header("etag"))
    );
    assert!(read.header("etag").is_some());
    let list = scene.client().get(&scene.path("/invitations")).await;
    assert_eq!(list.data(), json!([invitation]));

    // The mail goes out by a job, and its link is shown to whoever holds it.
    assert_eq!(scene.database.count("organization_jobs").await, 1);
    let mails = scene.app.mails().await;
    let mail = mails.iter().find(|mail| mail.to == email).expect("a mail");
    assert!(mail.text.contains("Acme") && mail.html.contains("lang=\"en\""));
    assert_eq!(scene.database.count("organization_jobs").await, 0);
    let token = tokens(&scene, email).await.remove(0);
    let shown = preview(&scene, &token).await;
    assert_eq!(
        shown.expect(StatusCode::OK).data(),
        json!({
            "id": invitation["id"],
            "email": email,
            "organizationId": scene.organization,
            "organizationName": "Acme",
            "workspaceName": null,
            "role": role,
            "invitedByName": "Olga Owner",
            "expiresAt": invitation["expiresAt"],
            "createdAt": invitation["createdAt"],
            "updatedAt": invitation["updatedAt"],
        })
    );

    let anybody = scene.app.client();
    let body = json!({ "email": email.to_lowercase(), "password": PASSWORD, "name": "Nora New" });
    let registered = anybody.post("/api/v1/auth/register", &body).await;
    let session = registered.expect(StatusCode::CREATED).data();
    let nora = anybody.with_token(&text(&session["accessToken"]));
    expect_forbidden(&accept(&nora, &token).await, None);
    let proof = json!({ "token": secrets(&scene, email, "verify-email").await[0] });
    let proven = anybody.post("/api/v1/auth/email/verify", &proof).await;
    proven.expect(StatusCode::OK);
    accept(&anybody, &token)
        .await
        .expect_error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED");
    let accepted = accept(&nora, &token).await;
    let member = accepted.expect(StatusCode::CREATED).data();
    let own = scene.path(&format!("/members/{}", text(&member["id"])));
    assert_eq!(accepted.header("location"), Some(own.as_str()));
    assert_eq!(
        (&member["userId"], &member["role"], &member["status"]),
        (&session["user"]["id"], &role, &json!("active"))
    );
    assert_eq!(scene.client().get(&own).await.data(), member);
    let members = scene.client().get(&scene.path("/members?q=Nora")).await;
    assert_eq!(members.data(), json!([member]));

    for gone in [preview(&scene, &token).await, accept(&nora, &token).await] {
        expect_gone(&gone);
    }
    expect_unknown(&scene.client().get(&path).await);
    expect_unknown(&resend(scene.client(), &path).await);
    assert_eq!(scene.client().get(&scene.path("/invitations")).await.data(), json!([]));
    let context = nora.get(&scene.path("/context")).await;
    assert_eq!(context.data()["role"]["key"], "member");
    for (kind, id) in [
        ("invitation.created", &invitation["id"]),
        ("invitation.accepted", &invitation["id"]),
        ("member.joined", &member["id"]),
    ] {
        assert_eq!(events(&scene, kind, id).await, 1, "{kind}");
    }
}

#[tokio::test]
async fn an_invitation_to_a_workspace_gives_just_that() {
    let scene = Scene::new().await;
    let second = scene.add_workspace("second").await;
    let hidden = scene.create_project(&json!({ "name": "Hidden" })).await;
    let guest = somebody(&scene).await;
    let body = json!({ "email": guest.email, "role": "member", "workspaceId": second });
    let invitation = invited_by(&scene, scene.client(), &body).await;
    let read = scene.client().get(&invitation.path).await;
    assert_eq!(read.data()["workspaceId"], second.as_str());
    let shown = preview(&scene, &invitation.token).await.data();
    assert_eq!(
        (&shown["workspaceName"], &shown["role"]["key"]),
        (&json!("second"), &json!("member"))
    );

    let accepted = accept(&guest.client, &invitation.token).await;
    assert_eq!(accepted.expect(StatusCode::CREATED).data()["role"], Value::Null);
    let context = guest.client.get(&scene.path("/context")).await.data();
    let grant = &context["grants"][0];
    assert_eq!(
        (&context["role"], context["grants"].as_array().map(Vec::len)),
        (&Value::Null, Some(1))
    );
    assert_eq!(
        (&grant["resourceType"], &grant["resourceId"], &grant["role"]["key"]),
        (&json!("workspace"), &json!(second), &json!("member"))
    );
    let workspaces = guest.client.get(&scene.path("/workspaces")).await.json();
    assert_eq!(
        (&workspaces["meta"]["total"], &workspaces["data"][0]["id"]),
        (&json!(1), &json!(second))
    );
    expect_unknown(&guest.client.get(&scene.project(&hidden)).await);
    expect_unknown(&guest.client.get(&scene.projects()).await);
    expect_forbidden(&guest.client.get(&scene.path("/members")).await, Some("member:view"));
}

#[tokio::test]
async fn an_invitation_goes_with_its_workspace() {
    let scene = Scene::new().await;
    let second = scene.add_workspace("second").await;
    let guest = somebody(&scene).await;
    let body = json!({ "email": guest.email, "role": "viewer", "workspaceId": second });
    let invitation = invited_by(&scene, scene.client(), &body).await;
    let deleted = scene
        .client()
        .delete(&scene.path(&format!("/workspaces/{second}")))
        .await;
    deleted.expect(StatusCode::NO_CONTENT);
    expect_unknown(&scene.client().get(&invitation.path).await);
    expect_gone(&preview(&scene, &invitation.token).await);
    expect_gone(&accept(&guest.client, &invitation.token).await);
    assert!(!is_member(&scene, &guest).await);
}

#[tokio::test]
async fn with_a_key_an_acceptance_is_answered_again() {
    let scene = Scene::new().await;
    let guest = somebody(&scene).await;
    let invitation = invited(&scene, &guest.email, "viewer").await;
    let client = keyed(&guest.client, "k");
    let first = accept(&client, &invitation.token).await;
    first.expect(StatusCode::CREATED);
    expect_replay(&accept(&client, &invitation.token).await, &first);
    expect_gone(&accept(&keyed(&guest.client, "other"), &invitation.token).await);
    let other = accept(&client, "another").await;
    other.expect_error(StatusCode::UNPROCESSABLE_ENTITY, "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(scene.database.count("members").await, 2);
}

#[tokio::test]
async fn an_invitation_is_for_whoever_has_proven_the_address() {
    let scene = Scene::new().await;
    let unproven = scene.app.client().register("Unproven", None).await;
    let other = somebody(&scene).await;
    let invitation = invited(&scene, &unproven.email, "viewer").await;
    let before = scene.client().get(&invitation.path).await;
    for account in [&unproven, &other] {
        expect_forbidden(&accept(&account.client, &invitation.token).await, None);
    }
    let after = scene.client().get(&invitation.path).await;
    assert_eq!(
        (after.data(), after.header("etag")),
        (before.data(), before.header("etag"))
    );
    preview(&scene, &invitation.token).await.expect(StatusCode::OK);
    assert_eq!(scene.database.count("members").await, 1);
    assert_eq!(
        scene.database.count("events where type = 'invitation.accepted'").await,
        0
    );
}

#[tokio::test]
async fn who_became_a_member_meanwhile_does_not_become_another() {
    let scene = Scene::new().await;
    let guest = somebody(&scene).await;
    let invitation = invited(&scene, &guest.email, "admin").await;
    scene.join(&guest, &[("viewer", Place::Organization)]).await;
    let refused = accept(&guest.client, &invitation.token).await;
    refused.expect_error(StatusCode::CONFLICT, "CONFLICT");
    assert_eq!(refused.reason(), "already_member");
    let context = guest.client.get(&scene.path("/context")).await;
    assert_eq!(context.data()["role"]["key"], "viewer");
}

#[tokio::test]
async fn an_invitation_accepted_many_times_at_once_makes_one_member() {
    let scene = Scene::new().await;
    let guest = somebody(&scene).await;
    let invitation = invited(&scene, &guest.email, "member").await;
    let running: Vec<_> = (0..20)
        .map(|_| {
            let (client, token) = (guest.client.clone(), invitation.token.clone());
            tokio::spawn(async move { accept(&client, &token).await })
        })
        .collect();
    let mut accepted = 0;
    for running in running {
        let answer = running.await.unwrap();
        if answer.status == StatusCode::CREATED {
            accepted += 1;
        } else {
            expect_gone(&answer);
        }
    }
    assert_eq!(accepted, 1);
    assert!(is_member(&scene, &guest).await);
    assert_eq!(scene.database.count("grants").await, 2);
    assert_eq!(
        scene.database.count("events where type = 'invitation.accepted'").await,
        1
    );
}

#[tokio::test]
async fn a_sender_who_lost_what_it_grants_gives_nothing() {
    let scene = Scene::new().await;
    set_seats(&scene, 100).await;
    // Whom the sender invites as what, and what becomes of the sender.
    for (sender, role, becomes) in [
        ("admin", "viewer", "member"),
        ("admin", "admin", "viewer"),
        ("owner", "owner", "admin"),
    ] {
        let (id, guest, invitation) = sent_by(&scene, sender, role).await;
        let own_role = scene.path(&format!("/members/{id}/role"));
        let demoted = scene.client().put(&own_role, &json!({ "role": becomes })).await;
        demoted.expect(StatusCode::OK);
        expect_gone(&accept(&guest.client, &invitation.token).await);
        assert!(!is_member(&scene, &guest).await);
        // It is good again once somebody who may give it has sent it.
        resend(scene.client(), &invitation.path).await.expect(StatusCode::OK);
        let accepted = accept(&guest.client, &invitation.token).await;
        assert_eq!(accepted.expect(StatusCode::CREATED).data()["role"]["key"], role);
    }
    // What is held in a workspace is lost there.
    let (chief, id) = chief_below(&scene).await;
    let guest = somebody(&scene).await;
    let body = json!({ "email": guest.email, "role": "owner", "workspaceId": scene.workspace });
    let invitation = invited_by(&scene, &chief.client, &body).await;
    let lost = format!("delete from grants where member_id = '{id}' and workspace_id is not null");
    scene.database.superuser(lost).await;
    expect_gone(&accept(&guest.client, &invitation.token).await);
    assert!(!is_member(&scene, &guest).await);
}

#[tokio::test]
async fn an_invitation_goes_with_its_sender() {
    let scene = Scene::new().await;
    for away in [false, true] {
        let (id, guest, invitation) = sent_by(&scene, "admin", "viewer").await;
        if away {
            let away = format!("update members set status = 'inactive' where id = '{id}'");
            scene.database.superuser(away).await;
        } else {
            let gone = turned_on(&scene, &id, true).await;
            gone.expect(StatusCode::NO_CONTENT);
            expect_unknown(&scene.client().get(&invitation.path).await);
            expect_gone(&preview(&scene, &invitation.token).await);
        }
        expect_gone(&accept(&guest.client, &invitation.token).await);
        assert!(!is_member(&scene, &guest).await);
    }
}

/// Has a sender removed, or made a viewer.
fn turned_on(scene: &Scene, id: &str, removed: bool) -> impl Future<Output = Answer> + Send + use<> {
    let (client, path) = (scene.client().clone(), scene.path(&format!("/members/{id}")));
    async move {
        if removed {
            client.delete(&path).await
        } else {
            client.put(&format!("{path}/role"), &json!({ "role": "viewer" })).await
        }
    }
}

#[tokio::test]
async fn an_acceptance_comes_before_or_after_its_sender_goes() {
    let cases = [(false, false), (false, true), (true, false), (true, true)];
    for (removed, sender_first) in cases {
        let scene = Scene::new().await;
        let (id, guest, invitation) = sent_by(&scene, "admin", "admin").await;
        let lock = format!(
            "select 1 from organizations where id = '{}' for update",
            scene.organization
        );
        let hold = Hold::begin(&scene, &lock).await;
        let going = turned_on(&scene, &id, removed);
        let accepting = {
            let (client, token) = (guest.client.clone(), invitation.token);
            async move { accept(&client, &token).await }
        };
        let (accepting, going) = if sender_first {
            let going = held_up(&scene, 1, going).await;
            (held_up(&scene, 2, accepting).await, going)
        } else {
            let accepting = held_up(&scene, 1, accepting).await;
            (accepting, held_up(&scene, 2, going).await)
        };
        hold.end().await;
        let (accepted, gone) = (accepting.await.unwrap(), going.await.unwrap());
        assert!(gone.status.is_success(), "{gone:?}");
        if sender_first {
            expect_gone(&accepted);
        } else {
            accepted.expect(StatusCode::CREATED);
        }
        assert_eq!(is_member(&scene, &guest).await, !sender_first, "removed: {removed}");
    }
}

#[tokio::test]
async fn an_acceptance_and_a_demotion_of_its_sender_agree() {
    let scene = Scene::new().await;
    set_seats(&scene, 100).await;
    for round in 0..12 {
        let (id, guest, invitation) = sent_by(&scene, "admin", "admin").await;
        let going = turned_on(&scene, &id, round % 2 == 0);
        let (gone, accepted) = tokio::join!(going, accept(&guest.client, &invitation.token));
        assert!(gone.status.is_success(), "{gone:?}");
        let context = guest.client.get(&scene.path("/context")).await;
        if accepted.status == StatusCode::CREATED {
            assert_eq!(context.expect(StatusCode::OK).data()["role"]["key"], "admin");
        } else {
            expect_gone(&accepted);
            expect_unknown(&context);
            expect_gone(&accept(&guest.client, &invitation.token).await);
        }
    }
}

#[tokio::test]
async fn nobody_joins_what_is_suspended_or_deleted() {
    let scene = Scene::new().await;
    let guest = somebody(&scene).await;
    let invitation = invited(&scene, &guest.email, "viewer").await;
    let set_status = async |status: &str| {
        let set = format!("update organizations set status = '{status}'");
        scene.database.superuser(set).await;
    };
    set_status("suspended").await;
    let refused = accept(&guest.client, &invitation.token).await;
    refused.expect_error(StatusCode::FORBIDDEN, "TENANT_SUSPENDED");
    set_status("active").await;
    let deleted = scene.client().delete(&scene.path("")).await;
    deleted.expect(StatusCode::NO_CONTENT);
    expect_gone(&preview(&scene, &invitation.token).await);
    expect_gone(&accept(&guest.client, &invitation.token).await);
    assert!(!is_member(&scene, &guest).await);
}

#[tokio::test]
async fn an_invitation_is_accepted_while_its_workspace_is_deleted() {
    let scene = Scene::new().await;
    set_seats(&scene, 100).await;
    for _ in 0..5 {
        let workspace = scene
            .client()
            .post(&scene.path("/workspaces"), &json!({ "name": "Gone" }))
            .await;
        let id = text(&workspace.expect(StatusCode::CREATED).data()["id"]);
        let guest = somebody(&scene).await;
        let body = json!({ "email": guest.email, "role": "member", "workspaceId": id });
        let invitation = invited_by(&scene, scene.client(), &body).await;
        let path = scene.path(&format!("/workspaces/{id}"));
        let another = json!({ "email": "ann@example.com", "role": "member", "workspaceId": id });
        let (accepted, deleted, again) = tokio::join!(
            accept(&guest.client, &invitation.token),
            scene.client().delete(&path),
            ask(&scene, scene.client(), &another),
        );
        deleted.expect(StatusCode::NO_CONTENT);
        assert!(
            [StatusCode::CREATED, StatusCode::GONE].contains(&accepted.status),
            "{}",
            accepted.text
        );
        assert!(
            [StatusCode::CREATED, StatusCode::NOT_FOUND].contains(&again.status),
            "{}",
            again.text
        );
        assert_eq!(is_member(&scene, &guest).await, accepted.status == StatusCode::CREATED);
        assert_eq!(scene.database.count("invitations").await, 0);
    }
}
