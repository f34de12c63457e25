//! Which of the published keys count.

use serde_json::{Value, json};

use super::{
    Desk, NO_KEY, Published, expect_unavailable, refusal,
    signing::{Kind, SigningKey},
};

#[tokio::test]
async fn a_key_signs_what_it_is_for() {
    for (kind, member, value, counts) in [
        (Kind::Rs256, "alg", Value::Null, true),
        (Kind::Rs256, "use", Value::Null, true),
        (Kind::Es384, "alg", Value::Null, true),
        (Kind::Ed25519, "alg", Value::Null, true),
        (Kind::Rs256, "alg", json!("RS384"), false),
        (Kind::Rs256, "alg", json!("PS256"), false),
        (Kind::Rs256, "alg", json!("RSA-OAEP"), false),
        (Kind::Rs256, "alg", json!("HS256"), false),
        (Kind::Rs256, "alg", json!("nobody knows"), false),
        (Kind::Es256, "alg", json!("ES384"), false),
        (Kind::Ed25519, "alg", json!("ES256"), false),
        (Kind::Rs256, "use", json!("enc"), false),
        (Kind::Es256, "use", json!("enc"), false),
        (Kind::Ed25519, "use", json!("nobody knows"), false),
        (Kind::Es256, "crv", json!("P-521"), false),
        (Kind::Es256, "crv", json!("P-384"), false),
        (Kind::Ed25519, "crv", json!("X25519"), false),
        (Kind::Es256, "x", json!("AAAA"), false),
        (Kind::Rs256, "n", json!("!"), false),
        (Kind::Rs256, "kty", json!("oct"), false),
        (Kind::Rs256, "kid", Value::Null, false),
        (Kind::Rs256, "kid", json!("another"), false),
    ] {
        let desk = Desk::with(kind, |_| {});
        // So that there is something that can be used.
        let other = SigningKey::new("other", Kind::Es256);
        let keys = vec![desk.key.jwk_but(member, value.clone()), other.jwk()];
        desk.web.publish(Published::Keys(keys));
        let judged = desk.verify(&desk.token()).await;
        assert_eq!(judged.is_ok(), counts, "{kind:?} {member} {value}: {judged:?}");
        desk.verify(&other.token(&desk.claims())).await.unwrap();
    }
}

/// An RSA key that does not say what it signs by does so by any of them, where that is configured.
#[tokio::test]
async fn a_key_of_no_algorithm_signs_by_all_of_its_kind() {
    let desk = Desk::with(Kind::Rs256, |_| {});
    let picky = Desk::with(Kind::Rs256, |settings| {
        settings.algorithms = vec![Kind::Rs256.algorithm()];
    });
    desk.web
        .publish(Published::Keys(vec![desk.key.jwk_but("alg", Value::Null)]));
    picky
        .web
        .publish(Published::Keys(vec![desk.key.jwk_but("alg", Value::Null)]));
    desk.verify(&desk.token()).await.unwrap();
    picky.verify(&desk.token()).await.unwrap();
    let mut header = desk.key.header();
    header["alg"] = json!("ES256");
    assert_eq!(
        refusal(desk.verify(&desk.key.signed(&header, &desk.claims())).await),
        NO_KEY
    );
}

/// A name tells two keys of different kinds apart only together with the algorithm.
#[tokio::test]
async fn keys_of_one_name_are_told_apart_by_what_they_sign_by() {
    let first = SigningKey::new("first", Kind::Rs256);
    let second = SigningKey::new("first", Kind::Es256);
    for keys in [[first.jwk(), second.jwk()], [second.jwk(), first.jwk()]] {
        let desk = Desk::new();
        desk.web.publish(Published::Keys(keys.into()));
        for key in [&first, &second] {
            desk.verify(&key.token(&desk.claims())).await.unwrap();
        }
        assert_eq!(refusal(desk.verify(&desk.token()).await), NO_KEY);
    }
}

#[tokio::test]
async fn what_is_no_key_keeps_no_other_from_counting() {
    let desk = Desk::new();
    desk.web.publish(Published::Keys(vec![
        json!(null),
        json!(7),
        json!("key"),
        json!([]),
        json!({}),
        json!({ "kid": "first" }),
        json!({ "kty": "AKP", "alg": "ML-DSA-44", "kid": "first", "pub": "AAAA" }),
        json!({ "kty": "oct", "kid": "first", "k": "AAAA" }),
        json!({ "kty": "RSA", "kid": "first" }),
        desk.key.jwk_but("x5c", json!(["not looked at"])),
    ]));
    desk.verify(&desk.token()).await.unwrap();
}

#[tokio::test]
async fn what_has_no_key_to_use_is_away() {
    let other = SigningKey::new("first", Kind::Es256);
    for published in [
        Published::Keys(Vec::new()),
        Published::Keys(vec![json!({ "kty": "oct", "kid": "first", "k": "AAAA" })]),
        Published::Keys(vec![other.jwk_but("use", json!("enc"))]),
        Published::Text(String::new()),
        Published::Text("<!doctype html><p>Welcome!</p>".to_owned()),
        Published::Text("[]".to_owned()),
        Published::Text("{}".to_owned()),
        Published::Text("{\"keys\": {}}".to_owned()),
        Published::Text("{\"keys\": null}".to_owned()),
        Published::Text(format!("{{\"keys\": [{}]", other.jwk())),
        Published::Status(204),
        Published::Status(404),
        Published::Status(429),
        Published::Status(500),
        Published::Redirect,
        Published::Nobody,
    ] {
        let desk = Desk::new();
        desk.web.publish(published);
        expect_unavailable(desk.verify(&desk.token()).await);
        assert_eq!(desk.asked(), 1);
    }
}

/// However many there are.
#[tokio::test]
async fn only_so_many_keys_are_kept() {
    let desk = Desk::new();
    let mut keys = vec![desk.key.jwk()];
    keys.extend((0..5000).map(|number| desk.key.jwk_but("kid", json!(format!("key-{number}")))));
    desk.web.publish(Published::Keys(keys.clone()));
    desk.verify(&desk.token()).await.unwrap();
    let named = |kid: &str| {
        let mut header = desk.key.header();
        header["kid"] = json!(kid);
        desk.key.signed(&header, &desk.claims())
    };
    desk.verify(&named("key-0")).await.unwrap();
    assert_eq!(refusal(desk.verify(&named("key-4999")).await), NO_KEY);
    // The same where it is the last of so many.
    keys.rotate_left(1);
    let late = Desk::new();
    late.web.publish(Published::Keys(keys));
    assert_eq!(refusal(late.verify(&desk.token()).await), NO_KEY);
}
