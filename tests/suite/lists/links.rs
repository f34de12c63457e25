//! Where a list says one may go on.

use std::collections::BTreeMap;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::{client::text, scene::Scene};

/// The path and the parameters of a reference.
fn parts(link: &str) -> (String, BTreeMap<String, String>) {
    assert!(link.starts_with("/api/v1/"), "{link}");
    let url = url::Url::parse("http://tenantry.test").unwrap().join(link).unwrap();
    (url.path().to_owned(), url.query_pairs().into_owned().collect())
}

#[tokio::test]
async fn links_lead_on_with_every_other_parameter() {
    let scene = Scene::new().await;
    for number in 0..5 {
        scene
            .create_project(&json!({ "name": format!("a & b = {number}") }))
            .await;
    }
    let path = scene.path("/projects");
    let question = "q=%26%20b%20%3D&sort=-name&status=active&pageSize=2";
    let first = scene.client().get(&format!("{path}?{question}")).await;
    let links = first.expect(StatusCode::OK).json()["links"].clone();
    let mut names: Vec<_> = links.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["next", "prev", "self"]);
    assert_eq!(links["prev"], Value::Null);
    let (own_path, own) = parts(&text(&links["self"]));
    assert_eq!(own_path, path);
    let asked: BTreeMap<_, _> = [
        ("q", "& b ="),
        ("sort", "-name"),
        ("status", "active"),
        ("pageSize", "2"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    assert!(
        asked.iter().all(|(name, value)| own.get(name) == Some(value)),
        "{own:?}"
    );

    let mut seen = vec![first.clone()];
    while let Value::String(next) = &seen.last().unwrap().json()["links"]["next"] {
        let (next_path, parameters) = parts(next);
        assert_eq!(next_path, path);
        assert!(
            asked.iter().all(|(name, value)| parameters.get(name) == Some(value)),
            "{parameters:?}"
        );
        seen.push(scene.client().get(next).await);
    }
    let entries: Vec<_> = seen
        .iter()
        .flat_map(|list| list.data().as_array().unwrap().clone())
        .collect();
    let names: Vec<_> = entries.iter().map(|entry| text(&entry["name"])).collect();
    assert_eq!(names, ["a & b = 4", "a & b = 3", "a & b = 2", "a & b = 1", "a & b = 0"]);
    let back = scene.client().get(&text(&seen[1].json()["links"]["prev"])).await;
    assert_eq!(back.data(), first.data());

    // A walk by cursor goes on by cursor.
    let walk = scene.client().get(&format!("{path}?{question}&cursor=")).await.json();
    assert_eq!(walk["links"]["prev"], Value::Null);
    let (_, parameters) = parts(&text(&walk["links"]["next"]));
    assert_eq!(parameters["cursor"], text(&walk["meta"]["nextCursor"]));
    assert!(
        asked.iter().all(|(name, value)| parameters.get(name) == Some(value)),
        "{parameters:?}"
    );
    let on = scene.client().get(&text(&walk["links"]["next"])).await;
    assert_eq!(on.data(), seen[1].data());
    // The path stays as it was asked for.
    let by_slug = scene
        .client()
        .get("/api/v1/organizations/acme/projects?pageSize=1")
        .await
        .json();
    assert_eq!(
        parts(&text(&by_slug["links"]["next"])).0,
        "/api/v1/organizations/acme/projects"
    );
}
