//! Getting a second factor and giving it up again, and where its secrets are kept.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tenantry_tests::{
    authenticator::{Authenticator, STEP},
    client::{Answer, Client, text},
};

use super::{
    CONFIRM, ME, NO_RECOVERY_CODE, RECOVERY_CODES, Stage, TOTP, VERIFY, begin, begun, codes_of, confirm, count,
    disable, expect_incorrect, expect_mfa_required, expect_session, expect_unauthorized, factors, names, post_at_once,
    proof, replace_codes, showing,
};

#[track_caller]
fn expect_conflict(answer: &Answer, reason: &str) {
    answer.expect_error(StatusCode::CONFLICT, "CONFLICT");
    assert_eq!(answer.reason(), reason);
}

#[tokio::test]
async fn an_app_is_shown_a_secret_and_proves_that_it_has_it() {
    let stage = Stage::new().await;
    let ann = stage.newcomer("Ann").await;
    let off = json!({ "enabled": false, "totp": false, "recoveryCodesLeft": 0, "passkeys": 0 });
    assert_eq!(factors(&ann.client).await, off);

    let answer = begin(&ann.client).await;
    let data = answer.expect(StatusCode::OK).data();
    assert_eq!(names(&data), ["otpauthUrl", "qrSvg", "secret"]);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let (secret, url) = (text(&data["secret"]), text(&data["otpauthUrl"]));
    assert_eq!(secret.len(), 32);
    assert!(
        secret.bytes().all(|letter| matches!(letter, b'A'..=b'Z' | b'2'..=b'7')),
        "{secret}"
    );
    let address = ann.email.replace('@', "%40");
    assert!(url.starts_with(&format!("otpauth://totp/Tenantry:{address}?")), "{url}");
    assert!(url.contains(&format!("secret={secret}")), "{url}");
    let authenticator = Authenticator::from_url(&url);
    assert_eq!(
        (authenticator.issuer.as_str(), authenticator.account.as_str()),
        ("Tenantry", ann.email.as_str())
    );
    assert_eq!(authenticator.secret.len(), 20);
    let picture = text(&data["qrSvg"]);
    assert!(
        picture.contains("<svg") && picture.trim_end().ends_with("</svg>"),
        "{picture}"
    );
    assert!(!picture.contains("<script"), "{picture}");
    assert_eq!(factors(&ann.client).await, off);
    assert_eq!(stage.events("user.mfa_begun").await, 1);
    assert_eq!(stage.events("user.mfa_enabled").await, 0);
    assert_eq!(stage.mails_to(&ann).await, 1);

    let confirmed = confirm(&ann.client, &authenticator.code(stage.now())).await;
    let data = confirmed.expect(StatusCode::OK).data();
    assert_eq!(names(&data), ["recoveryCodes"]);
    assert_eq!(confirmed.header("cache-control"), Some("no-store"));
    let on = json!({ "enabled": true, "totp": true, "recoveryCodesLeft": 10, "passkeys": 0 });
    assert_eq!(factors(&ann.client).await, on);
    assert_eq!(ann.client.get(ME).await.data()["mfaEnabled"], true);
    assert_eq!(stage.events("user.mfa_enabled").await, 1);
    assert_eq!(stage.mails_to(&ann).await, 2);
    expect_mfa_required(&stage.login(&ann).await);

    // Nobody else has one now.
    let bob = stage.newcomer("Bob").await;
    assert_eq!(factors(&bob.client).await, off);
    expect_session(&stage.login(&bob).await);
}

#[tokio::test]
async fn an_address_is_shown_by_the_app_as_it_is() {
    let stage = Stage::new().await;
    let email = "ann+a&b=c?#d%41@example.com";
    let body = json!({ "email": email, "password": tenantry_tests::client::PASSWORD, "name": "Ann" });
    let registered = stage.anybody().post("/api/v1/auth/register", &body).await;
    let session = registered.expect(StatusCode::CREATED).data();
    let client = stage.anybody().with_token(&text(&session["accessToken"]));
    assert_eq!(begun(&client).await.account, email);
}

#[tokio::test]
async fn a_secret_that_another_took_the_place_of_is_void() {
    let stage = Stage::new().await;
    let ann = stage.newcomer("Ann").await;
    expect_conflict(&confirm(&ann.client, "123456").await, "mfa_not_begun");
    let first = begun(&ann.client).await;
    let second = begun(&ann.client).await;
    assert_ne!(first.secret, second.secret);
    expect_incorrect(&confirm(&ann.client, &first.code(stage.now())).await);
    let confirmed = confirm(&ann.client, &second.code(stage.now())).await;
    confirmed.expect(StatusCode::OK);
    stage.app.clock.advance(STEP);
    // What was confirmed is not replaced by whoever sits down at an open session.
    expect_conflict(&begin(&ann.client).await, "mfa_enabled");
    expect_conflict(&confirm(&ann.client, &second.code(stage.now())).await, "mfa_enabled");
    let token = expect_mfa_required(&stage.login(&ann).await);
    expect_unauthorized(&stage.verify(&token, &first.code(stage.now())).await);
    expect_session(&stage.verify(&token, &second.code(stage.now())).await);
}

#[tokio::test]
async fn a_wrong_code_confirms_nothing() {
    let stage = Stage::new().await;
    let ann = stage.newcomer("Ann").await;
    let authenticator = begun(&ann.client).await;
    let at = |steps: i32| authenticator.code(stage.now() + STEP * steps);
    for wrong in [
        authenticator.wrong_code(stage.now()),
        at(-2),
        at(2),
        String::new(),
        NO_RECOVERY_CODE.to_owned(),
    ] {
        expect_incorrect(&confirm(&ann.client, &wrong).await);
    }
    assert_eq!(stage.events("user.mfa_failed").await, 5);
    assert_eq!(factors(&ann.client).await["enabled"], false);
    assert_eq!(stage.database.count("recovery_codes").await, 0);

    // A clock that is a step late has an app all the same, and the code was used.
    confirm(&ann.client, &at(-1)).await.expect(StatusCode::OK);
    let token = expect_mfa_required(&stage.login(&ann).await);
    expect_unauthorized(&stage.verify(&token, &at(-1)).await);
    expect_session(&stage.verify(&token, &at(0)).await);
}

#[tokio::test]
async fn of_ten_who_confirm_at_once_one_has() {
    let stage = Stage::new().await;
    let ann = stage.newcomer("Ann").await;
    let authenticator = begun(&ann.client).await;
    let body = showing(&authenticator.code(stage.now()));
    let answers = post_at_once((0..10).map(|_| (&ann.client, CONFIRM, body.clone()))).await;
    assert_eq!(count(&answers, StatusCode::OK), 1);
    for answer in answers.iter().filter(|answer| answer.status != StatusCode::OK) {
        expect_conflict(answer, "mfa_enabled");
    }
    assert_eq!(stage.database.count("recovery_codes").await, 10);
    assert_eq!(stage.events("user.mfa_enabled").await, 1);
    let winner = answers.iter().find(|answer| answer.status == StatusCode::OK).unwrap();
    let token = expect_mfa_required(&stage.login(&ann).await);
    for code in codes_of(winner) {
        expect_session(&stage.verify(&token, &code).await);
    }
}

#[tokio::test]
async fn a_second_factor_is_given_up_by_who_has_it() {
    let (stage, ann) = Stage::with_ann().await;
    let bob = stage.person("Bob").await;
    super::trusted_devices::trust(&stage, &ann).await;
    super::trusted_devices::trust(&stage, &bob).await;
    let mails = stage.mails_to(&ann.account).await;
    stage.app.clock.advance(STEP);
    for wrong in [
        stage.wrong_code(&ann),
        stage.code(&bob),
        bob.recovery_codes[0].clone(),
        String::new(),
    ] {
        expect_incorrect(&disable(ann.client(), &wrong).await);
    }
    assert_eq!(factors(ann.client()).await["enabled"], true);
    assert_eq!(stage.mails_to(&ann.account).await, mails);

    let done = disable(ann.client(), &stage.code(&ann)).await;
    assert_eq!(done.expect(StatusCode::NO_CONTENT).text, "");
    assert_eq!(
        factors(ann.client()).await,
        json!({ "enabled": false, "totp": false, "recoveryCodesLeft": 0, "passkeys": 0 })
    );
    assert_eq!(ann.client().get(ME).await.data()["mfaEnabled"], false);
    assert_eq!(stage.mails_to(&ann.account).await, mails + 1);
    assert_eq!(stage.events("user.mfa_disabled").await, 1);
    let of_ann = format!("user_id = '{}'", ann.account.user_id);
    for left in [
        format!("second_factors where totp_secret is not null and {of_ann}"),
        format!("recovery_codes where {of_ann}"),
        format!("trusted_devices where {of_ann}"),
    ] {
        assert_eq!(stage.database.count(&left).await, 0, "{left}");
    }
    expect_session(&stage.login(&ann.account).await);
    let again = disable(ann.client(), &stage.next_code(&ann)).await;
    again.expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
    let codes = replace_codes(ann.client(), &stage.code(&ann)).await;
    codes.expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");

    // Another's is as it was.
    assert_eq!(factors(bob.client()).await["recoveryCodesLeft"], 10);
    assert_eq!(stage.database.count("trusted_devices").await, 1);
    // One may begin anew, and what was before is good for nothing.
    let before = ann.recovery_codes[0].clone();
    let anew = stage.equipped(ann.account).await;
    assert_ne!(anew.authenticator.secret, ann.authenticator.secret);
    let token = stage.mfa_token(&anew).await;
    expect_unauthorized(&stage.verify(&token, &before).await);
    let old_app = ann.authenticator.code(stage.now() + STEP);
    expect_unauthorized(&stage.verify(&token, &old_app).await);
    expect_session(&stage.verify(&token, &stage.next_code(&anew)).await);
}

#[tokio::test]
async fn a_recovery_code_gives_a_second_factor_up() {
    let (stage, ann) = Stage::with_ann().await;
    disable(ann.client(), &ann.recovery_codes[3].to_uppercase())
        .await
        .expect(StatusCode::NO_CONTENT);
    expect_session(&stage.login(&ann.account).await);
}

/// An address that nobody has proven is perhaps somebody else's, who has nothing to do with it.
#[tokio::test]
async fn who_has_not_proven_their_address_may_have_one_and_is_mailed_nothing() {
    let stage = Stage::new().await;
    let ann = stage.anybody().register("Ann", None).await;
    let mails = stage.mails_to(&ann).await;
    let ann = stage.equipped(ann).await;
    stage.app.clock.advance(STEP);
    let token = stage.mfa_token(&ann).await;
    expect_session(&stage.verify(&token, &ann.recovery_codes[0]).await);
    replace_codes(ann.client(), &stage.code(&ann))
        .await
        .expect(StatusCode::OK);
    for _ in 0..super::MOST_WRONG {
        expect_incorrect(&disable(ann.client(), NO_RECOVERY_CODE).await);
    }
    stage.app.clock.advance(super::LOCK);
    super::freshen(ann.client()).await;
    disable(ann.client(), &stage.code(&ann))
        .await
        .expect(StatusCode::NO_CONTENT);
    assert_eq!(stage.mails_to(&ann.account).await, mails);
}

/// What every operation that takes a code does with a body that does not fit.
async fn expect_codes_looked_at(client: &Client, method: &Method, path: &str) {
    // Whoever has passkeys alone needs no code for new recovery codes: there it is a detail, of which `null` is none.
    let of_null = if path == RECOVERY_CODES { "required" } else { "type" };
    let send = async |body: Value| client.send(client.request(method.clone(), path).json(&body)).await;
    for (body, refused) in [
        (json!({}), [("/code", "required")]),
        (json!({ "code": null }), [("/code", of_null)]),
        (json!({ "code": 123_456 }), [("/code", "type")]),
        (json!({ "code": ["123456"] }), [("/code", "type")]),
        (json!({ "code": "1".repeat(1001) }), [("/code", "length")]),
        (json!({ "code": "1", "password": "x" }), [("/password", "unknown")]),
    ] {
        let answer = send(body).await;
        answer.expect_error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
        assert_eq!(
            answer.refused_fields(),
            refused.map(|(field, code)| (field.to_owned(), code.to_owned())),
            "{}",
            answer.text
        );
    }
    for nonsense in ["", "x", "\u{0}", &"1".repeat(1000)] {
        expect_incorrect(&send(json!({ "code": nonsense })).await);
    }
}

#[tokio::test]
async fn a_body_that_does_not_fit_is_refused_and_nonsense_is_a_wrong_code() {
    let stage = Stage::new().await;
    let ann = stage.newcomer("Ann").await;
    let authenticator = begun(&ann.client).await;
    expect_codes_looked_at(&ann.client, &Method::POST, CONFIRM).await;
    assert_eq!(stage.events("user.mfa_failed").await, 4);
    confirm(&ann.client, &authenticator.code(stage.now()))
        .await
        .expect(StatusCode::OK);
    expect_codes_looked_at(&ann.client, &Method::DELETE, TOTP).await;
    expect_codes_looked_at(&ann.client, &Method::POST, RECOVERY_CODES).await;
    assert_eq!(stage.events("user.mfa_failed").await, 12);
    stage.app.clock.advance(STEP);
    let right = replace_codes(&ann.client, &authenticator.code(stage.now())).await;
    right.expect(StatusCode::OK);
}

/// Whoever reads the database finds nothing that lets them in, whatever was done and in whatever step it is.
#[tokio::test]
async fn what_is_secret_is_stored_nowhere() {
    let stage = Stage::new().await;
    let ann = stage.newcomer("Ann").await;
    // A key that has answers of some operations kept.
    let keyed = |key: &str| ann.client.with_header("idempotency-key", key);
    let shown = begin(&keyed("begin")).await;
    let authenticator = Authenticator::from_url(&text(&shown.expect(StatusCode::OK).data()["otpauthUrl"]));
    let pending = stage.all_that_is_stored().await;
    let mut codes = vec![authenticator.code(stage.now())];
    let mut secrets = codes_of(confirm(&keyed("confirm"), &codes[0]).await.expect(StatusCode::OK));

    let token = expect_mfa_required(&stage.login(&ann).await);
    stage.app.clock.advance(STEP);
    codes.push(authenticator.code(stage.now()));
    let mut body = proof(&token, &codes[1]);
    body["trustDevice"] = true.into();
    let session = expect_session(&stage.anybody().post(VERIFY, &body).await);
    let device = text(&session["trustedDeviceToken"]);
    expect_session(&stage.verify(&token, &secrets[0]).await);
    let wrong = authenticator.wrong_code(stage.now());
    expect_unauthorized(&stage.verify(&token, &wrong).await);
    stage.app.clock.advance(STEP);
    codes.push(authenticator.code(stage.now()));
    let replaced = replace_codes(&keyed("replace"), &codes[2]).await;
    secrets.extend(codes_of(replaced.expect(StatusCode::OK)));
    assert_eq!(secrets.len(), 20);
    // What was tried is perhaps what somebody has elsewhere.
    secrets.push("abcd-efgh-jkmn-pqrs".to_owned());
    expect_unauthorized(&stage.verify(&token, "abcd-efgh-jkmn-pqrs").await);

    secrets.extend(secrets.clone().iter().map(|code| code.replace('-', "")));
    secrets.extend([token, device, text(&shown.data()["secret"])]);
    for prefixed in secrets.clone() {
        if let Some((_, payload)) = prefixed.split_once('_') {
            secrets.push(payload.to_owned());
            secrets.extend(URL_SAFE_NO_PAD.decode(payload).ok().map(|bytes| hex(&bytes)));
        }
    }
    secrets.push(hex(&authenticator.secret));
    secrets.push(URL_SAFE_NO_PAD.encode(&authenticator.secret));
    let stored = stage.all_that_is_stored().await;
    for all in [&pending, &stored] {
        assert!(all.contains(&ann.email), "nothing was read");
        let all = all.to_lowercase();
        for secret in &secrets {
            let plain = secret.to_lowercase();
            assert!(!all.contains(&plain), "{secret} is stored");
            assert!(!all.contains(&hex(secret.as_bytes())), "{secret} is stored as bytes");
            assert!(!all.contains(&hex(plain.as_bytes())), "{secret} is stored as bytes");
        }
    }
    // Six digits can be part of anything, so that only whole values are told from chance.
    codes.push(wrong);
    for code in codes {
        assert!(!stored.contains(&format!("\"{code}\"")), "{code} is stored");
        let told = format!("user_events where concat(before, after) like '%{code}%'");
        assert_eq!(stage.database.count(&told).await, 0, "{code} is told");
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
