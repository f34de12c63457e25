//! What a list may be asked for.

use reqwest::StatusCode;
use tenantry_tests::scene::Scene;

const REFUSED: &[&str] = &[
    "page=0",
    "page=-1",
    "page=1.5",
    "page=one",
    "page=",
    "page=%2B1",
    "page=0x1",
    "page=1e3",
    "page=99999999999999999999",
    "page=%EF%BC%91",
    "page=1%00",
    "pageSize=0",
    "pageSize=101",
    "pageSize=1000",
    "pageSize=-5",
    "pageSize=ten",
    "pageSize=4294967297",
    "page=101&pageSize=100",
    "page=501",
    "page=10000&pageSize=2",
    "page=1&page=1",
    "page=1&page=2",
    "pageSize=5&pageSize=6",
    "sort=name&sort=name",
    "sort=",
    "sort=,",
    "sort=name,",
    "sort=slug",
    "sort=description",
    "sort=settings",
    "sort=organizationId",
    "sort=Name",
    "sort=created_at",
    "sort=--name",
    "sort=%2Bname",
    "sort=name%20desc",
    "sort=name;drop%20table%20projects",
    "sort=name%00",
    "unknown=1",
    "Page=1",
    "page_size=5",
    "limit=5",
    "%FF=1",
];

#[tokio::test]
async fn whatever_is_out_of_range_unlisted_or_unknown_is_refused() {
    let scene = Scene::new().await;
    let lists = [
        scene.path("/projects"),
        scene.projects(),
        scene.path("/workspaces"),
        scene.path("/members"),
        "/api/v1/organizations".to_owned(),
        "/api/v1/me/organizations".to_owned(),
        "/api/v1/auth/sessions".to_owned(),
    ];
    for list in &lists {
        for refused in REFUSED {
            let answer = scene.client().get(&format!("{list}?{refused}")).await;
            assert_eq!(
                answer.status,
                StatusCode::BAD_REQUEST,
                "{list}?{refused}: {}",
                answer.text
            );
            assert_eq!(answer.code(), "MALFORMED_REQUEST", "{list}?{refused}");
            assert!(
                answer.json()["error"]["details"]["location"].is_string(),
                "{}",
                answer.text
            );
        }
        for accepted in [
            "page=1",
            "pageSize=100",
            "pageSize=1",
            "page=100&pageSize=100",
            "page=10000&pageSize=1",
            "sort=-createdAt",
            "cursor=",
            "",
        ] {
            scene
                .client()
                .get(&format!("{list}?{accepted}"))
                .await
                .expect(StatusCode::OK);
        }
        let default = scene.client().get(list).await.json();
        assert_eq!(
            (&default["meta"]["page"], &default["meta"]["pageSize"]),
            (&1.into(), &20.into())
        );
    }
    for list in &lists[..6] {
        for accepted in [
            "sort=name",
            "sort=-updatedAt,name",
            "sort=-createdAt,-name,updatedAt",
            "q=a",
        ] {
            scene
                .client()
                .get(&format!("{list}?{accepted}"))
                .await
                .expect(StatusCode::OK);
        }
    }
}
