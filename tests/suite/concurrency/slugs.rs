//! Many who give one name at once.

use std::collections::BTreeSet;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::{client::text, scene::Scene};

/// How many create at once.
const CROWD: usize = 50;

#[tokio::test]
async fn all_get_a_slug_of_their_own() {
    let scene = Scene::new().await;
    for path in [scene.projects(), "/api/v1/organizations".to_owned()] {
        let crowd: Vec<_> = (0..CROWD)
            .map(|_| {
                let (client, path) = (scene.client().clone(), path.clone());
                tokio::spawn(async move { client.post(&path, &json!({ "name": "Same" })).await })
            })
            .collect();
        let mut slugs = BTreeSet::new();
        for one in crowd {
            let answer = one.await.unwrap();
            answer.expect(StatusCode::CREATED);
            slugs.insert(text(&answer.data()["slug"]));
        }
        assert_eq!(slugs.len(), CROWD);
        assert!(slugs.contains("same"));
        assert!(
            slugs.iter().all(|slug| slug == "same" || slug.starts_with("same-")),
            "{slugs:?}"
        );
    }
    assert_eq!(scene.database.count("projects").await, 50);
    // Of those who give the same slug, one gets it.
    let crowd: Vec<_> = (0..CROWD)
        .map(|_| {
            let (client, path) = (scene.client().clone(), scene.projects());
            tokio::spawn(async move { client.post(&path, &json!({ "name": "x", "slug": "given" })).await })
        })
        .collect();
    let mut created = Vec::<Value>::new();
    for one in crowd {
        let answer = one.await.unwrap();
        if answer.status == StatusCode::CREATED {
            created.push(answer.data());
        } else {
            answer.expect_error(StatusCode::CONFLICT, "CONFLICT");
            assert_eq!(answer.reason(), "slug_taken");
        }
    }
    assert_eq!(created.len(), 1);
}
