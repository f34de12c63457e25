//! An issuer that tests believe is tested itself. That its signatures are good is tested with the provider's.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{AUDIENCE, Algorithm, Fault, KEYS, Person, Signer, TokenIssuer};
use crate::{client::Client, passkey::decoded};

fn part(token: &str, index: usize) -> Value {
    serde_json::from_slice(&decoded(token.split('.').nth(index).unwrap())).unwrap()
}

fn client(issuer: &TokenIssuer) -> Client {
    Client::new(issuer.issuer().trim_end_matches('/').to_owned())
}

#[tokio::test]
async fn it_mints_what_it_is_asked_for() {
    let issuer = TokenIssuer::start().await;
    let ann = Person::new("4711", "ann@example.com").with("sid", "first");
    let token = issuer.token(&ann);
    let keys = client(&issuer).get(KEYS).await.json();
    assert_eq!(part(&token, 0)["kid"], keys["keys"][0]["kid"]);
    let claims = part(&token, 1);
    assert_eq!(
        (&claims["iss"], &claims["aud"], &claims["sid"]),
        (&json!(issuer.issuer()), &json!(AUDIENCE), &json!("first"))
    );
    let other = part(
        &issuer.token_but(&ann, &[("aud", json!(["somebody"])), ("exp", Value::Null)]),
        1,
    );
    assert_eq!((&other["aud"], &other["exp"]), (&json!(["somebody"]), &Value::Null));
    let headed = issuer.headed(&[("typ", Value::Null), ("crit", json!(["exp"]))], &claims);
    assert_eq!(part(&headed, 0)["crit"], json!(["exp"]));
    assert_eq!(part(&headed, 0).get("typ"), None);
    assert_eq!(part(&headed, 1), claims);
    assert!(issuer.signed(Signer::Nobody, &claims).ends_with('.'));

    issuer.rotate(Algorithm::Rs256);
    let rotated = client(&issuer).get(KEYS).await.json();
    assert_ne!(rotated["keys"][0]["kid"], keys["keys"][0]["kid"]);
    assert_eq!(part(&issuer.token(&ann), 0)["kid"], rotated["keys"][0]["kid"]);
    assert_eq!(
        part(&issuer.signed(Signer::Previous, &claims), 0)["kid"],
        keys["keys"][0]["kid"]
    );
}

#[tokio::test]
async fn it_counts_who_asks_and_fails_where_it_is_told_to() {
    let issuer = TokenIssuer::start().await;
    let client = client(&issuer);
    issuer.fail(Fault::Huge);
    let huge = client.get(KEYS).await;
    assert!(huge.text.len() > 1024 * 1024);
    assert_eq!(huge.json(), issuer.keys());
    issuer.fail(Fault::Status(500));
    client.get(KEYS).await.expect(StatusCode::INTERNAL_SERVER_ERROR);
    issuer.fail(Fault::Away);
    client.request(reqwest::Method::GET, KEYS).send().await.unwrap_err();
    issuer.recover();
    issuer.publish(json!({ "keys": [] }));
    assert_eq!(client.get(KEYS).await.json(), json!({ "keys": [] }));
    assert_eq!((issuer.times_asked(), issuer.times_asked_elsewhere()), (4, 0));
    client.get("/foreign-keys").await.expect(StatusCode::OK);
    assert_eq!((issuer.times_asked(), issuer.times_asked_elsewhere()), (4, 1));
}
