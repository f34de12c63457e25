//! Second factors that are lost, or were never their owner's: what a reset, an operator and other keys make of them.

use std::sync::Arc;

use reqwest::StatusCode;
use serde_json::json;
use sqlx::AssertSqlSafe;
use tenantry_tests::{
    app::{Options, TestApp, keyring, other_keyring},
    client::{PASSWORD, text},
    database::connect,
};

use super::{
    LOGIN, ME, MOST_WRONG, NO_RECOVERY_CODE, OTHER, REFRESH, RESET, Stage, VERIFY, begin, begun, confirm,
    expect_mfa_required, expect_session, expect_unauthorized, factors, proof,
    trusted_devices::{login_on, trust},
};
use crate::binary::serving::Deployment;

/// Whoever makes an account for the address of another, and sets a factor up, does not keep its owner out.
#[tokio::test]
async fn the_owner_of_an_address_gets_an_account_back_that_was_made_for_it() {
    let stage = Stage::new().await;
    let squatter = stage.anybody().register("Squatter", None).await;
    let squatter = stage.equipped(squatter).await;
    let token = stage.forgotten(&squatter.account).await;
    let reset = json!({ "token": token, "password": OTHER });
    stage.anybody().post(RESET, &reset).await.expect(StatusCode::OK);
    let login = json!({ "email": squatter.account.email, "password": OTHER });
    let session = expect_session(&stage.anybody().post(LOGIN, &login).await);
    assert_eq!(session["user"]["mfaEnabled"], false);
    let owner = stage.anybody().with_token(&text(&session["accessToken"]));
    assert_eq!(
        factors(&owner).await,
        json!({ "enabled": false, "totp": false, "recoveryCodesLeft": 0, "passkeys": 0 })
    );
    begin(&owner).await.expect(StatusCode::OK);

    // Who had proven the address set the factor up themselves, and a reset leaves it as it is.
    let ann = stage.person("Ann").await;
    let token = stage.forgotten(&ann.account).await;
    let reset = json!({ "token": token, "password": OTHER });
    stage.anybody().post(RESET, &reset).await.expect(StatusCode::OK);
    let login = json!({ "email": ann.account.email, "password": OTHER });
    expect_mfa_required(&stage.anybody().post(LOGIN, &login).await);
}

/// The database opens no session by the password alone for who has a second factor, whatever a program forgets.
#[tokio::test]
async fn a_program_that_knows_of_no_second_factor_signs_nobody_in_who_has_one() {
    let (stage, ann) = Stage::with_ann().await;
    let bob = stage.newcomer("Bob").await;
    let mut runtime = connect(stage.database.runtime_url()).await;
    for (user, refused) in [(&ann.account.user_id, true), (&bob.user_id, false)] {
        let insert = format!(
            "begin; set local app.user_id = '{user}';
             insert into sessions (user_id, id, last_seen_at, expires_at, created_at)
                 values ('{user}', gen_random_uuid(), now(), now(), now());
             commit"
        );
        let done = sqlx::raw_sql(AssertSqlSafe(insert)).execute(&mut runtime).await;
        assert_eq!(done.is_err(), refused);
        sqlx::raw_sql("rollback").execute(&mut runtime).await.unwrap();
    }
}

/// Makes the clock of an application show what the stage's does.
fn in_step(app: &TestApp, stage: &Stage) {
    app.clock.advance(stage.now() - app.clock.environment().now());
}

/// What the signing keys sealed is opened once there are encryption keys, and sealed anew by them when a code is shown.
#[tokio::test]
async fn encryption_keys_take_over_from_signing_keys() {
    let (stage, ann) = Stage::with_ann().await;
    let encryption_keys = other_keyring();
    let with = async |keys, encryption_keys| {
        let options = Options {
            keys,
            encryption_keys,
            ..Options::default()
        };
        let app = TestApp::with(&stage.database, options).await;
        app.clock.stop();
        in_step(&app, &stage);
        app
    };
    let login = json!({ "email": ann.account.email, "password": PASSWORD });
    let shown = async |app: &TestApp| {
        let token = expect_mfa_required(&app.client().post(LOGIN, &login).await);
        let code = stage.next_code(&ann);
        in_step(app, &stage);
        app.client().post(VERIFY, &proof(&token, &code)).await
    };
    // Without the key that sealed it, it is not opened, which is ours to mend.
    let stranger = with(other_keyring(), Some(Arc::clone(&encryption_keys))).await;
    let answer = shown(&stranger).await;
    answer.expect_error(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_ERROR");
    expect_session(&shown(&with(keyring(), Some(Arc::clone(&encryption_keys))).await).await);
    expect_session(&shown(&stranger).await);
}

#[tokio::test]
async fn an_operator_takes_lost_factors_away() {
    let (stage, ann) = Stage::with_ann().await;
    let bob = stage.person("Bob").await;
    let (of_ann, of_bob) = (trust(&stage, &ann).await, trust(&stage, &bob).await);
    // Not even a right code helps any more.
    let token = stage.mfa_token(&ann).await;
    for _ in 0..MOST_WRONG {
        expect_unauthorized(&stage.verify(&token, NO_RECOVERY_CODE).await);
    }
    let mails = stage.mails_to(&ann.account).await;
    let deployment = Deployment::new(stage.database.runtime_url(), stage.database.owner_url());
    let user = async |command: &str, email: &str| {
        let program = deployment.command(&format!("user {command}"));
        program.arg(email).run().await
    };
    let email = ann.account.email.as_str();
    let reset = user("reset-mfa", &email.to_uppercase()).await;
    reset.expect(0).says("has no second factor any more");
    assert_eq!(stage.events("user.mfa_reset").await, 1);
    assert_eq!(stage.mails_to(&ann.account).await, mails + 1);
    let sent = stage.app.mails().await;
    let newest = sent.iter().find(|mail| mail.to == ann.account.email).unwrap();
    assert_eq!(newest.subject, "Your second factors were taken away");
    let refresh = json!({ "refreshToken": ann.account.refresh_token });
    expect_unauthorized(&stage.anybody().post(REFRESH, &refresh).await);
    let session = expect_session(&stage.login(&ann.account).await);
    let client = stage.anybody().with_token(&text(&session["accessToken"]));
    assert_eq!(client.get(ME).await.data()["mfaEnabled"], false);

    // What was set up before went with the lock, and is of no use to what is set up next.
    let authenticator = begun(&client).await;
    let code = authenticator.code(stage.now());
    confirm(&client, &code).await.expect(StatusCode::OK);
    expect_mfa_required(&login_on(&stage, &ann.account, &of_ann).await);
    let token = stage.mfa_token(&ann).await;
    expect_unauthorized(&stage.verify(&token, &ann.recovery_codes[0]).await);
    for said in ["has no second factor any more", "nothing was changed"] {
        user("reset-mfa", email).await.expect(0).says(said);
    }
    assert_eq!(stage.events("user.mfa_reset").await, 2);

    expect_session(&login_on(&stage, &bob.account, &of_bob).await);
    let bobs = bob.account.email.as_str();
    user("revoke-sessions", bobs)
        .await
        .expect(0)
        .says("signed out everywhere");
    let refresh = json!({ "refreshToken": bob.account.refresh_token });
    expect_unauthorized(&stage.anybody().post(REFRESH, &refresh).await);
    expect_mfa_required(&login_on(&stage, &bob.account, &of_bob).await);
    assert_eq!(stage.events("user.sessions_revoked").await, 1);

    for nobody in ["nobody@example.com", "no address"] {
        user("reset-mfa", nobody).await.expect(1).complains(nobody);
    }
}
