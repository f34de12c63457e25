//! Keys of providers: they are changed, also while somebody is on their way.

use chrono::TimeDelta;
use tenantry_tests::identity_provider::{Algorithm, Endpoint, Returned, Signer};

use super::{APP, Lobby, WORK, ann};
use crate::mfa::expect_session;

/// How often keys may be asked for because one is not known.
const PAUSE: TimeDelta = TimeDelta::seconds(10);

/// For how long keys are known.
const KEPT: TimeDelta = TimeDelta::hours(1);

fn keys_asked(lobby: &Lobby) -> usize {
    lobby.provider.times_asked(Endpoint::Keys)
}

#[tokio::test]
async fn keys_are_known_for_an_hour() {
    let lobby = Lobby::new().await;
    for _ in 0..3 {
        expect_session(&lobby.enter(&ann()).await);
    }
    assert_eq!(keys_asked(&lobby), 1);
    lobby.stage.app.clock.advance(KEPT - TimeDelta::seconds(1));
    expect_session(&lobby.enter(&ann()).await);
    assert_eq!(keys_asked(&lobby), 1);
    lobby.stage.app.clock.advance(TimeDelta::seconds(2));
    expect_session(&lobby.enter(&ann()).await);
    assert_eq!(keys_asked(&lobby), 2);
}

#[tokio::test]
async fn a_key_that_is_new_is_asked_for() {
    let lobby = Lobby::new().await;
    expect_session(&lobby.enter(&ann()).await);
    for algorithm in [Algorithm::Rs256, Algorithm::Es256, Algorithm::Rs256] {
        lobby.stage.app.clock.advance(PAUSE + TimeDelta::seconds(1));
        // Somebody is at the provider at that moment.
        lobby.provider.signs_in(&ann());
        let mut browser = lobby.browser();
        let callback = browser.reach_callback(WORK, &[("redirectUri", APP)]).await;
        lobby.provider.rotate(algorithm);
        let asked = keys_asked(&lobby);
        let returned = Returned::of(&browser.return_to(&callback).await);
        expect_session(&lobby.exchange(&returned.code()).await);
        assert_eq!(keys_asked(&lobby), asked + 1);
    }
}

/// Whoever can have tokens sent that name any key has the provider asked no more often for that.
#[tokio::test]
async fn keys_that_nobody_knows_are_asked_for_once_in_a_while() {
    let lobby = Lobby::new().await;
    expect_session(&lobby.enter(&ann()).await);
    lobby.stage.app.clock.advance(PAUSE + TimeDelta::seconds(1));
    lobby.provider.behave(|told| told.signer = Signer::Stranger);
    let asked = keys_asked(&lobby);
    for _ in 0..5 {
        let returned = lobby.walk(&ann(), &[("redirectUri", APP)]).await;
        assert_eq!(returned.error(), "server_error");
    }
    assert_eq!(keys_asked(&lobby), asked + 1);
    // Those who are honest are kept from nothing by it.
    lobby.provider.behave_well();
    expect_session(&lobby.enter(&ann()).await);
    assert_eq!(keys_asked(&lobby), asked + 1);
    // And a new key is known once it may be asked for.
    lobby.provider.rotate(Algorithm::Es256);
    lobby.stage.app.clock.advance(PAUSE + TimeDelta::seconds(1));
    expect_session(&lobby.enter(&ann()).await);
    assert_eq!(keys_asked(&lobby), asked + 2);
}

/// A key that was stolen is withdrawn by its owner.
#[tokio::test]
async fn a_key_that_is_announced_no_more_is_not_trusted_for_longer_than_an_hour() {
    let lobby = Lobby::new().await;
    expect_session(&lobby.enter(&ann()).await);
    lobby.provider.rotate(Algorithm::Es256);
    lobby.provider.behave(|told| told.signer = Signer::Previous);
    lobby.stage.app.clock.advance(KEPT + TimeDelta::seconds(1));
    let returned = lobby.walk(&ann(), &[("redirectUri", APP)]).await;
    assert_eq!(returned.error(), "server_error");
    lobby.provider.behave_well();
    expect_session(&lobby.enter(&ann()).await);
}
