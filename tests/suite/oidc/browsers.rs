//! Who began to sign in is who comes back: nobody is signed in as somebody else without knowing.

use tenantry_tests::identity_provider::{Endpoint, Returned};

use super::{APP, Lobby, WORK, ann, bob, expect_malformed};

const COOKIE: &str = "tenantry-sign-in";

/// A link to a callback, sent to somebody else, would sign them in as its sender.
#[tokio::test]
async fn a_callback_is_good_in_the_browser_that_began_alone() {
    let lobby = Lobby::new().await;
    lobby.provider.signs_in(&bob());
    let mut attacker = lobby.browser();
    let callback = attacker.reach_callback(WORK, &[("redirectUri", APP)]).await;

    let mut blank = lobby.browser();
    expect_malformed(&blank.return_to(&callback).await, "state");
    let mut victim = lobby.browser();
    lobby.provider.signs_in(&ann());
    let own = victim.reach_callback(WORK, &[("redirectUri", APP)]).await;
    expect_malformed(&victim.return_to(&callback).await, "state");
    for odd in ["", "x", "%00", attacker.cookies[COOKIE].to_uppercase().as_str()] {
        let mut other = lobby.browser();
        other.cookies.insert(COOKIE.to_owned(), odd.to_owned());
        expect_malformed(&other.return_to(&callback).await, "state");
    }
    // By another name it is none.
    for name in ["Tenantry-Sign-In", "__Host-tenantry-sign-in", "tenantry-sign-in2"] {
        let mut other = lobby.browser();
        other.cookies.insert(name.to_owned(), attacker.cookies[COOKIE].clone());
        expect_malformed(&other.return_to(&callback).await, "state");
    }
    assert_eq!(lobby.provider.times_asked(Endpoint::Token), 0);
    // Nothing was used up by that.
    Returned::of(&victim.return_to(&own).await).code();
    Returned::of(&attacker.return_to(&callback).await).code();
}

/// A code of an attacker in the callback of a victim.
#[tokio::test]
async fn a_code_from_another_browser_does_not_fit() {
    let lobby = Lobby::new().await;
    let mut callbacks = Vec::new();
    let mut browsers = [lobby.browser(), lobby.browser()];
    for (browser, person) in browsers.iter_mut().zip([bob(), ann()]) {
        lobby.provider.signs_in(&person);
        callbacks.push(browser.reach_callback(WORK, &[("redirectUri", APP)]).await);
    }
    let part = |callback: &str, name: &str| {
        let url: url::Url = callback.parse().unwrap();
        let found = url.query_pairs().find(|(told, _)| told == name);
        found.unwrap().1.into_owned()
    };
    let mixed = callbacks[1].replace(&part(&callbacks[1], "code"), &part(&callbacks[0], "code"));
    assert_ne!(mixed, callbacks[1]);
    let returned = Returned::of(&browsers[1].return_to(&mixed).await);
    assert_eq!(returned.error(), "server_error");
    assert_eq!(lobby.stage.database.count("users").await, 0);
}
