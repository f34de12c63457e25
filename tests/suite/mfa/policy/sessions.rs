//! Which sessions count as ones for which it was used.

use reqwest::StatusCode;
use serde_json::json;
use tenantry_tests::client::{PASSWORD, text};

use super::{Site, by_password, expect_demanded, on_device, refreshed};
use crate::mfa::{
    FRESH, OTHER, PASSWORD_PATH, Person, begun, codes_of, confirm, disable, expect_incorrect, expect_session,
    expect_stale, expect_unauthorized, freshen, reauthenticate, replace_codes, showing, trusted_devices::trust,
};

#[tokio::test]
async fn a_session_is_opened_by_a_factor_that_was_used_for_it() {
    let site = Site::demanding().await;
    let stage = &site.stage;
    let admin = site.joined("admin").await;
    let mut others = Vec::new();
    for _ in 0..4 {
        others.push(by_password(stage, &admin.account).await);
    }
    let client = admin.client();
    expect_demanded(&site.context(client).await);
    freshen(client).await;
    expect_demanded(&site.context(client).await);
    let authenticator = begun(client).await;
    expect_demanded(&site.context(client).await);
    expect_incorrect(&confirm(client, &authenticator.wrong_code(stage.now())).await);
    expect_demanded(&site.context(client).await);
    let (client, refresh_token) = refreshed(stage, &admin.account.refresh_token).await;
    expect_demanded(&site.context(&client).await);

    // By the code that confirms it: in the session in which that was.
    let confirmed = confirm(&client, &authenticator.code(stage.now())).await;
    let person = Person {
        account: admin.account.clone(),
        authenticator,
        recovery_codes: codes_of(confirmed.expect(StatusCode::OK)),
    };
    site.context(&client).await.expect(StatusCode::OK);
    site.context(admin.client()).await.expect(StatusCode::OK);
    let (again, _) = refreshed(stage, &refresh_token).await;
    site.context(&again).await.expect(StatusCode::OK);
    for other in &others {
        expect_demanded(&site.context(other).await);
        // By the password it is proven who they are, and no more.
        freshen(other).await;
        let wrong = showing(&stage.wrong_code(&person));
        expect_unauthorized(&reauthenticate(other, &wrong).await);
        expect_demanded(&site.context(other).await);
    }

    // By a code with which it is proven once more who one is.
    let code = showing(&stage.next_code(&person));
    reauthenticate(&others[0], &code).await.expect(StatusCode::OK);
    let recovery = showing(&person.recovery_codes[0]);
    reauthenticate(&others[1], &recovery).await.expect(StatusCode::OK);
    // One that was used opens nothing; and none is looked at for something else where no factor was used.
    expect_unauthorized(&reauthenticate(&others[2], &code).await);
    expect_unauthorized(&reauthenticate(&others[2], &recovery).await);
    expect_stale(&replace_codes(&others[3], &stage.next_code(&person)).await);
    for other in &others[..2] {
        site.context(other).await.expect(StatusCode::OK);
    }
    for other in &others[2..] {
        expect_demanded(&site.context(other).await);
    }
}

#[tokio::test]
async fn who_signs_in_with_it_is_in() {
    let site = Site::demanding().await;
    let stage = &site.stage;
    let (admin, other) = (site.joined("admin").await, site.joined("admin").await);
    let person = stage.equipped(admin.account.clone()).await;
    let signed_in = stage.sign_in(&person).await;
    site.context(&signed_in).await.expect(StatusCode::OK);
    let token = stage.mfa_token(&person).await;
    let session = expect_session(&stage.verify(&token, &person.recovery_codes[0]).await);
    let by_recovery = stage.anybody().with_token(&text(&session["accessToken"]));
    site.context(&by_recovery).await.expect(StatusCode::OK);
    let device = trust(stage, &person).await;
    let on_it = on_device(stage, &person.account, &device).await;
    site.context(&on_it).await.expect(StatusCode::OK);
    let changed = on_it
        .patch(&site.path(""), &json!({ "settings": { "theme": "dark" } }))
        .await;
    changed.expect(StatusCode::OK);

    // Somebody else's device is good for nothing.
    let on_anothers = on_device(stage, &other.account, &device).await;
    expect_demanded(&site.context(&on_anothers).await);
    // Another password leaves the session what it was.
    let change = json!({ "currentPassword": PASSWORD, "newPassword": OTHER });
    signed_in.put(PASSWORD_PATH, &change).await.expect(StatusCode::OK);
    site.context(&signed_in).await.expect(StatusCode::OK);
}

/// On a device that is trusted no code is asked for: that lets in, and changes nothing of what one proves oneself by.
#[tokio::test]
async fn a_trusted_device_lets_in_and_changes_no_factor() {
    let site = Site::demanding().await;
    let stage = &site.stage;
    let device = trust(stage, &site.founder).await;
    stage.app.clock.advance(FRESH);
    let on_it = on_device(stage, &site.founder.account, &device).await;
    site.context(&on_it).await.expect(StatusCode::OK);
    // It is a sign-in of just now, by the password.
    let everyone = json!({ "mfa": "everyone" });
    expect_stale(&on_it.put(&site.sso(), &everyone).await);
    let code = stage.next_code(&site.founder);
    for _ in 0..2 {
        expect_stale(&replace_codes(&on_it, &code).await);
        expect_stale(&disable(&on_it, &code).await);
        freshen(&on_it).await;
        site.context(&on_it).await.expect(StatusCode::OK);
    }
    reauthenticate(&on_it, &showing(&code)).await.expect(StatusCode::OK);
    let replaced = replace_codes(&on_it, &stage.next_code(&site.founder)).await;
    replaced.expect(StatusCode::OK);
    on_it.put(&site.sso(), &everyone).await.expect(StatusCode::OK);
    site.context(&on_it).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn without_a_factor_all_of_ones_sessions_are_closed_at_once() {
    let site = Site::demanding().await;
    let stage = &site.stage;
    let admin = site.joined("admin").await;
    let person = stage.equipped(admin.account.clone()).await;
    let signed_in = stage.sign_in(&person).await;
    let device = trust(stage, &person).await;
    let on_it = on_device(stage, &person.account, &device).await;
    let mut sessions = vec![admin.account.client.clone(), signed_in, on_it];
    for client in &sessions {
        site.context(client).await.expect(StatusCode::OK);
    }
    let code = stage.next_code(&person);
    disable(&sessions[1], &code).await.expect(StatusCode::NO_CONTENT);
    // The device is one of many by now.
    sessions.push(on_device(stage, &person.account, &device).await);
    sessions.push(refreshed(stage, &admin.account.refresh_token).await.0);
    for client in &sessions {
        expect_demanded(&site.context(client).await);
        freshen(client).await;
        expect_demanded(&site.context(client).await);
    }
    site.context(site.client()).await.expect(StatusCode::OK);

    // Set up anew, it was used in one of them.
    stage.equipped(person.account.clone()).await;
    for (number, client) in sessions.iter().enumerate() {
        let answer = site.context(client).await;
        // The first and the last are one session.
        if [0, 4].contains(&number) {
            answer.expect(StatusCode::OK);
        } else {
            expect_demanded(&answer);
        }
    }
}
