//! How a browser comes back from a provider.

use chrono::TimeDelta;
use reqwest::StatusCode;
use tenantry_tests::identity_provider::{Endpoint, Returned};

use super::{APP, APP_WITH_QUERY, LOCAL_APP, Lobby, NATIVE_APP, WORK, ann, expect_malformed};

/// How long somebody may take at the provider.
const LIFE: TimeDelta = TimeDelta::minutes(10);

#[tokio::test]
async fn the_app_gets_a_code_and_what_it_gave() {
    let lobby = Lobby::new().await;
    lobby.provider.signs_in(&ann());
    for to in [APP, APP_WITH_QUERY, NATIVE_APP, LOCAL_APP] {
        for state in ["x", "a b&c=d#e/?%2F+;\"é🦦", " "] {
            let mut browser = lobby.browser();
            let callback = browser
                .reach_callback(WORK, &[("redirectUri", to), ("state", state)])
                .await;
            let answer = browser.return_to(&callback).await;
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            let returned = Returned::of(&answer);
            assert!(returned.location.starts_with(to), "{returned:?}");
            assert_eq!(returned.parameter("state"), Some(state));
            let code = returned.code();
            assert!(code.starts_with("tno_") && code.len() >= 36, "{code}");
            let own = usize::from(to == APP_WITH_QUERY) * 2;
            assert_eq!(returned.parameters.len(), 2 + own, "{returned:?}");
        }
    }
    let returned = lobby.walk(&ann(), &[("redirectUri", APP_WITH_QUERY)]).await;
    assert_eq!(returned.parameter("state"), None);
    assert_eq!(returned.parameter("from"), Some("provider"));
    assert_eq!(returned.parameter("step"), Some("2"));
}

#[tokio::test]
async fn what_providers_say_besides_is_no_matter() {
    let lobby = Lobby::new().await;
    lobby.provider.behave(|told| {
        told.remarks = vec![
            ("session_state", "4711-4712"),
            ("scope", "email openid"),
            ("authuser", "0"),
            ("prompt", "consent"),
            ("hd", "example.com"),
        ];
    });
    let returned = lobby.walk(&ann(), &[("redirectUri", APP), ("state", "kept")]).await;
    returned.code();
    assert_eq!(returned.parameters.len(), 2, "{returned:?}");
}

#[tokio::test]
async fn what_a_provider_refuses_is_told_in_words_of_ours() {
    let lobby = Lobby::new().await;
    for (refusal, told) in [
        ("access_denied", "access_denied"),
        ("temporarily_unavailable", "temporarily_unavailable"),
        ("server_error", "server_error"),
        ("login_required", "server_error"),
        ("invalid_scope", "server_error"),
        ("<script>alert(1)</script>", "server_error"),
    ] {
        lobby.provider.behave(|behaviour| {
            behaviour.refusal = Some(refusal);
            behaviour.remarks = vec![("error_description", "<b>no</b>")];
        });
        let query = [("redirectUri", APP_WITH_QUERY), ("state", "kept")];
        let returned = lobby.walk(&ann(), &query).await;
        assert_eq!(returned.error(), told, "{refusal}");
        assert_eq!(returned.parameter("state"), Some("kept"));
        assert_eq!(returned.parameters.len(), 4, "{returned:?}");
    }
    assert_eq!(lobby.provider.times_asked(Endpoint::Token), 0);
}

#[tokio::test]
async fn somebody_may_take_ten_minutes_at_the_provider() {
    let lobby = Lobby::new().await;
    for (after, fits) in [
        (LIFE - TimeDelta::seconds(1), true),
        (LIFE + TimeDelta::seconds(1), false),
    ] {
        lobby.provider.signs_in(&ann());
        let mut browser = lobby.browser();
        let answer = browser.authorize(WORK, &[("redirectUri", APP)]).await;
        lobby.stage.app.clock.advance(after);
        let callback = browser.sign_in_at_provider(&answer).await;
        let asked = lobby.provider.times_asked(Endpoint::Token);
        let answer = browser.return_to(&callback).await;
        if fits {
            Returned::of(&answer).code();
        } else {
            expect_malformed(&answer, "state");
            assert_eq!(lobby.provider.times_asked(Endpoint::Token), asked);
        }
    }
}

/// Two sign-ins may be under way in one browser, as in two of its tabs.
#[tokio::test]
async fn tabs_are_told_apart() {
    let lobby = Lobby::new().await;
    lobby.provider.signs_in(&ann());
    let mut browser = lobby.browser();
    let first = browser
        .reach_callback(WORK, &[("redirectUri", APP), ("state", "first")])
        .await;
    let second = browser
        .reach_callback(WORK, &[("redirectUri", NATIVE_APP), ("state", "second")])
        .await;
    for (callback, to, state) in [(first, APP, "first"), (second, NATIVE_APP, "second")] {
        let returned = Returned::of(&browser.return_to(&callback).await);
        assert!(returned.location.starts_with(to), "{returned:?}");
        assert_eq!(returned.parameter("state"), Some(state));
        let session = lobby.exchange(&returned.code()).await;
        session.expect(StatusCode::OK);
    }
}

#[tokio::test]
async fn nothing_is_stored_until_a_code_is_exchanged() {
    let lobby = Lobby::new().await;
    let before = lobby.stage.all_that_is_stored().await;
    let code = lobby.code(&ann()).await;
    assert_eq!(lobby.stage.all_that_is_stored().await, before);
    lobby.exchange(&code).await.expect(StatusCode::OK);
    let after = lobby.stage.all_that_is_stored().await;
    assert_ne!(after, before);
    // Neither the code nor what was agreed on with the provider is written down.
    let agreed = lobby.provider.authorization();
    for hidden in [&code, &agreed["state"], &agreed["nonce"]] {
        assert!(!after.contains(hidden.as_str()), "{hidden}");
    }
}

/// The browser's button to go back, and reloads.
#[tokio::test]
async fn a_callback_that_is_opened_again_signs_nobody_in_again() {
    let lobby = Lobby::new().await;
    lobby.provider.signs_in(&ann());
    let mut browser = lobby.browser();
    let callback = browser.reach_callback(WORK, &[("redirectUri", APP)]).await;
    Returned::of(&browser.return_to(&callback).await).code();
    let again = Returned::of(&browser.return_to(&callback).await);
    assert_eq!(again.error(), "server_error");
}
