//! The passkeys that one has: listed, renamed and taken away, each by its owner.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tenantry_tests::client::text;

use super::{Holder, LOGIN, OPTIONS, PASSKEYS, events_of, expect_unknown, listed, phone, register};
use crate::mfa::{Stage, expect_unauthorized, time};

#[tokio::test]
async fn they_are_listed_newest_first_or_by_name() {
    let stage = Stage::new().await;
    let ann = stage.newcomer("Ann").await;
    Holder::new(&stage, "Bob").await;
    assert_eq!(listed(&ann.client).await, [] as [Value; 0]);
    for name in ["b", "c", "a"] {
        register(&ann.client, &mut phone(), Some(name))
            .await
            .expect(StatusCode::CREATED);
        stage.app.clock.advance(chrono::TimeDelta::seconds(1));
    }
    for (sort, order) in [
        ("", ["a", "c", "b"]),
        ("?sort=name", ["a", "b", "c"]),
        ("?sort=-name", ["c", "b", "a"]),
        ("?sort=createdAt", ["b", "c", "a"]),
        ("?sort=-updatedAt", ["a", "c", "b"]),
    ] {
        let list = ann.client.get(&format!("{PASSKEYS}{sort}")).await;
        let data = list.expect(StatusCode::OK).data();
        let names: Vec<String> = data.as_array().unwrap().iter().map(|one| text(&one["name"])).collect();
        assert_eq!(names, order, "{sort}");
        assert_eq!(list.json()["meta"]["total"], 3);
    }
    let page = ann.client.get(&format!("{PASSKEYS}?pageSize=2")).await;
    assert_eq!(page.expect(StatusCode::OK).data().as_array().unwrap().len(), 2);
    for wrong in ["sort=synced", "sort=credentialId", "nobody=knows", "pageSize=0"] {
        let refused = ann.client.get(&format!("{PASSKEYS}?{wrong}")).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{wrong}: {}", refused.text);
    }
}

#[tokio::test]
async fn one_is_called_what_its_owner_calls_it() {
    let stage = Stage::new().await;
    let ann = Holder::new(&stage, "Ann").await;
    let created = stage.now();
    let shown = ann.client().get(&ann.path()).await;
    let tag = shown.expect(StatusCode::OK).header("etag").unwrap().to_owned();
    let same = ann.client().with_header("if-none-match", &tag);
    assert_eq!(same.get(&ann.path()).await.expect(StatusCode::NOT_MODIFIED).text, "");

    stage.app.clock.advance(chrono::TimeDelta::minutes(1));
    let current = ann.client().with_header("if-match", &tag);
    let renamed = current.patch(&ann.path(), &json!({ "name": "Work phone" })).await;
    let data = renamed.expect(StatusCode::OK).data();
    assert_eq!((&data["name"], &data["id"]), (&json!("Work phone"), &json!(ann.id)));
    assert_eq!(
        (time(&data["createdAt"]), time(&data["updatedAt"])),
        (created, stage.now())
    );
    assert_ne!(renamed.header("etag"), Some(tag.as_str()));
    assert_eq!(listed(ann.client()).await, std::slice::from_ref(&data));
    assert_eq!(events_of(&stage, "user.passkey_renamed", &ann.id).await, 1);
    same.get(&ann.path()).await.expect(StatusCode::OK);

    // What was shown before is not what is changed now.
    for stale in [
        current.patch(&ann.path(), &json!({ "name": "x" })).await,
        current.delete(&ann.path()).await,
    ] {
        stale.expect_error(StatusCode::PRECONDITION_FAILED, "PRECONDITION_FAILED");
    }
    for wrong in [
        json!(null),
        json!(""),
        json!("x".repeat(256)),
        json!("a\u{7}"),
        json!(1),
    ] {
        let refused = ann.client().patch(&ann.path(), &json!({ "name": wrong })).await;
        refused.expect_refused(&["/name"]);
    }
    let refused = ann.client().patch(&ann.path(), &json!({ "synced": false })).await;
    refused.expect_refused(&["/synced"]);
    assert_eq!(listed(ann.client()).await, [data]);
    let longest = json!({ "name": "x".repeat(255) });
    ann.client().patch(&ann.path(), &longest).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn one_that_was_taken_away_signs_nobody_in() {
    let stage = Stage::new().await;
    let mut ann = Holder::new(&stage, "Ann").await;
    let mails = stage.mails_to(&ann.account).await;
    let named = ann.client().patch(&ann.path(), &json!({ "name": "Lost phone" })).await;
    let tag = named.expect(StatusCode::OK).header("etag").unwrap().to_owned();
    let answer = ann.answer(&stage).await;
    let gone = ann.client().with_header("if-match", &tag).delete(&ann.path()).await;
    assert_eq!(gone.expect(StatusCode::NO_CONTENT).text, "");
    assert_eq!(events_of(&stage, "user.passkey_removed", &ann.id).await, 1);
    assert_eq!(stage.mails_to(&ann.account).await, mails + 1);
    let sent = stage.app.mails().await;
    let newest = sent.iter().find(|mail| mail.to == ann.account.email).unwrap();
    assert!(newest.text.contains("Lost phone"), "{}", newest.text);
    assert_eq!(stage.database.count("passkeys").await, 0);
    expect_unauthorized(&stage.anybody().post(LOGIN, &answer).await);
    let answer = ann.answer(&stage).await;
    expect_unauthorized(&stage.anybody().post(LOGIN, &answer).await);
    for answer in [
        ann.client().get(&ann.path()).await,
        ann.client().patch(&ann.path(), &json!({ "name": "x" })).await,
        ann.client().delete(&ann.path()).await,
    ] {
        expect_unknown(&answer);
    }
    // What nobody has any more may be registered anew.
    let mut device = phone();
    device.behaviour.credential_id = Some(ann.device.passkeys[0].id.clone());
    register(ann.client(), &mut device, None)
        .await
        .expect(StatusCode::CREATED);
}

#[tokio::test]
async fn anothers_is_none() {
    let stage = Stage::new().await;
    let mut ann = Holder::new(&stage, "Ann").await;
    let bob = Holder::new(&stage, "Bob").await;
    let unknown = format!("{PASSKEYS}/01890a5d-ac96-774b-bcce-b302099a8057");
    for path in [ann.path(), unknown] {
        for answer in [
            bob.client().get(&path).await,
            bob.client().patch(&path, &json!({ "name": "Mine" })).await,
            bob.client()
                .with_header("if-match", "\"4711\"")
                .patch(&path, &json!({ "name": "Mine" }))
                .await,
            bob.client().delete(&path).await,
        ] {
            expect_unknown(&answer);
        }
    }
    for method in [Method::GET, Method::PATCH, Method::DELETE] {
        let request = bob
            .client()
            .request(method, &format!("{PASSKEYS}/x"))
            .json(&json!({ "name": "x" }));
        let answer = bob.client().send(request).await;
        answer.expect_error(StatusCode::BAD_REQUEST, "MALFORMED_REQUEST");
    }
    assert_eq!(listed(ann.client()).await.len(), 1);
    ann.sign_in(&stage).await;
}

/// What nobody may ask without being signed in, and it comes before the body.
#[tokio::test]
async fn strangers_are_told_nothing() {
    let stage = Stage::new().await;
    let ann = Holder::new(&stage, "Ann").await;
    let path = ann.path();
    for (method, path) in [
        (Method::POST, OPTIONS),
        (Method::POST, PASSKEYS),
        (Method::GET, PASSKEYS),
        (Method::GET, path.as_str()),
        (Method::PATCH, path.as_str()),
        (Method::DELETE, path.as_str()),
    ] {
        for client in [stage.anybody(), stage.anybody().with_token("x")] {
            let request = client.request(method.clone(), path).json(&json!(["nonsense"]));
            let answer = client.send(request).await;
            expect_unauthorized(&answer);
            assert_eq!(answer.header("cache-control"), Some("no-store"));
        }
    }
}
