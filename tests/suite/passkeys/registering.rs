//! Registering a passkey: what a browser is asked for, what becomes of its answer, and how many there can be.

use std::collections::BTreeSet;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::{
    client::text,
    passkey::{Authenticator, decoded, encoded},
};
use uuid::Uuid;

use super::{
    Holder, LOGIN, ORIGIN, PASSKEYS, creation_options, events_of, expect_conflict, expect_incorrect, listed,
    login_options, phone, register,
};
use crate::mfa::{ME, Stage, count, expect_session, factors, names, post_at_once, time};

/// The most passkeys of a person.
const MOST: usize = 20;

const CHROME: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

#[tokio::test]
async fn a_browser_is_asked_for_a_key_that_knows_its_owner() {
    let stage = Stage::new().await;
    let ann = stage.newcomer("Ann").await;
    let answer = crate::mfa::post_nothing(&ann.client, super::OPTIONS).await;
    let mut options = answer.expect(StatusCode::OK).data();
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let challenge = text(&options["challenge"].take());
    assert!(decoded(&challenge).len() >= 16, "{challenge}");
    let algorithms = options["pubKeyCredParams"].take();
    let algorithms = algorithms.as_array().unwrap();
    assert!(
        algorithms.contains(&json!({ "type": "public-key", "alg": -7 })),
        "{algorithms:?}"
    );
    for algorithm in algorithms {
        assert_eq!(names(algorithm), ["alg", "type"]);
        assert_eq!(algorithm["type"], "public-key");
    }
    let user: Uuid = ann.user_id.parse().unwrap();
    assert_eq!(
        options,
        json!({
            "rp": { "id": "tenantry.test", "name": "Tenantry" },
            "user": { "id": encoded(user.as_bytes()), "name": ann.email, "displayName": "Ann" },
            "challenge": null,
            "pubKeyCredParams": null,
            "timeout": 300_000,
            "excludeCredentials": [],
            "authenticatorSelection": {
                "residentKey": "required", "requireResidentKey": true, "userVerification": "required",
            },
            "attestation": "none",
            "extensions": { "credProps": true },
        })
    );
    let again = creation_options(&ann.client).await;
    assert_ne!(again["challenge"], challenge);
    assert_eq!(stage.database.count("passkeys").await, 0);
}

#[tokio::test]
async fn a_key_that_a_device_made_is_registered() {
    let stage = Stage::new().await;
    let ann = stage.newcomer("Ann").await;
    let mails = stage.mails_to(&ann).await;
    let mut phone = phone();
    let registered = register(&ann.client, &mut phone, Some("Blue phone")).await;
    let mut data = registered.expect(StatusCode::CREATED).data();
    assert_eq!(registered.header("cache-control"), Some("no-store"));
    let id = text(&data["id"]);
    let path = format!("{PASSKEYS}/{id}");
    assert_eq!(registered.header("location"), Some(path.as_str()));
    let codes = data["recoveryCodes"].take();
    assert_eq!(codes.as_array().unwrap().len(), 10);
    assert_eq!(
        names(&data),
        [
            "createdAt",
            "id",
            "lastUsedAt",
            "name",
            "recoveryCodes",
            "synced",
            "updatedAt"
        ]
    );
    assert_eq!((&data["name"], &data["synced"]), (&json!("Blue phone"), &json!(true)));
    assert_eq!(data["lastUsedAt"], Value::Null);
    assert_eq!(time(&data["createdAt"]), stage.now());
    assert_eq!(data["updatedAt"], data["createdAt"]);

    let shown = ann.client.get(&path).await;
    data.as_object_mut().unwrap().remove("recoveryCodes");
    assert_eq!(shown.expect(StatusCode::OK).data(), data);
    assert_eq!(shown.header("etag"), registered.header("etag"));
    assert!(shown.header("etag").is_some());
    assert_eq!(listed(&ann.client).await, [data]);
    assert_eq!(events_of(&stage, "user.passkey_added", &id).await, 1);
    assert_eq!(stage.mails_to(&ann).await, mails + 1);
    let sent = stage.app.mails().await;
    let newest = sent.iter().find(|mail| mail.to == ann.email).unwrap();
    assert!(newest.text.contains("Blue phone"), "{}", newest.text);
    assert!(newest.html.contains("Blue phone"), "{}", newest.html);

    // The password signs in alone as before.
    assert_eq!(
        factors(&ann.client).await,
        json!({ "enabled": false, "totp": false, "recoveryCodesLeft": 10, "passkeys": 1 })
    );
    assert_eq!(ann.client.get(ME).await.data()["mfaEnabled"], false);
    assert_eq!(expect_session(&stage.login(&ann).await)["user"]["mfaEnabled"], false);
    // It is asked not to be made twice on one device.
    assert_eq!(
        creation_options(&ann.client).await["excludeCredentials"],
        json!([{ "type": "public-key", "id": encoded(&phone.passkeys[0].id) }])
    );
}

#[tokio::test]
async fn those_after_the_first_bring_no_recovery_codes() {
    let stage = Stage::new().await;
    let ann = Holder::new(&stage, "Ann").await;
    let mut key = Authenticator::security_key(ORIGIN);
    let registered = register(ann.client(), &mut key, Some("Key")).await;
    let data = registered.expect(StatusCode::CREATED).data();
    assert_eq!(data["recoveryCodes"], Value::Null);
    assert!(data.as_object().unwrap().contains_key("recoveryCodes"), "{data}");
    assert_eq!(data["synced"], false);
    assert_eq!(
        factors(ann.client()).await,
        json!({ "enabled": false, "totp": false, "recoveryCodesLeft": 10, "passkeys": 2 })
    );
    let excluded = creation_options(ann.client()).await["excludeCredentials"].take();
    let excluded: BTreeSet<String> = excluded
        .as_array()
        .unwrap()
        .iter()
        .map(|one| text(&one["id"]))
        .collect();
    let held = [&ann.device.passkeys[0].id, &key.passkeys[0].id];
    assert_eq!(excluded, BTreeSet::from(held.map(|id| encoded(id))));
}

#[tokio::test]
async fn a_passkey_without_a_name_is_called_after_where_it_was_made() {
    let stage = Stage::new().await;
    let ann = stage.newcomer("Ann").await;
    for (agent, name) in [
        (Some(CHROME), "Chrome on Linux"),
        (Some("x"), "Passkey"),
        (None, "Passkey"),
    ] {
        let client = match agent {
            Some(agent) => ann.client.with_header("user-agent", agent),
            None => ann.client.clone(),
        };
        let registered = register(&client, &mut phone(), None).await;
        assert_eq!(registered.expect(StatusCode::CREATED).data()["name"], name);
    }
}

#[tokio::test]
async fn a_name_is_one_of_up_to_255_characters() {
    let stage = Stage::new().await;
    let ann = stage.newcomer("Ann").await;
    let mut device = phone();
    for wrong in [
        json!(""),
        json!("é".repeat(256)),
        json!("a\u{0}b"),
        json!("a\nb"),
        json!(5),
        json!(["x"]),
    ] {
        let mut body = device.create(&creation_options(&ann.client).await);
        body["name"] = wrong;
        ann.client.post(PASSKEYS, &body).await.expect_refused(&["/name"]);
    }
    assert_eq!(stage.database.count("passkeys").await, 0);
    for name in ["é".repeat(255), " ".to_owned(), "<b>\u{1f511}</b>".to_owned()] {
        let registered = register(&ann.client, &mut phone(), Some(&name)).await;
        assert_eq!(registered.expect(StatusCode::CREATED).data()["name"], name.as_str());
    }
}

/// Browsers add to what they answer from one version to the next.
#[tokio::test]
async fn what_browsers_add_to_their_answers_is_nothing() {
    let stage = Stage::new().await;
    let ann = stage.newcomer("Ann").await;
    let mut device = phone();
    device.behaviour.remark = true;
    let mut body = device.create(&creation_options(&ann.client).await);
    body["response"]["futureMember"] = json!({ "a": [1, 2] });
    body["clientExtensionResults"]["futureExtension"] = json!({ "enabled": true });
    body["response"]["transports"] = json!(["internal", "a-transport-of-the-future"]);
    ann.client.post(PASSKEYS, &body).await.expect(StatusCode::CREATED);
    let mut answer = device.get(&login_options(&stage).await);
    answer["response"]["futureMember"] = json!(1);
    answer["clientExtensionResults"]["futureExtension"] = json!(1);
    expect_session(&stage.anybody().post(LOGIN, &answer).await);

    // What is as good as absent is absent.
    let mut body = phone().create(&creation_options(&ann.client).await);
    let answer = body.as_object_mut().unwrap();
    answer.remove("authenticatorAttachment");
    answer.remove("clientExtensionResults");
    let response = answer["response"].as_object_mut().unwrap();
    for more in ["transports", "authenticatorData", "publicKey", "publicKeyAlgorithm"] {
        response.remove(more);
    }
    ann.client.post(PASSKEYS, &body).await.expect(StatusCode::CREATED);
}

#[tokio::test]
async fn a_key_is_registered_once_and_by_one_person() {
    let stage = Stage::new().await;
    let mut ann = Holder::new(&stage, "Ann").await;
    let bob = Holder::new(&stage, "Bob").await;
    for client in [ann.client(), bob.client()] {
        let mut copy = phone();
        copy.behaviour.credential_id = Some(ann.device.passkeys[0].id.clone());
        expect_conflict(&register(client, &mut copy, None).await, "passkey_taken");
    }
    assert_eq!(stage.database.count("passkeys").await, 2);
    assert_eq!(listed(bob.client()).await.len(), 1);
    // It was not replaced.
    ann.sign_in(&stage).await;
}

#[tokio::test]
async fn of_ten_who_register_a_key_at_once_one_has() {
    let stage = Stage::new().await;
    let ann = stage.newcomer("Ann").await;
    let body = phone().create(&creation_options(&ann.client).await);
    let answers = post_at_once((0..10).map(|_| (&ann.client, PASSKEYS, body.clone()))).await;
    assert_eq!(count(&answers, StatusCode::CREATED), 1);
    for answer in answers.iter().filter(|answer| answer.status != StatusCode::CREATED) {
        expect_incorrect(answer);
    }
    assert_eq!(listed(&ann.client).await.len(), 1);
    assert_eq!(stage.database.count("recovery_codes").await, 10);
    assert_eq!(stage.events("user.passkey_added").await, 1);
}

/// Each of them was to be the first, and one was.
#[tokio::test]
async fn of_several_first_passkeys_one_brings_recovery_codes() {
    let stage = Stage::new().await;
    let ann = stage.newcomer("Ann").await;
    let mut bodies = Vec::new();
    for _ in 0..4 {
        bodies.push(phone().create(&creation_options(&ann.client).await));
    }
    let answers = post_at_once(bodies.into_iter().map(|body| (&ann.client, PASSKEYS, body))).await;
    assert_eq!(count(&answers, StatusCode::CREATED), 4);
    let with_codes = answers
        .iter()
        .filter(|answer| answer.data()["recoveryCodes"].is_array());
    assert_eq!(with_codes.count(), 1);
    assert_eq!(stage.database.count("recovery_codes").await, 10);
}

#[tokio::test]
async fn there_are_twenty_at_most() {
    let stage = Stage::new().await;
    let ann = Holder::new(&stage, "Ann").await;
    for number in 1..MOST - 1 {
        let registered = register(ann.client(), &mut phone(), None).await;
        assert_eq!(registered.status, StatusCode::CREATED, "{number}: {}", registered.text);
    }
    // Three that were asked for while there was room for one.
    let mut bodies = Vec::new();
    for _ in 0..3 {
        bodies.push(phone().create(&creation_options(ann.client()).await));
    }
    let answers = post_at_once(bodies.into_iter().map(|body| (ann.client(), PASSKEYS, body))).await;
    assert_eq!(count(&answers, StatusCode::CREATED), 1);
    for answer in answers.iter().filter(|answer| answer.status != StatusCode::CREATED) {
        expect_conflict(answer, "too_many_passkeys");
    }
    assert_eq!(stage.database.count("passkeys").await, 20);
    assert_eq!(ann.client().get(PASSKEYS).await.json()["meta"]["total"], 20);

    // Where one goes, another has room, and others have theirs.
    Holder::new(&stage, "Bob").await;
    let gone = ann.client().delete(&ann.path()).await;
    gone.expect(StatusCode::NO_CONTENT);
    let registered = register(ann.client(), &mut phone(), None).await;
    registered.expect(StatusCode::CREATED);
}
