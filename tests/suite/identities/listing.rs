//! What one has linked, as it is listed.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::Value;
use tenantry_tests::{client::text, identity_provider::Person};

use super::{IDENTITIES, linked, listed};
use crate::{
    mfa::expect_session,
    oidc::{Lobby, ann},
};

#[tokio::test]
async fn they_are_listed_newest_first_or_by_their_last_use() {
    let lobby = Lobby::new().await;
    let carl = lobby.stage.newcomer("Carl").await;
    assert_eq!(listed(&carl.client).await, [] as [Value; 0]);
    let numbered = |number: usize| Person::new(&format!("s{number}"), &format!("{number}@example.com"));
    for number in 0..3 {
        linked(&lobby, &carl.client, &numbered(number)).await;
        lobby.stage.app.clock.advance(TimeDelta::seconds(1));
    }
    // The oldest was used last.
    expect_session(&lobby.enter(&numbered(0)).await);
    for (sort, order) in [
        ("", ["2", "1", "0"]),
        ("?sort=createdAt", ["0", "1", "2"]),
        ("?sort=-createdAt", ["2", "1", "0"]),
        ("?sort=updatedAt", ["1", "2", "0"]),
        ("?sort=-updatedAt", ["0", "2", "1"]),
    ] {
        let list = carl.client.get(&format!("{IDENTITIES}{sort}")).await;
        let data = list.expect(StatusCode::OK).data();
        let emails: Vec<String> = data.as_array().unwrap().iter().map(|one| text(&one["email"])).collect();
        assert_eq!(emails, order.map(|number| format!("{number}@example.com")), "{sort}");
        assert_eq!(list.json()["meta"]["total"], 3);
    }
    let page = carl.client.get(&format!("{IDENTITIES}?pageSize=2")).await;
    assert_eq!(page.expect(StatusCode::OK).data().as_array().unwrap().len(), 2);
    let next = text(&page.json()["links"]["next"]);
    let rest = carl.client.get(&next).await;
    assert_eq!(rest.expect(StatusCode::OK).data().as_array().unwrap().len(), 1);
    for wrong in [
        "sort=email",
        "sort=provider",
        "sort=lastUsedAt",
        "nobody=knows",
        "pageSize=0",
    ] {
        let refused = carl.client.get(&format!("{IDENTITIES}?{wrong}")).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{wrong}: {}", refused.text);
    }
}

#[tokio::test]
async fn one_is_read_again_only_where_it_has_changed() {
    let lobby = Lobby::new().await;
    let carl = lobby.stage.newcomer("Carl").await;
    let path = linked(&lobby, &carl.client, &ann()).await;
    let shown = carl.client.get(&path).await;
    assert_eq!(shown.expect(StatusCode::OK).data(), listed(&carl.client).await[0]);
    let tag = shown.header("etag").unwrap().to_owned();
    let same = carl.client.with_header("if-none-match", &tag);
    assert_eq!(same.get(&path).await.expect(StatusCode::NOT_MODIFIED).text, "");
    lobby.stage.app.clock.advance(TimeDelta::seconds(1));
    expect_session(&lobby.enter(&ann().with("email", "new@example.com")).await);
    let changed = same.get(&path).await;
    assert_eq!(changed.expect(StatusCode::OK).data()["email"], "new@example.com");
    assert_ne!(changed.header("etag"), Some(tag.as_str()));
}

/// Not what the provider knows somebody by: that is nobody's business.
#[tokio::test]
async fn subjects_are_told_to_nobody() {
    let lobby = Lobby::new().await;
    let carl = lobby.stage.newcomer("Carl").await;
    let person = Person::new("a-subject-that-is-seen", "ann@example.com");
    let path = linked(&lobby, &carl.client, &person).await;
    for path in [IDENTITIES, path.as_str(), "/api/v1/me"] {
        let answer = carl.client.get(path).await;
        let text = &answer.expect(StatusCode::OK).text;
        assert!(!text.contains("a-subject-that-is-seen"), "{path}: {text}");
    }
}
