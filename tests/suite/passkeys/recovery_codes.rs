//! Recovery codes of who has passkeys: replaced without a code where there is no app that would show one.

use std::collections::BTreeSet;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::client::{Answer, Client};

use super::{Holder, expect_unknown, phone, register};
use crate::mfa::{
    RECOVERY_CODES, Stage, codes_of, expect_unauthorized, factors, names, reauthenticate, replace_codes, showing,
};

async fn replace(client: &Client, body: &Value) -> Answer {
    client.post(RECOVERY_CODES, body).await
}

#[track_caller]
fn expect_code_refused(answer: &Answer, code: &str) {
    answer.expect_error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    assert_eq!(
        answer.refused_fields(),
        [("/code".to_owned(), code.to_owned())],
        "{}",
        answer.text
    );
    // The access token is as good as before, and no client is told to renew it.
    assert_eq!(answer.header("www-authenticate"), None);
}

#[tokio::test]
async fn who_has_passkeys_alone_replaces_recovery_codes_without_one() {
    let stage = Stage::new().await;
    let ann = Holder::new(&stage, "Ann").await;
    let bob = Holder::new(&stage, "Bob").await;
    let mails = stage.mails_to(&ann.account).await;
    let replaced = replace(ann.client(), &json!({})).await;
    let others = codes_of(replaced.expect(StatusCode::OK));
    assert_eq!(names(&replaced.data()), ["recoveryCodes"]);
    assert_eq!(replaced.header("cache-control"), Some("no-store"));
    let all: BTreeSet<_> = ann.recovery_codes.iter().chain(&others).collect();
    assert_eq!((others.len(), all.len()), (10, 20));
    assert_eq!(stage.events("user.recovery_codes_replaced").await, 1);
    assert_eq!(stage.mails_to(&ann.account).await, mails + 1);
    assert_eq!(factors(ann.client()).await["recoveryCodesLeft"], 10);

    // Those before are void, and nobody else's are.
    for old in &ann.recovery_codes[..3] {
        expect_unauthorized(&reauthenticate(ann.client(), &showing(old)).await);
    }
    assert_eq!(stage.events("user.mfa_failed").await, 3);
    for (client, code) in [(ann.client(), &others[0]), (bob.client(), &bob.recovery_codes[0])] {
        reauthenticate(client, &showing(code)).await.expect(StatusCode::OK);
    }
}

#[tokio::test]
async fn a_code_that_is_shown_for_others_is_looked_at() {
    let stage = Stage::new().await;
    let ann = Holder::new(&stage, "Ann").await;
    let bob = Holder::new(&stage, "Bob").await;
    for (failed, wrong) in (1..).zip(["zzzz-zzzz-zzzz-zzzz", "123456", "", &bob.recovery_codes[0]]) {
        expect_code_refused(&replace_codes(ann.client(), wrong).await, "incorrect");
        assert_eq!(stage.events("user.mfa_failed").await, failed, "{wrong:?}");
    }
    assert_eq!(stage.events("user.recovery_codes_replaced").await, 0);
    assert_eq!(factors(ann.client()).await["recoveryCodesLeft"], 10);
    // A right one is used up with those that it replaces.
    let replaced = replace_codes(ann.client(), &ann.recovery_codes[0]).await;
    let others = codes_of(replaced.expect(StatusCode::OK));
    assert_eq!(factors(ann.client()).await["recoveryCodesLeft"], 10);
    for old in &ann.recovery_codes[..2] {
        expect_code_refused(&replace_codes(ann.client(), old).await, "incorrect");
    }
    replace_codes(ann.client(), &others[0]).await.expect(StatusCode::OK);

    for wrong in [json!({ "code": 5 }), json!({ "remember": true }), json!([])] {
        let refused = replace(ann.client(), &wrong).await;
        refused.expect_error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    }
}

#[tokio::test]
async fn who_has_an_app_shows_a_code_for_others() {
    let stage = Stage::new().await;
    let account = stage.newcomer("Ann").await;
    let ann = stage.equipped(account).await;
    expect_code_refused(&replace(ann.client(), &json!({})).await, "required");
    // Whether there is a passkey or not.
    let registered = register(ann.client(), &mut phone(), None).await;
    registered.expect(StatusCode::CREATED);
    expect_code_refused(&replace(ann.client(), &json!({})).await, "required");
    assert_eq!(stage.events("user.mfa_failed").await, 0);
    assert_eq!(stage.events("user.recovery_codes_replaced").await, 0);
    let code = stage.next_code(&ann);
    replace_codes(ann.client(), &code).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn who_has_no_factor_has_no_recovery_codes_to_be_replaced() {
    let stage = Stage::new().await;
    let ann = stage.newcomer("Ann").await;
    for body in [json!({}), showing("123456"), json!({ "nobody": "knows" })] {
        expect_unknown(&replace(&ann.client, &body).await);
    }
    // Nor has who has none any more.
    let bob = Holder::new(&stage, "Bob").await;
    let gone = bob.client().delete(&bob.path()).await;
    gone.expect(StatusCode::NO_CONTENT);
    expect_unknown(&replace(bob.client(), &json!({})).await);
    assert_eq!(stage.database.count("recovery_codes").await, 0);
}
