//! The domain that passkeys are for: that of the public URL, one above it, or none at all.

use chrono::TimeDelta;
use reqwest::{Method, StatusCode};
use serde_json::json;
use tenantry_tests::{
    app::{Options, TestApp},
    client::{PASSWORD, text},
    passkey::Authenticator,
};

use super::{
    Holder, LOGIN, LOGIN_OPTIONS, OPTIONS, PASSKEYS, by_passkey, creation_options, expect_unknown, listed,
    login_options, phone,
};
use crate::mfa::{
    FRESH, LOGIN as PASSWORD_LOGIN, REAUTHENTICATE, Stage, begin, expect_session, expect_stale, expect_unauthorized,
    factors, freshen, post_nothing, reauthenticate, showing,
};

/// A URL of an address (RFC 5737) that has no name.
const NAMELESS: &str = "http://192.0.2.7:8080";

/// Of a server that people reach at a URL.
fn reached_at(public_url: &str) -> Options {
    Options {
        public_url: Some(public_url.to_owned()),
        ..Options::default()
    }
}

#[tokio::test]
async fn a_server_without_a_domain_has_no_passkeys() {
    // What would be right elsewhere.
    let elsewhere = Stage::new().await;
    let bob = elsewhere.newcomer("Bob").await;
    let mut device = phone();
    let made = device.create(&creation_options(&bob.client).await);
    let used = device.get(&login_options(&elsewhere).await);

    for public_url in [NAMELESS, "http://[2001:db8::7]:8080"] {
        let stage = Stage::with(reached_at(public_url)).await;
        let ann = stage.newcomer("Ann").await;
        let anybody = stage.anybody();
        // What is not there comes before who may, and before what is sent.
        for after in [TimeDelta::zero(), FRESH] {
            stage.app.clock.advance(after);
            for (client, path) in [(&ann.client, OPTIONS), (&anybody, LOGIN_OPTIONS)] {
                expect_unknown(&post_nothing(client, path).await);
                expect_unknown(&post_nothing(client, &format!("{path}?force=true")).await);
            }
            for (client, path) in [(&ann.client, PASSKEYS), (&anybody, LOGIN)] {
                for body in [&made, &used, &json!({}), &json!([]), &json!({ "nobody": "knows" })] {
                    expect_unknown(&client.post(path, body).await);
                }
                let request = client.request(Method::POST, path);
                let cut_off = request.header("content-type", "application/json").body("{\"id\": ");
                expect_unknown(&client.send(cut_off).await);
            }
            expect_unknown(&reauthenticate(&ann.client, &by_passkey(&used)).await);
        }
        // Who is nobody is told nothing, as everywhere.
        for (path, body) in [
            (OPTIONS, &json!({})),
            (PASSKEYS, &made),
            (REAUTHENTICATE, &by_passkey(&used)),
        ] {
            for nobody in [anybody.clone(), anybody.with_token("x")] {
                expect_unauthorized(&nobody.post(path, body).await);
            }
        }
        assert_eq!(stage.database.count("answered_challenges").await, 0);

        // All else goes on.
        assert_eq!(listed(&ann.client).await.len(), 0);
        assert_eq!(factors(&ann.client).await["passkeys"], 0);
        freshen(&ann.client).await;
        begin(&ann.client).await.expect(StatusCode::OK);
    }
}

/// Where passkeys cannot be used any more, nobody is kept from the rest by those that they have.
#[tokio::test]
async fn a_passkey_from_before_the_domain_was_given_up_can_be_taken_away() {
    let stage = Stage::new().await;
    let mut ann = Holder::new(&stage, "Ann").await;
    let answer = ann.answer(&stage).await;
    let app = TestApp::with(&stage.database, reached_at(NAMELESS)).await;
    expect_unknown(&app.client().post(LOGIN, &answer).await);
    let login = json!({ "email": ann.account.email, "password": PASSWORD });
    let session = expect_session(&app.client().post(PASSWORD_LOGIN, &login).await);
    let client = app.client().with_token(&text(&session["accessToken"]));
    assert_eq!(text(&listed(&client).await[0]["id"]), ann.id);
    expect_stale(&client.delete(&ann.path()).await);
    expect_unknown(&reauthenticate(&client, &by_passkey(&answer)).await);
    let code = showing(&ann.recovery_codes[0]);
    reauthenticate(&client, &code).await.expect(StatusCode::OK);
    let gone = client.delete(&ann.path()).await;
    gone.expect(StatusCode::NO_CONTENT);
    assert_eq!(stage.database.count("passkeys").await, 0);
}

/// Browsers know of no passkeys for an address, and of ones for the name that loopback has.
#[tokio::test]
async fn a_server_on_loopback_has_those_of_localhost() {
    for public_url in ["http://127.0.0.1:8080", "http://[::1]:8080", "http://localhost:8080"] {
        let stage = Stage::with(reached_at(public_url)).await;
        let account = stage.newcomer("Ann").await;
        assert_eq!(
            creation_options(&account.client).await["rp"]["id"],
            "localhost",
            "{public_url}"
        );
        assert_eq!(login_options(&stage).await["rpId"], "localhost", "{public_url}");
        let mut ann = Holder::with(account, Authenticator::new("http://localhost:8080")).await;
        let client = ann.sign_in(&stage).await;
        assert_eq!(listed(&client).await.len(), 1);
        for other in ["http://127.0.0.1:8080", "http://localhost", "http://localhost:8081"] {
            ann.device.behaviour.origin = Some(other.to_owned());
            let answer = ann.answer(&stage).await;
            expect_unauthorized(&stage.anybody().post(LOGIN, &answer).await);
        }
    }
}

#[tokio::test]
async fn passkeys_of_a_domain_above_are_used_by_pages_of_the_public_url() {
    const API: &str = "http://api.tenantry.test";
    const APP: &str = "https://app.tenantry.test";
    let stage = Stage::with(Options {
        webauthn_rp_id: Some("tenantry.test".to_owned()),
        cors_origins: vec![APP.to_owned()],
        ..reached_at(API)
    })
    .await;
    let account = stage.newcomer("Ann").await;
    assert_eq!(creation_options(&account.client).await["rp"]["id"], "tenantry.test");
    assert_eq!(login_options(&stage).await["rpId"], "tenantry.test");
    let mut ann = Holder::with(account, Authenticator::new(API)).await;
    let client = ann.sign_in(&stage).await;
    let answer = ann.answer(&stage).await;
    let again = reauthenticate(&client, &by_passkey(&answer)).await;
    again.expect(StatusCode::OK);
    // By those of the application beside it, and by no others of the domain.
    ann.device.behaviour.origin = Some(APP.to_owned());
    ann.sign_in(&stage).await;
    for other in [
        "http://tenantry.test",
        "http://www.tenantry.test",
        "http://app.tenantry.test",
        "http://v2.api.tenantry.test",
    ] {
        ann.device.behaviour.origin = Some(other.to_owned());
        let answer = ann.answer(&stage).await;
        expect_unauthorized(&stage.anybody().post(LOGIN, &answer).await);
    }
    // Nor by one that is for the URL's own domain.
    ann.device.behaviour.origin = None;
    ann.device.behaviour.rp_id = Some("api.tenantry.test".to_owned());
    let answer = ann.answer(&stage).await;
    expect_unauthorized(&stage.anybody().post(LOGIN, &answer).await);
}
