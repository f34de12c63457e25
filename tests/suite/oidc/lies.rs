//! Providers that lie, and others in their place: whatever is wrong, nobody comes in by it.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::identity_provider::{Behaviour, Endpoint, IdentityProvider, Signer};

use super::{APP, Lobby, WORK, ann};
use crate::mfa::expect_session;

/// What a provider does otherwise than it should.
type Lie = (&'static str, fn(&mut Behaviour));

/// Lies in an ID token, or for want of one.
const LIES_IN_TOKENS: [Lie; 21] = [
    ("another nonce", |told| {
        told.id_token = vec![("nonce", json!("a nonce of somebody else"))];
    }),
    ("no nonce", |told| told.id_token = vec![("nonce", Value::Null)]),
    ("an empty nonce", |told| told.id_token = vec![("nonce", json!(""))]),
    ("another issuer", |told| {
        told.id_token = vec![("iss", json!("https://accounts.example.com"))];
    }),
    ("no issuer", |told| told.id_token = vec![("iss", Value::Null)]),
    ("another audience", |told| {
        told.id_token = vec![("aud", json!("somebody"))];
    }),
    ("other audiences", |told| {
        told.id_token = vec![("aud", json!(["somebody", "somebody-else"]))];
    }),
    ("no audience", |told| told.id_token = vec![("aud", Value::Null)]),
    ("nobody's audience", |told| told.id_token = vec![("aud", json!([]))]),
    ("no subject", |told| told.id_token = vec![("sub", Value::Null)]),
    ("no end", |told| told.id_token = vec![("exp", Value::Null)]),
    ("expired", |told| told.age = told.life + TimeDelta::seconds(62)),
    ("made in the future", |told| told.age = TimeDelta::seconds(-62)),
    ("no signature", |told| told.signer = Signer::Nobody),
    ("signed by the public key as a secret", |told| {
        told.signer = Signer::PublicKey;
    }),
    ("signed by the client's secret", |told| {
        told.signer = Signer::ClientSecret;
    }),
    ("signed by another key", |told| told.signer = Signer::Impostor),
    ("signed by a key that is not announced", |told| {
        told.signer = Signer::Stranger;
    }),
    ("a key to be fetched elsewhere", |told| {
        told.signer = Signer::StrangerWithAddress;
    }),
    ("a key that the token brings", |told| {
        told.signer = Signer::StrangerWithKey;
    }),
    ("no token", |told| told.omits_id_token = true),
];

/// Lies in what is told beside it: when the browser is sent back, or in userinfo.
const LIES_BESIDE_TOKENS: [Lie; 7] = [
    ("no issuer beside the code", |told| told.omits_issuer = true),
    ("another issuer beside the code", |told| {
        told.other_issuer = Some("https://accounts.example.com".to_owned());
    }),
    ("an empty issuer beside the code", |told| {
        told.other_issuer = Some(String::new());
    }),
    ("another issuer beside the code, unannounced", |told| {
        told.announces_issuer = false;
        told.other_issuer = Some("https://accounts.example.com".to_owned());
    }),
    ("somebody else's userinfo", |told| {
        told.tells_in_userinfo = true;
        told.userinfo = vec![("sub", json!("1"))];
    }),
    ("nobody's userinfo", |told| {
        told.tells_in_userinfo = true;
        told.userinfo = vec![("sub", Value::Null)];
    }),
    ("userinfo of a subject that is a number", |told| {
        told.tells_in_userinfo = true;
        told.userinfo = vec![("sub", json!(4711))];
    }),
];

#[tokio::test]
async fn nobody_comes_in_by_a_lie() {
    for (what, lie) in LIES_IN_TOKENS.into_iter().chain(LIES_BESIDE_TOKENS) {
        // The metadata are part of it, and what is known of a provider is kept.
        let lobby = Lobby::new().await;
        lobby.provider.behave(lie);
        let returned = lobby.walk(&ann(), &[("redirectUri", APP), ("state", "kept")]).await;
        assert_eq!(returned.error(), "server_error", "{what}");
        assert_eq!(returned.parameter("state"), Some("kept"), "{what}");
        assert_eq!(returned.parameters.len(), 2, "{what}: {returned:?}");
        for endpoint in [Endpoint::ForeignKeys, Endpoint::Elsewhere] {
            assert_eq!(lobby.provider.times_asked(endpoint), 0, "{what}");
        }
        assert_eq!(lobby.stage.database.count("users").await, 0, "{what}");
    }
}

#[tokio::test]
async fn who_has_lied_once_may_tell_the_truth() {
    let lobby = Lobby::new().await;
    for (what, lie) in LIES_IN_TOKENS {
        lobby.provider.behave(lie);
        let returned = lobby.walk(&ann(), &[("redirectUri", APP)]).await;
        assert_eq!(returned.error(), "server_error", "{what}");
        lobby.provider.behave_well();
        expect_session(&lobby.enter(&ann()).await);
    }
    assert_eq!(lobby.stage.database.count("users").await, 1);
}

/// Clocks differ a little.
#[tokio::test]
async fn a_minute_more_or_less_is_no_lie() {
    let lobby = Lobby::new().await;
    let truths: [fn(&mut Behaviour); 4] = [
        |told| told.age = told.life + TimeDelta::seconds(58),
        |told| told.age = TimeDelta::seconds(-58),
        |told| told.age = TimeDelta::minutes(4),
        |told| told.id_token = vec![("nbf", Value::Null), ("jti", json!("1"))],
    ];
    for truth in truths {
        lobby.provider.behave(truth);
        expect_session(&lobby.enter(&ann()).await);
        lobby.provider.behave_well();
    }
}

#[tokio::test]
async fn an_audience_may_be_in_a_list() {
    let lobby = Lobby::new().await;
    let own = json!([lobby.provider.client_id()]);
    lobby.provider.behave(|told| told.id_token = vec![("aud", own)]);
    expect_session(&lobby.enter(&ann()).await);
}

/// Those who do not announce that they tell the issuer need not.
#[tokio::test]
async fn an_issuer_beside_the_code_is_demanded_only_where_it_is_announced() {
    for omits in [true, false] {
        let lobby = Lobby::new().await;
        lobby.provider.behave(|told| {
            told.announces_issuer = false;
            told.omits_issuer = omits;
        });
        expect_session(&lobby.enter(&ann()).await);
    }
}

/// Whoever comes from one provider with the code of another is told so before it is shown to anybody.
#[tokio::test]
async fn a_code_of_another_issuer_is_shown_to_nobody() {
    let lobby = Lobby::new().await;
    lobby
        .provider
        .behave(|told| told.other_issuer = Some("https://accounts.example.com".to_owned()));
    let returned = lobby.walk(&ann(), &[("redirectUri", APP)]).await;
    assert_eq!(returned.error(), "server_error");
    assert_eq!(lobby.provider.times_asked(Endpoint::Token), 0);
}

/// What a client shows its secret by is what the provider says that it takes.
#[tokio::test]
async fn a_client_proves_itself_as_the_provider_wants_it() {
    for ways in [&["client_secret_basic"][..], &["client_secret_post"]] {
        let lobby = Lobby::new().await;
        lobby.provider.behave(|told| told.client_auth = ways.to_vec());
        expect_session(&lobby.enter(&ann()).await);
        assert_eq!(lobby.provider.complaints(), [] as [String; 0], "{ways:?}");
    }
}

#[tokio::test]
async fn a_client_without_a_secret_has_its_verifier() {
    let provider = IdentityProvider::start().await;
    provider.behave(|told| told.public_client = true);
    let lobby = Lobby::beside(provider, |_| {}).await;
    expect_session(&lobby.enter(&ann()).await);
    assert_eq!(lobby.provider.complaints(), [] as [String; 0]);
}

/// The operator mistyped the secret.
#[tokio::test]
async fn a_client_that_the_provider_does_not_know_comes_to_nothing() {
    let provider = IdentityProvider::start().await;
    let wrong = provider
        .configured(WORK)
        .replace(&provider.client_secret(), "an-old-secret");
    let lobby = Lobby::beside(provider, |options| options.identity_providers = wrong).await;
    let mut browser = lobby.browser();
    lobby.provider.signs_in(&ann());
    let callback = browser.reach_callback(WORK, &[("redirectUri", APP)]).await;
    let answer = browser.return_to(&callback).await;
    answer.expect(StatusCode::FOUND);
    let told = answer.header("location").unwrap();
    assert!(told.ends_with("?error=server_error"), "{told}");
    // Nothing of what the provider or the server said.
    assert!(
        !told.contains("secret") && !answer.text.contains("an-old-secret"),
        "{told}"
    );
}
