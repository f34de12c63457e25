//! How a session in cookie mode ends: by its own cookie, by others, and by itself.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::json;
use tenantry_tests::client::PASSWORD;

use super::{
    Browser, CSRF_COOKIE, LEEWAY, LOGOUT, REFRESH_COOKIE, SESSIONS, cookies_set, expect_cleared, expect_no_cookie,
    traces, without_token,
};
use crate::mfa::{ME, OTHER, REFRESH, RESET, Stage, expect_unauthorized, names, post_nothing};

const PASSWORD_PATH: &str = "/api/v1/auth/password";

#[tokio::test]
async fn signing_out_by_the_cookie_ends_the_session_at_once_and_no_other() {
    let stage = Stage::new().await;
    let account = stage.newcomer("Ann").await;
    let elsewhere = Browser::sign_in(&stage, &account).await;
    for request in 0..without_token(&stage.anybody(), LOGOUT).len() {
        let ann = Browser::sign_in(&stage, &account).await.renewed(&stage).await;
        ann.expect_signed_in().await;
        let page = ann.page();
        let out = page
            .send(without_token(&page, LOGOUT).into_iter().nth(request).unwrap())
            .await;
        expect_cleared(&out);
        ann.expect_signed_out().await;
        elsewhere.expect_signed_in().await;
    }
    let ended = stage.database.count("sessions where revoked_because = 'logout'").await;
    assert_eq!(ended, 4);
    elsewhere.renewed(&stage).await;
}

#[tokio::test]
async fn whoever_is_signed_out_already_may_sign_out_again_without_any_csrf_token() {
    let stage = Stage::new().await;
    let account = stage.newcomer("Ann").await;
    let ann = Browser::sign_in(&stage, &account).await;
    expect_cleared(&post_nothing(&ann.page(), LOGOUT).await);
    let before = traces(&stage).await;
    stage.app.clock.advance(LEEWAY + LEEWAY);
    for client in [ann.page(), ann.page_with("wrong"), ann.cookies_alone()] {
        expect_cleared(&post_nothing(&client, LOGOUT).await);
        let refused = post_nothing(&client, REFRESH).await;
        expect_unauthorized(&refused);
    }
    // No theft is seen in it.
    assert_eq!(traces(&stage).await, before);
    assert_eq!(
        stage.database.count("sessions where revoked_because = 'reuse'").await,
        0
    );
}

#[tokio::test]
async fn a_token_in_the_body_is_signed_out_whatever_cookies_are_there() {
    let stage = Stage::new().await;
    let bob = stage.newcomer("Bob").await;
    let ann = Browser::sign_in(&stage, &stage.newcomer("Ann").await).await;
    let out = ann
        .cookies_alone()
        .post(LOGOUT, &json!({ "refreshToken": bob.refresh_token }))
        .await;
    out.expect(StatusCode::NO_CONTENT);
    expect_no_cookie(&out);
    expect_unauthorized(&bob.client.get(ME).await);
    ann.expect_signed_in().await;
    ann.renewed(&stage).await;
}

#[tokio::test]
async fn another_password_makes_the_cookies_of_all_other_sessions_worthless() {
    let stage = Stage::new().await;
    let account = stage.newcomer("Ann").await;
    let ann = Browser::sign_in(&stage, &account).await;
    let elsewhere = Browser::sign_in(&stage, &account).await;
    let bob = Browser::sign_in(&stage, &stage.newcomer("Bob").await).await;
    elsewhere.expect_signed_in().await;
    let change = json!({ "currentPassword": PASSWORD, "newPassword": OTHER });
    let changed = ann.bearer().put(PASSWORD_PATH, &change).await;
    expect_no_cookie(changed.expect(StatusCode::OK));
    elsewhere.expect_signed_out().await;
    // The session that asked goes on, with the CSRF token that it had.
    ann.expect_signed_in().await;
    let ann = ann.renewed(&stage).await;

    // By a link none goes on.
    let secret = stage.forgotten(&account).await;
    let reset = json!({ "token": secret, "password": PASSWORD });
    let reset = stage.anybody().post(RESET, &reset).await;
    reset.expect(StatusCode::OK);
    ann.expect_signed_out().await;
    bob.expect_signed_in().await;
    bob.renewed(&stage).await;
}

#[tokio::test]
async fn sessions_are_listed_and_revoked_in_either_mode() {
    let stage = Stage::new().await;
    let account = stage.newcomer("Ann").await;
    let ann = Browser::sign_in(&stage, &account).await;
    let second = Browser::sign_in(&stage, &account).await;
    let list = account.client.get(SESSIONS).await;
    assert_eq!(list.expect(StatusCode::OK).json()["meta"]["total"], 3);
    for session in list.data().as_array().unwrap() {
        assert_eq!(
            names(session),
            [
                "createdAt",
                "current",
                "device",
                "id",
                "ip",
                "lastSeenAt",
                "updatedAt",
                "userAgent"
            ]
        );
    }
    let revoked = format!("{SESSIONS}/{}", ann.session().await);
    let revoked = account.client.delete(&revoked).await;
    revoked.expect(StatusCode::NO_CONTENT);
    ann.expect_signed_out().await;
    second.expect_signed_in().await;
    let others = account.client.delete(SESSIONS).await;
    others.expect(StatusCode::NO_CONTENT);
    second.expect_signed_out().await;
    account.client.get(ME).await.expect(StatusCode::OK);

    // A browser may do so itself, and stays.
    let ann = Browser::sign_in(&stage, &account).await;
    ann.bearer().delete(SESSIONS).await.expect(StatusCode::NO_CONTENT);
    expect_unauthorized(&account.client.get(ME).await);
    ann.renewed(&stage).await;
}

#[tokio::test]
async fn a_session_slides_seven_days_and_lasts_thirty_and_the_cookies_as_long() {
    let stage = Stage::new().await;
    let day = TimeDelta::days(1);
    let idle = Browser::sign_in(&stage, &stage.newcomer("Idle").await).await;
    let mut busy = Browser::sign_in(&stage, &stage.newcomer("Busy").await).await;
    stage.app.clock.advance(day * 7 - TimeDelta::seconds(1));
    busy = busy.renewed(&stage).await; // day 7
    stage.app.clock.advance(TimeDelta::seconds(1));
    let idle = [idle.cookies_alone(), idle.page()];
    for client in &idle {
        expect_unauthorized(&post_nothing(client, REFRESH).await);
    }
    for client in &idle {
        expect_cleared(&post_nothing(client, LOGOUT).await);
    }
    for _ in 0..3 {
        stage.app.clock.advance(day * 6);
        busy = busy.renewed(&stage).await; // days 13, 19, 25
    }
    stage.app.clock.advance(day * 3);
    let answer = busy.refresh().await; // day 28
    busy = busy.succeeded_by(&stage, &answer);
    assert_eq!(answer.data()["refreshExpiresIn"], 2 * 24 * 3600);
    let cookies = cookies_set(&answer);
    for name in [REFRESH_COOKIE, CSRF_COOKIE] {
        assert!(cookies[name].1.contains(&"Max-Age=172800".to_owned()), "{cookies:?}");
    }
    stage.app.clock.advance(day * 2);
    expect_unauthorized(&busy.refresh().await);
    expect_cleared(&post_nothing(&busy.cookies_alone(), LOGOUT).await);
}
