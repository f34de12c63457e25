//! Cookies that are not good, odd, or where they are no credential.

use reqwest::{Method, StatusCode, header::HeaderValue};
use serde_json::json;
use tenantry_tests::client::{Client, PASSWORD};

use super::{
    Browser, CSRF_COOKIE, CSRF_HEADER, LEEWAY, LOGOUT, REFRESH_COOKIE, SESSIONS, expect_cleared, expect_no_token_found,
    traces,
};
use crate::mfa::{ME, OTHER, REFRESH, Stage, expect_unauthorized, post_nothing};

/// A caller with a header of cookies and a CSRF token.
fn caller(stage: &Stage, cookies: &str, csrf_token: &str) -> Client {
    stage
        .anybody()
        .with_header("cookie", cookies)
        .with_header(CSRF_HEADER, csrf_token)
}

#[tokio::test]
async fn a_cookie_that_is_no_token_of_ours_renews_nothing_and_is_cleared_at_a_logout() {
    let stage = Stage::new().await;
    let ann = Browser::sign_in(&stage, &stage.newcomer("Ann").await).await;
    let bob = Browser::sign_in(&stage, &stage.newcomer("Bob").await).await;
    let before = traces(&stage).await;
    let token = ann.refresh_token.as_str();
    let cut = token.len() / 2;
    for bad in [
        "",
        "x",
        "tnr_",
        "tnr_unknown",
        "%00",
        "%",
        &token[1..],
        &token[4..],
        &token[..token.len() - 1],
        &format!("{token}A"),
        &format!("{token}%20"),
        &token.to_uppercase(),
        &format!("{}{}", &token[..cut], &bob.refresh_token[cut..]),
        &ann.csrf_token,
        &ann.access_token,
        &"x".repeat(1001),
        &"x".repeat(4000),
    ] {
        let cookies = format!("{REFRESH_COOKIE}={bad}; {CSRF_COOKIE}={}", ann.csrf_token);
        for client in [
            caller(&stage, &cookies, &ann.csrf_token),
            caller(&stage, &cookies, "wrong"),
            stage.anybody().with_header("cookie", &cookies),
        ] {
            let refused = post_nothing(&client, REFRESH).await;
            assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{bad}: {}", refused.text);
            expect_unauthorized(&refused);
            super::expect_no_refresh_token(&refused, token);
            expect_cleared(&post_nothing(&client, LOGOUT).await);
        }
    }
    // No text at all.
    let bytes = HeaderValue::from_bytes(b"__Host-tenantry-refresh=tnr_\xff\xfe").unwrap();
    let request = ann.anybody.request(Method::POST, REFRESH).header("cookie", bytes);
    expect_unauthorized(&ann.anybody.send(request).await);
    assert_eq!(traces(&stage).await, before);
    for browser in [ann, bob] {
        browser.expect_signed_in().await;
        browser.renewed(&stage).await;
    }
}

#[tokio::test]
async fn a_cookie_by_another_name_is_none() {
    let stage = Stage::new().await;
    let mut ann = Browser::sign_in(&stage, &stage.newcomer("Ann").await).await;
    for name in [
        "tenantry-refresh",
        "__Secure-tenantry-refresh",
        "__host-tenantry-refresh",
        "__Host-tenantry-refresh2",
        "x__Host-tenantry-refresh",
        "__Host-tenantry-device",
        CSRF_COOKIE,
        "refreshToken",
        // What another host of the site may set, since browsers keep these for nobody.
        "%5F_Host-tenantry-refresh",
        "__Host%2Dtenantry-refresh",
        "\u{2000}__Host-tenantry-refresh",
    ] {
        let client = caller(&stage, &format!("{name}={}", ann.refresh_token), &ann.csrf_token);
        for path in [REFRESH, LOGOUT] {
            expect_no_token_found(&post_nothing(&client, path).await);
        }
        if name != CSRF_COOKIE {
            // Nor does it come before the one that is.
            let cookies = format!("{name}=tnr_anothers; {}", ann.cookies());
            let answer = post_nothing(&caller(&stage, &cookies, &ann.csrf_token), REFRESH).await;
            answer.expect(StatusCode::OK);
            stage.app.clock.advance(LEEWAY + LEEWAY);
            ann = ann.succeeded_by(&stage, &answer);
        }
    }
    ann.renewed(&stage).await.expect_signed_in().await;
}

/// What other applications of the host keep in the browser is theirs.
#[tokio::test]
async fn other_cookies_do_not_hide_ours_however_odd_they_are() {
    let stage = Stage::new().await;
    let mut ann = Browser::sign_in(&stage, &stage.newcomer("Ann").await).await;
    for around in [
        ["a=b; ", "; c=d"],
        ["", ";"],
        [";; ", " ;;"],
        ["nameless; ", "; nameless"],
        ["=x; ", "; ="],
        ["a=%ff; ", "; b=%"],
        ["a=\"b; ", "; c=\"d\""],
        ["a={\"b\":[1,2]}; ", "; c=a=b=c"],
        ["tenantry-device=tnd_x; ", "; __Host-tenantry-device=tnd_x"],
    ] {
        stage.app.clock.advance(LEEWAY + LEEWAY);
        let cookies = ann.cookies();
        let cookies = format!("{}{cookies}{}", around[0], around[1]);
        let answer = post_nothing(&caller(&stage, &cookies, &ann.csrf_token), REFRESH).await;
        assert_eq!(answer.status, StatusCode::OK, "{cookies}: {}", answer.text);
        ann = ann.succeeded_by(&stage, &answer);
    }
    // Bytes that are no text, of an application of old.
    let cookies = [b"a=\xe9; ", ann.cookies().as_bytes()].concat();
    let page = stage.anybody().with_header(CSRF_HEADER, &ann.csrf_token);
    let request = page.request(Method::POST, REFRESH);
    let request = request.header("cookie", HeaderValue::from_bytes(&cookies).unwrap());
    stage.app.clock.advance(LEEWAY + LEEWAY);
    let ann = ann.succeeded_by(&stage, &page.send(request).await);
    // In two headers, as HTTP/2 may have them (RFC 9113, section 8.2.3).
    let page = stage.anybody().with_header(CSRF_HEADER, &ann.csrf_token);
    let request = page
        .request(Method::POST, REFRESH)
        .header("cookie", format!("{CSRF_COOKIE}={}", ann.csrf_token))
        .header("cookie", format!("{REFRESH_COOKIE}={}", ann.refresh_token));
    let ann = ann.succeeded_by(&stage, &page.send(request).await);
    // The header alone tells that a page knows the token: which CSRF cookie comes along says nothing.
    for csrf_cookie in ["", "; __Host-tenantry-csrf=wrong", "; __Host-tenantry-csrf="] {
        let cookies = format!("{REFRESH_COOKIE}={}{csrf_cookie}", ann.refresh_token);
        let answer = post_nothing(&caller(&stage, &cookies, &ann.csrf_token), REFRESH).await;
        ann.succeeded_by(&stage, &answer);
    }
}

/// Whichever of two counts, none is renewed or ended by the other's CSRF token.
#[tokio::test]
async fn of_two_refresh_cookies_none_goes_by_the_others_csrf_token() {
    let stage = Stage::new().await;
    let (ann, bob) = (stage.newcomer("Ann").await, stage.newcomer("Bob").await);
    for path in [REFRESH, LOGOUT] {
        for turned in [false, true] {
            let ann = Browser::sign_in(&stage, &ann).await;
            let bob = Browser::sign_in(&stage, &bob).await;
            let (first, second) = if turned { (&bob, &ann) } else { (&ann, &bob) };
            let cookies = format!(
                "{REFRESH_COOKIE}={}; {REFRESH_COOKIE}={}",
                first.refresh_token, second.refresh_token
            );
            let client = caller(&stage, &cookies, &bob.csrf_token);
            let answer = post_nothing(&client, path).await;
            match answer.status {
                StatusCode::OK => assert_eq!(Browser::of(&stage, &answer).user_id, bob.user_id),
                StatusCode::NO_CONTENT => expect_cleared(&answer),
                StatusCode::FORBIDDEN => super::expect_forbidden(&answer),
                _ => panic!("{path} {turned}: {} {}", answer.status, answer.text),
            }
            stage.app.clock.advance(LEEWAY + LEEWAY);
            ann.expect_signed_in().await;
            ann.renewed(&stage).await;
        }
    }
    // Twice the same is the same.
    let ann = Browser::sign_in(&stage, &ann).await;
    let twice = format!("{}; {}", ann.cookies(), ann.cookies());
    let answer = post_nothing(&caller(&stage, &twice, &ann.csrf_token), REFRESH).await;
    ann.succeeded_by(&stage, &answer);
}

#[tokio::test]
async fn no_cookie_is_a_credential_for_anything_else() {
    let stage = Stage::new().await;
    let account = stage.newcomer("Ann").await;
    let ann = Browser::sign_in(&stage, &account).await;
    let bob = Browser::sign_in(&stage, &stage.newcomer("Bob").await).await;
    let access = &ann.access_token;
    let more = format!(
        "{}; accessToken={access}; access_token={access}; token={access}; Authorization=Bearer {access}; \
         __Host-tenantry-access={access}; tenantry-access={access}; session={}",
        ann.cookies(),
        ann.session().await
    );
    let before = traces(&stage).await;
    for client in [
        ann.cookies_alone(),
        ann.page(),
        super::in_mode(&ann.page(), "cookie"),
        caller(&stage, &more, &ann.csrf_token),
    ] {
        let password = json!({ "currentPassword": PASSWORD, "newPassword": OTHER });
        for answer in [
            client.get(ME).await,
            client.get(SESSIONS).await,
            client.get("/api/v1/organizations").await,
            client.get("/api/v1/auth/mfa").await,
            client.delete(SESSIONS).await,
            client.patch(ME, &json!({ "name": "Eve" })).await,
            client.post("/api/v1/organizations", &json!({ "name": "Acme" })).await,
            client.put("/api/v1/auth/password", &password).await,
            post_nothing(&client, "/api/v1/auth/mfa/totp").await,
        ] {
            expect_unauthorized(&answer);
            // RFC 6750, section 3.1: who shows nothing is told of no error.
            let challenge = answer.header("www-authenticate").unwrap();
            assert!(
                challenge.starts_with("Bearer") && !challenge.contains("error"),
                "{challenge}"
            );
            super::expect_no_cookie(&answer);
        }
    }
    assert_eq!(traces(&stage).await, before);
    // An access token counts whatever cookies are there.
    let me = bob.page().with_token(access).get(ME).await;
    assert_eq!(me.expect(StatusCode::OK).data()["id"], ann.user_id.as_str());
    assert_eq!(me.data()["name"], "Ann");
    ann.renewed(&stage).await;
}
