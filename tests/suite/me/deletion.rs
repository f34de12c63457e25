//! Deleting one's account.

use std::collections::BTreeSet;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Row as _};
use tenantry_tests::{
    client::{Account, Client, PASSWORD, text},
    database::{TestDatabase, connect},
    scene::{Place, Scene},
};

use super::ME;

const LOGIN: &str = "/api/v1/auth/login";
const REGISTER: &str = "/api/v1/auth/register";
const ORGANIZATIONS: &str = "/api/v1/organizations";

fn credentials(account: &Account) -> Value {
    json!({ "email": account.email, "password": PASSWORD })
}

async fn found(client: &Client, name: &str) -> String {
    let answer = client.post(ORGANIZATIONS, &json!({ "name": name })).await;
    answer.expect(StatusCode::CREATED);
    text(&answer.data()["id"])
}

/// Makes somebody an owner of an organization.
async fn join_as_owner(database: &TestDatabase, organization: &str, account: &Account) {
    database
        .owner(format!(
            "with member as (
                 insert into members (organization_id, id, user_id, joined_at, created_at, updated_at)
                 values ('{organization}', gen_random_uuid(), '{}', now(), now(), now()) returning *
             )
             insert into grants (organization_id, id, member_id, role_id, created_at, updated_at)
             select m.organization_id, gen_random_uuid(), m.id, r.id, now(), now()
             from member m join roles r on r.organization_id = m.organization_id
             where r.key = 'owner' and r.built_in",
            account.user_id
        ))
        .await;
}

/// How many owners of an organization count.
async fn owners(database: &TestDatabase, organization: &str) -> i64 {
    database
        .count(&format!(
            "members m join grants g on g.organization_id = m.organization_id and g.member_id = m.id
                 and g.workspace_id is null and g.project_id is null
             join roles r on r.organization_id = g.organization_id and r.id = g.role_id
             where r.key = 'owner' and r.built_in and m.status = 'active' and m.organization_id = '{organization}'"
        ))
        .await
}

/// Tables in whose rows a text still is.
async fn tables_that_know(database: &TestDatabase, what: &str) -> BTreeSet<String> {
    let mut superuser = connect(database.superuser_url()).await;
    let tables: Vec<String> =
        sqlx::query_scalar("select tablename::text from pg_tables where schemaname = 'public' order by 1")
            .fetch_all(&mut superuser)
            .await
            .unwrap();
    assert!(tables.len() > 10, "{tables:?}");
    let mut knowing = BTreeSet::new();
    for table in tables {
        let sql = format!("select count(*) from {table} t where to_jsonb(t)::text like '%{what}%'");
        let count: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_one(&mut superuser)
            .await
            .unwrap();
        if count > 0 {
            knowing.insert(table);
        }
    }
    knowing
}

#[tokio::test]
async fn an_account_goes_with_all_that_is_its_own() {
    let scene = Scene::new().await;
    let client = scene.app.client();
    let ann = client.register("Ann Onymous", None).await;
    let member = scene
        .join(
            &ann,
            &[
                ("admin", Place::Organization),
                ("viewer", Place::Workspace(&scene.workspace)),
            ],
        )
        .await;
    let bob = client.register("Bob", Some("Bobs")).await;
    let bobs = bob.organization().await;
    join_as_owner(&scene.database, &bobs, &ann).await;
    // Things of theirs, of every kind.
    let keyed = ann.client.with_header("idempotency-key", "anns-key");
    let made = keyed.post(&scene.projects(), &json!({ "name": "Anns" })).await;
    made.expect(StatusCode::CREATED);
    let project = scene.project(&made.data());
    let holding = scene
        .client()
        .with_header("if-none-match", made.header("etag").unwrap());
    holding.get(&project).await.expect(StatusCode::NOT_MODIFIED);
    ann.client
        .put(
            "/api/v1/me/current-organization",
            &json!({ "organizationId": scene.organization }),
        )
        .await
        .expect(StatusCode::OK);
    let elsewhere = client.post(LOGIN, &credentials(&ann)).await.data();
    let elsewhere_client = client.with_token(elsewhere["accessToken"].as_str().unwrap());
    for one in [&ann.client, &elsewhere_client] {
        one.get(ME).await.expect(StatusCode::OK);
        one.get(&project).await.expect(StatusCode::OK);
    }

    let gone = ann.client.delete(ME).await;
    gone.expect(StatusCode::NO_CONTENT);
    assert_eq!(
        (gone.text.as_str(), gone.header("cache-control")),
        ("", Some("no-store"))
    );

    for one in [&ann.client, &elsewhere_client] {
        for path in [ME, &project, ORGANIZATIONS] {
            one.get(path)
                .await
                .expect_error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED");
        }
        one.delete(ME).await.expect(StatusCode::UNAUTHORIZED);
    }
    for token in [&ann.refresh_token, elsewhere["refreshToken"].as_str().unwrap()] {
        client
            .post("/api/v1/auth/refresh", &json!({ "refreshToken": token }))
            .await
            .expect(StatusCode::UNAUTHORIZED);
    }
    client
        .post(LOGIN, &credentials(&ann))
        .await
        .expect_error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED");

    // What they made stays, made by nobody.
    let left = holding.get(&project).await;
    assert_eq!(left.expect(StatusCode::OK).data()["createdBy"], Value::Null);
    assert_eq!(left.data()["name"], "Anns");
    let members = scene.client().get(&scene.path("/members")).await;
    assert_eq!(members.json()["meta"]["total"], 1);

    // Nothing tells who they were; that somebody did what was done is all that events still know.
    for text in [&ann.email, "Ann Onymous"] {
        assert_eq!(tables_that_know(&scene.database, text).await, BTreeSet::new(), "{text}");
    }
    assert_eq!(
        tables_that_know(&scene.database, &ann.user_id).await,
        BTreeSet::from(["events".to_owned(), "user_events".to_owned()])
    );
    let mut superuser = connect(scene.database.superuser_url()).await;
    let events = sqlx::query("select type, resource_id::text, before, after from user_events where user_id = $1::uuid")
        .bind(&ann.user_id)
        .fetch_all(&mut superuser)
        .await
        .unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(
        (events[0].get::<&str, _>(0), events[0].get::<&str, _>(1)),
        ("user.deleted", ann.user_id.as_str())
    );
    let organizations: Vec<(String, String)> = sqlx::query_as(
        "select organization_id::text, resource_id::text from events
         where type = 'member.left' and resource_type = 'member' and actor_user_id = $1::uuid order by created_at",
    )
    .bind(&ann.user_id)
    .fetch_all(&mut superuser)
    .await
    .unwrap();
    let told: BTreeSet<&str> = organizations.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(told, BTreeSet::from([scene.organization.as_str(), bobs.as_str()]));
    assert!(organizations.contains(&(scene.organization.clone(), member)));

    // The address is free at once, and whoever takes it has nothing of what was there.
    let again = json!({ "email": ann.email, "password": PASSWORD, "name": "Another Ann" });
    let again = client.post(REGISTER, &again).await;
    again.expect(StatusCode::CREATED);
    assert_ne!(again.data()["user"]["id"], ann.user_id.as_str());
    let another = client.with_token(again.data()["accessToken"].as_str().unwrap());
    assert_eq!(another.get(ORGANIZATIONS).await.data(), json!([]));
    assert_eq!(another.get("/api/v1/auth/sessions").await.json()["meta"]["total"], 1);
    ann.client.get(ME).await.expect(StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_last_owner_stays_and_is_told_where() {
    let scene = Scene::new().await;
    let client = scene.app.client();
    let owner = &scene.owner;
    let second = found(scene.client(), "Second").await;
    let suspended = found(scene.client(), "Suspended").await;
    let deleted = found(scene.client(), "Deleted").await;
    let shared = found(scene.client(), "Shared").await;
    let bob = client.register("Bob", Some("Bobs")).await;
    join_as_owner(&scene.database, &shared, &bob).await;
    join_as_owner(&scene.database, &second, &bob).await;
    scene
        .database
        .owner(format!(
            "update organizations set status = 'suspended' where id = '{suspended}';
             update organizations set status = 'deleted', deleted_at = now() where id = '{deleted}';
             update members set status = 'inactive' where organization_id = '{second}' and user_id = '{}'",
            bob.user_id
        ))
        .await;

    let before = scene.database.count("members").await;
    let refused = scene.client().delete(ME).await;
    refused.expect_error(StatusCode::CONFLICT, "CONFLICT");
    assert_eq!(refused.reason(), "last_owner");
    let details = &refused.json()["error"]["details"];
    let mut named = details["organizations"].as_array().unwrap().clone();
    named.sort_by_key(|one| text(&one["name"]));
    assert_eq!(
        Value::from(named),
        json!([
            { "id": scene.organization, "name": "Acme", "slug": "acme" },
            // Who is no longer active is no owner that counts.
            { "id": second, "name": "Second", "slug": "second" },
            { "id": suspended, "name": "Suspended", "slug": "suspended" },
        ])
    );
    // Nothing has changed.
    scene.client().get(ME).await.expect(StatusCode::OK);
    assert_eq!(scene.database.count("members").await, before);
    assert_eq!(scene.database.count("events where type = 'member.left'").await, 0);

    // Another version of oneself is told of before.
    scene
        .client()
        .with_header("if-match", "\"4711\"")
        .delete(ME)
        .await
        .expect_error(StatusCode::PRECONDITION_FAILED, "PRECONDITION_FAILED");
    scene
        .client()
        .delete("/api/v1/me?force=true")
        .await
        .expect_error(StatusCode::BAD_REQUEST, "MALFORMED_REQUEST");
    client
        .delete(ME)
        .await
        .expect_error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED");

    for organization in [&scene.organization, &suspended] {
        join_as_owner(&scene.database, organization, &bob).await;
    }
    scene.database.owner("update members set status = 'active'").await;
    let tag = scene.client().get(ME).await.header("etag").unwrap().to_owned();
    scene
        .client()
        .with_header("if-match", &tag)
        .delete(ME)
        .await
        .expect(StatusCode::NO_CONTENT);
    assert_eq!(
        scene
            .database
            .count(&format!("members where user_id = '{}'", owner.user_id))
            .await,
        0
    );
    for organization in [&scene.organization, &second, &suspended, &shared] {
        assert_eq!(owners(&scene.database, organization).await, 1);
    }
}

#[tokio::test]
async fn at_most_a_hundred_organizations_are_named() {
    let scene = Scene::new().await;
    scene
        .database
        .owner(format!(
            "insert into organizations (id, name, slug, region, created_at, updated_at)
             select gen_random_uuid(), 'Copy ' || n, 'copy-' || n, 'default', now(), now() from generate_series(1, 120) n;
             insert into roles (organization_id, id, key, name, built_in, created_at, updated_at)
             select id, gen_random_uuid(), 'owner', 'Owner', true, now(), now() from organizations where slug like 'copy-%';
             insert into members (organization_id, id, user_id, joined_at, created_at, updated_at)
             select id, gen_random_uuid(), '{}', now(), now(), now() from organizations where slug like 'copy-%';
             insert into grants (organization_id, id, member_id, role_id, created_at, updated_at)
             select m.organization_id, gen_random_uuid(), m.id, r.id, now(), now()
             from members m join roles r on r.organization_id = m.organization_id
             join organizations o on o.id = m.organization_id where o.slug like 'copy-%'",
            scene.owner.user_id
        ))
        .await;
    let refused = scene.client().delete(ME).await;
    refused.expect_error(StatusCode::CONFLICT, "CONFLICT");
    let named = refused.json()["error"]["details"]["organizations"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(named, 100);
}

#[tokio::test]
async fn of_two_deletions_at_once_one_is_done() {
    let scene = Scene::new().await;
    for round in 0..5 {
        let ann = scene.app.client().register("Ann", None).await;
        if round % 2 == 0 {
            scene.join(&ann, &[("member", Place::Organization)]).await;
        }
        let both: Vec<_> = (0..2)
            .map(|_| {
                let client = ann.client.clone();
                tokio::spawn(async move { client.delete(ME).await })
            })
            .collect();
        let mut done = 0;
        for one in both {
            let answer = one.await.unwrap();
            match answer.status {
                StatusCode::NO_CONTENT => done += 1,
                _ => drop(answer.expect_error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED")),
            }
        }
        assert_eq!(done, 1, "round {round}");
    }
}

#[tokio::test]
async fn of_all_owners_who_go_at_once_one_stays() {
    let scene = Scene::new().await;
    let client = scene.app.client();
    for round in 0..5 {
        // Organizations in which all are owners, founded in either order.
        let mut people = Vec::new();
        for number in 0..4 {
            people.push(client.register(&format!("Owner {number}"), None).await);
        }
        let mut organizations = Vec::new();
        for (number, founder) in people.iter().enumerate().take(3) {
            let organization = found(&founder.client, &format!("Round {round} {number}")).await;
            for other in people.iter().filter(|one| one.user_id != founder.user_id) {
                join_as_owner(&scene.database, &organization, other).await;
            }
            organizations.push(organization);
        }
        let going: Vec<_> = people
            .iter()
            .map(|one| {
                let client = one.client.clone();
                tokio::spawn(async move { client.delete(ME).await })
            })
            .collect();
        let mut stayed = 0;
        for one in going {
            let answer = one.await.unwrap();
            if answer.status != StatusCode::NO_CONTENT {
                answer.expect_error(StatusCode::CONFLICT, "CONFLICT");
                assert_eq!(
                    answer.json()["error"]["details"]["organizations"]
                        .as_array()
                        .unwrap()
                        .len(),
                    3
                );
                stayed += 1;
            }
        }
        assert_eq!(stayed, 1, "round {round}");
        for organization in &organizations {
            assert_eq!(owners(&scene.database, organization).await, 1, "round {round}");
        }
    }
}

#[tokio::test]
async fn of_one_who_leaves_and_one_who_goes_one_stays() {
    let scene = Scene::new().await;
    let client = scene.app.client();
    for round in 0..8 {
        let ann = client.register("Ann", Some(&format!("Round {round}"))).await;
        let organization = ann.organization().await;
        let bob = client.register("Bob", None).await;
        join_as_owner(&scene.database, &organization, &bob).await;
        let own = bob.client.get("/api/v1/me/organizations").await.data();
        let seat = format!("{ORGANIZATIONS}/{organization}/members/{}", text(&own[0]["id"]));
        let (goes, leaves) = (ann.client.clone(), bob.client.clone());
        let goes = tokio::spawn(async move { goes.delete(ME).await });
        let leaves = tokio::spawn(async move { leaves.delete(&seat).await });
        let mut done = 0;
        for answer in [goes.await.unwrap(), leaves.await.unwrap()] {
            match answer.status {
                StatusCode::NO_CONTENT => done += 1,
                _ => {
                    answer.expect_error(StatusCode::CONFLICT, "CONFLICT");
                    assert_eq!(answer.reason(), "last_owner");
                }
            }
        }
        assert_eq!(done, 1, "round {round}");
        assert_eq!(owners(&scene.database, &organization).await, 1, "round {round}");
    }
}

/// Requests of one's own that are under way meanwhile have been done before, or are refused.
#[tokio::test]
async fn nothing_breaks_in_the_middle_of_ones_own_requests() {
    let scene = Scene::new().await;
    let client = scene.app.client();
    for round in 0..6 {
        let ann = client.register("Ann", None).await;
        scene.join(&ann, &[("admin", Place::Organization)]).await;
        let project = scene
            .owner
            .create_project(
                &scene.organization,
                &scene.workspace,
                &json!({ "name": format!("Round {round}") }),
            )
            .await;
        let project = scene.project(&project);
        let made = ann
            .create_project(
                &scene.organization,
                &scene.workspace,
                &json!({ "name": format!("Anns {round}") }),
            )
            .await;
        let made = scene.project(&made);

        let mut requests = Vec::new();
        let mut send = |client: &Client, method: Method, path: &str, body: Value| {
            let (client, path) = (client.clone(), path.to_owned());
            requests.push(tokio::spawn(async move {
                let request = client.request(method, &path).json(&body);
                (path, client.send(request).await)
            }));
        };
        let keyed = ann.client.with_header("idempotency-key", "a key");
        send(&keyed, Method::POST, &scene.projects(), json!({ "name": "While I go" }));
        send(
            &ann.client,
            Method::PATCH,
            &project,
            json!({ "name": format!("By Ann {round}") }),
        );
        send(&ann.client, Method::PATCH, ME, json!({ "name": "Anna" }));
        send(
            &ann.client,
            Method::PUT,
            "/api/v1/me/current-organization",
            json!({ "organizationId": scene.organization }),
        );
        send(&client, Method::POST, LOGIN, credentials(&ann));
        send(
            &client,
            Method::POST,
            "/api/v1/auth/refresh",
            json!({ "refreshToken": ann.refresh_token }),
        );
        send(&ann.client, Method::DELETE, ME, json!({}));
        send(
            scene.client(),
            Method::PATCH,
            &made,
            json!({ "name": format!("By another {round}") }),
        );
        send(&ann.client, Method::DELETE, "/api/v1/auth/sessions", json!({}));
        for request in requests {
            let (path, answer) = request.await.unwrap();
            let status = answer.status;
            assert!(
                status.is_success() || [StatusCode::UNAUTHORIZED, StatusCode::NOT_FOUND].contains(&status),
                "round {round}: {path}: {status} {}",
                answer.text
            );
        }
        // Whichever was first: the account goes in the end, and no row of theirs is left.
        let last = ann.client.delete(ME).await;
        assert!(
            [StatusCode::NO_CONTENT, StatusCode::UNAUTHORIZED].contains(&last.status),
            "{}",
            last.text
        );
        for table in [
            "users where id",
            "sessions where user_id",
            "members where user_id",
            "projects where created_by",
        ] {
            let left = scene.database.count(&format!("{table} = '{}'", ann.user_id)).await;
            assert_eq!(left, 0, "round {round}: {table}");
        }
    }
}
