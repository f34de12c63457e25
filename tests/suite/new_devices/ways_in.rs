//! Every way of signing in notes the device, and nothing else does.

use reqwest::StatusCode;
use serde_json::json;
use tenantry_tests::client::PASSWORD;

use super::{CHROME, FIREFOX, Watched, on, shows};
use crate::{
    email_change::{enter_by, phone_of},
    mfa::{LOGIN, REFRESH, Stage, VERIFY, expect_mfa_required, expect_session, expect_unauthorized, freshen},
    oidc::{EXCHANGE, Lobby, ann},
};

#[tokio::test]
async fn a_second_step_is_told_on_the_device_that_takes_it() {
    let (stage, person) = Stage::with_ann().await;
    let watched = Watched::new(&stage, person.account.clone()).await;
    let known = watched.known(&stage).await;
    // The first one signs nobody in.
    let login = json!({ "email": person.account.email, "password": PASSWORD });
    let token = expect_mfa_required(&on(&stage, CHROME).post(LOGIN, &login).await);
    assert_eq!(watched.mails(&stage).await.len(), 0);
    assert_eq!(watched.known(&stage).await, known);
    let wrong = json!({ "mfaToken": token, "code": stage.wrong_code(&person) });
    expect_unauthorized(&on(&stage, FIREFOX).post(VERIFY, &wrong).await);
    assert_eq!(watched.known(&stage).await, known);
    for _ in 0..2 {
        let right = json!({ "mfaToken": token, "code": stage.next_code(&person) });
        expect_session(&on(&stage, FIREFOX).post(VERIFY, &right).await);
        let mails = watched.mails(&stage).await;
        assert_eq!(mails.len(), 1);
        shows(&mails[0], "Firefox on Linux");
    }
    assert_eq!(watched.known(&stage).await, known + 1);
}

#[tokio::test]
async fn a_passkey_is_told_where_it_signs_in() {
    let stage = Stage::new().await;
    let ann = stage.newcomer("Ann").await;
    let mut phone = phone_of(&ann.client).await;
    let watched = Watched::new(&stage, ann).await;
    expect_session(&enter_by(&mut phone, &stage.anybody()).await);
    assert_eq!(watched.mails(&stage).await.len(), 0);
    for _ in 0..2 {
        expect_session(&enter_by(&mut phone, &on(&stage, FIREFOX)).await);
        let mails = watched.mails(&stage).await;
        assert_eq!(mails.len(), 1);
        shows(&mails[0], "Firefox on Linux");
    }
}

#[tokio::test]
async fn a_provider_is_told_where_its_code_is_exchanged() {
    let lobby = Lobby::new().await;
    let stage = &lobby.stage;
    // The first sign-in makes the account.
    let watched = Watched::new(stage, lobby.come_in(&ann()).await).await;
    assert_eq!(stage.mails_to(&watched.account).await, 0);
    lobby.come_in(&ann()).await;
    assert_eq!(watched.mails(stage).await.len(), 0);
    for _ in 0..2 {
        let body = json!({ "code": lobby.code(&ann()).await });
        expect_session(&on(stage, FIREFOX).post(EXCHANGE, &body).await);
        let mails = watched.mails(stage).await;
        assert_eq!(mails.len(), 1);
        shows(&mails[0], "Firefox on Linux");
    }
}

#[tokio::test]
async fn a_session_that_goes_on_is_no_sign_in() {
    let stage = Stage::new().await;
    let ann = Watched::newcomer(&stage, "Ann").await;
    let refresh = json!({ "refreshToken": ann.account.refresh_token });
    let refreshed = on(&stage, FIREFOX).post(REFRESH, &refresh).await;
    refreshed.expect(StatusCode::OK);
    freshen(&ann.account.client.with_header("user-agent", CHROME)).await;
    assert_eq!(ann.mails(&stage).await.len(), 0);
    assert_eq!(ann.known(&stage).await, 1);
}

/// Whoever only guesses makes nothing known, and would else be no stranger afterwards.
#[tokio::test]
async fn a_sign_in_that_fails_is_none() {
    let stage = Stage::new().await;
    let ann = Watched::newcomer(&stage, "Ann").await;
    let wrong = json!({ "email": ann.account.email, "password": "a wrong guess" });
    expect_unauthorized(&on(&stage, FIREFOX).post(LOGIN, &wrong).await);
    assert_eq!(ann.mails(&stage).await.len(), 0);
    assert_eq!(ann.known(&stage).await, 1);
    ann.sign_in(&on(&stage, FIREFOX)).await;
    assert_eq!(ann.mails(&stage).await.len(), 1);
}
