//! Passkeys beside an authenticator app and recovery codes.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{Holder, LOGIN, creation_options, phone, register};
use crate::mfa::{
    ME, Stage, begin, begun, codes_of, confirm, disable, expect_mfa_required, expect_session, expect_unauthorized,
    factors, reauthenticate, showing,
};

#[tokio::test]
async fn a_passkey_beside_an_app_takes_the_place_of_both_steps() {
    let stage = Stage::new().await;
    let account = stage.newcomer("Ann").await;
    let person = stage.equipped(account).await;
    let mut device = phone();
    let registered = register(person.client(), &mut device, None).await;
    assert_eq!(
        registered.expect(StatusCode::CREATED).data()["recoveryCodes"],
        Value::Null
    );
    assert_eq!(
        factors(person.client()).await,
        json!({ "enabled": true, "totp": true, "recoveryCodesLeft": 10, "passkeys": 1 })
    );
    expect_mfa_required(&stage.login(&person.account).await);
    let answer = device.get(&super::login_options(&stage).await);
    let session = expect_session(&stage.anybody().post(LOGIN, &answer).await);
    assert_eq!(session["user"]["mfaEnabled"], true);
    // The codes are those of before.
    let token = stage.mfa_token(&person).await;
    expect_session(&stage.verify(&token, &person.recovery_codes[0]).await);
}

#[tokio::test]
async fn an_app_that_goes_leaves_the_recovery_codes_to_the_passkey() {
    let stage = Stage::new().await;
    let account = stage.newcomer("Ann").await;
    let person = stage.equipped(account).await;
    let mut device = phone();
    let registered = register(person.client(), &mut device, None).await;
    let passkey = registered
        .expect(StatusCode::CREATED)
        .header("location")
        .unwrap()
        .to_owned();
    let code = stage.next_code(&person);
    disable(person.client(), &code).await.expect(StatusCode::NO_CONTENT);
    assert_eq!(
        factors(person.client()).await,
        json!({ "enabled": false, "totp": false, "recoveryCodesLeft": 10, "passkeys": 1 })
    );
    expect_session(&stage.login(&person.account).await);
    let recovery = showing(&person.recovery_codes[0]);
    reauthenticate(person.client(), &recovery).await.expect(StatusCode::OK);
    expect_unauthorized(&reauthenticate(person.client(), &recovery).await);
    assert_eq!(factors(person.client()).await["recoveryCodesLeft"], 9);

    // The last factor takes them with it.
    let gone = person.client().delete(&passkey).await;
    gone.expect(StatusCode::NO_CONTENT);
    assert_eq!(
        factors(person.client()).await,
        json!({ "enabled": false, "totp": false, "recoveryCodesLeft": 0, "passkeys": 0 })
    );
    assert_eq!(stage.database.count("recovery_codes").await, 0);
    let recovery = showing(&person.recovery_codes[1]);
    expect_unauthorized(&reauthenticate(person.client(), &recovery).await);
    // Who has none may begin anew.
    begin(person.client()).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn a_passkey_that_goes_leaves_the_recovery_codes_to_the_app() {
    let stage = Stage::new().await;
    let ann = Holder::new(&stage, "Ann").await;
    let authenticator = begun(ann.client()).await;
    let confirmed = confirm(ann.client(), &authenticator.code(stage.now())).await;
    confirmed.expect(StatusCode::OK);
    assert_eq!(
        factors(ann.client()).await,
        json!({ "enabled": true, "totp": true, "recoveryCodesLeft": 10, "passkeys": 1 })
    );
    let gone = ann.client().delete(&ann.path()).await;
    gone.expect(StatusCode::NO_CONTENT);
    assert_eq!(
        factors(ann.client()).await,
        json!({ "enabled": true, "totp": true, "recoveryCodesLeft": 10, "passkeys": 0 })
    );
    assert_eq!(ann.client().get(ME).await.data()["mfaEnabled"], true);
    expect_mfa_required(&stage.login(&ann.account).await);
}

#[tokio::test]
async fn a_recovery_code_of_who_has_passkeys_alone_is_used_up_and_told() {
    let stage = Stage::new().await;
    let ann = Holder::new(&stage, "Ann").await;
    let bob = Holder::new(&stage, "Bob").await;
    let mails = stage.mails_to(&ann.account).await;
    let code = showing(&ann.recovery_codes[0]);
    expect_unauthorized(&reauthenticate(bob.client(), &code).await);
    expect_unauthorized(&reauthenticate(ann.client(), &showing("123456")).await);
    reauthenticate(ann.client(), &code).await.expect(StatusCode::OK);
    expect_unauthorized(&reauthenticate(ann.client(), &code).await);
    assert_eq!(stage.events("user.recovery_code_used").await, 1);
    assert_eq!(stage.mails_to(&ann.account).await, mails + 1);
    assert_eq!(factors(ann.client()).await["recoveryCodesLeft"], 9);
    assert_eq!(factors(bob.client()).await["recoveryCodesLeft"], 10);
}

#[tokio::test]
async fn the_first_factor_anew_brings_other_recovery_codes() {
    let stage = Stage::new().await;
    let ann = Holder::new(&stage, "Ann").await;
    let gone = ann.client().delete(&ann.path()).await;
    gone.expect(StatusCode::NO_CONTENT);
    assert_eq!(stage.database.count("recovery_codes").await, 0);
    creation_options(ann.client()).await;
    let registered = register(ann.client(), &mut phone(), None).await;
    let codes = codes_of(registered.expect(StatusCode::CREATED));
    assert_eq!(codes.len(), 10);
    assert!(codes.iter().all(|code| !ann.recovery_codes.contains(code)));
    expect_unauthorized(&reauthenticate(ann.client(), &showing(&ann.recovery_codes[0])).await);
    reauthenticate(ann.client(), &showing(&codes[0]))
        .await
        .expect(StatusCode::OK);
}
