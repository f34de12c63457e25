//! The codes for the day on which the app is lost.

use std::collections::BTreeSet;

use reqwest::StatusCode;
use serde_json::json;
use tenantry_tests::authenticator::STEP;

use super::{
    NO_RECOVERY_CODE, RECOVERY_CODES, Stage, VERIFY, codes_of, count, expect_incorrect, expect_session,
    expect_unauthorized, factors, post_at_once, proof, replace_codes, showing,
};

/// Whether a code is of the form that people are shown.
fn is_well_formed(code: &str) -> bool {
    let groups: Vec<&str> = code.split('-').collect();
    // Crockford's digits: none that is taken for another.
    let is_digit = |letter: u8| matches!(letter, b'0'..=b'9' | b'a'..=b'z') && !b"ilou".contains(&letter);
    groups.len() == 4
        && groups
            .iter()
            .all(|group| group.len() == 4 && group.bytes().all(is_digit))
}

#[tokio::test]
async fn there_are_ten_and_each_person_has_others() {
    let (stage, ann) = Stage::with_ann().await;
    let bob = stage.person("Bob").await;
    let all: BTreeSet<_> = ann.recovery_codes.iter().chain(&bob.recovery_codes).collect();
    assert_eq!((ann.recovery_codes.len(), all.len()), (10, 20));
    for code in all {
        assert!(is_well_formed(code), "{code}");
    }
    assert_eq!(stage.database.count("recovery_codes").await, 20);
    // They are not shown again.
    let told = ann.client().get(super::MFA).await;
    assert!(ann.recovery_codes.iter().all(|code| !told.text.contains(code)));
}

#[tokio::test]
async fn a_code_is_itself_however_it_is_typed() {
    let (stage, ann) = Stage::with_ann().await;
    let token = stage.mfa_token(&ann).await;
    let codes = &ann.recovery_codes;
    let spread: String = codes[4].chars().flat_map(|letter| [letter, ' ']).collect();
    for typed in [
        codes[0].clone(),
        codes[1].to_uppercase(),
        codes[2].replace('-', ""),
        codes[3].replace('-', " "),
        spread,
        format!("  {} ", codes[5].replace('-', "").to_uppercase()),
        format!("-{}-", codes[6].replace('-', " - ")),
        format!("{}{}", &codes[7][..9], codes[7][9..].to_uppercase().replace('-', "--")),
    ] {
        expect_session(&stage.verify(&token, &typed).await);
    }
    assert_eq!(factors(ann.client()).await["recoveryCodesLeft"], 2);
    // Half of one is none, and neither are two in one.
    for wrong in [&codes[8][..9], &format!("{}{}", codes[8], codes[9])] {
        expect_unauthorized(&stage.verify(&token, wrong).await);
    }
    assert_eq!(factors(ann.client()).await["recoveryCodesLeft"], 2);
}

#[tokio::test]
async fn each_works_once_and_the_owner_is_told_each_time() {
    let (stage, ann) = Stage::with_ann().await;
    let mails = stage.mails_to(&ann.account).await;
    let code = &ann.recovery_codes[0];
    let token = stage.mfa_token(&ann).await;
    expect_session(&stage.verify(&token, code).await);
    let other_token = stage.mfa_token(&ann).await;
    for token in [&token, &other_token] {
        expect_unauthorized(&stage.verify(token, code).await);
        expect_unauthorized(&stage.verify(token, &code.replace('-', "").to_uppercase()).await);
    }
    expect_incorrect(&super::disable(ann.client(), code).await);
    expect_incorrect(&replace_codes(ann.client(), code).await);
    expect_unauthorized(&super::reauthenticate(ann.client(), &showing(code)).await);
    assert_eq!(stage.mails_to(&ann.account).await, mails + 1);
    assert_eq!(stage.events("user.recovery_code_used").await, 1);
    assert_eq!(factors(ann.client()).await["recoveryCodesLeft"], 9);
    expect_session(&stage.verify(&token, &ann.recovery_codes[1]).await);
    assert_eq!(stage.mails_to(&ann.account).await, mails + 2);
    assert_eq!(stage.events("user.recovery_code_used").await, 2);
}

#[tokio::test]
async fn of_ten_who_use_one_at_once_one_has_used_it() {
    let (stage, ann) = Stage::with_ann().await;
    let sessions = stage.sessions(&ann.account).await;
    let token = stage.mfa_token(&ann).await;
    let anybody = stage.anybody();
    let body = proof(&token, &ann.recovery_codes[0]);
    let answers = post_at_once((0..10).map(|_| (&anybody, VERIFY, body.clone()))).await;
    assert_eq!(count(&answers, StatusCode::OK), 1);
    assert_eq!(count(&answers, StatusCode::UNAUTHORIZED), 9);
    assert_eq!(stage.sessions(&ann.account).await, sessions + 1);
    assert_eq!(factors(ann.client()).await["recoveryCodesLeft"], 9);
    assert_eq!(stage.events("user.recovery_code_used").await, 1);
}

#[tokio::test]
async fn all_of_them_at_once_are_each_used() {
    let (stage, ann) = Stage::with_ann().await;
    let token = stage.mfa_token(&ann).await;
    let anybody = stage.anybody();
    let bodies = ann
        .recovery_codes
        .iter()
        .map(|code| (&anybody, VERIFY, proof(&token, code)));
    let answers = post_at_once(bodies).await;
    assert_eq!(count(&answers, StatusCode::OK), 10);
    assert_eq!(factors(ann.client()).await["recoveryCodesLeft"], 0);
    // Who has none left is not told to use one.
    let first = stage.login(&ann.account).await;
    assert_eq!(first.data()["methods"], json!(["totp"]));
    let token = super::expect_mfa_required(&first);
    expect_unauthorized(&stage.verify(&token, &ann.recovery_codes[0]).await);
    expect_session(&stage.verify(&token, &stage.code(&ann)).await);
    assert_eq!(
        factors(ann.client()).await,
        json!({ "enabled": true, "totp": true, "recoveryCodesLeft": 0, "passkeys": 0 })
    );
    let others = replace_codes(ann.client(), &stage.next_code(&ann)).await;
    others.expect(StatusCode::OK);
    let first = stage.login(&ann.account).await;
    assert_eq!(first.data()["methods"], json!(["totp", "recovery_code"]));
}

#[tokio::test]
async fn others_take_the_place_of_all_that_were_before() {
    let (stage, ann) = Stage::with_ann().await;
    let mails = stage.mails_to(&ann.account).await;
    for wrong in [stage.wrong_code(&ann), NO_RECOVERY_CODE.to_owned()] {
        expect_incorrect(&replace_codes(ann.client(), &wrong).await);
    }
    assert_eq!(stage.mails_to(&ann.account).await, mails);
    let replaced = replace_codes(ann.client(), &stage.code(&ann)).await;
    let others = codes_of(replaced.expect(StatusCode::OK));
    assert_eq!(super::names(&replaced.data()), ["recoveryCodes"]);
    assert_eq!(replaced.header("cache-control"), Some("no-store"));
    assert_eq!(stage.mails_to(&ann.account).await, mails + 1);
    assert_eq!(stage.events("user.recovery_codes_replaced").await, 1);
    let all: BTreeSet<_> = ann.recovery_codes.iter().chain(&others).collect();
    assert_eq!((others.len(), all.len()), (10, 20));
    assert!(others.iter().all(|code| is_well_formed(code)));

    let token = stage.mfa_token(&ann).await;
    for old in &ann.recovery_codes[..3] {
        expect_unauthorized(&stage.verify(&token, old).await);
    }
    expect_session(&stage.verify(&token, &others[0]).await);
    // One of them is as good a proof as a code of the app, and gone with the rest.
    let replaced = replace_codes(ann.client(), &others[1]).await;
    let third = codes_of(replaced.expect(StatusCode::OK));
    assert_eq!(factors(ann.client()).await["recoveryCodesLeft"], 10);
    for old in &others[1..3] {
        expect_unauthorized(&stage.verify(&token, old).await);
    }
    expect_session(&stage.verify(&token, &third[0]).await);
    // The app is the same.
    expect_session(&stage.verify(&token, &stage.next_code(&ann)).await);
}

#[tokio::test]
async fn whoever_replaces_them_at_once_leaves_ten() {
    let (stage, ann) = Stage::with_ann().await;
    stage.app.clock.advance(STEP);
    let codes = ann.recovery_codes.iter().take(5);
    let answers = post_at_once(codes.map(|code| (ann.client(), RECOVERY_CODES, showing(code)))).await;
    // The first to come through has made the others' codes void.
    assert_eq!(count(&answers, StatusCode::OK), 1);
    assert_eq!(count(&answers, StatusCode::BAD_REQUEST), 4);
    assert_eq!(factors(ann.client()).await["recoveryCodesLeft"], 10);
    let winner = answers.iter().find(|answer| answer.status == StatusCode::OK).unwrap();
    let token = stage.mfa_token(&ann).await;
    expect_session(&stage.verify(&token, &codes_of(winner)[0]).await);
}
