//! The devices on which one is signed in.

use reqwest::StatusCode;
use tenantry_tests::{
    app::TestApp,
    client::{Client, text},
    database::TestDatabase,
};

use super::{ME, SESSIONS, names, refresh, sign_in};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// The id of the session that a client calls with.
async fn current(client: &Client) -> String {
    let sessions = client.get(SESSIONS).await.data();
    let mut current = sessions
        .as_array()
        .unwrap()
        .iter()
        .filter(|session| session["current"] == true);
    let id = text(&current.next().unwrap()["id"]);
    assert_eq!(current.next(), None);
    id
}

#[tokio::test]
async fn sessions_are_listed_and_revoked_at_once() {
    let database = TestDatabase::new().await;
    let app = TestApp::start(&database).await;
    let client = app.client();
    let ann = client.register("Ann", None).await;
    let browser = sign_in(&client.with_header("user-agent", FIREFOX), &ann.email)
        .await
        .data();
    let browser_client = client.with_token(browser["accessToken"].as_str().unwrap());
    let third = sign_in(&client, &ann.email).await.data();
    let third_client = client.with_token(third["accessToken"].as_str().unwrap());
    let bob = client.register("Bob", None).await;

    let list = ann.client.get(SESSIONS).await;
    list.expect(StatusCode::OK);
    assert_eq!(list.json()["meta"]["total"], 3);
    let sessions = list.data();
    for session in sessions.as_array().unwrap() {
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
        assert_eq!(session["ip"], "127.0.0.1");
    }
    let second = &sessions[1];
    assert_eq!(second["userAgent"], FIREFOX);
    let device = second["device"].as_str().unwrap();
    assert!(device.contains("Firefox") && device.contains("Linux"), "{device}");
    let own = current(&ann.client).await;
    assert_eq!(second["id"], current(&browser_client).await.as_str());
    assert_ne!(own, current(&browser_client).await);

    // One that is not mine is none.
    let path = |id: &str| format!("{SESSIONS}/{id}");
    let foreign = ann.client.delete(&path(&current(&bob.client).await)).await;
    foreign.expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
    bob.client.get(ME).await.expect(StatusCode::OK);
    let unknown = ann.client.delete(&path("01890a5d-ac96-774b-bcce-b302099a8057")).await;
    unknown.expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
    ann.client
        .delete(&path("x"))
        .await
        .expect_error(StatusCode::BAD_REQUEST, "MALFORMED_REQUEST");

    let revoked = text(&second["id"]);
    ann.client.delete(&path(&revoked)).await.expect(StatusCode::NO_CONTENT);
    browser_client
        .get(ME)
        .await
        .expect_error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED");
    refresh(&client, browser["refreshToken"].as_str().unwrap())
        .await
        .expect(StatusCode::UNAUTHORIZED);
    ann.client.delete(&path(&revoked)).await.expect(StatusCode::NOT_FOUND);
    assert_eq!(ann.client.get(SESSIONS).await.json()["meta"]["total"], 2);

    third_client.get(ME).await.expect(StatusCode::OK);
    ann.client.delete(SESSIONS).await.expect(StatusCode::NO_CONTENT);
    third_client.get(ME).await.expect(StatusCode::UNAUTHORIZED);
    bob.client.get(ME).await.expect(StatusCode::OK);
    let left = ann.client.get(SESSIONS).await.data();
    assert_eq!(left.as_array().unwrap().len(), 1);
    assert_eq!(left[0]["id"], own.as_str());

    // One's own can be ended too.
    ann.client.delete(&path(&own)).await.expect(StatusCode::NO_CONTENT);
    ann.client.get(ME).await.expect(StatusCode::UNAUTHORIZED);
    for method in [reqwest::Method::GET, reqwest::Method::DELETE] {
        client
            .send(client.request(method, SESSIONS))
            .await
            .expect(StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn a_long_or_odd_user_agent_is_kept_within_bounds() {
    let database = TestDatabase::new().await;
    let app = TestApp::start(&database).await;
    let client = app.client();
    let ann = client.register("Ann", None).await;
    sign_in(&client.with_header("user-agent", &"x".repeat(5000)), &ann.email)
        .await
        .expect(StatusCode::OK);
    let latest = ann.client.get(SESSIONS).await.data()[0].clone();
    let kept = latest["userAgent"].as_str().unwrap().len();
    assert!(kept < 5000, "{kept}");
}
