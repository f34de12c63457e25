//! Who am I here.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::{
    client::{Account, text},
    scene::{Place, Scene},
};

async fn context(scene: &Scene, account: &Account) -> Value {
    let answer = account.client.get(&scene.path("/context")).await;
    answer.expect(StatusCode::OK);
    let data = answer.data();
    let mut names: Vec<_> = data.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    let fields = [
        "apiKeyId",
        "grants",
        "mfaRequiredFrom",
        "organizationId",
        "permissions",
        "role",
        "userId",
    ];
    assert_eq!(names, fields);
    assert_eq!(data["organizationId"], scene.organization.as_str());
    assert_eq!(data["userId"], account.user_id.as_str());
    assert_eq!(data["apiKeyId"], Value::Null);
    let role = data["role"]["key"].as_str();
    let is_mighty = role.is_some_and(|role| ["owner", "admin"].contains(&role));
    assert_eq!(data["mfaRequiredFrom"].is_string(), is_mighty);
    data
}

fn permissions(holder: &Value) -> Vec<String> {
    let permissions: Vec<_> = holder["permissions"].as_array().unwrap().iter().map(text).collect();
    assert!(permissions.is_sorted(), "{permissions:?}");
    permissions
}

#[tokio::test]
async fn permissions_are_the_closure_of_the_role() {
    let scene = Scene::new().await;
    let owner = context(&scene, &scene.owner).await;
    assert_eq!(owner["role"]["key"], "owner");
    assert_eq!(owner["grants"], json!([]));
    let everything = permissions(&owner);
    for named in [
        "organization:delete",
        "billing:manage",
        "project:delete:own",
        "audit_log:export",
        "usage:view",
    ] {
        assert!(
            everything.contains(&named.to_owned()),
            "{named} is not among {everything:?}"
        );
    }

    let admin = permissions(&context(&scene, &scene.joined("admin").await).await);
    let lacking: Vec<_> = everything
        .iter()
        .filter(|name| !admin.contains(name) && *name != "*")
        .collect();
    assert_eq!(lacking, ["billing:manage", "organization:delete"]);

    let member = context(&scene, &scene.joined("member").await).await;
    assert_eq!(
        permissions(&member),
        [
            "analytics:view",
            "document:create",
            "document:view",
            "file:create",
            "file:view",
            "member:view",
            "organization:view",
            "project:create",
            "project:delete:own",
            "project:update:own",
            "project:view",
            "workspace:view"
        ]
    );
    let role = &member["role"];
    assert_eq!(role["key"], "member");
    assert!(role["id"].is_string() && role["name"].is_string());

    let viewer = permissions(&context(&scene, &scene.joined("viewer").await).await);
    assert_eq!(
        viewer,
        [
            "analytics:view",
            "document:view",
            "file:view",
            "organization:view",
            "project:view",
            "workspace:view"
        ]
    );
}

#[tokio::test]
async fn roles_held_further_down_are_told_as_grants() {
    let scene = Scene::new().await;
    let project = text(&scene.create_project(&json!({ "name": "Website" })).await["id"]);
    let account = scene.app.client().register("Guest", None).await;
    let roles = [
        ("member", Place::Workspace(&scene.workspace)),
        ("admin", Place::Project(&project)),
    ];
    scene.join(&account, &roles).await;
    let context = context(&scene, &account).await;
    assert_eq!(context["role"], Value::Null);
    let mut grants = context["grants"].as_array().unwrap().clone();
    grants.sort_by_key(|grant| text(&grant["resourceType"]));
    let told: Vec<_> = grants
        .iter()
        .map(|grant| {
            (
                text(&grant["resourceType"]),
                text(&grant["resourceId"]),
                text(&grant["role"]["key"]),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("project".to_owned(), project, "admin".to_owned()),
            ("workspace".to_owned(), scene.workspace.clone(), "member".to_owned())
        ]
    );
    assert!(permissions(&grants[0]).contains(&"project:delete".to_owned()));
    assert!(permissions(&grants[1]).contains(&"project:create".to_owned()));
    // At the organization there is nothing but what every member may know.
    assert!(!permissions(&context).contains(&"project:view".to_owned()));
    account
        .client
        .get(&scene.path("/members"))
        .await
        .expect(StatusCode::FORBIDDEN);
}
