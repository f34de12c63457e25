//! An organization always has an owner, whatever is done at once.

use reqwest::StatusCode;
use serde_json::json;
use tenantry_tests::{
    client::{Account, Answer, Client},
    database::connect,
    scene::Scene,
};

use super::{expect_last_owner, founder, joined};
use crate::binary::process::eventually;

/// What an owner does to an owner.
#[derive(Debug, Clone, Copy)]
enum Act {
    Remove,
    Demote(&'static str),
}

async fn act(client: Client, path: String, act: Act) -> Answer {
    match act {
        Act::Remove => client.delete(&path).await,
        Act::Demote(role) => client.put(&format!("{path}/role"), &json!({ "role": role })).await,
    }
}

/// How many active owners there are.
async fn owners(scene: &Scene) -> i64 {
    let owners = "grants g join roles r on r.organization_id = g.organization_id and r.id = g.role_id
                  join members m on m.organization_id = g.organization_id and m.id = g.member_id
                  where r.key = 'owner' and g.workspace_id is null and g.project_id is null and m.status = 'active'";
    scene.database.count(owners).await
}

/// An owner and the path of their membership.
type Owner = (Client, String);

/// Does all at once: each is held up by a lock on the organization's row until all wait for it.
async fn at_once(scene: &Scene, acts: &[(&Owner, &Owner, Act)]) -> Vec<Answer> {
    let mut holder = connect(scene.database.superuser_url()).await;
    let hold = format!(
        "begin; select 1 from organizations where id = '{}' for update",
        scene.organization
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(hold))
        .execute(&mut holder)
        .await
        .unwrap();
    let mut running = Vec::new();
    for (number, ((client, _), (_, path), what)) in (1..).zip(acts) {
        running.push(tokio::spawn(act(client.clone(), path.clone(), *what)));
        eventually("the request to be held up", async || {
            let waiting = "pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
            (scene.database.count(waiting).await == number).then_some(())
        })
        .await;
    }
    sqlx::raw_sql("rollback").execute(&mut holder).await.unwrap();
    let mut answers = Vec::new();
    for running in running {
        answers.push(running.await.unwrap());
    }
    answers
}

/// An organization with its founder and other owners.
async fn with_owners<const N: usize>(scene: &Scene) -> [Owner; N] {
    let mut owners = vec![(scene.client().clone(), founder(scene).await)];
    while owners.len() < N {
        let owner = joined(scene, "owner").await;
        owners.push((owner.client.clone(), owner.path.clone()));
    }
    owners.try_into().unwrap_or_else(|_| panic!("{N} owners"))
}

#[tokio::test]
async fn the_last_owner_stays() {
    let scene = Scene::new().await;
    let [owner] = with_owners(&scene).await;
    let admin = joined(&scene, "admin").await;
    let before = owner.0.get(&owner.1).await;
    expect_last_owner(&act(owner.0.clone(), owner.1.clone(), Act::Remove).await);
    for role in ["admin", "member", "viewer"] {
        expect_last_owner(&act(owner.0.clone(), owner.1.clone(), Act::Demote(role)).await);
    }
    let after = owner.0.get(&owner.1).await;
    assert_eq!(
        (after.data(), after.header("etag")),
        (before.data(), before.header("etag"))
    );
    // What changes nothing is none of that.
    let same = act(owner.0.clone(), owner.1.clone(), Act::Demote("owner")).await;
    same.expect(StatusCode::OK);

    act(owner.0.clone(), admin.path.clone(), Act::Demote("owner"))
        .await
        .expect(StatusCode::OK);
    act(owner.0.clone(), owner.1.clone(), Act::Demote("viewer"))
        .await
        .expect(StatusCode::OK);
    expect_last_owner(&admin.client.delete(&admin.path).await);
    assert_eq!(owners(&scene).await, 1);
}

#[tokio::test]
async fn of_two_who_leave_at_once_one_stays() {
    for acts in [
        [Act::Remove, Act::Remove],
        [Act::Demote("admin"), Act::Demote("viewer")],
        [Act::Remove, Act::Demote("admin")],
        [Act::Demote("viewer"), Act::Remove],
    ] {
        let scene = Scene::new().await;
        let [one, other] = with_owners(&scene).await;
        let answers = at_once(&scene, &[(&one, &one, acts[0]), (&other, &other, acts[1])]).await;
        let (done, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status.is_success());
        assert_eq!((done.len(), refused.len()), (1, 1), "{acts:?}");
        expect_last_owner(refused[0]);
        assert_eq!(owners(&scene).await, 1);
    }
}

#[tokio::test]
async fn of_two_who_turn_on_each_other_at_once_one_succeeds() {
    for (acts, refusal) in [
        // Whoever is no member any more has come to a place that is not there.
        ([Act::Remove, Act::Remove], (StatusCode::NOT_FOUND, "NOT_FOUND")),
        ([Act::Demote("viewer"); 2], (StatusCode::FORBIDDEN, "FORBIDDEN")),
        ([Act::Demote("admin"); 2], (StatusCode::FORBIDDEN, "FORBIDDEN")),
    ] {
        // Also where a third is owner, so that nothing but the lost right is in the way.
        for more in [false, true] {
            let scene = Scene::new().await;
            let [one, other, third] = with_owners(&scene).await;
            if !more {
                act(third.0.clone(), third.1.clone(), Act::Remove)
                    .await
                    .expect(StatusCode::NO_CONTENT);
            }
            let answers = at_once(&scene, &[(&one, &other, acts[0]), (&other, &one, acts[1])]).await;
            let (done, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status.is_success());
            assert_eq!((done.len(), refused.len()), (1, 1), "{acts:?}");
            refused[0].expect_error(refusal.0, refusal.1);
            assert_eq!(owners(&scene).await, 1 + i64::from(more));
        }
    }
}

#[tokio::test]
async fn of_many_at_once_one_owner_is_left() {
    let scene = Scene::new().await;
    for round in 0..4 {
        let mut owners_now: Vec<Owner> = Vec::new();
        let list = scene.client().get(&scene.path("/members")).await;
        if list.status == StatusCode::OK {
            owners_now.push((scene.client().clone(), founder(&scene).await));
        }
        while owners_now.len() < 5 {
            let owner = joined(&scene, "owner").await;
            owners_now.push((owner.client.clone(), owner.path.clone()));
        }
        // Nothing holds them up: they come as they come.
        let running: Vec<_> = (0..owners_now.len())
            .map(|index| {
                let (client, own) = owners_now[index].clone();
                let (_, next) = owners_now[(index + 1) % owners_now.len()].clone();
                let (path, what) = match (index + round) % 3 {
                    0 => (own, Act::Remove),
                    1 => (own, Act::Demote("viewer")),
                    _ => (next, Act::Demote("member")),
                };
                tokio::spawn(act(client, path, what))
            })
            .collect();
        for running in running {
            let answer = running.await.unwrap();
            match answer.status {
                StatusCode::OK | StatusCode::NO_CONTENT | StatusCode::NOT_FOUND | StatusCode::FORBIDDEN => {}
                _ => expect_last_owner(&answer),
            }
        }
        assert!(owners(&scene).await >= 1);
    }
}

#[tokio::test]
async fn an_organization_is_left_by_an_owner_while_another_becomes_one() {
    let scene = Scene::new().await;
    let [owner] = with_owners(&scene).await;
    let heir = joined(&scene, "admin").await;
    let heir: Owner = (Account::clone(&heir).client, heir.path.clone());
    // In the order in which they wait: first there is another owner, then the first may go.
    let answers = at_once(
        &scene,
        &[(&owner, &heir, Act::Demote("owner")), (&owner, &owner, Act::Remove)],
    )
    .await;
    answers[0].expect(StatusCode::OK);
    answers[1].expect(StatusCode::NO_CONTENT);
    assert_eq!(owners(&scene).await, 1);
    expect_last_owner(&heir.0.delete(&heir.1).await);
}
