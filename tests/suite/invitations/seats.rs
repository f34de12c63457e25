//! Seats: how many members an organization may have, however many it invites.

use reqwest::StatusCode;
use tenantry_tests::scene::Scene;

use super::{accept, expect_quota, invite, invited, is_member, joined, set_seats, somebody};

#[tokio::test]
async fn nobody_is_invited_where_all_seats_are_taken() {
    let scene = Scene::new().await;
    let mut last = String::new();
    for _ in 0..4 {
        let free = invite(&scene, scene.client(), "ann@example.com", "viewer").await;
        free.expect(StatusCode::CREATED);
        (_, last) = joined(&scene, "viewer").await;
    }
    for role in ["viewer", "owner"] {
        expect_quota(
            &invite(&scene, scene.client(), "bea@example.com", role).await,
            "seats",
            5,
            5,
        );
    }
    // More than there are seats, where there were more once.
    set_seats(&scene, 2).await;
    expect_quota(
        &invite(&scene, scene.client(), "bea@example.com", "viewer").await,
        "seats",
        2,
        5,
    );
    set_seats(&scene, 5).await;
    let away = format!("update members set status = 'inactive' where id = '{last}'");
    scene.database.superuser(away).await;
    invite(&scene, scene.client(), "bea@example.com", "viewer")
        .await
        .expect(StatusCode::CREATED);
}

#[tokio::test]
async fn open_invitations_take_no_seat_and_keep_none() {
    let scene = Scene::new().await;
    set_seats(&scene, 2).await;
    let (first, second) = (somebody(&scene).await, somebody(&scene).await);
    let invitation = invited(&scene, &first.email, "viewer").await;
    let later = invited(&scene, &second.email, "viewer").await;
    let accepted = accept(&first.client, &invitation.token).await;
    let member = accepted.expect(StatusCode::CREATED).header("location").unwrap();
    expect_quota(&accept(&second.client, &later.token).await, "seats", 2, 2);
    assert!(!is_member(&scene, &second).await);
    // It waits for a seat.
    let left = first.client.delete(member).await;
    left.expect(StatusCode::NO_CONTENT);
    accept(&second.client, &later.token).await.expect(StatusCode::CREATED);
}

#[tokio::test]
async fn of_many_who_want_the_last_seat_at_once_one_gets_it() {
    let scene = Scene::new().await;
    set_seats(&scene, 100).await;
    let mut people = Vec::new();
    for _ in 0..50 {
        let guest = somebody(&scene).await;
        let token = invited(&scene, &guest.email, "member").await.token;
        people.push((guest, token));
    }
    set_seats(&scene, 2).await;
    let running: Vec<_> = people
        .iter()
        .map(|(guest, token)| {
            let (client, token) = (guest.client.clone(), token.clone());
            tokio::spawn(async move { accept(&client, &token).await })
        })
        .collect();
    let mut seated = 0;
    for running in running {
        let answer = running.await.unwrap();
        if answer.status == StatusCode::CREATED {
            seated += 1;
        } else {
            expect_quota(&answer, "seats", 2, 2);
        }
    }
    assert_eq!(seated, 1);
    for (rows, count) in [
        ("members", 2),
        ("grants", 2),
        ("invitations", 49),
        ("events where type = 'invitation.accepted'", 1),
    ] {
        assert_eq!(scene.database.count(rows).await, count, "{rows}");
    }
}

#[tokio::test]
async fn a_thousand_invitations_are_open_at_most() {
    let scene = Scene::new().await;
    let many = "insert into invitations (organization_id, id, email, email_canonical, role_id, invited_by, expires_at,
                                         created_at, updated_at)
                select organization_id, gen_random_uuid(), n || '@example.com', n || '@example.com', role_id, member_id,
                       now() + interval '7 days', now(), now()
                from grants, generate_series(1, 999) n";
    scene.database.superuser(many).await;
    let last = invited(&scene, "last@example.com", "viewer").await;
    let refused = invite(&scene, scene.client(), "more@example.com", "viewer").await;
    expect_quota(&refused, "invitations", 1000, 1000);
    // One in the place of another is none more.
    invite(&scene, scene.client(), "5@example.com", "viewer")
        .await
        .expect(StatusCode::CREATED);
    let cancelled = scene.client().delete(&last.path).await;
    cancelled.expect(StatusCode::NO_CONTENT);
    invite(&scene, scene.client(), "more@example.com", "viewer")
        .await
        .expect(StatusCode::CREATED);
    assert_eq!(scene.database.count("invitations").await, 1000);
}
