//! The two steps: what the first one gives, which codes the second one takes, and what is no proof of anything.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::{
    app::{Options, TestApp, other_keyring},
    authenticator::STEP,
    client::{PASSWORD, text},
};

use super::{
    LOGIN, ME, OTHER, PASSWORD_PATH, REAUTHENTICATE, RECOVERY_CODES, REFRESH, RESET, Stage, TOTP, VERIFY, begun, count,
    disable, expect_mfa_required, expect_session, expect_unauthorized, names, post_at_once, proof,
};

#[tokio::test]
async fn who_has_no_second_factor_signs_in_in_one_step() {
    let stage = Stage::new().await;
    let ann = stage.newcomer("Ann").await;
    let answer = stage.login(&ann).await;
    let session = expect_session(&answer);
    assert_eq!(session["trustedDeviceToken"], Value::Null);
    assert!(session.as_object().unwrap().contains_key("trustedDeviceToken"));
    assert_eq!(answer.header("set-cookie"), None);
    assert_eq!(session["user"]["mfaEnabled"], false);
}

#[tokio::test]
async fn who_has_one_signs_in_in_two() {
    let (stage, ann) = Stage::with_ann().await;
    let sessions = stage.sessions(&ann.account).await;
    let tokens = stage.database.count("refresh_tokens").await;
    let first = stage.login(&ann.account).await;
    let token = expect_mfa_required(&first);
    let data = first.data();
    assert_eq!(names(&data), ["expiresIn", "methods", "mfaToken", "status"]);
    assert!(token.starts_with("tnm_"), "{token}");
    assert_eq!(data["expiresIn"], 300);
    assert_eq!(data["methods"], json!(["totp", "recovery_code"]));
    assert_eq!(first.header("cache-control"), Some("no-store"));
    assert_eq!(first.header("set-cookie"), None);
    assert_eq!(stage.sessions(&ann.account).await, sessions);
    assert_eq!(stage.database.count("refresh_tokens").await, tokens);

    let second = stage.verify(&token, &stage.code(&ann)).await;
    let session = expect_session(&second);
    assert_eq!(
        names(&session),
        [
            "accessToken",
            "csrfToken",
            "expiresIn",
            "refreshExpiresIn",
            "refreshToken",
            "status",
            "tokenType",
            "trustedDeviceToken",
            "user"
        ]
    );
    assert_eq!(session["trustedDeviceToken"], Value::Null);
    assert_eq!(session["user"]["id"], ann.account.user_id.as_str());
    assert_eq!(session["user"]["mfaEnabled"], true);
    assert_eq!(second.header("cache-control"), Some("no-store"));
    assert_eq!(second.header("set-cookie"), None);
    let client = stage.anybody().with_token(&text(&session["accessToken"]));
    client.get(ME).await.expect(StatusCode::OK);
    let refresh = json!({ "refreshToken": session["refreshToken"] });
    stage.anybody().post(REFRESH, &refresh).await.expect(StatusCode::OK);
    assert_eq!(stage.sessions(&ann.account).await, sessions + 1);

    // The second factor helps nobody who does not know the password.
    let wrong = json!({ "email": ann.account.email, "password": "a wrong guess" });
    expect_unauthorized(&stage.anybody().post(LOGIN, &wrong).await);
}

#[tokio::test]
async fn a_clock_may_be_one_step_off_and_no_more() {
    let (stage, ann) = Stage::with_ann().await;
    // The first and the last moment of a step.
    for into_step in [TimeDelta::zero(), STEP - TimeDelta::milliseconds(1)] {
        stage.app.clock.advance(STEP * 10 + into_step);
        let token = stage.mfa_token(&ann).await;
        let at = |steps: i32| ann.authenticator.code(stage.now() + STEP * steps);
        for steps in [-2, 2] {
            expect_unauthorized(&stage.verify(&token, &at(steps)).await);
        }
        for steps in [-1, 0, 1] {
            expect_session(&stage.verify(&token, &at(steps)).await);
        }
    }
}

#[tokio::test]
async fn a_code_works_once() {
    let stage = Stage::new().await;
    let ann = stage.newcomer("Ann").await;
    let ann = stage.equipped(ann).await;
    // That of setting up has been used, too, and with it those before.
    let token = stage.mfa_token(&ann).await;
    for steps in [0, -1] {
        let used = ann.authenticator.code(stage.now() + STEP * steps);
        expect_unauthorized(&stage.verify(&token, &used).await);
    }
    let code = stage.next_code(&ann);
    expect_session(&stage.verify(&token, &code).await);
    let other_token = stage.mfa_token(&ann).await;
    for token in [&token, &other_token] {
        expect_unauthorized(&stage.verify(token, &code).await);
        expect_unauthorized(&stage.verify(token, &format!("{} {}", &code[..3], &code[3..])).await);
    }
    // It is still shown in the next step, and has been used all the same.
    stage.app.clock.advance(STEP);
    expect_unauthorized(&stage.verify(&token, &code).await);

    // One of an earlier step comes too late, though nobody has used it.
    let next = ann.authenticator.code(stage.now() + STEP);
    expect_session(&stage.verify(&token, &next).await);
    expect_unauthorized(&stage.verify(&token, &stage.code(&ann)).await);
    stage.app.clock.advance(STEP);
    expect_unauthorized(&stage.verify(&token, &next).await);
    expect_session(&stage.verify(&token, &stage.next_code(&ann)).await);
}

#[tokio::test]
async fn of_ten_who_use_a_code_at_once_one_has_used_it() {
    let (stage, ann) = Stage::with_ann().await;
    let sessions = stage.sessions(&ann.account).await;
    let token = stage.mfa_token(&ann).await;
    let body = proof(&token, &stage.code(&ann));
    let anybody = stage.anybody();
    let answers = post_at_once((0..10).map(|_| (&anybody, VERIFY, body.clone()))).await;
    assert_eq!(count(&answers, StatusCode::OK), 1);
    assert_eq!(count(&answers, StatusCode::UNAUTHORIZED), 9);
    assert_eq!(stage.sessions(&ann.account).await, sessions + 1);
}

#[tokio::test]
async fn a_code_is_used_up_by_whatever_it_is_shown_for() {
    let (stage, ann) = Stage::with_ann().await;
    let token = stage.mfa_token(&ann).await;
    let anybody = stage.anybody();
    for _ in 0..3 {
        let code = stage.next_code(&ann);
        let shown = json!({ "code": code });
        let requests = (0..3).flat_map(|_| {
            [
                (&anybody, VERIFY, proof(&token, &code)),
                (ann.client(), REAUTHENTICATE, shown.clone()),
                (ann.client(), RECOVERY_CODES, shown.clone()),
            ]
        });
        let answers = post_at_once(requests).await;
        assert_eq!(count(&answers, StatusCode::OK), 1);
        let refused = count(&answers, StatusCode::UNAUTHORIZED) + count(&answers, StatusCode::BAD_REQUEST);
        assert_eq!(refused, 8);
    }
}

#[tokio::test]
async fn blanks_in_a_code_are_nothing_and_nonsense_is_a_wrong_code() {
    let (stage, ann) = Stage::with_ann().await;
    let token = stage.mfa_token(&ann).await;
    let code = stage.code(&ann);
    let full_width: String = code
        .bytes()
        .map(|digit| char::from_u32(0xff10 + u32::from(digit - b'0')).unwrap())
        .collect();
    for nonsense in [
        "",
        " ",
        &code[1..],
        &format!("0{code}"),
        &full_width,
        "\u{0}",
        &"x".repeat(1000),
    ] {
        expect_unauthorized(&stage.verify(&token, nonsense).await);
    }
    expect_session(&stage.verify(&token, &format!("{} {}", &code[..3], &code[3..])).await);
    let code = stage.next_code(&ann);
    let spread: String = code.chars().flat_map(|digit| [' ', digit]).collect();
    expect_session(&stage.verify(&token, &format!("{spread} ")).await);
}

#[tokio::test]
async fn the_proof_of_another_is_none() {
    let (stage, ann) = Stage::with_ann().await;
    let bob = stage.person("Bob").await;
    let (of_ann, of_bob) = (stage.mfa_token(&ann).await, stage.mfa_token(&bob).await);
    for (token, other) in [(&of_ann, &bob), (&of_bob, &ann)] {
        expect_unauthorized(&stage.verify(token, &stage.code(other)).await);
        expect_unauthorized(&stage.verify(token, &other.recovery_codes[0]).await);
    }
    // What was tried with another's token is not used up.
    expect_session(&stage.verify(&of_ann, &stage.code(&ann)).await);
    expect_session(&stage.verify(&of_bob, &bob.recovery_codes[0]).await);
}

#[tokio::test]
async fn an_edited_token_is_none() {
    let (stage, ann) = Stage::with_ann().await;
    let bob = stage.person("Bob").await;
    let (token, of_bob) = (stage.mfa_token(&ann).await, stage.mfa_token(&bob).await);
    let code = stage.code(&ann);
    let mut forged: Vec<String> = (0..token.len())
        .map(|index| {
            let other = if token.as_bytes()[index] == b'A' { "B" } else { "A" };
            format!("{}{other}{}", &token[..index], &token[index + 1..])
        })
        .collect();
    // The beginning of one and the end of another.
    let shortest = token.len().min(of_bob.len());
    forged.extend((1..shortest).map(|cut| format!("{}{}", &token[..cut], &of_bob[cut..])));
    forged.extend((1..shortest).map(|cut| format!("{}{}", &of_bob[..cut], &token[cut..])));
    forged.extend([
        String::new(),
        "tnm_".to_owned(),
        "x".to_owned(),
        "tnm_é".to_owned(),
        "\u{0}".to_owned(),
    ]);
    forged.extend([
        token[4..].to_owned(),
        token[..token.len() - 1].to_owned(),
        format!("{token}A"),
    ]);
    forged.extend([
        format!("{token}="),
        format!("{token}."),
        format!(" {token}"),
        format!("{token} "),
    ]);
    forged.push("tnm_A".repeat(200));
    forged.retain(|forged| *forged != token && *forged != of_bob);
    assert!(forged.len() > 100);
    for forged in forged {
        expect_unauthorized(&stage.verify(&forged, &code).await);
    }
    // Nobody was locked out by them, and no code was used up.
    expect_session(&stage.verify(&token, &code).await);
    expect_session(&stage.verify(&of_bob, &stage.code(&bob)).await);
}

#[tokio::test]
async fn the_token_of_another_installation_is_none() {
    let (stage, ann) = Stage::with_ann().await;
    let options = Options {
        keys: other_keyring(),
        ..Options::default()
    };
    let elsewhere = TestApp::with(&stage.database, options).await;
    let body = json!({ "email": ann.account.email, "password": PASSWORD });
    let token = expect_mfa_required(&elsewhere.client().post(LOGIN, &body).await);
    expect_unauthorized(&stage.verify(&token, &stage.code(&ann)).await);
    let own = stage.mfa_token(&ann).await;
    let there = elsewhere
        .client()
        .post(VERIFY, &proof(&own, &ann.recovery_codes[0]))
        .await;
    expect_unauthorized(&there);
    expect_session(&stage.verify(&own, &stage.code(&ann)).await);
}

#[tokio::test]
async fn a_token_is_good_for_five_minutes() {
    let (stage, ann) = Stage::with_ann().await;
    let token = stage.mfa_token(&ann).await;
    stage.app.clock.advance(TimeDelta::seconds(299));
    expect_session(&stage.verify(&token, &stage.code(&ann)).await);
    stage.app.clock.advance(TimeDelta::seconds(1));
    expect_unauthorized(&stage.verify(&token, &stage.code(&ann)).await);
    expect_unauthorized(&stage.verify(&token, &ann.recovery_codes[0]).await);
    // What is shown with a token that is good no more is not used up, nor counted.
    for _ in 0..10 {
        expect_unauthorized(&stage.verify(&token, &stage.wrong_code(&ann)).await);
    }
    let token = stage.mfa_token(&ann).await;
    expect_session(&stage.verify(&token, &stage.code(&ann)).await);
    expect_session(&stage.verify(&token, &ann.recovery_codes[0]).await);
}

#[tokio::test]
async fn a_token_of_the_old_password_is_none() {
    let (stage, ann) = Stage::with_ann().await;
    let token = stage.mfa_token(&ann).await;
    let change = json!({ "currentPassword": PASSWORD, "newPassword": OTHER });
    ann.client().put(PASSWORD_PATH, &change).await.expect(StatusCode::OK);
    expect_unauthorized(&stage.verify(&token, &stage.code(&ann)).await);
    let body = json!({ "email": ann.account.email, "password": OTHER });
    let token = expect_mfa_required(&stage.anybody().post(LOGIN, &body).await);

    let secret = stage.forgotten(&ann.account).await;
    let reset = json!({ "token": secret, "password": PASSWORD });
    stage.anybody().post(RESET, &reset).await.expect(StatusCode::OK);
    expect_unauthorized(&stage.verify(&token, &stage.code(&ann)).await);
    expect_unauthorized(&stage.verify(&token, &ann.recovery_codes[0]).await);

    // Who reads the mails has still no second factor.
    let token = stage.mfa_token(&ann).await;
    expect_session(&stage.verify(&token, &stage.code(&ann)).await);
}

/// Whoever completes a sign-in by the old password while it is changed is out when it has been.
#[tokio::test]
async fn no_second_step_outlives_a_change_of_the_password() {
    let (stage, ann) = Stage::with_ann().await;
    let token = stage.mfa_token(&ann).await;
    let (own, anybody) = (ann.client().clone(), stage.anybody());
    let change = json!({ "currentPassword": PASSWORD, "newPassword": OTHER });
    let changing = tokio::spawn(async move { own.put(PASSWORD_PATH, &change).await });
    let bodies = ann
        .recovery_codes
        .iter()
        .map(|code| (&anybody, VERIFY, proof(&token, code)));
    let answers = post_at_once(bodies).await;
    changing.await.unwrap().expect(StatusCode::OK);
    for answer in answers {
        if answer.status != StatusCode::OK {
            expect_unauthorized(&answer);
            continue;
        }
        let client = anybody.with_token(&text(&answer.data()["accessToken"]));
        expect_unauthorized(&client.get(ME).await);
    }
    ann.client().get(ME).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn no_token_stands_in_for_another() {
    let (stage, ann) = Stage::with_ann().await;
    let anybody = stage.anybody();
    let token = stage.mfa_token(&ann).await;
    let device = super::trusted_devices::trust(&stage, &ann).await;
    let link = stage.forgotten(&ann.account).await;
    let access = ann.client().token().unwrap();
    for other in [access, &ann.account.refresh_token, &link, &device] {
        expect_unauthorized(&stage.verify(other, &stage.next_code(&ann)).await);
        // Nor under its name.
        let (_, payload) = other.split_once('_').unwrap_or(("", other));
        expect_unauthorized(&stage.verify(&format!("tnm_{payload}"), &stage.code(&ann)).await);
    }
    let (_, payload) = token.split_once('_').unwrap();
    for token in [
        token.clone(),
        format!("tnr_{payload}"),
        format!("tnl_{payload}"),
        format!("tnd_{payload}"),
    ] {
        let bearer = anybody.with_token(&token);
        expect_unauthorized(&bearer.get(ME).await);
        expect_unauthorized(&super::begin(&bearer).await);
        expect_unauthorized(&anybody.post(REFRESH, &json!({ "refreshToken": token })).await);
        let reset = json!({ "token": token, "password": OTHER });
        anybody.post(RESET, &reset).await.expect_error(StatusCode::GONE, "GONE");
        let login = json!({ "email": ann.account.email, "password": PASSWORD, "trustedDeviceToken": token });
        expect_mfa_required(&anybody.post(LOGIN, &login).await);
    }
    for bearer in [&device, &link] {
        expect_unauthorized(&anybody.with_token(bearer).get(ME).await);
        expect_unauthorized(&anybody.post(REFRESH, &json!({ "refreshToken": bearer })).await);
    }
}

#[tokio::test]
async fn a_token_is_nothing_where_the_second_factor_is_gone() {
    let (stage, ann) = Stage::with_ann().await;
    let token = stage.mfa_token(&ann).await;
    disable(ann.client(), &stage.code(&ann))
        .await
        .expect(StatusCode::NO_CONTENT);
    expect_unauthorized(&stage.verify(&token, &stage.next_code(&ann)).await);
    expect_unauthorized(&stage.verify(&token, &ann.recovery_codes[0]).await);
    // A secret that nobody has proven to have opens nothing.
    let pending = begun(ann.client()).await;
    expect_unauthorized(&stage.verify(&token, &pending.code(stage.now())).await);

    let bob = stage.person("Bob").await;
    let token = stage.mfa_token(&bob).await;
    bob.client().delete(ME).await.expect(StatusCode::NO_CONTENT);
    expect_unauthorized(&stage.verify(&token, &stage.code(&bob)).await);
}

#[tokio::test]
async fn a_secret_that_was_not_confirmed_is_asked_for_by_nobody() {
    let stage = Stage::new().await;
    let ann = stage.newcomer("Ann").await;
    let authenticator = begun(&ann.client).await;
    expect_session(&stage.login(&ann).await);
    assert_eq!(ann.client.get(ME).await.data()["mfaEnabled"], false);
    assert_eq!(
        super::factors(&ann.client).await,
        json!({ "enabled": false, "totp": false, "recoveryCodesLeft": 0, "passkeys": 0 })
    );
    let code = authenticator.code(stage.now());
    for answer in [
        disable(&ann.client, &code).await,
        super::replace_codes(&ann.client, &code).await,
    ] {
        answer.expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
    }
    expect_unauthorized(&super::reauthenticate(&ann.client, &super::showing(&code)).await);
    assert_eq!(stage.database.count("recovery_codes").await, 0);
}

#[tokio::test]
async fn a_body_that_does_not_fit_is_refused_and_counts_for_nothing() {
    let (stage, ann) = Stage::with_ann().await;
    let token = stage.mfa_token(&ann).await;
    let code = stage.code(&ann);
    let long = "1".repeat(1001);
    for (body, fields) in [
        (json!({}), vec!["/code", "/mfaToken"]),
        (json!({ "mfaToken": token }), vec!["/code"]),
        (json!({ "code": code }), vec!["/mfaToken"]),
        (
            json!({ "mfaToken": token, "code": code, "remember": true }),
            vec!["/remember"],
        ),
        (json!({ "mfaToken": null, "code": null }), vec!["/code", "/mfaToken"]),
        (json!({ "mfaToken": 1, "code": 123_456 }), vec!["/code", "/mfaToken"]),
        (json!({ "mfaToken": token, "code": [code] }), vec!["/code"]),
        (
            json!({ "mfaToken": token, "code": code, "trustDevice": "yes" }),
            vec!["/trustDevice"],
        ),
        (
            json!({ "mfaToken": token, "code": code, "trustDevice": 1 }),
            vec!["/trustDevice"],
        ),
        (json!({ "mfaToken": token, "code": long }), vec!["/code"]),
        (json!({ "mfaToken": long, "code": code }), vec!["/mfaToken"]),
    ] {
        let answer = stage.anybody().post(VERIFY, &body).await;
        answer.expect_refused(&fields);
        assert!(!answer.text.contains(&token), "{}", answer.text);
    }
    let overlong = stage.verify(&token, &long).await;
    assert_eq!(overlong.refused_fields(), [("/code".to_owned(), "length".to_owned())]);
    for wrong in [json!(1), json!(true), json!(["tnd_x"]), json!("x".repeat(1001))] {
        let login = json!({ "email": ann.account.email, "password": PASSWORD, "trustedDeviceToken": wrong });
        stage
            .anybody()
            .post(LOGIN, &login)
            .await
            .expect_refused(&["/trustedDeviceToken"]);
    }
    let nothing = json!({ "email": ann.account.email, "password": PASSWORD, "trustedDeviceToken": null });
    expect_mfa_required(&stage.anybody().post(LOGIN, &nothing).await);
    stage
        .anybody()
        .post(&format!("{VERIFY}?trust=1"), &proof(&token, &code))
        .await
        .expect_error(StatusCode::BAD_REQUEST, "MALFORMED_REQUEST");
    assert_eq!(stage.events("user.mfa_failed").await, 0);
    expect_session(&stage.verify(&token, &code).await);
}

/// What nobody may ask without being signed in.
#[tokio::test]
async fn strangers_are_told_nothing() {
    let (stage, ann) = Stage::with_ann().await;
    let anybody = stage.anybody();
    let code = stage.code(&ann);
    for answer in [
        anybody.get(super::MFA).await,
        super::begin(&anybody).await,
        super::confirm(&anybody, &code).await,
        disable(&anybody, &code).await,
        super::replace_codes(&anybody, &code).await,
        super::reauthenticate(&anybody, &json!({ "password": PASSWORD })).await,
        anybody.get(super::TRUSTED_DEVICES).await,
        anybody.delete(super::TRUSTED_DEVICES).await,
        // Before the body is read.
        anybody.post(TOTP, &json!(["nonsense"])).await,
        super::reauthenticate(&anybody, &json!({})).await,
    ] {
        expect_unauthorized(&answer);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    let token = stage.mfa_token(&ann).await;
    expect_session(&stage.verify(&token, &code).await);
}
