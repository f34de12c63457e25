//! Passkeys that are lost, or were never the owner's: what a reset, an operator and the end of an account make of them.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::json;
use tenantry_integrations::mail::Kept;
use tenantry_tests::client::{Account, text};

use super::{Holder, LOGIN, PASSKEYS, events_of, listed, login_options, phone, register};
use crate::{
    binary::serving::Deployment,
    mfa::{
        LOGIN as PASSWORD_LOGIN, ME, OTHER, REFRESH, RESET, Stage, begin, expect_mfa_required, expect_session,
        expect_unauthorized, factors, reauthenticate, showing,
    },
};

/// For how long a passkey may be one that somebody else has added.
const WEEK: TimeDelta = TimeDelta::days(7);

/// Proves the address of somebody, a second ago by the clock of the stage.
async fn prove(stage: &Stage, account: &Account) {
    let at = (stage.now() - TimeDelta::seconds(1)).to_rfc3339();
    let prove = format!(
        "update users set email_verified_at = '{at}' where id = '{}'",
        account.user_id
    );
    stage.database.superuser(prove).await;
}

/// Has somebody choose another password by a link, of which they are told as everywhere and of nothing else.
async fn reset(stage: &Stage, account: &Account) {
    let token = stage.forgotten(account).await;
    let mails = stage.mails_to(account).await;
    let reset = json!({ "token": token, "password": OTHER });
    stage.anybody().post(RESET, &reset).await.expect(StatusCode::OK);
    assert_eq!(stage.mails_to(account).await, mails + 1);
    assert_eq!(newest_to(stage, account).await.subject, "Your password was changed");
}

/// The last mail to somebody.
async fn newest_to(stage: &Stage, account: &Account) -> Kept {
    let sent = stage.app.mails().await;
    sent.into_iter().find(|mail| mail.to == account.email).unwrap()
}

/// Whoever makes an account for the address of another, and registers a key of theirs, does not get in again.
#[tokio::test]
async fn the_owner_of_an_address_gets_an_account_back_without_the_passkeys_of_others() {
    let stage = Stage::new().await;
    let squatter = stage.anybody().register("Squatter", None).await;
    let mut squatter = Holder::with(squatter, phone()).await;
    let token = stage.forgotten(&squatter.account).await;
    let reset = json!({ "token": token, "password": OTHER });
    stage.anybody().post(RESET, &reset).await.expect(StatusCode::OK);
    let answer = squatter.answer(&stage).await;
    expect_unauthorized(&stage.anybody().post(LOGIN, &answer).await);
    assert_eq!(stage.database.count("passkeys").await, 0);
    assert_eq!(events_of(&stage, "user.passkey_removed", &squatter.id).await, 1);
    let login = json!({ "email": squatter.account.email, "password": OTHER });
    let session = expect_session(&stage.anybody().post(PASSWORD_LOGIN, &login).await);
    let owner = stage.anybody().with_token(&text(&session["accessToken"]));
    assert_eq!(
        factors(&owner).await,
        json!({ "enabled": false, "totp": false, "recoveryCodesLeft": 0, "passkeys": 0 })
    );
    begin(&owner).await.expect(StatusCode::OK);
}

/// Somebody who was in for a while may have added one, by which they would come back.
#[tokio::test]
async fn a_reset_takes_the_passkeys_of_the_last_week_away() {
    let stage = Stage::new().await;
    let account = stage.newcomer("Ann").await;
    prove(&stage, &account).await;
    let mut ann = Holder::with(account, phone()).await;
    stage.app.clock.advance(TimeDelta::seconds(2));
    let mut added = phone();
    let registered = register(ann.client(), &mut added, None).await;
    let added_id = text(&registered.expect(StatusCode::CREATED).data()["id"]);
    stage.app.clock.advance(WEEK - TimeDelta::seconds(1));
    reset(&stage, &ann.account).await;
    assert_eq!(events_of(&stage, "user.passkey_removed", &added_id).await, 1);
    assert_eq!(stage.events("user.passkey_removed").await, 1);
    let answer = added.get(&login_options(&stage).await);
    expect_unauthorized(&stage.anybody().post(LOGIN, &answer).await);
    // The older one is its owner's, and so are the recovery codes.
    let client = ann.sign_in(&stage).await;
    assert_eq!(listed(&client).await.len(), 1);
    assert_eq!(listed(&client).await[0]["id"], ann.id.as_str());
    assert_eq!(
        factors(&client).await,
        json!({ "enabled": false, "totp": false, "recoveryCodesLeft": 10, "passkeys": 1 })
    );
    let code = showing(&ann.recovery_codes[0]);
    reauthenticate(&client, &code).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn a_reset_that_leaves_no_factor_takes_the_recovery_codes_along() {
    let stage = Stage::new().await;
    let account = stage.newcomer("Ann").await;
    prove(&stage, &account).await;
    let mut ann = Holder::with(account, phone()).await;
    let bob = Holder::new(&stage, "Bob").await;
    reset(&stage, &ann.account).await;
    assert_eq!(events_of(&stage, "user.passkey_removed", &ann.id).await, 1);
    let answer = ann.answer(&stage).await;
    expect_unauthorized(&stage.anybody().post(LOGIN, &answer).await);
    let login = json!({ "email": ann.account.email, "password": OTHER });
    let session = expect_session(&stage.anybody().post(PASSWORD_LOGIN, &login).await);
    let client = stage.anybody().with_token(&text(&session["accessToken"]));
    assert_eq!(
        factors(&client).await,
        json!({ "enabled": false, "totp": false, "recoveryCodesLeft": 0, "passkeys": 0 })
    );
    expect_unauthorized(&reauthenticate(&client, &showing(&ann.recovery_codes[0])).await);
    begin(&client).await.expect(StatusCode::OK);
    // Nobody else's went.
    assert_eq!(listed(bob.client()).await.len(), 1);
    assert_eq!(factors(bob.client()).await["recoveryCodesLeft"], 10);
}

#[tokio::test]
async fn a_reset_leaves_the_app_and_its_recovery_codes() {
    let stage = Stage::new().await;
    let account = stage.newcomer("Ann").await;
    prove(&stage, &account).await;
    let ann = stage.equipped(account).await;
    let mut device = phone();
    let registered = register(ann.client(), &mut device, None).await;
    let id = text(&registered.expect(StatusCode::CREATED).data()["id"]);
    reset(&stage, &ann.account).await;
    assert_eq!(events_of(&stage, "user.passkey_removed", &id).await, 1);
    let answer = device.get(&login_options(&stage).await);
    expect_unauthorized(&stage.anybody().post(LOGIN, &answer).await);
    let login = json!({ "email": ann.account.email, "password": OTHER });
    let token = expect_mfa_required(&stage.anybody().post(PASSWORD_LOGIN, &login).await);
    let session = expect_session(&stage.verify(&token, &ann.recovery_codes[0]).await);
    let client = stage.anybody().with_token(&text(&session["accessToken"]));
    assert_eq!(
        factors(&client).await,
        json!({ "enabled": true, "totp": true, "recoveryCodesLeft": 9, "passkeys": 0 })
    );
    assert_eq!(stage.events("user.mfa_disabled").await, 0);
}

/// However old it is: whoever made the account waited for its owner to come.
#[tokio::test]
async fn a_reset_takes_a_passkey_away_from_before_the_address_was_proven() {
    let stage = Stage::new().await;
    let account = stage.anybody().register("Ann", None).await;
    let mut ann = Holder::with(account, phone()).await;
    stage.app.clock.advance(TimeDelta::days(1));
    prove(&stage, &ann.account).await;
    stage.app.clock.advance(TimeDelta::seconds(1));
    let client = ann.sign_in(&stage).await;
    let mut later = phone();
    let registered = register(&client, &mut later, None).await;
    let later_id = text(&registered.expect(StatusCode::CREATED).data()["id"]);
    stage.app.clock.advance(WEEK * 2);
    reset(&stage, &ann.account).await;
    assert_eq!(events_of(&stage, "user.passkey_removed", &ann.id).await, 1);
    assert_eq!(stage.events("user.passkey_removed").await, 1);
    let answer = ann.answer(&stage).await;
    expect_unauthorized(&stage.anybody().post(LOGIN, &answer).await);
    let answer = later.get(&login_options(&stage).await);
    let session = expect_session(&stage.anybody().post(LOGIN, &answer).await);
    let client = stage.anybody().with_token(&text(&session["accessToken"]));
    assert_eq!(listed(&client).await[0]["id"], later_id.as_str());
    assert_eq!(factors(&client).await["recoveryCodesLeft"], 10);
}

/// An address that nobody has proven is perhaps somebody else's, who has nothing to do with it.
#[tokio::test]
async fn who_has_not_proven_their_address_is_mailed_nothing() {
    let stage = Stage::new().await;
    let account = stage.anybody().register("Ann", None).await;
    let mails = stage.mails_to(&account).await;
    let ann = Holder::with(account, phone()).await;
    let gone = ann.client().delete(&ann.path()).await;
    gone.expect(StatusCode::NO_CONTENT);
    assert_eq!(stage.mails_to(&ann.account).await, mails);
}

#[tokio::test]
async fn an_operator_takes_lost_passkeys_away() {
    let stage = Stage::new().await;
    let mut ann = Holder::new(&stage, "Ann").await;
    let mut bob = Holder::new(&stage, "Bob").await;
    let mails = stage.mails_to(&ann.account).await;
    let deployment = Deployment::new(stage.database.runtime_url(), stage.database.owner_url());
    let reset = async || {
        let program = deployment.command("user reset-mfa");
        program.arg(ann.account.email.as_str()).run().await
    };
    reset().await.expect(0).says("has no second factor any more");
    assert_eq!(stage.events("user.mfa_reset").await, 1);
    assert_eq!(stage.mails_to(&ann.account).await, mails + 1);
    let letter = newest_to(&stage, &ann.account).await;
    assert_eq!(letter.subject, "Your second factors were taken away");
    for left in ["passkeys", "recovery_codes"] {
        let left = format!("{left} where user_id = '{}'", ann.account.user_id);
        assert_eq!(stage.database.count(&left).await, 0, "{left}");
    }
    let refresh = json!({ "refreshToken": ann.account.refresh_token });
    expect_unauthorized(&stage.anybody().post(REFRESH, &refresh).await);
    reset().await.expect(0).says("nothing was changed");
    let answer = ann.device.get(&login_options(&stage).await);
    expect_unauthorized(&stage.anybody().post(LOGIN, &answer).await);
    expect_session(&stage.login(&ann.account).await);
    bob.sign_in(&stage).await;
}

#[tokio::test]
async fn an_account_takes_its_passkeys_along() {
    let stage = Stage::new().await;
    let mut ann = Holder::new(&stage, "Ann").await;
    let mut bob = Holder::new(&stage, "Bob").await;
    ann.sign_in(&stage).await;
    let answer = ann.answer(&stage).await;
    ann.client().delete(ME).await.expect(StatusCode::NO_CONTENT);
    for table in ["passkeys", "answered_challenges", "recovery_codes"] {
        let left = format!("{table} where user_id = '{}'", ann.account.user_id);
        assert_eq!(stage.database.count(&left).await, 0, "{left}");
    }
    expect_unauthorized(&stage.anybody().post(LOGIN, &answer).await);
    expect_unauthorized(&ann.client().get(PASSKEYS).await);
    bob.sign_in(&stage).await;
    // The key is nobody's any more.
    let mut device = phone();
    device.behaviour.credential_id = Some(ann.device.passkeys[0].id.clone());
    register(bob.client(), &mut device, None)
        .await
        .expect(StatusCode::CREATED);
}
