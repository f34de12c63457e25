//! One's memberships, and the organization that one works in.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tenantry_tests::{
    client::{Account, Client, text},
    scene::{Place, Scene},
};

use super::ME;

const MINE: &str = "/api/v1/me/organizations";
const CURRENT: &str = "/api/v1/me/current-organization";

fn names(object: &Value) -> Vec<&str> {
    let mut names: Vec<_> = object.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

/// Another organization of the scene's owner.
async fn found(owner: &Account, name: &str) -> String {
    let answer = owner
        .client
        .post("/api/v1/organizations", &json!({ "name": name }))
        .await;
    answer.expect(StatusCode::CREATED);
    text(&answer.data()["id"])
}

async fn set_status(scene: &Scene, organization: &str, status: &str) {
    let deleted_at = if status == "deleted" { "now()" } else { "null" };
    scene
        .database
        .owner(format!(
            "update organizations set status = '{status}', deleted_at = {deleted_at} where id = '{organization}'"
        ))
        .await;
}

async fn choose(client: &Client, organization: impl Into<Value>) -> tenantry_tests::client::Answer {
    client
        .put(CURRENT, &json!({ "organizationId": organization.into() }))
        .await
}

/// What is current, by `/me` and by the list, which say the same.
async fn current(client: &Client) -> Value {
    let me = client.get(ME).await;
    me.expect(StatusCode::OK);
    let mine = client.get(&format!("{MINE}?pageSize=100")).await.data();
    let marked: Vec<_> = mine
        .as_array()
        .unwrap()
        .iter()
        .filter(|membership| membership["current"] == true)
        .map(|membership| membership["organization"]["id"].clone())
        .collect();
    let current = me.data()["currentOrganizationId"].clone();
    let expected: Vec<_> = Some(current.clone()).filter(|id| !id.is_null()).into_iter().collect();
    assert_eq!(marked, expected);
    current
}

#[tokio::test]
async fn memberships_are_listed_with_their_roles() {
    let scene = Scene::new().await;
    let ann = scene.app.client().register("Ann", Some("Annex")).await;
    let own = ann.organization().await;
    let member = scene.join(&ann, &[("member", Place::Organization)]).await;
    let bob = scene.app.client().register("Bob", None).await;
    scene
        .join(&bob, &[("viewer", Place::Workspace(&scene.workspace))])
        .await;

    let list = ann.client.get(&format!("{MINE}?sort=name")).await;
    list.expect(StatusCode::OK);
    assert_eq!(list.json()["meta"]["total"], 2);
    let mine = list.data();
    for membership in mine.as_array().unwrap() {
        assert_eq!(
            names(membership),
            [
                "createdAt",
                "current",
                "id",
                "joinedAt",
                "organization",
                "role",
                "updatedAt"
            ]
        );
        assert_eq!(
            names(&membership["organization"]),
            ["id", "name", "plan", "slug", "status"]
        );
        assert_eq!(names(&membership["role"]), ["id", "key", "name"]);
        assert_eq!(membership["current"], false);
    }
    assert_eq!(
        mine[0]["organization"],
        json!({ "id": scene.organization, "name": "Acme", "slug": "acme", "status": "active", "plan": "free" })
    );
    assert_eq!(mine[0]["id"], member.as_str());
    assert_eq!(
        (&mine[0]["role"]["key"], &mine[1]["role"]["key"]),
        (&json!("member"), &json!("owner"))
    );
    assert_eq!(mine[1]["organization"]["id"], own.as_str());

    // Roles further down are no role in the organization.
    let guests = bob.client.get(MINE).await.data();
    assert_eq!(guests.as_array().unwrap().len(), 1);
    assert_eq!(guests[0]["role"], Value::Null);
    assert_eq!(guests[0]["organization"]["name"], "Acme");

    // A suspended organization is listed, a deleted one is not, nor one where the membership does not count.
    set_status(&scene, &scene.organization, "suspended").await;
    let suspended = ann.client.get(&format!("{MINE}?sort=name")).await.data();
    assert_eq!(suspended[0]["organization"]["status"], "suspended");
    assert_eq!(suspended[0]["role"]["key"], "member");
    set_status(&scene, &scene.organization, "deleted").await;
    assert_eq!(ann.client.get(MINE).await.json()["meta"]["total"], 1);
    set_status(&scene, &scene.organization, "active").await;
    scene.database.owner("update members set status = 'inactive'").await;
    assert_eq!(ann.client.get(MINE).await.data(), json!([]));
    scene
        .app
        .client()
        .get(MINE)
        .await
        .expect_error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED");
}

#[tokio::test]
async fn memberships_are_sorted_searched_and_walked() {
    let scene = Scene::new().await;
    for name in ["Beta", "Gamma", "alpha"] {
        found(&scene.owner, name).await;
    }
    let listed = async |query: &str| -> Vec<String> {
        let list = scene.client().get(&format!("{MINE}?{query}")).await;
        list.expect(StatusCode::OK);
        let list = list.data();
        let each = list.as_array().unwrap().iter();
        each.map(|membership| text(&membership["organization"]["name"]))
            .collect()
    };
    assert_eq!(listed("").await, ["alpha", "Gamma", "Beta", "Acme"]);
    assert_eq!(listed("sort=joinedAt").await, ["Acme", "Beta", "Gamma", "alpha"]);
    assert_eq!(listed("sort=-updatedAt,name").await, listed("").await);
    let mut by_name = listed("sort=name").await;
    by_name.sort_by_key(|name| name.to_lowercase());
    assert_eq!(by_name, ["Acme", "alpha", "Beta", "Gamma"]);
    assert_eq!(listed("q=A&sort=createdAt").await.len(), 4);
    assert_eq!(listed("q=GAM").await, ["Gamma"]);
    assert_eq!(listed("q=%25").await, [] as [String; 0]);
    for refused in ["sort=role", "sort=email", "status=active", "page=0", "q="] {
        scene
            .client()
            .get(&format!("{MINE}?{refused}"))
            .await
            .expect_error(StatusCode::BAD_REQUEST, "MALFORMED_REQUEST");
    }

    for order in ["sort=joinedAt", "sort=name", "sort=-updatedAt,name"] {
        let mut walked = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = scene
                .client()
                .get(&format!("{MINE}?{order}&pageSize=1&cursor={cursor}"))
                .await;
            page.expect(StatusCode::OK);
            walked.push(text(&page.data()[0]["organization"]["name"]));
            match page.json()["meta"]["nextCursor"].as_str() {
                Some(next) => next.clone_into(&mut cursor),
                None => break,
            }
        }
        assert_eq!(walked, listed(order).await, "{order}");
    }
}

#[tokio::test]
async fn one_works_in_what_one_is_a_member_of() {
    let scene = Scene::new().await;
    let second = found(&scene.owner, "Second").await;
    let stranger = scene.app.client().register("Stranger", Some("Elsewhere")).await;
    let foreign = stranger.organization().await;
    let owner = scene.client();
    assert_eq!(current(owner).await, Value::Null);

    let before = owner.get(ME).await;
    let answer = choose(owner, scene.organization.as_str()).await;
    answer.expect(StatusCode::OK);
    assert_eq!(answer.data()["currentOrganizationId"], scene.organization.as_str());
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_ne!(answer.header("etag"), before.header("etag"));
    let after = owner.get(ME).await;
    assert_eq!(
        (after.data(), after.header("etag")),
        (answer.data(), answer.header("etag"))
    );
    assert_eq!(current(owner).await, scene.organization.as_str());
    // The same again is no change.
    let same = choose(owner, scene.organization.as_str()).await;
    assert_eq!(
        (same.data(), same.header("etag")),
        (answer.data(), answer.header("etag"))
    );
    choose(owner, second.as_str()).await.expect(StatusCode::OK);
    assert_eq!(current(owner).await, second.as_str());

    // What is somebody else's is answered as what is nobody's, and what is gone likewise.
    let nothing = choose(owner, "01890a5d-ac96-774b-bcce-b302099a8057").await;
    nothing.expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
    let theirs = choose(owner, foreign.as_str()).await;
    theirs.expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
    let without_trace = |answer: &tenantry_tests::client::Answer| {
        let mut body = answer.json();
        body["error"]["traceId"] = Value::Null;
        body
    };
    assert_eq!(without_trace(&theirs), without_trace(&nothing));
    set_status(&scene, &scene.organization, "deleted").await;
    choose(owner, scene.organization.as_str())
        .await
        .expect(StatusCode::NOT_FOUND);
    set_status(&scene, &scene.organization, "suspended").await;
    choose(owner, scene.organization.as_str()).await.expect(StatusCode::OK);
    set_status(&scene, &scene.organization, "active").await;
    assert_eq!(current(owner).await, scene.organization.as_str());

    choose(owner, Value::Null).await.expect(StatusCode::OK);
    assert_eq!(current(owner).await, Value::Null);

    for (body, field) in [
        (json!({}), "/organizationId"),
        (json!({ "organizationId": "acme" }), "/organizationId"),
        (json!({ "organizationId": 5 }), "/organizationId"),
        (json!({ "organizationId": null, "slug": "acme" }), "/slug"),
    ] {
        owner.put(CURRENT, &body).await.expect_refused(&[field]);
    }
    scene
        .app
        .client()
        .put(CURRENT, &json!({ "organizationId": null }))
        .await
        .expect_error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED");
    let refused = owner.send(owner.request(Method::POST, CURRENT)).await;
    refused.expect_error(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED");
}

#[tokio::test]
async fn the_choice_ends_with_the_membership() {
    let scene = Scene::new().await;
    let ann = scene.app.client().register("Ann", Some("Annex")).await;
    let member = scene.join(&ann, &[("member", Place::Organization)]).await;
    choose(&ann.client, scene.organization.as_str())
        .await
        .expect(StatusCode::OK);
    let chosen = ann.client.get(ME).await;
    let tag = chosen.header("etag").unwrap().to_owned();
    let (holding, stale) = (
        ann.client.with_header("if-none-match", &tag),
        ann.client.with_header("if-match", &tag),
    );
    holding.get(ME).await.expect(StatusCode::NOT_MODIFIED);

    for (ends, begins) in [
        (
            format!("update members set status = 'inactive' where id = '{member}'"),
            format!("update members set status = 'active' where id = '{member}'"),
        ),
        (
            format!(
                "update organizations set status = 'deleted', deleted_at = now() where id = '{}'",
                scene.organization
            ),
            format!(
                "update organizations set status = 'active', deleted_at = null where id = '{}'",
                scene.organization
            ),
        ),
    ] {
        scene.database.owner(ends.as_str()).await;
        // Another state of the resource has another tag, though nobody wrote it.
        let without = holding.get(ME).await;
        assert_eq!(
            without.expect(StatusCode::OK).data()["currentOrganizationId"],
            Value::Null
        );
        assert_eq!(current(&ann.client).await, Value::Null);
        stale
            .patch(ME, &json!({ "name": "Eve" }))
            .await
            .expect_error(StatusCode::PRECONDITION_FAILED, "PRECONDITION_FAILED");
        scene.database.owner(begins.as_str()).await;
        holding.get(ME).await.expect(StatusCode::NOT_MODIFIED);
    }
    scene
        .database
        .owner(format!("delete from members where id = '{member}'"))
        .await;
    assert_eq!(current(&ann.client).await, Value::Null);
}

#[tokio::test]
async fn the_choice_outlasts_what_has_no_effect_meanwhile() {
    let scene = Scene::new().await;
    let ann = scene.app.client().register("Ann", Some("Annex")).await;
    scene.join(&ann, &[("member", Place::Organization)]).await;
    let chosen = Value::from(scene.organization.as_str());
    choose(&ann.client, chosen.clone()).await.expect(StatusCode::OK);

    set_status(&scene, &scene.organization, "deleted").await;
    let renamed = ann.client.patch(ME, &json!({ "name": "Ann Lee" })).await;
    assert_eq!(
        renamed.expect(StatusCode::OK).data()["currentOrganizationId"],
        Value::Null
    );
    set_status(&scene, &scene.organization, "active").await;
    assert_eq!(current(&ann.client).await, chosen);

    // To choose none is a choice, too, where the one before merely has no effect.
    set_status(&scene, &scene.organization, "deleted").await;
    choose(&ann.client, Value::Null).await.expect(StatusCode::OK);
    set_status(&scene, &scene.organization, "active").await;
    assert_eq!(current(&ann.client).await, Value::Null);

    let before = ann.client.get(ME).await;
    let again = choose(&ann.client, Value::Null).await;
    assert_eq!(again.expect(StatusCode::OK).header("etag"), before.header("etag"));
}

#[tokio::test]
async fn the_choice_is_made_of_the_version_that_is_demanded() {
    let scene = Scene::new().await;
    let tag = scene.client().get(ME).await.header("etag").unwrap().to_owned();
    let with = scene.client().with_header("if-match", &tag);
    choose(&with, scene.organization.as_str()).await.expect(StatusCode::OK);
    choose(&with, Value::Null)
        .await
        .expect_error(StatusCode::PRECONDITION_FAILED, "PRECONDITION_FAILED");
    assert_eq!(current(scene.client()).await, scene.organization.as_str());
    // Many choices at once leave one of them.
    let second = found(&scene.owner, "Second").await;
    let choices: Vec<_> = (0..10)
        .map(|number| {
            let client = scene.client().clone();
            let organization = if number % 2 == 0 { &scene.organization } else { &second }.clone();
            tokio::spawn(async move { choose(&client, organization).await.status })
        })
        .collect();
    for choice in choices {
        assert_eq!(choice.await.unwrap(), StatusCode::OK);
    }
    let left = current(scene.client()).await;
    assert!(left == scene.organization.as_str() || left == second.as_str(), "{left}");
}
