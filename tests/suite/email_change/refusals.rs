//! What changes nothing: links that are not good, callers who may not ask, and addresses that cannot be had.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tenantry_tests::client::{PASSWORD, text};

use super::{
    Asked, CHANGE, CONFIRM, CURRENT, LIFE, NEW, WANTED, address, ask, confirm, events_of, expect_changed, expect_gone,
    expect_pending, mails_to, signs_in, under_way,
};
use crate::{
    binary::serving::{Deployment, Serving},
    mfa::{FRESH, OTHER, RESET, Stage, expect_session, expect_stale, expect_unauthorized, freshen},
    oidc::{self, expect_conflict},
};

#[tokio::test]
async fn another_change_takes_the_place_of_one_under_way() {
    let stage = Stage::new().await;
    let ann = stage.newcomer("Ann").await;
    let first = Asked::by(&stage, &ann, "ann.first@example.org").await;
    expect_pending(&confirm(&stage, &first.approval).await, &first.email, NEW);
    let before = under_way(&ann.client).await.unwrap();
    stage.app.clock.advance(TimeDelta::minutes(1));
    let second = Asked::by(&stage, &ann, WANTED).await;
    first.expect_gone(&stage).await;
    // Who agreed to the one has not agreed to the other.
    let after = under_way(&ann.client).await.unwrap();
    assert_eq!(
        (&after["email"], &after["awaits"]),
        (&json!(WANTED), &json!([CURRENT, NEW]))
    );
    assert_ne!(after["id"], before["id"]);
    assert_ne!(after["expiresAt"], before["expiresAt"]);
    // The same address once more is another change as well.
    let third = Asked::by(&stage, &ann, WANTED).await;
    second.expect_gone(&stage).await;
    third.confirmed(&stage).await;
    assert_eq!(address(&ann.client).await.0, WANTED);
}

#[tokio::test]
async fn a_change_that_is_cancelled_is_over() {
    let stage = Stage::new().await;
    let ann = stage.newcomer("Ann").await;
    let none = ann.client.delete(CHANGE).await;
    none.expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
    let asked = Asked::by(&stage, &ann, WANTED).await;
    expect_pending(&confirm(&stage, &asked.proof).await, WANTED, CURRENT);
    ann.client.delete(CHANGE).await.expect(StatusCode::NO_CONTENT);
    assert_eq!(under_way(&ann.client).await, None);
    let none = ann.client.delete(CHANGE).await;
    none.expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
    asked.expect_gone(&stage).await;
    assert_eq!(address(&ann.client).await, (ann.email.clone(), true));
    assert_eq!(events_of(&stage, &ann, "user.email_change_cancelled").await, 1);
    assert_eq!(events_of(&stage, &ann, "user.email_changed").await, 0);
    Asked::by(&stage, &ann, WANTED).await.confirmed(&stage).await;
}

#[tokio::test]
async fn only_the_change_that_was_seen_is_cancelled() {
    let stage = Stage::new().await;
    let ann = stage.newcomer("Ann").await;
    let asked = Asked::by(&stage, &ann, WANTED).await;
    let seen = ann.client.get(CHANGE).await;
    let seen = ann.client.with_header("if-match", seen.header("etag").unwrap());
    stage.app.clock.advance(TimeDelta::seconds(1));
    expect_pending(&confirm(&stage, &asked.approval).await, WANTED, NEW);
    let refused = seen.delete(CHANGE).await;
    refused.expect_error(StatusCode::PRECONDITION_FAILED, "PRECONDITION_FAILED");
    let seen_again = ann.client.get(CHANGE).await;
    let seen_again = ann.client.with_header("if-match", seen_again.header("etag").unwrap());
    seen_again.delete(CHANGE).await.expect(StatusCode::NO_CONTENT);
    expect_gone(&confirm(&stage, &asked.proof).await);
}

#[tokio::test]
async fn there_is_a_day_to_confirm() {
    let stage = Stage::new().await;
    let ann = stage.newcomer("Ann").await;
    let bob = stage.newcomer("Bob").await;
    let in_time = Asked::by(&stage, &bob, "bob.new@example.org").await;
    let too_late = Asked::by(&stage, &ann, WANTED).await;
    stage.app.clock.advance(LIFE - TimeDelta::seconds(1));
    // One that is confirmed gives the other no more time.
    expect_pending(&confirm(&stage, &too_late.approval).await, WANTED, NEW);
    in_time.confirmed(&stage).await;
    let session = expect_session(&stage.login(&ann).await);
    let client = stage.anybody().with_token(&text(&session["accessToken"]));
    assert_eq!(under_way(&client).await.unwrap()["awaits"], json!([NEW]));

    stage.app.clock.advance(TimeDelta::seconds(1));
    too_late.expect_gone(&stage).await;
    assert_eq!(under_way(&client).await, None);
    let none = client.delete(CHANGE).await;
    none.expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
    assert_eq!(address(&client).await, (ann.email.clone(), true));
    assert!(!signs_in(&stage, WANTED).await);
    ask(&client, WANTED).await.expect(StatusCode::ACCEPTED);
}

#[tokio::test]
async fn what_is_no_link_confirms_nothing() {
    let stage = Stage::new().await;
    let ann = stage.newcomer("Ann").await;
    let asked = Asked::by(&stage, &ann, WANTED).await;
    let reset = stage.forgotten(&ann).await;
    let edited = |secret: &str| {
        let (last, rest) = (secret.chars().last().unwrap(), &secret[..secret.len() - 1]);
        format!("{rest}{}", if last == 'A' { 'B' } else { 'A' })
    };
    for nonsense in [
        "",
        "tnl_",
        "x",
        "tnl_\u{e9}",
        &edited(&asked.approval),
        &edited(&asked.proof),
        &asked.proof[1..],
        &reset,
    ] {
        expect_gone(&confirm(&stage, nonsense).await);
    }
    for secret in [&asked.approval, &asked.proof] {
        // Nor is it good for anything else.
        let reset = json!({ "token": secret, "password": OTHER });
        expect_gone(&stage.anybody().post(RESET, &reset).await);
        for path in ["/api/v1/auth/email/verify", oidc::CONFIRM] {
            expect_gone(&stage.anybody().post(path, &json!({ "token": secret })).await);
        }
        expect_unauthorized(&stage.anybody().with_token(secret).get(CHANGE).await);
        // What reads links in mails in advance follows them, and sends nothing.
        let request = stage
            .anybody()
            .request(Method::GET, &format!("{CONFIRM}?token={secret}"));
        let answer = stage.anybody().send(request).await;
        assert!(answer.status.is_client_error(), "{}", answer.text);
    }
    assert_eq!(under_way(&ann.client).await.unwrap()["awaits"], json!([CURRENT, NEW]));

    // Each is good once, for the address that it was mailed to.
    expect_pending(&confirm(&stage, &asked.approval).await, WANTED, NEW);
    expect_gone(&confirm(&stage, &asked.approval).await);
    assert_eq!(under_way(&ann.client).await.unwrap()["awaits"], json!([NEW]));
    assert_eq!(address(&ann.client).await.0, ann.email);
    expect_changed(&confirm(&stage, &asked.proof).await, WANTED);
    asked.expect_gone(&stage).await;
    assert_eq!(events_of(&stage, &ann, "user.email_changed").await, 1);
}

#[tokio::test]
async fn only_who_signed_in_lately_asks() {
    let stage = Stage::new().await;
    let ann = stage.newcomer("Ann").await;
    stage.app.clock.advance(FRESH - TimeDelta::seconds(1));
    let asked = Asked::by(&stage, &ann, WANTED).await;
    stage.app.clock.advance(TimeDelta::seconds(1));
    let before = under_way(&ann.client).await;
    for email in ["ann.other@example.org", WANTED, &ann.email, "no address"] {
        expect_stale(&ask(&ann.client, email).await);
    }
    assert_eq!(under_way(&ann.client).await, before);
    // To look at it, to confirm it and to call it off asks for no more than it did.
    expect_pending(&confirm(&stage, &asked.approval).await, WANTED, NEW);
    ann.client.delete(CHANGE).await.expect(StatusCode::NO_CONTENT);
    expect_stale(&ask(&ann.client, WANTED).await);
    freshen(&ann.client).await;
    ask(&ann.client, WANTED).await.expect(StatusCode::ACCEPTED);
}

#[tokio::test]
async fn strangers_are_told_nothing() {
    let stage = Stage::new().await;
    let anybody = stage.anybody();
    for answer in [
        ask(&anybody, WANTED).await,
        ask(&anybody, "no address").await,
        anybody.get(CHANGE).await,
        anybody.delete(CHANGE).await,
    ] {
        expect_unauthorized(&answer);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    assert_eq!(stage.app.mails().await.len(), 0);
}

#[tokio::test]
async fn a_body_that_does_not_fit_is_refused() {
    let stage = Stage::new().await;
    let ann = stage.newcomer("Ann").await;
    let long = format!("{}@example.org", "a".repeat(254));
    for (body, fields) in [
        (json!({}), ["/email"]),
        (json!({ "email": null }), ["/email"]),
        (json!({ "email": 1 }), ["/email"]),
        (json!({ "email": "x" }), ["/email"]),
        (json!({ "email": "ann@" }), ["/email"]),
        (json!({ "email": long }), ["/email"]),
        (json!({ "email": [WANTED] }), ["/email"]),
        (json!({ "email": WANTED, "force": true }), ["/force"]),
    ] {
        ann.client.post(CHANGE, &body).await.expect_refused(&fields);
    }
    assert_eq!(under_way(&ann.client).await, None);
    let asked = Asked::by(&stage, &ann, WANTED).await;
    for (body, fields) in [
        (json!({}), ["/token"]),
        (json!({ "token": null }), ["/token"]),
        (json!({ "token": 1 }), ["/token"]),
        (json!({ "token": "x".repeat(1001) }), ["/token"]),
        (json!({ "token": asked.proof, "email": WANTED }), ["/email"]),
    ] {
        let refused = stage.anybody().post(CONFIRM, &body).await;
        refused.expect_refused(&fields);
        assert!(!refused.text.contains(&asked.proof), "{}", refused.text);
    }
    asked.confirmed(&stage).await;
}

#[tokio::test]
async fn the_address_that_one_has_is_no_other() {
    let stage = Stage::new().await;
    let proven = stage.newcomer("Ann").await;
    let unproven = stage.anybody().register("Bob", None).await;
    let mails = stage.app.mails().await.len();
    for account in [&proven, &unproven] {
        for email in [&account.email, &account.email.to_uppercase()] {
            expect_conflict(&ask(&account.client, email).await, "email_unchanged");
        }
        assert_eq!(under_way(&account.client).await, None);
    }
    assert_eq!(stage.app.mails().await.len(), mails);
    // It calls nothing off.
    let asked = Asked::by(&stage, &proven, WANTED).await;
    expect_conflict(&ask(&proven.client, &proven.email).await, "email_unchanged");
    asked.confirmed(&stage).await;
    expect_conflict(&ask(&proven.client, WANTED).await, "email_unchanged");
}

#[tokio::test]
async fn nobody_is_told_who_has_an_address() {
    let stage = Stage::new().await;
    let ann = stage.newcomer("Ann").await;
    let bob = stage.newcomer("Bob").await;
    let carl = stage.anybody().register("Carl", None).await;
    let mut answers = Vec::new();
    for email in [bob.email.as_str(), carl.email.as_str(), WANTED] {
        let answer = ask(&ann.client, email).await;
        let mut data = answer.expect(StatusCode::ACCEPTED).data();
        assert_eq!(data["email"].take(), email);
        assert_ne!(data["id"].take(), Value::Null);
        let mut headers: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
        headers.sort();
        answers.push((data, headers));
    }
    assert_eq!(answers[0], answers[2]);
    assert_eq!(answers[1], answers[2]);
    // Whoever agrees to it for the present address is not told either.
    let taken = Asked::by(&stage, &ann, &bob.email).await;
    expect_pending(&confirm(&stage, &taken.approval).await, &bob.email, NEW);
}

#[tokio::test]
async fn an_address_that_somebody_has_by_then_is_told_at_the_last_step() {
    let stage = Stage::new().await;
    for (first, last) in [(CURRENT, NEW), (NEW, CURRENT)] {
        let ann = stage.newcomer("Ann").await;
        let bob = stage.newcomer("Bob").await;
        let asked = Asked::by(&stage, &ann, &bob.email).await;
        let by = |side: &str| if side == CURRENT { &asked.approval } else { &asked.proof };
        expect_pending(&confirm(&stage, by(first)).await, &bob.email, last);
        let mails = mails_to(&stage, &ann.email).await.len();
        for _ in 0..2 {
            expect_conflict(&confirm(&stage, by(last)).await, "email_taken");
            assert_eq!(under_way(&ann.client).await.unwrap()["awaits"], json!([last]));
            assert_eq!(address(&ann.client).await, (ann.email.clone(), true));
        }
        assert_eq!(events_of(&stage, &ann, "user.email_changed").await, 0);
        assert_eq!(mails_to(&stage, &ann.email).await.len(), mails);
        // The link is as good as before, once the address is free.
        bob.client.delete("/api/v1/me").await.expect(StatusCode::NO_CONTENT);
        expect_changed(&confirm(&stage, by(last)).await, &bob.email);
        assert_eq!(address(&ann.client).await, (bob.email.clone(), true));
    }
}

/// Whoever took a session, and asked for an address of their own, loses it with the session.
#[tokio::test]
async fn another_password_calls_a_change_off() {
    let stage = Stage::new().await;
    let ann = stage.newcomer("Ann").await;
    let asked = Asked::by(&stage, &ann, WANTED).await;
    expect_pending(&confirm(&stage, &asked.proof).await, WANTED, CURRENT);
    let change = json!({ "currentPassword": PASSWORD, "newPassword": OTHER });
    ann.client
        .put("/api/v1/auth/password", &change)
        .await
        .expect(StatusCode::OK);
    assert_eq!(under_way(&ann.client).await, None);
    asked.expect_gone(&stage).await;

    let asked = Asked::by(&stage, &ann, WANTED).await;
    let reset = stage.forgotten(&ann).await;
    // To ask for a mail calls nothing off: anybody can.
    assert_eq!(under_way(&ann.client).await.unwrap()["email"], WANTED);
    let body = json!({ "token": reset, "password": PASSWORD });
    stage.anybody().post(RESET, &body).await.expect(StatusCode::OK);
    asked.expect_gone(&stage).await;
    let session = expect_session(&stage.login(&ann).await);
    let client = stage.anybody().with_token(&text(&session["accessToken"]));
    assert_eq!(under_way(&client).await, None);
    assert_eq!(address(&client).await, (ann.email.clone(), true));
}

#[tokio::test]
async fn what_opens_a_link_is_stored_nowhere() {
    let stage = Stage::new().await;
    let ann = stage.newcomer("Ann").await;
    ask(&ann.client, WANTED).await.expect(StatusCode::ACCEPTED);
    let mut stored = vec![stage.all_that_is_stored().await];
    let asked = Asked::by(&stage, &ann, WANTED).await;
    stored.push(stage.all_that_is_stored().await);
    asked.confirmed(&stage).await;
    stored.push(stage.all_that_is_stored().await);
    for secret in [&asked.approval, &asked.proof] {
        let payload = secret.strip_prefix("tnl_").unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(payload).unwrap();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        for all in &stored {
            assert!(all.contains(WANTED), "nothing was read");
            // The first bytes are the link's id, which is no secret.
            for part in [payload, &payload[24..], &hex, &hex[36..]] {
                assert!(!all.contains(part), "{secret} is stored");
            }
        }
    }
}

#[tokio::test]
async fn what_opens_a_link_is_not_in_the_log() {
    let stage = Stage::new().await;
    let ann = stage.newcomer("Ann").await;
    let asked = Asked::by(&stage, &ann, WANTED).await;
    let deployment = Deployment::new(stage.database.runtime_url(), stage.database.owner_url());
    let serving = Serving::of(deployment.command("serve").start()).await;
    let secrets = [asked.approval, asked.proof];
    for secret in &secrets {
        // Of another server, with other keys: what is shown there is perhaps good elsewhere.
        let answer = serving.client().post(CONFIRM, &json!({ "token": secret })).await;
        expect_gone(&answer);
    }
    serving.stop().await.keeps(&secrets);
}
