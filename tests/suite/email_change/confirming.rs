//! The whole way: who is asked, what changes at the end, and what stays as it is.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::json;
use tenantry_tests::{client::PASSWORD, identity_provider::Person};

use super::{
    Asked, CHANGE, CURRENT, LIFE, NEW, PAGE, REGISTER, WANTED, address, ask, confirm, enter_by, events_of,
    expect_changed, expect_gone, expect_pending, mails_to, moved, phone_of, secret, signs_in, under_way,
};
use crate::{
    identities::link,
    mfa::{ME, OTHER, REFRESH, RESET, Stage, expect_mfa_required, expect_session, factors, names, time},
    oidc::{self, Lobby, expect_conflict},
};

#[tokio::test]
async fn whoever_reads_the_mails_of_both_changes_the_address() {
    let stage = Stage::new().await;
    for (email, first, last) in [
        ("Ann.First@Example.org", CURRENT, NEW),
        ("ann.second@example.org", NEW, CURRENT),
    ] {
        let ann = stage.newcomer("Ann").await;
        assert_eq!(under_way(&ann.client).await, None);
        let answer = ask(&ann.client, email).await;
        let change = answer.expect(StatusCode::ACCEPTED).data();
        assert_eq!(
            names(&change),
            ["awaits", "createdAt", "email", "expiresAt", "id", "updatedAt"]
        );
        assert_eq!(
            (&change["email"], &change["awaits"]),
            (&json!(email), &json!([CURRENT, NEW]))
        );
        assert_eq!(time(&change["expiresAt"]) - time(&change["createdAt"]), LIFE);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(under_way(&ann.client).await, Some(change.clone()));

        let approval = secret(&stage, &ann.email, PAGE).await;
        let proof = secret(&stage, email, PAGE).await;
        let by = |side: &str| if side == CURRENT { &approval } else { &proof };
        stage.app.clock.advance(TimeDelta::minutes(1));
        expect_pending(&confirm(&stage, by(first)).await, email, last);
        let shown = under_way(&ann.client).await.unwrap();
        assert_eq!(shown["awaits"], json!([last]));
        for same in ["id", "email", "createdAt", "expiresAt"] {
            assert_eq!(shown[same], change[same], "{same}");
        }
        // Until then the address is the former one in every respect.
        assert_eq!(address(&ann.client).await, (ann.email.clone(), true));
        assert!(signs_in(&stage, &ann.email).await);
        assert!(!signs_in(&stage, email).await);

        expect_changed(&confirm(&stage, by(last)).await, email);
        assert_eq!(under_way(&ann.client).await, None);
        assert_eq!(address(&ann.client).await, (email.to_owned(), true));
        assert!(signs_in(&stage, email).await);
        assert!(signs_in(&stage, &email.to_lowercase()).await);
        assert!(!signs_in(&stage, &ann.email).await);
        for (kind, events) in [
            ("user.email_change_requested", 1),
            ("user.email_change_confirmed", 1),
            ("user.email_changed", 1),
            ("user.email_change_cancelled", 0),
        ] {
            assert_eq!(events_of(&stage, &ann, kind).await, events, "{kind}");
        }
    }
}

#[tokio::test]
async fn all_but_the_address_stays() {
    let lobby = Lobby::new().await;
    let stage = &lobby.stage;
    let account = stage.newcomer("Ann").await;
    let at_provider = Person::new("4711", &account.email);
    let linked = link(&lobby, &account.client, &at_provider).await;
    linked.expect(StatusCode::CREATED);
    let ann = stage.equipped(account).await;
    let mut phone = phone_of(ann.client()).await;
    let elsewhere = stage.sign_in(&ann).await;
    let before = factors(ann.client()).await;

    Asked::by(stage, &ann.account, WANTED).await.confirmed(stage).await;
    for session in [ann.client(), &elsewhere] {
        assert_eq!(address(session).await, (WANTED.to_owned(), true));
    }
    let refresh = json!({ "refreshToken": ann.account.refresh_token });
    stage.anybody().post(REFRESH, &refresh).await.expect(StatusCode::OK);
    assert_eq!(factors(ann.client()).await, before);
    // Every way in leads to the same account: password and app, provider and app, passkey.
    let token = expect_mfa_required(&stage.login(&moved(&ann.account, WANTED)).await);
    let by_password = stage.verify(&token, &stage.next_code(&ann)).await;
    let token = expect_mfa_required(&lobby.enter(&at_provider).await);
    let by_provider = stage.verify(&token, &stage.next_code(&ann)).await;
    let by_passkey = enter_by(&mut phone, &stage.anybody()).await;
    for answer in [by_password, by_provider, by_passkey] {
        let user = expect_session(&answer)["user"].clone();
        assert_eq!(
            (&user["id"], &user["email"]),
            (&json!(ann.account.user_id), &json!(WANTED))
        );
    }
}

/// One that was never proven is perhaps a typo, and whoever has it has no say.
#[tokio::test]
async fn an_unproven_address_is_neither_asked_nor_told() {
    let stage = Stage::new().await;
    let ann = stage.anybody().register("Ann", None).await;
    let verification = secret(&stage, &ann.email, "verify-email").await;
    let change = ask(&ann.client, WANTED).await.expect(StatusCode::ACCEPTED).data();
    assert_eq!(change["awaits"], json!([NEW]));
    let proof = secret(&stage, WANTED, PAGE).await;
    assert_eq!(mails_to(&stage, &ann.email).await.len(), 1);
    expect_changed(&confirm(&stage, &proof).await, WANTED);
    assert_eq!(address(&ann.client).await, (WANTED.to_owned(), true));
    assert!(signs_in(&stage, WANTED).await);
    assert!(!signs_in(&stage, &ann.email).await);
    assert_eq!(mails_to(&stage, &ann.email).await.len(), 1);
    assert_eq!(events_of(&stage, &ann, "user.email_changed").await, 1);
    assert_eq!(events_of(&stage, &ann, "user.email_change_confirmed").await, 0);
    // Whoever reads the mails of the former one proves nothing any more.
    let verify = json!({ "token": verification });
    expect_gone(&stage.anybody().post("/api/v1/auth/email/verify", &verify).await);
}

#[tokio::test]
async fn older_links_to_the_former_address_are_void() {
    let lobby = Lobby::new().await;
    let stage = &lobby.stage;
    let ann = stage.newcomer("Ann").await;
    let reset = stage.forgotten(&ann).await;
    let at_provider = Person::new("4711", &ann.email);
    expect_conflict(&lobby.enter(&at_provider).await, "identity_not_linked");
    let identity = secret(stage, &ann.email, "confirm-identity").await;

    let asked = Asked::by(stage, &ann, WANTED).await;
    asked.confirmed(stage).await;
    asked.expect_gone(stage).await;
    let with = |token: &str| json!({ "token": token, "password": OTHER });
    expect_gone(&stage.anybody().post(RESET, &with(&reset)).await);
    let confirmation = json!({ "token": identity });
    expect_gone(&stage.anybody().post(oidc::CONFIRM, &confirmation).await);
    assert_eq!(stage.database.count("identities").await, 0);
    assert!(signs_in(stage, WANTED).await);
    // What is mailed from now on goes to the new one.
    let reset = stage.forgotten(&moved(&ann, WANTED)).await;
    let done = stage.anybody().post(RESET, &with(&reset)).await;
    done.expect(StatusCode::OK);
}

#[tokio::test]
async fn a_former_address_is_free_for_others() {
    let stage = Stage::new().await;
    let ann = stage.newcomer("Ann").await;
    Asked::by(&stage, &ann, WANTED).await.confirmed(&stage).await;
    let bob = stage.newcomer("Bob").await;
    Asked::by(&stage, &bob, &ann.email).await.confirmed(&stage).await;
    assert_eq!(address(&bob.client).await, (ann.email.clone(), true));
    let body = json!({ "email": bob.email, "password": PASSWORD, "name": "Carl" });
    let registered = stage.anybody().post(REGISTER, &body).await;
    registered.expect(StatusCode::CREATED);
    assert_eq!(address(&ann.client).await, (WANTED.to_owned(), true));
}

/// Whoever asks for one's own former address gets it back by both mails, as any other.
#[tokio::test]
async fn an_address_is_changed_again() {
    let stage = Stage::new().await;
    let ann = stage.newcomer("Ann").await;
    Asked::by(&stage, &ann, WANTED).await.confirmed(&stage).await;
    let back = Asked::by(&stage, &moved(&ann, WANTED), &ann.email).await;
    back.confirmed(&stage).await;
    assert_eq!(address(&ann.client).await, (ann.email.clone(), true));
    assert!(signs_in(&stage, &ann.email).await);
    assert!(!signs_in(&stage, WANTED).await);
}

#[tokio::test]
async fn an_invitation_is_for_whoever_has_the_address_now() {
    let stage = Stage::new().await;
    let owner = stage.anybody().register("Olga Owner", Some("Acme")).await;
    let ann = stage.newcomer("Ann").await;
    let path = format!("/api/v1/organizations/{}/members/invite", owner.organization().await);
    for email in [ann.email.as_str(), WANTED] {
        let invited = owner
            .client
            .post(&path, &json!({ "email": email, "role": "viewer" }))
            .await;
        invited.expect(StatusCode::CREATED);
    }
    let to_former = secret(&stage, &ann.email, "accept-invitation").await;
    let to_new = secret(&stage, WANTED, "accept-invitation").await;
    let accept = async |token: &str| {
        let body = json!({ "token": token });
        ann.client.post("/api/v1/invitations/accept", &body).await
    };
    let refused = accept(&to_new).await;
    refused.expect_error(StatusCode::FORBIDDEN, "FORBIDDEN");
    Asked::by(&stage, &ann, WANTED).await.confirmed(&stage).await;
    let refused = accept(&to_former).await;
    refused.expect_error(StatusCode::FORBIDDEN, "FORBIDDEN");
    accept(&to_new).await.expect(StatusCode::CREATED);
}

#[tokio::test]
async fn an_account_that_goes_takes_its_change_along() {
    let stage = Stage::new().await;
    let ann = stage.newcomer("Ann").await;
    let asked = Asked::by(&stage, &ann, WANTED).await;
    expect_pending(&confirm(&stage, &asked.approval).await, WANTED, NEW);
    let mails = mails_to(&stage, &ann.email).await.len();
    ann.client.delete(ME).await.expect(StatusCode::NO_CONTENT);
    asked.expect_gone(&stage).await;
    assert_eq!(stage.database.count("email_changes").await, 0);
    assert_eq!(mails_to(&stage, &ann.email).await.len(), mails);
    // Nothing keeps the address from others.
    let body = json!({ "email": WANTED, "password": PASSWORD, "name": "Bob" });
    let registered = stage.anybody().post(REGISTER, &body).await;
    registered.expect(StatusCode::CREATED);
}

#[tokio::test]
async fn a_change_is_ones_own() {
    let stage = Stage::new().await;
    let ann = stage.newcomer("Ann").await;
    let bob = stage.newcomer("Bob").await;
    let asked = Asked::by(&stage, &ann, WANTED).await;
    assert_eq!(under_way(&bob.client).await, None);
    let cancelled = bob.client.delete(CHANGE).await;
    cancelled.expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
    Asked::by(&stage, &bob, "bob.new@example.org")
        .await
        .confirmed(&stage)
        .await;
    asked.confirmed(&stage).await;
    assert_eq!(address(&ann.client).await.0, WANTED);
    assert_eq!(address(&bob.client).await.0, "bob.new@example.org");
}
