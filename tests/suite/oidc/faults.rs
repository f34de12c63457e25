//! Providers that are slow, broken or gone, while somebody is on their way back.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::json;
use tenantry_tests::{
    app::{Options, TestApp},
    identity_provider::{Browser, Endpoint, Fault, IdentityProvider, Returned},
};

use super::{APP, Lobby, PROVIDERS, WORK, ann};
use crate::mfa::expect_session;

/// For how long keys are known.
const KEYS_KEPT: TimeDelta = TimeDelta::hours(1);

/// For how long a provider is not asked again that was away.
const PAUSE: TimeDelta = TimeDelta::seconds(10);

/// How long people wait for a silent provider, however many come at once: ten seconds, and what a busy machine adds.
const LONGEST: Duration = Duration::from_secs(20);

/// What somebody is told whose sign-in meets a fault.
async fn error_by(lobby: &Lobby, endpoint: Endpoint, fault: Fault) -> String {
    lobby.provider.behave(|told| {
        // So that all are asked.
        told.tells_in_userinfo = true;
        told.faults.insert(endpoint, fault);
    });
    let returned = lobby.walk(&ann(), &[("redirectUri", APP), ("state", "kept")]).await;
    assert_eq!(returned.parameter("state"), Some("kept"), "{endpoint:?} {fault:?}");
    returned.error()
}

#[tokio::test]
async fn what_is_out_of_order_is_told_as_such() {
    let lobby = Lobby::new().await;
    for endpoint in [Endpoint::Token, Endpoint::Keys, Endpoint::UserInfo] {
        for (fault, error) in [
            (Fault::Status(500), "temporarily_unavailable"),
            (Fault::Status(503), "temporarily_unavailable"),
            (Fault::Huge, "temporarily_unavailable"),
            (Fault::Endless, "temporarily_unavailable"),
            (Fault::Status(404), "server_error"),
            (Fault::Garbage, "server_error"),
            (Fault::Redirect, "server_error"),
        ] {
            // Keys are part of what a provider tells of itself, before anybody goes there.
            let error = match endpoint {
                Endpoint::Keys => "temporarily_unavailable",
                _ => error,
            };
            let before = lobby.provider.times_asked(endpoint);
            let told = error_by(&lobby, endpoint, fault).await;
            assert_eq!(told, error, "{endpoint:?} {fault:?}");
            assert!(lobby.provider.times_asked(endpoint) > before, "{endpoint:?} {fault:?}");
            lobby.provider.behave_well();
            lobby.stage.app.clock.advance(KEYS_KEPT * 2);
        }
    }
    assert_eq!(lobby.provider.times_asked(Endpoint::Elsewhere), 0);
    assert_eq!(lobby.stage.database.count("users").await, 0);
    expect_session(&lobby.enter(&ann()).await);
}

#[tokio::test]
async fn a_provider_that_goes_meanwhile_is_away() {
    let mut lobby = Lobby::new().await;
    lobby.provider.signs_in(&ann());
    let mut browser = lobby.browser();
    let callback = browser.reach_callback(WORK, &[("redirectUri", APP)]).await;
    lobby.provider.stop().await;
    let returned = Returned::of(&browser.return_to(&callback).await);
    assert_eq!(returned.error(), "temporarily_unavailable");
    // Who is known already is not kept from anything else.
    let list = lobby.anybody().get(PROVIDERS).await;
    list.expect(StatusCode::OK);
}

/// What three are told who set out at once for a provider that says nothing, and whoever comes after them.
async fn errors_by_silence(app: &TestApp, provider: &IdentityProvider) -> Vec<String> {
    let query = [("redirectUri", APP), ("state", "kept")];
    let [mut first, mut second, mut third, mut fourth] = [(); 4].map(|()| Browser::new(app));
    let (first, second, third) = tokio::join!(
        first.authorize(WORK, &query),
        second.authorize(WORK, &query),
        third.authorize(WORK, &query),
    );
    // From here on the test says what time it is: the provider was found silent a moment ago, however long that took.
    app.clock.stop();
    app.clock.advance(PAUSE / 2);
    let fourth = fourth.authorize(WORK, &query).await;
    // The first has asked for all of them.
    assert_eq!(provider.times_asked(Endpoint::Metadata), 1);
    let returned = [first, second, third, fourth].map(|answer| Returned::of(&answer));
    assert!(
        returned
            .iter()
            .all(|returned| returned.parameter("state") == Some("kept"))
    );
    returned.iter().map(Returned::error).collect()
}

/// Whoever waits is told within ten seconds, long before the server would give up on them, and none waits for another.
#[tokio::test]
async fn nobody_waits_forever() {
    let lobbies = [Lobby::new().await, Lobby::new().await, Lobby::new().await];
    let [first, second, third] = &lobbies;
    let silent = IdentityProvider::start().await;
    silent.behave(|told| {
        told.faults.insert(Endpoint::Metadata, Fault::Silent);
    });
    let options = Options {
        identity_providers: silent.configured(WORK),
        redirect_uris: vec![APP.to_owned()],
        ..Options::default()
    };
    // Its clock runs, other than that of a stage: for how long nobody asks again counts from when the waiting ended.
    let app = TestApp::with(&first.stage.database, options).await;
    let begun = Instant::now();
    let (metadata, token, keys, userinfo) = tokio::join!(
        errors_by_silence(&app, &silent),
        error_by(first, Endpoint::Token, Fault::Silent),
        error_by(second, Endpoint::Keys, Fault::Silent),
        error_by(third, Endpoint::UserInfo, Fault::Silent),
    );
    let took = begun.elapsed();
    assert!(took < LONGEST, "{took:?}");
    for error in metadata.into_iter().chain([token, keys, userinfo]) {
        assert_eq!(error, "temporarily_unavailable");
    }
    // It is not away for ever.
    silent.behave_well();
    silent.follow(&app.clock);
    silent.signs_in(&ann());
    app.clock.advance(PAUSE);
    Browser::new(&app).walk(WORK, &[("redirectUri", APP)]).await.code();
}

/// An answer may say a lot, as long as it ends.
#[tokio::test]
async fn what_is_only_large_is_read() {
    let lobby = Lobby::new().await;
    let much = json!("x".repeat(200 * 1024));
    lobby.provider.behave(|told| {
        told.metadata = vec![("op_policy", much.clone())];
        told.userinfo = vec![("biography", much)];
        told.tells_in_userinfo = true;
    });
    expect_session(&lobby.enter(&ann()).await);
}
