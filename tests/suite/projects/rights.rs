//! Who may do what to a project.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::{
    client::{Account, Answer, text},
    scene::{Place, Scene},
};

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

/// The names of the projects that somebody is shown.
async fn listed(scene: &Scene, account: &Account) -> Vec<String> {
    let list = account.client.get(&scene.path("/projects?sort=name")).await;
    list.expect(StatusCode::OK);
    let names: Vec<_> = list
        .data()
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| text(&entry["name"]))
        .collect();
    assert_eq!(list.json()["meta"]["total"], names.len());
    names
}

#[tokio::test]
async fn members_change_what_they_created_and_nothing_else() {
    let scene = Scene::new().await;
    let (member, other, viewer) = (
        scene.joined("member").await,
        scene.joined("member").await,
        scene.joined("viewer").await,
    );
    let own = member
        .create_project(&scene.organization, &scene.workspace, &json!({ "name": "Own" }))
        .await;
    let path = scene.project(&own);
    assert_eq!(own["createdBy"], member.user_id.as_str());
    member
        .client
        .patch(&path, &json!({ "name": "Mine" }))
        .await
        .expect(StatusCode::OK);
    member
        .client
        .put(&path, &json!({ "name": "Mine again" }))
        .await
        .expect(StatusCode::OK);

    other.client.get(&path).await.expect(StatusCode::OK);
    for account in [&other, &viewer] {
        expect_forbidden(
            &account.client.patch(&path, &json!({ "name": "x" })).await,
            "project:update",
        );
        expect_forbidden(
            &account.client.put(&path, &json!({ "name": "x" })).await,
            "project:update",
        );
        expect_forbidden(&account.client.delete(&path).await, "project:delete");
    }
    expect_forbidden(
        &viewer.client.post(&scene.projects(), &json!({ "name": "x" })).await,
        "project:create",
    );
    assert_eq!(member.client.get(&path).await.data()["name"], "Mine again");

    let admin = scene.joined("admin").await;
    admin
        .client
        .patch(&path, &json!({ "name": "Ours" }))
        .await
        .expect(StatusCode::OK);
    member.client.delete(&path).await.expect(StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn private_projects_are_known_to_few() {
    let scene = Scene::new().await;
    let creator = scene.joined("member").await;
    let secret = json!({ "name": "Secret", "visibility": "private" });
    let secret = creator
        .create_project(&scene.organization, &scene.workspace, &secret)
        .await;
    scene.create_project(&json!({ "name": "Open" })).await;
    let (path, id) = (scene.project(&secret), text(&secret["id"]));
    let named_on_it = scene.app.client().register("On the project", None).await;
    scene.join(&named_on_it, &[("viewer", Place::Project(&id))]).await;
    let named_above = scene.app.client().register("In the workspace", None).await;
    scene
        .join(
            &named_above,
            &[
                ("viewer", Place::Organization),
                ("viewer", Place::Workspace(&scene.workspace)),
            ],
        )
        .await;
    let (member, viewer, admin) = (
        scene.joined("member").await,
        scene.joined("viewer").await,
        scene.joined("admin").await,
    );

    let both = ["Open", "Secret"];
    for (account, sees) in [
        (&creator, &both[..]),
        (&named_on_it, &["Secret"]),
        (&named_above, &both),
        (&admin, &both),
        (&scene.owner, &both),
        (&member, &["Open"]),
        (&viewer, &["Open"]),
    ] {
        assert_eq!(listed(&scene, account).await, sees);
        let found = account.client.get(&path).await;
        if sees.contains(&"Secret") {
            found.expect(StatusCode::OK);
        } else {
            expect_unknown(&found);
            expect_unknown(&account.client.patch(&path, &json!({ "name": "x" })).await);
            expect_unknown(&account.client.put(&path, &json!([])).await);
            expect_unknown(&account.client.delete(&path).await);
            let searched = account.client.get(&scene.path("/projects?q=secret")).await;
            assert_eq!(searched.json()["meta"]["total"], 0);
        }
    }
    expect_forbidden(
        &named_on_it.client.patch(&path, &json!({ "name": "x" })).await,
        "project:update",
    );
    let opened = creator
        .client
        .patch(&path, &json!({ "visibility": "organization" }))
        .await;
    opened.expect(StatusCode::OK);
    viewer.client.get(&path).await.expect(StatusCode::OK);
    assert_eq!(listed(&scene, &viewer).await, both);
}

#[tokio::test]
async fn what_is_wrong_is_told_in_the_order_of_the_contract() {
    let scene = Scene::new().await;
    let viewer = scene.joined("viewer").await.client;
    let stranger = scene.app.client().register("Stranger", None).await.client;
    let project = scene.create_project(&json!({ "name": "Website", "slug": "web" })).await;
    scene.create_project(&json!({ "name": "Other", "slug": "other" })).await;
    let path = scene.project(&project);
    let owner = scene.client();
    let send = async |client: &tenantry_tests::client::Client, kind: &str, body: &str, tag: &str| {
        let request = client
            .request(reqwest::Method::PATCH, &path)
            .header("content-type", kind)
            .header("if-match", tag);
        client.send(request.body(body.to_owned())).await.status.as_u16()
    };
    let (kind, tag) = ("text/plain", "\"0\"");
    assert_eq!(send(&owner.anonymous(), kind, "{", tag).await, 401);
    assert_eq!(send(&stranger, kind, "{", tag).await, 404);
    assert_eq!(send(&viewer, kind, "{", tag).await, 403);
    assert_eq!(send(owner, kind, "{", tag).await, 415);
    let kind = "application/json";
    assert_eq!(send(owner, kind, &" ".repeat(1_100_000), tag).await, 413);
    assert_eq!(send(owner, kind, "{", tag).await, 400);
    assert_eq!(send(owner, kind, "{\"slug\": 5}", tag).await, 400);
    assert_eq!(send(owner, kind, "{\"slug\": \"other\"}", tag).await, 412);
    assert_eq!(send(owner, kind, "{\"slug\": \"other\"}", "*").await, 409);
    let data = owner.get(&path).await.data();
    assert_eq!(
        (&data["slug"], &data["name"]),
        (&Value::from("web"), &Value::from("Website"))
    );
}
