//! Whatever people write is data, and comes back as it was sent.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::{client::text, scene::Scene};

/// Names that something on the way might take for more than a name.
const NAMES: &[&str] = &[
    "مشروع الموقع الجديد",
    "פרויקט 2 (חדש)",
    "\u{202e}dekcatta\u{202c}",
    "👩‍👩‍👧‍👦 🏳️‍🌈 🇺🇳",
    "e\u{301}\u{327}\u{300} not é",
    "Ａ ﬁ ½ ²",
    "日本語プロジェクト",
    "O'Reilly \"quoted\" `ticked` „unten“",
    "<script>alert('x')</script>",
    "<img src=x onerror=alert(1)> &amp; &lt;",
    "'; drop table projects; --",
    "' or '1'='1",
    "$1 $$ %s %n {} {{7*7}} ${jndi:ldap://x}",
    "\\ \\\\ \\n \\u0000 %00",
    "../../etc/passwd",
    "=cmd|' /C calc'!A0",
    " leading and trailing ",
    "\u{feff}\u{200b}\u{200d}",
    "\u{fffd} \u{ffff} \u{10ffff}",
    "null",
    "true",
    "0",
    "_",
    "%",
];

#[tokio::test]
async fn names_come_back_byte_for_byte() {
    let scene = Scene::new().await;
    for name in NAMES {
        let settings = json!({ (*name): [name, { "deep": name }] });
        let body = json!({ "name": name, "description": name, "settings": settings });
        let created = scene.client().post(&scene.projects(), &body).await;
        created.expect(StatusCode::CREATED);
        let found = scene.client().get(&scene.project(&created.data())).await.data();
        for field in ["name", "description", "settings"] {
            assert_eq!(found[field], body[field]);
            assert_eq!(created.data()[field], body[field]);
        }
        let slug = text(&found["slug"]);
        assert!(
            slug.bytes()
                .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-')),
            "{slug}"
        );

        // The name is found by itself, and by nothing that it seems to say.
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("q", name)
            .finish();
        let search = scene.client().get(&scene.path(&format!("/projects?{query}"))).await;
        if search.status == StatusCode::OK {
            let names: Vec<_> = search
                .data()
                .as_array()
                .unwrap()
                .iter()
                .map(|entry| text(&entry["name"]))
                .collect();
            assert!(names.contains(&(*name).to_owned()), "{name:?} is not among {names:?}");
            assert!(
                names
                    .iter()
                    .all(|found| found.to_lowercase().contains(&name.to_lowercase())),
                "{names:?}"
            );
        }
        let me = scene
            .client()
            .patch("/api/v1/me", &json!({ "name": name, "preferences": settings }))
            .await
            .data();
        assert_eq!(
            (&me["name"], &me["preferences"][*name]),
            (&json!(name), &settings[*name])
        );
        let organization = scene
            .client()
            .patch(&scene.path(""), &json!({ "name": name }))
            .await
            .data();
        assert_eq!(organization["name"], *name);
        let members = scene.client().get(&scene.path("/members")).await.data();
        assert_eq!(members[0]["name"], *name);
    }
    let all = scene
        .client()
        .get(&scene.path("/projects?pageSize=100&sort=createdAt"))
        .await
        .data();
    let names: Vec<_> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| text(&entry["name"]))
        .collect();
    assert_eq!(names, NAMES);
    // A walk by name, one by one, passes each of them once.
    let mut walked = Vec::new();
    let mut next = Some(scene.path("/projects?sort=name&pageSize=1&cursor="));
    while let Some(path) = next {
        let list = scene.client().get(&path).await;
        list.expect(StatusCode::OK);
        walked.extend(list.data().as_array().unwrap().iter().map(|entry| text(&entry["name"])));
        next = match &list.json()["links"]["next"] {
            Value::String(next) => Some(next.clone()),
            _ => None,
        };
    }
    walked.sort();
    let mut expected = NAMES.to_vec();
    expected.sort_unstable();
    assert_eq!(walked, expected);
}

#[tokio::test]
async fn such_names_register_and_found_too() {
    let scene = Scene::new().await;
    for name in NAMES {
        let account = scene.app.client().register(name, Some(name)).await;
        assert_eq!(account.client.get("/api/v1/me").await.data()["name"], *name);
        let mine = account.client.get("/api/v1/organizations").await.data();
        assert_eq!(mine[0]["name"], *name);
        let by_slug = account
            .client
            .get(&format!("/api/v1/organizations/{}", text(&mine[0]["slug"])))
            .await;
        assert_eq!(by_slug.data()["id"], mine[0]["id"]);
    }
}
